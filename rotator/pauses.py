"""Pauses that Azure's refusals (429 with ``Retry-After``) asked for, kept for the next process on this machine.

They are in a local file, and decide nothing but when a request is sent: without the file, or with a damaged one, Azure
refuses once more.
"""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from rotator.notify import exchanged, plain
from rotator.ports import Clock
from rotator.rate_limits import LONGEST

FILE = "pauses.json"
"""Name of the file, beside the leases."""
LARGEST = 1_000_000
"""Bytes of the file that are read."""
SHORTEST = 5.0
"""Seconds of a pause that is worth a file: a process takes about as long to start and to look."""

log = logging.getLogger(__name__)


def read(file: Path, now: datetime) -> dict[str, float]:
    """Return the seconds that are left of each pause, by limit; `now` is Azure's time.

    A missing, unreadable or damaged file is an empty one. No pause is longer than the longest of Azure's windows.
    """
    with suppress(OSError):
        ends = _parsed(plain(file, LARGEST))
        left = {limit: min((end - now).total_seconds(), LONGEST) for limit, end in ends.items()}
        return {limit: seconds for limit, seconds in left.items() if seconds > 0}
    return {}


async def keep(file: Path, pauses: Mapping[str, float], now: datetime, clock: Clock) -> None:
    """Add pauses to the file; a file that can't be written costs a request that Azure refuses, and no more."""
    ends = {limit: now + timedelta(seconds=left) for limit, left in pauses.items() if left >= SHORTEST}

    def changed(text: str) -> str:
        kept = {limit: end for limit, end in _parsed(text.encode()).items() if end > now}
        later = {limit: max(end, kept.get(limit, end)) for limit, end in ends.items()}
        return json.dumps(
            {"v": 1, "pauses": {limit: end.isoformat() for limit, end in sorted({**kept, **later}.items())}}
        )

    if not ends:
        return
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await exchanged(file, changed, clock)
    except OSError as error:
        log.warning("%s can't be written (%s): the next run learns of Azure's limits anew", file, error.strerror)


def _parsed(content: bytes) -> dict[str, datetime]:
    with suppress(ValueError, TypeError, KeyError, RecursionError, AttributeError):
        ends = {str(limit): datetime.fromisoformat(end) for limit, end in json.loads(content)["pauses"].items()}
        return {limit: end for limit, end in ends.items() if end.tzinfo}
    return {}
