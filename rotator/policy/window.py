"""Deploy windows of container groups: cron in a time zone, as pure functions of an instant.

A window opens by the local time of its time zone and stays open for elapsed time. At clock changes, a skipped opening
happens as long after midnight as without the change, and a doubled one at its first occurrence.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from rotator.policy.cron import walls
from rotator.policy.rotation import DeployWindow

_SHIFT = timedelta(hours=3)
"""More than any change of clocks: within it, the order on the wall may not be the order in time."""


def open_at(window: DeployWindow, at: datetime) -> bool:
    """Tell if the window is open at `at`: the last opening is no longer ago than the window's duration."""
    return at < _latest(window, at) + window.duration


def next_open(window: DeployWindow, at: datetime) -> datetime:
    """Return the next instant with an open window, in UTC: `at` itself while the window is open."""
    if open_at(window, at):
        return at
    first = next(opening for opening in _from(window, at) if opening > at)
    return min(opening for opening in _openings(window, at, first) if opening > at)


def _latest(window: DeployWindow, at: datetime) -> datetime:
    """The last opening until `at`. However long a window stays open, only those around it are looked at."""
    zone = ZoneInfo(window.timezone)
    wall = at.astimezone(zone).replace(tzinfo=None)
    past = (each for each in walls(window.cron, wall + _SHIFT, back=True) if _in_time(each, zone) <= at)
    nearest = next(past)
    return max(_in_time(each, zone) for each in (nearest, *takewhile(lambda each: each >= nearest - _SHIFT, past)))


def _openings(window: DeployWindow, start: datetime, end: datetime) -> list[datetime]:
    """Every opening from `start` to `end`, and a few around."""
    return list(takewhile(lambda opening: opening <= end + _SHIFT, _from(window, start)))


def _from(window: DeployWindow, start: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(window.timezone)
    opens = walls(window.cron, start.astimezone(zone).replace(tzinfo=None) - _SHIFT)
    return (_in_time(wall, zone) for wall in opens)


def _in_time(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
