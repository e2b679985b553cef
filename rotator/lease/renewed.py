"""Lease in a service that all machines reach: held for a minute at a time, and renewed while the run lasts.

Rules for editors of this file:

1. The time for which a lease is held counts from before the request that took or renewed it, on `ports.Clock`, which
   counts the time of a suspended machine, too.
2. A lease that may be another run's ends the writes of this run (`without_writes.py`) and nothing else: no rule rests
   on it.
3. No lease is ever broken: a holder that died loses it within `LIFE`.
4. The record of the holder is for people: a failed write of it stops no run.
5. One silence or refusal of the whole store is believed for `BELIEVED`: the policies of a run don't each wait for it.
"""

import asyncio
import logging
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, unquote

from rotator.errors import AzureError, Forbidden, Holder, LeaseHeld, NotFound, RotatorError, Unavailable
from rotator.lease.local import LONGEST, lease_file
from rotator.ports import Clock, LeaseStore

LIFE, EVERY = 60.0, 15.0
"""Lifetime of a lease in seconds, the longest that Azure gives (azure-facts I), and the pause between renewals."""
BELIEVED = 300.0
"""Seconds for which a store that gave no lease to anybody isn't asked again; workers run for longer than that."""
UNUSABLE = (Unavailable, Forbidden, NotFound)
"""Failures of a store that concern every lease."""
NAMES = uuid.UUID("8b0b0d3c-0d0e-4b6c-9d4e-6e1d3f0a7c55")
"""Namespace of the ids of leases, which Azure wants as UUIDs."""

T = TypeVar("T")
log = logging.getLogger(__name__)


def holder(record: Mapping[str, str], now: datetime) -> Holder:
    """Return the holder as recorded; unreadable fields are left out."""
    pid, seconds = record.get("pid", ""), record.get("seconds", "")
    since = None
    with suppress(ValueError):
        since = datetime.fromisoformat(record.get("since", ""))
    known = since if since and since.tzinfo else None
    return Holder(
        now,
        int(pid) if pid.isdecimal() and len(pid) < 10 else None,
        known,
        timedelta(seconds=int(seconds)) if seconds.isdecimal() and len(seconds) < 9 else LONGEST,
        unquote(record.get("host", "")) or "another machine",
    )


@dataclass(slots=True)
class Renewal:
    """`ports.Held`: one lease, for as long as it is renewed."""

    store: LeaseStore
    clock: Clock
    name: str
    id: str
    until: float
    """Elapsed seconds of `clock` at which the lease ends, unless renewed."""
    lost: bool = False
    """Azure's answer: the lease is another run's, or free."""

    def left(self) -> float:
        """Return the seconds for which the lease is held for certain."""
        return 0.0 if self.lost else self.until - self.clock.elapsed()

    def ended(self) -> str:
        """Return the reason for which it is held no longer."""
        why = "another run has taken it, or it was deleted" if self.lost else f"it wasn't renewed within {LIFE:.0f} s"
        return f"this run has lost the lease {self.name} in {self.store.where}: {why}"

    async def keep(self) -> None:
        """Renew the lease until it is lost, or this task is cancelled."""
        while not self.lost:
            await self.clock.sleep(EVERY)
            begun = self.clock.elapsed()
            try:
                renewed = await self.store.renew(lease_file(self.name), self.id)
            except AzureError as error:
                log.warning("the lease %s wasn't renewed: %s", self.name, error.happened)
                continue
            if not renewed:
                self.lost = True
                log.warning("%s. The run starts no further write", self.ended())
            self.until = max(self.until, begun + LIFE)


@dataclass(slots=True)
class _Access:
    """Access to a store, tried by one request alone until the store has answered."""

    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: bool = False
    failed: AzureError | None = None
    until: float = 0.0

    async def within(self, clock: Clock, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the store's answer. Raises AzureError, without a request while an earlier failure is believed."""
        if self.answered:
            return await self._asked(clock, ask)
        async with self.alone:
            if self.failed and clock.elapsed() < self.until:
                raise self.failed.with_traceback(None)
            return await self._asked(clock, ask)

    async def _asked(self, clock: Clock, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            answer = await ask()
        except UNUSABLE as error:
            self.answered, self.failed, self.until = False, error, clock.elapsed() + BELIEVED
            raise
        self.answered, self.failed = True, None
        return answer


@dataclass(frozen=True, slots=True)
class RenewedLease:
    """`rotator.ports.Lease` in a `store`; `now` is the time to record, `host` this machine's name."""

    store: LeaseStore
    clock: Clock
    now: Callable[[], datetime]
    host: str = field(default_factory=lambda: os.uname().nodename)
    _access: _Access = field(default_factory=_Access, repr=False, compare=False)

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[Renewal]:
        """Hold the lease called `name` while the block runs. Raises LeaseHeld, RotatorError.

        A run that dies leaves the lease for `LIFE` seconds at most.
        """
        renewal = await self._taken(name, for_)
        keeping = asyncio.create_task(renewal.keep())
        try:
            yield renewal
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            with suppress(AzureError):
                await self.store.release(lease_file(name), renewal.id)

    async def _taken(self, name: str, for_: timedelta) -> Renewal:
        record = self._record(for_)
        id_ = str(uuid.uuid5(NAMES, f"{self.host}:{os.getpid()}:{self.clock.attempt()}"))
        begun = 0.0

        async def ask() -> Mapping[str, str] | None:
            nonlocal begun
            begun = self.clock.elapsed()
            return await self.store.acquire(lease_file(name), id_, record)

        try:
            other = await self._access.within(self.clock, ask)
        except AzureError as error:
            raise RotatorError(
                f"the lease container {self.store.where} can't be used: {error.happened}", remedy=error.remedy
            ) from None
        if other is not None:
            found = holder(other, self.now())
            remedy = f"Wait until the other run has ended; a lease that is not renewed ends within {LIFE:.0f} s."
            raise LeaseHeld(f"{found} holds the lease {name} in {self.store.where}", found, remedy=remedy)
        return Renewal(self.store, self.clock, name, id_, begun + LIFE)

    def _record(self, for_: timedelta) -> dict[str, str]:
        return {
            "host": quote(self.host, safe=""),
            "pid": str(os.getpid()),
            "since": self.now().astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": str(round(for_.total_seconds())),
        }

    async def standing(self) -> Mapping[str, Holder]:
        """Return the holder of each lease that is held, by the lease's name. Raises RotatorError."""
        found, now = await self.store.standing(), self.now()
        return {unquote(name.removesuffix(".lock")): holder(record, now) for name, record in found.items()}
