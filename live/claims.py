"""Claims: each fact as single sentences, with Azure's answer to each."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from live.azure import Answer
from live.hidden import Hidden


class Outcome(StrEnum):
    """Result of a claim, and of a fact."""

    HOLDS = "holds"
    DIFFERS = "differs"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a fact with its outcome; `answer` has no secrets, `reason` explains a claim that was not seen."""

    words: str
    outcome: Outcome
    answer: dict[str, Any] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact with its claims."""

    fact: str
    claims: tuple[Claim, ...]

    @property
    def outcome(self) -> Outcome:
        """Outcome of the fact: differs if any claim differs, holds if some claim was seen and none differs."""
        found = {claim.outcome for claim in self.claims}
        return next((each for each in (Outcome.DIFFERS, Outcome.HOLDS) if each in found), Outcome.NOT_SEEN)


@dataclass(slots=True)
class Probe:
    """Record of one check's claims, while the check runs."""

    hidden: Hidden
    claims: list[Claim] = field(default_factory=list)

    def claim(self, words: str, answer: Answer, holds: bool) -> bool:
        """Record a claim with the outcome of Azure's answer; return the outcome."""
        shown = None if holds else shown_answer(answer, self.hidden)
        self.claims.append(Claim(words, Outcome.HOLDS if holds else Outcome.DIFFERS, shown))
        return holds

    def unseen(self, words: str, reason: str) -> None:
        """Record a claim that was not seen, with the reason."""
        self.claims.append(Claim(words, Outcome.NOT_SEEN, reason=self.hidden.text(reason)))


def shown_answer(answer: Answer, hidden: Hidden) -> dict[str, Any]:
    """Return an answer for a report: no secrets, and only headers with facts about Azure."""
    return {
        "request": hidden.text(f"{answer.method} {answer.url}"),
        "status": answer.status,
        "headers": hidden.headers(answer.headers),
        "body": hidden.body(answer.body),
    }
