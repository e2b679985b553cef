"""State of many policies as one table for people and monitors, most urgent first."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from rotator.codes import NoteCode, WaitCode
from rotator.container_group import Dependent
from rotator.errors import RotatorError
from rotator.plan import View
from rotator.remedy import rotator
from rotator.report.many import FEW, FIRST, counted
from rotator.report.plan import lists_text, readable
from rotator.report.words import error_body, instant, name_of
from rotator.results import Preview, Previewed
from rotator.state import Credential
from rotator.steps import Deploy, Issue, Restore, Retire, Step, Wait
from rotator.visible import one_line
from rotator.words import day

HEADINGS = ("POLICY", "STATE", "CREDENTIAL", "AGE", "ENDS", "NEXT DUE", "GROUPS", "WAITS", "FOREIGN")
NONE = "-"
TOLD = (NoteCode.REVOKED, NoteCode.SERVICE_OR_JOB, WaitCode.UNTAGGED)
"""Codes of what a table must say although nothing is late: nothing is done, or it isn't known what a group holds."""
WIDE, NARROW, SMALL = 120, 80, 60
"""Columns of a terminal that has room for everything, for most, and for what matters most."""
LONGEST_NAME = {WIDE: 30, NARROW: 19, SMALL: 18}
"""Of a policy's name, how much is shown."""


class Urgency(IntEnum):
    """Urgency of a policy; the most urgent has the lowest number."""

    COMPROMISED = 0
    """A credential that is declared compromised still works."""
    UNREADABLE = 1
    OVERDUE = 2
    BLOCKED = 3
    """Something is due, and somebody's version on top of ours stops it until a person decides."""
    DUE = 4
    WAITING = 5
    RESTING = 6
    REVOKED = 7


ALARMING = (Urgency.COMPROMISED, Urgency.UNREADABLE, Urgency.OVERDUE, Urgency.BLOCKED)
"""What a monitor is told of: no later run gets on without a person, or might not in time."""


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
    """When the first credential ends that readers or a container group may hold."""
    drift: bool = False
    compromised: tuple[str, ...] = ()
    """Key ids of credentials that are declared compromised and still work."""
    remarks: tuple[str, ...] = ()
    error: RotatorError | None = None
    looked: datetime | None = None
    """When the policy was last looked at by itself, if this line comes from the services' lists."""

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


def status_code(seen: Iterable[Previewed]) -> int:
    """Return the exit code: 1 if a policy's state raises an alarm, else 0.

    Alarms: a compromised credential still works, a policy can't be seen, a wait is past its warning, or drift stops due
    work.
    """
    return int(any(row.standing in ALARMING for row in rows(seen)))


def status_text(seen: Iterable[Previewed], *, width: int = WIDE, every: bool = False) -> str:
    """Return the table within `width` columns, the number of policies in each state, and remarks.

    With `every`, the remarks list each group, wait and foreign credential. Of more than `FEW` policies, those at rest
    are counted unless `every`, and the numbers come first.
    """
    found = rows(seen)
    room = next((room for room in (WIDE, NARROW) if width >= room), SMALL)
    shown = found if every or len(found) <= FEW else _pressing(found)
    lines = _table([HEADINGS, *(_cells(row, room) for row in shown)], room) if shown else []
    said = shown if every or len(found) <= FEW else _said(shown)
    below = [line for row in said for line in _below(row, max(width, SMALL), every=every)]
    counts = Counter(row.standing for row in found)
    several = ", ".join(f"{counts[standing]} {standing.name.lower()}" for standing in Urgency if counts[standing])
    summary = [f"{len(found)} policies: {several}", *_by_lists(found)] if len(found) > 1 else []
    parts = (
        (lines, summary, below)
        if shown is found
        else (summary, lines, below, _counted(found, shown, max(width, SMALL)))
    )
    return "\n\n".join("\n".join(part) for part in parts if part)


