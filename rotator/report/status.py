"""State of many policies, most urgent first: one row for each, and the exit code."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rotator.codes import NoteCode, VetoCode, WaitCode
from rotator.container_group import Dependent
from rotator.errors import RotatorError
from rotator.events import Waiting
from rotator.guard import Veto
from rotator.plan import View, worth_trying
from rotator.remedy import rotator
from rotator.report.many import own_names
from rotator.report.plan import readable
from rotator.report.waits import alike, same, told
from rotator.report.words import instant, name_of, sentence
from rotator.results import Preview, Previewed
from rotator.state import Credential
from rotator.steps import Deploy, Issue, Restore, Wait, kind, target
from rotator.words import day

KEYS = (NoteCode.CERTIFICATE, NoteCode.FEDERATED_CREDENTIAL, NoteCode.MANAGED_IDENTITY, NoteCode.UNKNOWN)
"""Codes of what signs in as a principal without a password, asked for where that matters."""
TOLD = (NoteCode.REVOKED, NoteCode.SERVICE_OR_JOB, WaitCode.UNTAGGED, *KEYS)
"""Codes that a table shows although no step is late: no step is taken, or a group's credential is unknown."""


class Urgency(IntEnum):
    """Urgency of a policy; the most urgent has the lowest number."""

    COMPROMISED = 0
    """A credential that is declared compromised still works."""
    UNREADABLE = 1
    OVERDUE = 2
    BLOCKED = 3
    """A step is due, and is refused until a person decides or corrects the cause."""
    DUE = 4
    WAITING = 5
    RESTING = 6
    REVOKED = 7


ALARMING = (Urgency.COMPROMISED, Urgency.UNREADABLE, Urgency.OVERDUE, Urgency.BLOCKED)
"""Urgencies that a monitor reports: later runs can't continue without a person, or may be too late."""


