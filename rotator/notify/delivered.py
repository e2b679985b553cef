"""Ids of delivered messages, so that a standing alert isn't told by every run.

They are in a local file, or beside the leases that several machines share. They decide nothing but a repetition:
without them, or with damaged ones, a message is delivered once more, with the same id.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from rotator.notify.files import plain, replaced
from rotator.ports import LeaseStore

KEPT = timedelta(days=45)
"""Time for which an id is kept: longer than the longest period in which an id stays the same."""
LARGEST = 4_000_000
"""Bytes of the file that are read."""
LIST = "delivered.json"
"""Name of the text with the delivered ids."""


class DeliveredIds(Protocol):
    """Place of the ids between two runs."""

    @property
    def where(self) -> str:
        """The place, for messages."""
        ...

    async def read(self) -> str:
        """Return the text; empty if there is none. Raises RotatorError."""
        ...

    async def write(self, text: str) -> None:
        """Keep a text, in place of an older one. Raises OSError, RotatorError."""
        ...


@dataclass(frozen=True, slots=True)
class LocalIds:
    """File in a directory of this machine; an unreadable one is an empty one."""

    directory: Path

    @property
    def where(self) -> str:
        """The file."""
        return str(self.directory / LIST)

    async def read(self) -> str:
        """Return the file's text."""
        with suppress(OSError):
            return plain(self.directory / LIST, LARGEST).decode("utf-8", errors="replace")
        return ""

    async def write(self, text: str) -> None:
        """Replace the file. Raises OSError."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        replaced(self.directory / LIST, text, 0o600)


@dataclass(frozen=True, slots=True)
class SharedIds:
    """Text beside the leases of several machines."""

    store: LeaseStore

    @property
    def where(self) -> str:
        """The text's address."""
        return f"{self.store.where}/{LIST}"

    async def read(self) -> str:
        """Return the text. Raises AzureError."""
        return await self.store.kept(LIST)

    async def write(self, text: str) -> None:
        """Keep a text. Raises AzureError."""
        await self.store.keep(LIST, text)


@dataclass(slots=True)
class Delivered:
    """Ids delivered to each receiver, with the time of delivery."""

    now: datetime
    times: dict[str, str] = field(default_factory=dict)
    added: bool = False

    @classmethod
    def of(cls, text: str, now: datetime) -> "Delivered":
        """Read a text; an empty or damaged one has no ids."""
        return cls(now, _read(text))

    def has(self, receiver: str, identity: str) -> bool:
        """Tell if the receiver has got the message."""
        return f"{receiver} {identity}" in self.times

    def add(self, receiver: str, identity: str) -> None:
        """Record a delivery."""
        self.times[f"{receiver} {identity}"], self.added = self.now.isoformat(), True

    def joined(self, text: str) -> str:
        """Return the text to keep, without old ids; ids that others added to `text` stay."""
        oldest = (self.now - KEPT).isoformat()
        kept = {key: at for key, at in sorted((_read(text) | self.times).items()) if at >= oldest}
        return json.dumps({"v": 1, "delivered": kept}, indent=0)


def _read(text: str) -> dict[str, str]:
    with suppress(ValueError, RecursionError):
        said = json.loads(text)
        return {str(key): str(at) for key, at in said["delivered"].items()} if _fits(said) else {}
    return {}


def _fits(said: object) -> bool:
    return isinstance(said, dict) and isinstance(said.get("delivered"), dict)
