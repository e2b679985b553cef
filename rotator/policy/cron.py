"""Cron expressions in local time without a time zone: check an expression, and find its openings."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

_ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001 (a clock on a wall knows no zone)
_MINUTE = timedelta(minutes=1)
DAY, WEEK, LOOKED_AT = timedelta(days=1), timedelta(weeks=1), timedelta(days=800)
LONGEST = 400
"""Characters of an expression: enough to name every minute, hour, day, month and weekday."""
_FIELD = re.compile(r"[0-9A-Za-z*,/-]+")


def wrong(expression: str) -> str:
    """Say why `expression` is no cron expression; return an empty text for a correct one."""
    from croniter import CroniterError

    if len(expression) > LONGEST:
        return f"longer than {LONGEST} characters"
    fields = expression.split()
    if len(fields) != 5:
        return f"{len(fields)} fields, where a cron expression has five"
    if not all(map(_FIELD.fullmatch, fields)) or re.search(r"\b[HR]\b", expression):
        return "not a cron expression"
    try:
        next(walls(expression, _ANCHOR))
    except CroniterError:
        return "not a cron expression, or one that never matches"
    return ""


@cache
def longer_gap(expression: str, limit: timedelta) -> timedelta | None:
    """Return the longest time from opening to opening, if longer than `limit`; None otherwise.

    Looks at 800 days from a leap year on, in steps as long as `limit`, and at no more than 300 steps.
    """
    return _gap(expression, limit, min(300, LOOKED_AT // limit))


@cache
def longest_gap(expression: str) -> timedelta:
    """Return the longest time from opening to opening, at least a day.

    The search covers 800 days from a leap year on, or two weeks if the expression names only weekdays and times of day.
    """
    weekly = expression.split()[2:4] == ["*", "*"]
    found, looked_at = (DAY, 2 * WEEK) if weekly else (WEEK, LOOKED_AT)
    while longer := _gap(expression, found, looked_at // found):
        found = longer
    return found


def _gap(expression: str, limit: timedelta, steps: int) -> timedelta | None:
    wall = next(walls(expression, _ANCHOR))
    for _ in range(steps):
        latest = next(walls(expression, wall + limit + _MINUTE, back=True))
        if latest <= wall:
            return next(walls(expression, wall)) - wall
        wall = latest
    return None


def walls(expression: str, start: datetime, *, back: bool = False) -> Iterator[datetime]:
    """Openings in wall-clock time, without a zone: strictly after `start`, or strictly before it when going back."""
    from croniter import croniter

    openings: Iterator[Any] = croniter(expression, start, ret_type=datetime, is_prev=back)
    return openings
