"""Protocols of what is beside Azure: time, leases, a queue, and a callback for events."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from rotator.events import Event


class Clock(Protocol):
    """Elapsed time, waits and ids; Azure's time comes with Azure's answers."""

    def elapsed(self) -> float:
        """Return seconds since a fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def attempt(self) -> str:
        """A new id for one attempt to add a credential: unique, short, of letters and digits."""
        ...


class Held(Protocol):
    """Lease that a run holds for as long as a service says so."""

    def left(self) -> float:
        """Return the seconds for which the lease is held for certain; not above 0: no write may begin."""
        ...

    def ended(self) -> str:
        """Return the reason for which the lease is held no longer."""
        ...


class Lease(Protocol):
    """Keeps two runs from doing the same work twice; safety doesn't rest on it."""

    def hold(self, name: str, for_: timedelta) -> AbstractAsyncContextManager[Held | None]:
        """Hold the lease called `name` during the block, which may take as long as `for_`. Raises LeaseHeld.

        Yields None if the lease can't be lost before the end of the block.
        """
        ...


class LeaseStore(Protocol):
    """Leases of a minute, kept by a service. Every method raises AzureError where the service can't be reached."""

    @property
    def where(self) -> str:
        """The address of the store, for messages."""
        ...

    async def acquire(self, name: str, lease_id: str, record: Mapping[str, str]) -> Mapping[str, str] | None:
        """Take a lease and record its holder; return None, or the record of the run that holds it.

        Repeated with the same id, it is taken once.
        """
        ...

    async def renew(self, name: str, lease_id: str) -> bool:
        """Hold it for another minute; False if it is no longer held under this id."""
        ...

    async def release(self, name: str, lease_id: str) -> None:
        """Give it back, if it is still held under this id."""
        ...

    async def standing(self) -> Mapping[str, Mapping[str, str]]:
        """Return the record of each lease that is held now, by its name; nothing is written."""
        ...

    async def kept(self, name: str) -> str:
        """Return a text that is kept beside the leases; empty if there is none."""
        ...

    async def keep(self, name: str, text: str) -> None:
        """Keep a text, in place of an older one."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """Message taken from a queue; `text` is a policy's name. `tries` counts how often it was taken, this time included.

    `receipt` proves the taking.
    """

    id: str
    receipt: str
    text: str
    tries: int


class Queue(Protocol):
    """Queue of names of policies, kept by a service.

    Every method raises RotatorError where the service can't be reached.
    """

    @property
    def where(self) -> str:
        """The address of the queue, for messages."""
        ...

    async def put(self, text: str) -> None:
        """Add a message."""
        ...

    async def take(self, seconds: float) -> Message | None:
        """Take a message and hide it from other workers for `seconds`; None if the queue is empty."""
        ...

    async def keep(self, message: Message, seconds: float) -> Message | None:
        """Hide a message from other workers for `seconds` from now; None if another worker has it."""
        ...

    async def done(self, message: Message) -> None:
        """Delete a message, unless another worker has it."""
        ...

    async def poison(self, message: Message) -> None:
        """Move a message aside, to those that fail again and again."""
        ...

    async def poisoned(self) -> tuple[str, ...]:
        """Return the texts of the messages that were moved aside, as far as one look shows them."""
        ...


Tell = Callable[[Event], None]
"""Receiver of a run's events."""
