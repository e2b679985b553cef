"""Pause that an answer asks for."""

from collections.abc import Mapping
from math import isnan

from rotator.clients.azuretime import date


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait as asked by Azure.

    The answer gives ``Retry-After`` in seconds or as a date (compared with the answer's own ``Date``), or in
    milliseconds.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (asked := _number(headers.get(name))) is not None:
            return asked / 1000
    value = headers.get("Retry-After")
    if value is None or (asked := _number(value)) is not None:
        return asked if value else None
    until, at = date({"Date": value}), date(headers)
    return (until - at).total_seconds() if until and at else None


def _number(text: str | None) -> float | None:
    """Parse a comparable number, even an infinite one."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return None if isnan(number) else number
