"""Ids of delivered messages in a local file, so that a standing alert isn't told by every run.

The file decides nothing but a repetition: without it, with a damaged one, or on another machine, a message is delivered
once more, with the same id.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rotator.notify.files import replaced

KEPT = timedelta(days=45)
"""Time for which an id is kept: longer than the longest period in which an id stays the same."""
LARGEST = 4_000_000
"""Bytes of the file that are read."""


@dataclass(slots=True)
class Delivered:
    """Ids delivered to each receiver, with the time of delivery."""

    file: Path
    now: datetime
    times: dict[str, str] = field(default_factory=dict)
    added: bool = False

    @classmethod
    def read(cls, file: Path, now: datetime) -> "Delivered":
        """Read the file; a missing, unreadable or damaged one is an empty one."""
        return cls(file, now, _read(file))

    def has(self, receiver: str, identity: str) -> bool:
        """Tell if the receiver has got the message."""
        return f"{receiver} {identity}" in self.times

    def add(self, receiver: str, identity: str) -> None:
        """Record a delivery."""
        self.times[f"{receiver} {identity}"], self.added = self.now.isoformat(), True

    def write(self) -> None:
        """Write the file, without old ids, if an id was added; ids that others added stay. Raises OSError."""
        if not self.added:
            return
        oldest = (self.now - KEPT).isoformat()
        kept = {key: at for key, at in sorted((_read(self.file) | self.times).items()) if at >= oldest}
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replaced(self.file, json.dumps({"v": 1, "delivered": kept}, indent=0), 0o600)


def _read(file: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, RecursionError), file.open("rb") as opened:
        said = json.loads(opened.read(LARGEST))
        return {str(key): str(at) for key, at in said["delivered"].items()} if _fits(said) else {}
    return {}


def _fits(said: object) -> bool:
    return isinstance(said, dict) and isinstance(said.get("delivered"), dict)
