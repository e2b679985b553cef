"""Journal of one policy's run: each event is reported at once with the policy's name, and counted for the exit code."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator.codes import NoteCode, WaitCode
from rotator.events import (
    AccessRecorded,
    AppIdSaved,
    AssignmentCreated,
    AssignmentDeleted,
    CredentialAdded,
    CredentialRemoved,
    Event,
    GroupAccepted,
    IdentityCreated,
    Noted,
    OwnerAdded,
    StepDone,
    StepFailed,
    StepPostponed,
    UsernamePublished,
    VersionDisabled,
    VersionMarked,
    VersionPublished,
    Vetoed,
    Waiting,
)
from rotator.plan import headline
from rotator.ports import Tell
from rotator.steps import Note, Wait

POSTPONED = (WaitCode.ON_TOP, WaitCode.LIMITED, NoteCode.NOT_FORCED)
"""Codes of what was asked for and isn't done yet."""


CHANGES = (
    *(StepDone, StepPostponed, CredentialAdded, CredentialRemoved, VersionPublished, VersionDisabled, VersionMarked),
    *(GroupAccepted, IdentityCreated, OwnerAdded, AppIdSaved, UsernamePublished),
    *(AccessRecorded, AssignmentCreated, AssignmentDeleted),
)
"""Events of a write that happened, or may have happened."""


@dataclass(slots=True)
class Score:
    """Counts that decide the exit code."""

    done: int = 0
    failed: int = 0
    vetoed: int = 0
    warned: int = 0
    postponed: int = 0
    limit_ends: datetime | None = None
    """First end of a limit that a step waits for."""
    changed: bool = False
    """True once a write has happened, or may have happened."""
    alarms: list[str] = field(default_factory=list)
    """Alarms, printed before all other lines."""

    @property
    def exit_code(self) -> int:
        """Exit code, the first that applies: 1 failed or warned, 3 vetoed, 0."""
        if self.failed or self.warned:
            return 1
        return 3 if self.vetoed else 0

    def summary(self) -> str:
        """One line for people."""
        counts = (
            *((self.done, "done"), (self.failed, "failed"), (self.vetoed, "vetoed")),
            *((self.warned, "waiting past the warning"), (self.postponed, "postponed")),
        )
        counted = ", ".join(f"{count} {what}" for count, what in counts if count)
        return "; ".join([*self.alarms, counted or "nothing was due"])

    def count(self, event: Event) -> None:
        """Count one event."""
        self.changed = self.changed or isinstance(event, CHANGES)
        self.done += isinstance(event, StepDone)
        self.failed += isinstance(event, StepFailed)
        self.vetoed += isinstance(event, Vetoed)
        self.warned += bool(getattr(event, "warn", False))
        self.postponed += getattr(event, "code", "") in POSTPONED
        if isinstance(event, Waiting) and event.code is WaitCode.LIMITED and event.until:
            self.limit_ends = min(event.until, self.limit_ends or event.until)
        if isinstance(event, Noted) and event.code in (NoteCode.STILL_OPEN, NoteCode.UNSEEN_MARKS):
            self.alarms.append(headline(event.text))


@dataclass(frozen=True, slots=True)
class Journal:
    """Events of one policy's run. `hear` gets each of them, `score` has their counts."""

    hear: Tell
    policy: str
    score: Score = field(default_factory=Score, compare=False)

    def tell(self, happened: Event | Wait | Note, at: datetime | None = None) -> None:
        """Tell and count an event, or a finding of the plan, that happened `at` this time."""
        event = replace(_event(happened), policy=self.policy, at=at)
        self.score.count(event)
        self.hear(event)


def _event(happened: Event | Wait | Note) -> Event:
    match happened:
        case Wait(code=code, subject=subject, text=text, until=until, warn=warn, since=since):
            return Waiting(code=code, subject=subject, reason=text, until=until, warn=warn, since=since)
        case Note(code=code, subject=subject, text=text, warn=warn):
            return Noted(code=code, subject=subject, text=text, warn=warn)
        case _:
            return happened
