"""The state of many policies as one table, most urgent first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from rotator.errors import RotatorError
from rotator.plan.words import day, days
from rotator.report.given import Preview, Seen
from rotator.report.plan import readable
from rotator.report.words import error_body, instant, name_of

HEADINGS = ("POLICY", "STATE", "CREDENTIAL", "AGE", "ENDS", "NEXT DUE", "GROUPS", "WAITING", "FOREIGN")
NONE = "-"


class Standing(IntEnum):
    """How urgent a policy is; the most urgent has the lowest number."""

    UNREADABLE = 0
    OVERDUE = 1
    DUE = 2
    WAITING = 3
    RESTING = 4
    REVOKED = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One policy's line. `moved` of `total` dependents are known to hold the current credential; `remarks` need a person's eye."""

    policy: str
    standing: Standing
    key_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    at: datetime | None = None
    next_due: datetime | None = None
    moved: int = 0
    total: int = 0
    waiting: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    drift: bool = False
    remarks: tuple[str, ...] = ()
    error: RotatorError | None = None


def rows(seen: Iterable[Seen]) -> tuple[Row, ...]:
    """A line for each, most urgent first."""
    found = (_unseen(name, what) if isinstance(what, RotatorError) else _row(what) for name, what in seen)
    return tuple(sorted(found, key=lambda row: (row.standing, instant(row.next_due) or "~", row.policy)))


def status_code(seen: Iterable[Seen]) -> int:
    """Exit code: 1 where something can't be seen or waits past its warning, else 0."""
    return int(any(row.standing in (Standing.UNREADABLE, Standing.OVERDUE) for row in rows(seen)))


def status_text(seen: Iterable[Seen]) -> str:
    """The table, and under it what a cell can't say."""
    found = rows(seen)
    table = [HEADINGS, *(_cells(row) for row in found)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    remarks = [f"{row.policy}: {remark}" for row in found for remark in row.remarks]
    return "\n".join([*lines, *([""] if remarks else []), *remarks])


def status_body(seen: Iterable[Seen]) -> list[dict[str, Any]]:
    """The same in the JSON form; `age` is in seconds, `groups` counts dependents on the current credential of all."""
    return [_body(row) for row in rows(seen)]


def _row(preview: Preview) -> Row:
    view, plan, current = preview.view, preview.plan, preview.view.current
    found: Sequence[Any] = (*plan.waits, *plan.notes)
    return Row(
        policy=preview.policy.name,
        standing=_standing(preview),
        key_id=view.current_key,
        start=current.start if current else None,
        end=current.end if current else None,
        at=view.at,
        next_due=preview.next_due,
        moved=sum(not view.behind(dependent) for dependent in view.dependents) if view.current_key else 0,
        total=len(view.dependents),
        waiting=tuple(dict.fromkeys(name_of(wait.subject) for wait in plan.waits)),
        foreign=tuple(credential.key_id for credential in view.foreign if credential.live(view.at)),
        drift=view.drift,
        remarks=tuple(readable(item.text) for item in found if item.warn or item.code in ("drift", "revoked")),
    )


def _standing(preview: Preview) -> Standing:
    plan, view = preview.plan, preview.view
    if view.revoked:
        return Standing.REVOKED
    ended = view.current_version is not None and not (view.current and view.current.live(view.at))
    if ended or any(wait.warn for wait in plan.waits) or any(note.warn for note in plan.notes):
        return Standing.OVERDUE
    if plan.steps:
        return Standing.DUE
    return Standing.WAITING if plan.waits else Standing.RESTING


def _unseen(name: str, error: RotatorError) -> Row:
    found = error.diagnose()
    return Row(name, Standing.UNREADABLE, remarks=(f"{found.happened} What to do: {found.remedy}",), error=error)


def _cells(row: Row) -> tuple[str, ...]:
    age = days(row.at - row.start) if row.at and row.start else NONE
    due = "now" if row.standing is Standing.DUE else _date(row.next_due)
    groups = f"{row.moved}/{row.total}" if row.error is None else NONE
    counts = (str(len(row.waiting) or NONE), str(len(row.foreign) or NONE))
    state = row.standing.name.lower() + (", drift" if row.drift else "")
    return (row.policy, state, (row.key_id or NONE)[:8], age, _date(row.end), due, groups, *counts)


def _date(at: datetime | None) -> str:
    return day(at) if at else NONE


def _body(row: Row) -> dict[str, Any]:
    credential = {"key_id": row.key_id, "start": instant(row.start), "end": instant(row.end), "age": _age(row)} if row.key_id else None
    return {
        "policy": row.policy,
        "state": row.standing.name.lower(),
        "at": instant(row.at),
        "credential": credential,
        "next_due": instant(row.next_due),
        "groups": {"current": row.moved, "total": row.total},
        "waiting": list(row.waiting),
        "foreign": list(row.foreign),
        "drift": row.drift,
        "remarks": list(row.remarks),
        "error": error_body(row.error) if row.error else None,
    }


def _age(row: Row) -> float | None:
    return (row.at - row.start).total_seconds() if row.at and row.start else None
