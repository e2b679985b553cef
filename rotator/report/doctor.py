"""Report of `rotator doctor`, for people and programs: the worst finding first, each command on a line of its own.

Successful checks take few words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.doctor import CHECKS, Finding, Remedy, Severity
from rotator.errors import RotatorError
from rotator.remedy import slow
from rotator.report.words import INDENT, block, entry, error_body, failed_text
from rotator.visible import one_line

LABELS = {Severity.FAIL: "fails", Severity.UNKNOWN: "unknown", Severity.WARN: "warning", Severity.ADVICE: "advice"}
SHELL = "$ "
"""Prefix of a command's line."""


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """Findings about one policy."""

    policy: str
    file: str
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """Return 1 if a check fails, or if a check needed by a rotation is unknown; else 0."""
        return int(any(each.severity <= Severity.UNKNOWN for each in self.findings))


def doctor_text(found: Diagnosed, *, every: bool = False) -> str:
    """Return one policy's findings as paragraphs.

    Successful checks are counted by subject; with `every`, listed.
    """
    return block(f"{found.policy} ({found.file}): {_summary(found.findings)}", _entries(found.findings, every=every))


def doctor_body(found: Diagnosed) -> dict[str, Any]:
    """Return one policy's findings in the JSON form, including successful checks."""
    return {
        "policy": found.policy,
        "file": found.file,
        "exit_code": found.exit_code,
        "findings": [_body(each) for each in found.findings],
    }


def unseen_text(policy: str, error: RotatorError) -> str:
    """Return the report of a policy without a view."""
    return failed_text(policy, error)


def unseen_body(policy: str, error: RotatorError) -> dict[str, Any]:
    """Return a policy without a view in the JSON form."""
    return {"policy": policy, "exit_code": 1, "error": error_body(error)}


def _entries(findings: Sequence[Finding], *, every: bool) -> Iterator[str]:
    for severity, label in LABELS.items():
        for finding in (each for each in findings if each.severity is severity):
            yield entry(label, f"{finding.subject}: {finding.text}", *_to_do(finding))
    if any(slow(command) for each in findings if each.severity < Severity.ADVICE for command in _commands(each)):
        yield entry("note", "Azure may need ten minutes to apply a new role or password; run doctor again then")
    well = [each for each in findings if each.severity is Severity.OK]
    subjects = dict.fromkeys(each.subject for each in well)
    by_part = [(about, [each.text for each in well if each.subject == about]) for about in subjects]
    if every:
        yield from (entry("ok", about, *texts) for about, texts in by_part)
    else:
        yield entry("ok", ", ".join(f"{about} {len(texts)}" for about, texts in by_part) or "nothing")


def _commands(finding: Finding) -> Iterator[str]:
    yield from finding.mend
    for way in finding.ways:
        yield from way.mend


def _to_do(finding: Finding) -> Iterator[str]:
    yield from _shown(finding)
    for way in finding.ways:
        yield f"{one_line(way.when)}:"
        yield from _shown(way)


def _shown(one: Finding | Remedy) -> Iterator[str]:
    yield from (f"{INDENT}{line}" for line in (one.write.split("\n") if one.write else ()))
    yield from (f"{SHELL}{command}" for command in one.mend)


def _summary(findings: Sequence[Finding]) -> str:
    words = {
        Severity.FAIL: ("thing fails", "things fail"),
        Severity.UNKNOWN: ("can't be told", "can't be told"),
        Severity.WARN: ("warning", "warnings"),
        Severity.ADVICE: ("piece of advice", "pieces of advice"),
        Severity.OK: ("check ok", "checks ok"),
    }
    counted = {severity: sum(each.severity is severity for each in findings) for severity in words}
    unseen = len({check.name for check in CHECKS} - {each.check for each in findings})
    told = [f"{count} {words[severity][count != 1]}" for severity, count in counted.items() if count]
    return ", ".join([*told, *([f"{unseen} not looked at"] if unseen else [])])


def _body(finding: Finding) -> dict[str, Any]:
    shown = {
        "check": finding.check,
        "severity": finding.severity.name.lower(),
        "subject": finding.subject,
        "text": finding.text,
    }
    ways = [{"when": way.when, "write": way.write or None, "mend": list(way.mend)} for way in finding.ways]
    return {**shown, "write": finding.write or None, "mend": list(finding.mend), "ways": ways}
