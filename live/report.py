"""Report of a run: text for its user, and JSON to send if Azure differs. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live.chain import Step
from live.claims import Claim, Finding, Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """Findings, steps and remains of a run."""

    at: str
    cloud: str
    location: str
    findings: Sequence[Finding]
    steps: Sequence[Step]
    left: Sequence[str]
    interrupted: bool = False

    @property
    def good(self) -> bool:
        """Tell if every fact and step succeeded and no resource is left."""
        differs = any(found.outcome == Outcome.DIFFERS for found in self.findings)
        return not (differs or self.left or self.interrupted) and all(step.done for step in self.steps)


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    facts = [
        {"fact": found.fact, "outcome": found.outcome.value, "claims": [_claim(claim) for claim in found.claims]}
        for found in report.findings
    ]
    chain = [{"step": step.name, "done": step.done, "seen": step.seen, "output": step.output} for step in report.steps]
    head = {"version": 1, "at": report.at, "cloud": report.cloud, "location": report.location}
    body = {**head, "interrupted": report.interrupted, "facts": facts, "chain": chain, "left": list(report.left)}
    return json.dumps(body, indent=2, default=str)


def _claim(claim: Claim) -> dict[str, Any]:
    shown: dict[str, Any] = {"claim": claim.words, "outcome": claim.outcome.value}
    if claim.reason:
        shown["reason"] = claim.reason
    if claim.answer:
        shown["answer"] = claim.answer
    return shown


def as_text(report: Report) -> str:
    """Return the report for a terminal."""
    lines = [f"Azure ({report.cloud}, {report.location}), {report.at}"]
    lines += [line for found in report.findings for line in finding_lines(found)]
    for step in report.steps:
        lines.append(f"  {'done' if step.done else 'FAILED':9} {step.name}: {step.seen}")
        lines += [f"            {line}" for line in step.output.splitlines()]
    counts = {each: sum(found.outcome == each for found in report.findings) for each in Outcome}
    lines.append(", ".join(f"{count} {each.value}" for each, count in counts.items()))
    lines += ["Interrupted."] if report.interrupted else []
    lines += [f"LEFT: {name}" for name in report.left]
    return "\n".join(lines) + "\n"


def finding_lines(found: Finding) -> list[str]:
    """Return the lines of a fact: its outcome, and each claim other than `holds`."""
    lines = [f"  {found.outcome.value:9} {found.fact}"]
    for claim in found.claims:
        if claim.outcome != Outcome.HOLDS:
            lines.append(
                f"            {claim.outcome.value}: {claim.words}{f' ({claim.reason})' if claim.reason else ''}"
            )
        if claim.answer:
            lines.append(f"              {json.dumps(claim.answer, default=str)}")
    return lines