@dataclass(frozen=True, slots=True)
class Row:
    """Line of one policy.

    `moved` dependents are known to hold the current credential; `remarks` need a person's attention.
    """

    policy: str
    standing: Urgency
    key_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    at: datetime | None = None
    next_due: datetime | None = None
    dependents: tuple[Dependent, ...] = ()
    waits: tuple[Wait, ...] = ()
    foreign: tuple[Credential, ...] = ()
    soonest: datetime | None = None
    """First end of a credential that readers or a container group may hold."""
    drift: bool = False
    compromised: tuple[str, ...] = ()
    """Key ids of credentials that are declared compromised and still work."""
    remarks: tuple[str, ...] = ()
    error: RotatorError | None = None
    due: bool = False
    """A step is due, refused or not."""
    vetoes: tuple[Veto, ...] = ()
    """Refusals of due steps that a look alone foresees: a proof and a try of permissions may show more."""
    own: tuple[str, ...] = ()
    """Names of the policy's own groups and secrets."""
    looked: datetime | None = None
    """Time of the last full look at the policy, if this line comes from the services' lists."""

    @property
    def moved(self) -> int:
        """Number of dependents known to hold the current credential."""
        return sum(dependent.key_id == self.key_id for dependent in self.dependents) if self.key_id else 0

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of the subjects of the waits."""
        return tuple(dict.fromkeys(name_of(wait.subject) for wait in self.waits))


def rows(seen: Iterable[Previewed]) -> tuple[Row, ...]:
    """Return a line for each policy, most urgent first."""
    found = (_unseen(name, what) if isinstance(what, RotatorError) else _row(what) for name, what in seen)
    return tuple(sorted(found, key=_urgency))


def _urgency(row: Row) -> tuple[Urgency, str, str]:
    """Return the sort key of a row: state, time, name.

    The time is the earliest end of a credential for a state with work to do, else the next due time.
    """
    at = row.soonest if row.standing < Urgency.WAITING else row.next_due
    return row.standing, instant(at) or "~", row.policy


def status_code(seen: Iterable[Previewed], but: Sequence[Urgency] = ()) -> int:
    """Return the exit code: 1 if a policy's state raises an alarm, else 0.

    Alarms: a compromised credential still works, a policy can't be seen, a wait is past its warning, or due work is
    refused. `but`: states that are none.
    """
    return int(any(row.standing in ALARMING and row.standing not in but for row in rows(seen)))


def _row(preview: Preview) -> Row:
    view, plan, current = preview.view, preview.plan, preview.view.current
    opened = [note for note in plan.notes if note.code is NoteCode.STILL_OPEN]
    return Row(
        policy=preview.policy.name,
        standing=_standing(preview),
        key_id=view.current_key,
        start=current.start if current else None,
        end=current.end if current else None,
        at=view.at,
        next_due=preview.next_due,
        dependents=view.dependents,
        waits=tuple(plan.waits),
        foreign=_foreign(view),
        soonest=min(_ends(view), default=None),
        drift=view.drift,
        due=bool(plan.steps or preview.vetoes),
        vetoes=preview.vetoes,
        own=own_names(preview.policy),
        looked=preview.looked,
        compromised=tuple(note.subject for note in opened),
        remarks=(
            *(note.text for note in opened),
            *_stopped(preview),
            *_untried(view),
            *_refused(preview),
            *_late(preview),
            *wait_remarks(wait for wait in plan.waits if wait.warn or wait.code in TOLD),
            *(readable(note.text) for note in plan.notes if (note.warn or note.code in TOLD) and note not in opened),
        ),
    )


def _ends(view: View) -> Iterator[datetime]:
    if view.current:
        yield view.current.end
    yield from (end for each in view.dependents if (end := view.soonest(each)))


def _stopped(preview: Preview) -> Iterator[str]:
    """Yield the work stopped by drift, now or when due, and both ways to resolve the drift."""
    view, policy = preview.view, preview.policy.name
    if view.drift and view.newest and not view.drift_tolerated:
        text = (
            f"version {view.newest.id} of {view.policy.key_vault.password_secret} was written by others on top of the"
            " one that rotator wrote: no credential is issued"
        )
        yield (
            f"{text} or removed until `{rotator('adopt', policy)}` (keeps its credential) or"
            f" `{rotator('rotate', policy, accept_drift=True)}`"
        )


def _untried(view: View) -> Iterator[str]:
    """Yield values that decide if an alarm is due, and that only a run and `plan` try."""
    for version in worth_trying(view):
        if view.tried(version) is None:
            state = "was written by others" if version is view.newest else "is of a compromised credential"
            yield (
                f"version {version.id} of {view.policy.key_vault.password_secret} {state}, and a status tries no value,"
                f" so it is unknown if it works; `{rotator('plan', view.policy.name)}` tries it"
            )


def _refused(preview: Preview) -> Iterator[str]:
    """Yield what refuses the due steps; the refusal of drift has its own sentence."""
    shown = [veto for veto in preview.vetoes if veto.code is not VetoCode.DRIFT]
    for veto in shown:
        remedy, *more = veto.remedy.splitlines()
        lines = f" `{rotator('plan', preview.policy.name)}` shows the lines." if more else ""
        what = f"{kind(veto.step)} {name_of(target(veto.step))} is refused: {veto.happened}"
        yield f"{what}. What to do: {remedy.rstrip(':')}{'.' if lines else ''}{lines}"


def _late(preview: Preview) -> Iterator[str]:
    """Yield overdue work: a step replacing a credential already gone, or ending within `warn_before`."""
    view, steps = preview.view, preview.plan.steps
    moved = {step.group for step in steps if isinstance(step, Deploy | Restore)}
    held = [
        view.soonest(each) or view.at
        for each in view.dependents
        if each.key_id and view.behind(each) and each.id in moved
    ]
    issued = [view.current.end] if view.current and any(isinstance(step, Issue) for step in steps) else []
    soonest = min((*held, *issued), default=None)
    if soonest and soonest - view.at <= view.policy.rotation.warn_before:
        gone = "is gone or has ended" if soonest <= view.at else f"ends {day(soonest)}"
        yield (
            f"a credential in use {gone}, and no run has replaced it: check that `rotator rotate` runs, and read"
            " its report"
        )


def wait_remarks(waits: Iterable[Wait | Waiting]) -> Iterator[str]:
    """Yield waits in words; those for the same once."""
    for first, *others in alike(waits):
        text = readable(told(first))
        yield f"{sentence(text)} {same(first, others)}" if others else text


def _foreign(view: View) -> tuple[Credential, ...]:
    return tuple(credential for credential in view.foreign if credential.live(view.at))


def _standing(preview: Preview) -> Urgency:
    plan, view = preview.plan, preview.view
    if any(note.code is NoteCode.STILL_OPEN for note in plan.notes):
        return Urgency.COMPROMISED
    if view.revoked:
        return Urgency.REVOKED
    ended = view.current_version is not None and not (view.current and view.current.live(view.at))
    if ended or any(_late(preview)) or any(wait.warn for wait in plan.waits) or any(note.warn for note in plan.notes):
        return Urgency.OVERDUE
    if preview.vetoes:
        return Urgency.BLOCKED
    return Urgency.DUE if plan.steps else Urgency.WAITING if plan.waits else Urgency.RESTING


def _unseen(name: str, error: RotatorError) -> Row:
    found = error.diagnose()
    return Row(
        name, Urgency.UNREADABLE, remarks=(f"{found.happened.rstrip('.')}. What to do: {found.remedy}",), error=error
    )