def _pressing(found: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of a large fleet that a person must see: every alarm, and the first ones with work or a remark.

    What is revoked is so by a person's wish, and counted.
    """
    alarming = [row for row in found if row.standing in ALARMING]
    others = [row for row in found if row.standing is Urgency.DUE or row.remarks]
    others = [row for row in others if row.standing not in (*ALARMING, Urgency.REVOKED)]
    return (*alarming, *others[:FEW])


def _said(shown: Sequence[Row]) -> tuple[Row, ...]:
    """Return those rows of a large fleet whose remarks are shown: every alarm, and the first others."""
    others = [row for row in shown if row.standing not in ALARMING and row.remarks]
    left = {row.policy for row in others[FIRST:]}
    return tuple(row for row in shown if row.policy not in left)


def _counted(found: Sequence[Row], shown: Sequence[Row], width: int) -> list[str]:
    """Return the lines about rows and remarks that aren't shown."""
    there = {row.policy for row in shown}
    left = [row for row in found if row.policy not in there]
    lines = [counted(f"{len(left)} more", [(row.next_due, row.policy) for row in left])] if left else []
    said = {row.policy for row in _said(shown)}
    quiet = sum(row.policy not in said for row in shown)
    lines += [f"{quiet} of these have remarks that are not urgent; -v shows each"] if quiet else []
    return [part for line in lines for part in _wrapped(line, width)]


def _by_lists(found: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence on the lines that come from the services' lists, and the age of what these don't show."""
    if looked := [row.looked for row in found if row.looked]:
        yield (
            f"{len(looked)} of them are at rest by the services' lists; the oldest full look is from {day(min(looked))}"
        )


def status_body(seen: Iterable[Previewed]) -> list[dict[str, Any]]:
    """Return the table in the JSON form.

    `age` is in seconds; `groups` counts all dependents, and those on the current credential.
    """
    return [_body(row) for row in rows(seen)]


def _row(preview: Preview) -> Row:
    view, plan, current = preview.view, preview.plan, preview.view.current
    found: Sequence[Any] = (*plan.waits, *plan.notes)
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
        looked=preview.looked,
        compromised=tuple(note.subject for note in opened),
        remarks=(
            *(note.text for note in opened),
            *_stopped(preview),
            *_late(preview),
            *(readable(item.text) for item in found if (item.warn or item.code in TOLD) and item not in opened),
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
            f"version {view.newest.id} of {view.policy.key_vault.password_secret} was written by others on top of"
            " the version of rotator: no credential is issued"
        )
        yield (
            f"{text} or removed until `{rotator('adopt', policy)}` (keeps its credential) or"
            f" `{rotator('rotate', policy, accept_drift=True)}`"
        )


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
    if plan.steps:
        return Urgency.BLOCKED if view.drift and not view.drift_tolerated and _stops(plan.steps) else Urgency.DUE
    return Urgency.WAITING if plan.waits else Urgency.RESTING


def _stops(steps: Iterable[Step]) -> bool:
    """Tell if drift stops one of these steps; redeployments are not stopped."""
    return any(isinstance(step, Issue | Retire) for step in steps)


def _unseen(name: str, error: RotatorError) -> Row:
    found = error.diagnose()
    return Row(
        name, Urgency.UNREADABLE, remarks=(f"{found.happened.rstrip('.')}. What to do: {found.remedy}",), error=error
    )


def _table(table: Sequence[tuple[str, ...]], room: int) -> list[str]:
    """Return the lines of the table, columns side by side.

    On a narrow terminal, leave out the credential, and put one space between columns; on a small one, leave out the
    age and the counts of waits and foreign credentials, too.
    """
    table = [tuple(map(one_line, line)) for line in table]
    kept = {WIDE: range(9), NARROW: (0, 1, 3, 4, 5, 6, 7, 8), SMALL: (0, 1, 4, 5, 6)}[room]
    table = [tuple(line[column] for column in kept) for line in table]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    gap = "  " if room == WIDE else " "
    return [gap.join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in table]


def _cells(row: Row, room: int) -> tuple[str, ...]:
    name = row.policy if len(row.policy) <= LONGEST_NAME[room] else f"{row.policy[: LONGEST_NAME[room] - 1]}…"
    age = _short(row.at - row.start) if row.at and row.start else NONE
    due = "now" if row.standing in (Urgency.BLOCKED, Urgency.DUE) else _date(row.next_due)
    groups = f"{row.moved}/{len(row.dependents)}" if row.error is None else NONE
    state = _state(row) + (", drift" if row.drift and room == WIDE else "")
    last = max((credential.end for credential in row.foreign), default=None)
    foreign = f"{len(row.foreign)}, {_date(last)}" if last and room == WIDE else str(len(row.foreign) or NONE)
    return (
        name,
        state,
        (row.key_id or NONE)[:8],
        age,
        _date(row.end),
        due,
        groups,
        str(len(row.waiting) or NONE),
        foreign,
    )


def _state(row: Row) -> str:
    return row.standing.name if row.standing is Urgency.COMPROMISED else row.standing.name.lower()


def _short(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f}d" if hours >= 48 else f"{hours:.0f}h"


def _date(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else NONE


def _below(row: Row, width: int, *, every: bool) -> Iterator[str]:
    lines = [*row.remarks, *(_details(row) if every else ())]
    for line in dict.fromkeys(lines):
        yield from _wrapped(f"{row.policy}: {line}", width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(one_line(text), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _details(row: Row) -> Iterator[str]:
    if row.looked:
        yield f"at rest {lists_text(row.looked)}"
    for dependent in row.dependents:
        held = (
            "the current credential"
            if dependent.key_id and dependent.key_id == row.key_id
            else f"credential {dependent.key_id}"
        )
        since = f" since {day(dependent.since)}" if dependent.since else ""
        yield (
            f"group {dependent.name} ({dependent.phase.value})"
            f" {f'holds {held}{since}' if dependent.key_id else 'has no rotator-key-id tag'}"
        )
    for wait in row.waits:
        since = f" (since {day(wait.since)})" if wait.since else ""
        yield f"waits{f' until {day(wait.until)}' if wait.until else ''}: {readable(wait.text)}{since}"
    for credential in row.foreign:
        yield (
            f"foreign credential {credential.key_id} ({credential.display_name or 'no name'}) ends"
            f" {day(credential.end)}"
        )


def _body(row: Row) -> dict[str, Any]:
    credential = (
        {"key_id": row.key_id, "start": instant(row.start), "end": instant(row.end), "age": _age(row)}
        if row.key_id
        else None
    )
    last = max((each.end for each in row.foreign), default=None)
    return {
        "policy": row.policy,
        "state": row.standing.name.lower(),
        "at": instant(row.at),
        "looked": instant(row.looked or row.at),
        "credential": credential,
        "next_due": instant(row.next_due),
        "groups": {
            "current": row.moved,
            "total": len(row.dependents),
            "dependents": [_dependent_body(row, each) for each in row.dependents],
        },
        "waiting": list(row.waiting),
        "waits": [_wait_body(wait) for wait in row.waits],
        "foreign": [each.key_id for each in row.foreign],
        "foreign_until": instant(last),
        "drift": row.drift,
        "compromised": list(row.compromised),
        "remarks": list(row.remarks),
        "error": error_body(row.error) if row.error else None,
    }


def _dependent_body(row: Row, dependent: Dependent) -> dict[str, Any]:
    current = dependent.key_id is not None and dependent.key_id == row.key_id
    shown = {"group": dependent.id, "phase": dependent.phase.value, "key_id": dependent.key_id}
    return {**shown, "current": current, "since": instant(dependent.since)}


def _wait_body(wait: Wait) -> dict[str, Any]:
    shown = {"code": wait.code, "subject": wait.subject, "reason": readable(wait.text), "until": instant(wait.until)}
    return {**shown, "since": instant(wait.since), "warn": wait.warn}


def _age(row: Row) -> float | None:
    return (row.at - row.start).total_seconds() if row.at and row.start else None
