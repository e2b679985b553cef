"""When container groups may be redeployed: cron in a time zone, as pure functions of an instant.

A window opens by the clock on the wall of its time zone and stays open for elapsed time. Where the clocks change, an opening that is
skipped happens as long after midnight as it would have, and one that would come twice comes at its first occurrence.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rotator.policy.model import DeployWindow

_SHIFT = timedelta(hours=3)
"""More than any change of clocks: within it, the order on the wall may not be the order in time."""
_ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001 (a clock on a wall knows no zone)
_MINUTE = timedelta(minutes=1)
_FIELD = re.compile(r"[0-9A-Za-z*,/-]+")


def known(timezone: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def wrong(expression: str) -> str:
    """Why `expression` is no cron expression, in words; empty where it is one."""
    from croniter import CroniterError

    fields = expression.split()
    if len(fields) != 5:
        return f"{len(fields)} fields, where a cron expression has five"
    if not all(map(_FIELD.fullmatch, fields)) or re.search(r"\b[HR]\b", expression):
        return "not a cron expression"
    try:
        next(_walls(expression, _ANCHOR))
    except CroniterError:
        return "not a cron expression, or one that never comes true"
    return ""


@cache
def longer_gap(expression: str, limit: timedelta) -> timedelta | None:
    """How long the window stays closed at most, from opening to opening, where that is longer than `limit`; None where it isn't.

    Looks at 800 days from a leap year on, in steps as long as `limit`, and at no more than 300 of them.
    """
    wall = next(_walls(expression, _ANCHOR))
    for _ in range(min(300, timedelta(days=800) // limit)):
        latest = next(_walls(expression, wall + limit + _MINUTE, back=True))
        if latest <= wall:
            return next(_walls(expression, wall)) - wall
        wall = latest
    return None


def open_at(window: "DeployWindow", at: datetime) -> bool:
    """Whether the window is open at `at`: it opened no longer ago than its duration."""
    return any(opened <= at < opened + window.duration for opened in _openings(window, at - window.duration, at))


def next_open(window: "DeployWindow", at: datetime) -> datetime:
    """When the window is open next, in UTC: `at` itself while it is open."""
    if open_at(window, at):
        return at
    first = next(opening for opening in _from(window, at) if opening > at)
    return min(opening for opening in _openings(window, at, first) if opening > at)


def _openings(window: "DeployWindow", start: datetime, end: datetime) -> list[datetime]:
    """Every opening from `start` to `end`, and a few around."""
    return list(takewhile(lambda opening: opening <= end + _SHIFT, _from(window, start)))


def _from(window: "DeployWindow", start: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(window.timezone)
    walls = _walls(window.cron, start.astimezone(zone).replace(tzinfo=None) - _SHIFT)
    return (wall.replace(tzinfo=zone, fold=0).astimezone(UTC) for wall in walls)


def _walls(expression: str, start: datetime, *, back: bool = False) -> Iterator[datetime]:
    """Openings on the wall, without a zone: strictly after `start`, or going back strictly before it."""
    from croniter import croniter

    openings: Iterator[Any] = croniter(expression, start, ret_type=datetime, is_prev=back)
    return openings
