"""Durations with a unit: ``90d``, ``24h``, ``1d12h``. A bare number is refused, because its unit would be a guess."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
PATTERN = "^([0-9]{1,9}w)?([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$"
"""The order of units is fixed, each at most once: what a person reads is what a person wrote."""
_LONGEST = timedelta(days=3650)


def parse(text: str) -> timedelta:
    """Parse a duration. Raises ValueError if `text` is no duration, or more than ten years."""
    match = re.fullmatch(PATTERN, text)
    if match is None or not any(match.groups()):
        raise ValueError("not a duration")
    seconds = sum(int(part[:-1]) * int(_UNITS[part[-1]].total_seconds()) for part in match.groups() if part)
    if seconds > _LONGEST.total_seconds():
        raise ValueError("longer than ten years")
    return timedelta(seconds=seconds)


def render(value: timedelta) -> str:
    """Format a duration as in policies and reports: ``1d12h``; ``0s`` for none.

    Parts of a second are dropped.
    """
    seconds, parts = int(value.total_seconds()), []
    for unit in ("d", "h", "m", "s"):
        amount, seconds = divmod(seconds, int(_UNITS[unit].total_seconds()))
        parts += [f"{amount}{unit}"] if amount else []
    return "".join(parts) or "0s"


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PydanticCustomError(
            "duration", "not a duration", {"remedy": "Write a number and its unit, for example 24h."}
        )
    if isinstance(value, float):
        raise PydanticCustomError(
            "duration",
            "not a duration",
            {"remedy": "Write a whole number and its unit, for example 36h for a day and a half."},
        )
    if isinstance(value, int):
        raise PydanticCustomError(
            "duration", "a number without a unit", {"remedy": f"Write {value}d, {value}h, {value}m or {value}s."}
        )
    try:
        return parse(value)
    except ValueError as error:
        remedy = "Write whole numbers with the units w, d, h, m, s, the longest first: 90d, 24h, 60s, 1d12h."
        raise PydanticCustomError("duration", "{why}", {"why": str(error), "remedy": remedy}) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(render, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "minLength": 2}),
]
"""A duration in a policy."""
