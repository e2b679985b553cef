"""Table of the state of many policies, for people at a terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from rotator.report.many import FEW, FIRST, alike, counted, named
from rotator.report.plan import lists_text, readable
from rotator.report.status import ALARMING, Row, Urgency, rows
from rotator.report.words import lines_of
from rotator.results import Previewed
from rotator.visible import one_line
from rotator.words import day

HEADINGS = ("POLICY", "STATE", "CREDENTIAL", "AGE", "ENDS", "NEXT DUE", "GROUPS", "WAITS", "FOREIGN")
NONE = "-"
WIDE, NARROW, SMALL = 120, 80, 60
"""Columns of a terminal that has room for everything, for most, and for what matters most."""
SHORTEST_NAME = 18
"""Shown characters of a policy's name where the terminal has no room for the whole name."""


def status_text(seen: Iterable[Previewed], *, width: int | None = None, every: bool = False) -> str:
    """Return the table within `width` columns, the number of policies in each state, and remarks.

    Without a width, the table is as wide as the names of the policies need it, and remarks are as for `WIDE`. With one,
    a name for which there is no room loses its middle: policies often begin alike, or end alike.

    With `every`, the remarks list each group, wait and foreign credential. Of more than `FEW` policies, those at rest
    are counted unless `every`, and the numbers come first.
    """
    found = rows(seen)
    most, width = width, max(width or WIDE, SMALL)
    room = next((room for room in (WIDE, NARROW) if width >= room), SMALL)
    shown = found if every or len(found) <= FEW else _pressing(found)
    lines = _table([HEADINGS, *(_cells(row, room) for row in shown)], room, most) if shown else []
    few = every or len(found) <= FEW
    said = [(row.policy, line) for row in (shown if few else _said(found, shown)) for line in _below(row, every=every)]
    groups = [[each] for each in said] if few else alike(said, {row.policy: row.own for row in found})
    below = [line for group in groups for line in _wrapped(_remark(group), width)]
    counts = Counter(row.standing for row in found)
    several = ", ".join(f"{counts[standing]} {standing.name.lower()}" for standing in Urgency if counts[standing])
    summary = [f"{len(found)} policies: {several}", *_by_lists(found)] if len(found) > 1 else []
    parts = (lines, summary, below) if shown is found else (summary, lines, below, _counted(found, shown, width))
    return "\n\n".join("\n".join(part) for part in parts if part)


def _pressing(found: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of a large fleet that a person must see: alarms, and the first ones with work or a remark.

    Of alarms that are alike only the first are shown, and of one state `FEW` at most, but every compromise. Revoked
    policies are only counted: a person wanted the revocation.
    """
    alarming = [row for standing in ALARMING for row in _first([row for row in found if row.standing is standing])]
    others = [row for row in found if row.standing is Urgency.DUE or row.remarks]
    others = [row for row in others if row.standing not in (*ALARMING, Urgency.REVOKED)]
    return (*alarming, *others[:FEW])


def _first(alarming: Sequence[Row]) -> list[Row]:
    """Return the shown rows of one state, in their order: if there are more than `FEW`, only the first ones."""
    if len(alarming) <= FEW or alarming[0].standing is Urgency.COMPROMISED:
        return [*alarming]
    told, own = ((row.policy, "\n".join(row.remarks)) for row in alarming), {row.policy: row.own for row in alarming}
    first = {policy for group in alike(told, own) for policy, _ in group[:FIRST]}
    return [row for row in alarming if row.policy in first][:FEW]


def _said(found: Sequence[Row], shown: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of a large fleet whose remarks are shown: every alarm, and the first other ones."""
    others = [row for row in shown if row.standing not in ALARMING]
    left = {row.policy for row in [row for row in others if row.remarks][FIRST:]}
    return (*(row for row in found if row.standing in ALARMING), *(row for row in others if row.policy not in left))


def _counted(found: Sequence[Row], shown: Sequence[Row], width: int) -> list[str]:
    """Return the lines about rows and remarks that aren't shown."""
    there = {row.policy for row in shown}
    hidden = [row for row in found if row.policy not in there]
    lines = [
        _rest(f"{len(more)} more {standing.name.lower()}", more)
        for standing in ALARMING
        if (more := [row for row in hidden if row.standing is standing])
    ]
    left = [row for row in hidden if row.standing not in ALARMING]
    what = f"{len(left)} more{' without an alarm' if lines else ''}" if shown else "none needs a person"
    lines += [_rest(what, left)] if left else []
    said = {row.policy for row in _said(found, shown)}
    quiet = sum(row.policy not in said for row in shown)
    lines += [f"{quiet} of these have remarks that are not urgent; -v shows each"] if quiet else []
    return [part for line in lines for part in _wrapped(line, width)]


def _rest(what: str, rows: Sequence[Row]) -> str:
    return counted(what, [(row.next_due, row.policy) for row in rows], sum(row.due for row in rows))


def _by_lists(found: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence on the lines that come from the services' lists, and the age of what these don't show."""
    if looked := [row.looked for row in found if row.looked]:
        rest = f"{len(looked)} of them {'is' if len(looked) == 1 else 'are'} at rest by the services' lists"
        yield f"{rest}; the oldest full look is from {day(min(looked))}"


def _table(table: Sequence[tuple[str, ...]], room: int, width: int | None) -> list[str]:
    """Return the lines of the table, columns side by side; names have what the other columns leave of `width`.

    On a narrow terminal, leave out the credential, and put one space between columns; on a small one, leave out the
    age and the counts of waits and foreign credentials, too.
    """
    table = [tuple(map(one_line, line)) for line in table]
    kept = {WIDE: range(9), NARROW: (0, 1, 3, 4, 5, 6, 7, 8), SMALL: (0, 1, 4, 5, 6)}[room]
    table = [tuple(line[column] for column in kept) for line in table]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    gap = "  " if room == WIDE else " "
    others = sum(widths[1:]) + len(gap) * (len(widths) - 1)
    left = max(width - others, SHORTEST_NAME) if width else widths[0]
    table, widths[0] = [(_shortened(line[0], left), *line[1:]) for line in table], min(widths[0], left)
    return [gap.join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip() for line in table]


def _shortened(name: str, room: int) -> str:
    """Return a name within `room` characters: its beginning and its end."""
    end = room // 2
    return name if len(name) <= room else f"{name[: room - end - 1]}…{name[-end:]}"


def _cells(row: Row, room: int) -> tuple[str, ...]:
    age = _short(row.at - row.start) if row.at and row.start else NONE
    due = "now" if row.due else _date(row.next_due)
    groups = f"{row.moved}/{len(row.dependents)}" if row.error is None else NONE
    state = _state(row) + (", drift" if row.drift and room == WIDE else "")
    last = max((credential.end for credential in row.foreign), default=None)
    foreign = f"{len(row.foreign)}, {_date(last)}" if last and room == WIDE else str(len(row.foreign) or NONE)
    return (
        row.policy,
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


def _below(row: Row, *, every: bool) -> Iterator[str]:
    yield from dict.fromkeys((*row.remarks, *(_details(row) if every else ())))


def _remark(group: Sequence[tuple[str, str]]) -> str:
    """Return the remark of a policy, with the names of others that have the same."""
    (policy, text), *others = group
    return f"{policy}: {text}{f' (the same: {named([name for name, _ in others])})' if others else ''}"


def _wrapped(text: str, width: int) -> list[str]:
    return lines_of(one_line(text), width, hanging=2)


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
