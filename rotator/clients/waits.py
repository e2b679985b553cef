"""Waits for hosts, reported while they last: a run without output for minutes looks as if it hung.

Rules for editors of this file:

1. Nothing is sent, delayed or decided here: a wait is only reported.
2. A host is reported once for all requests that wait for it, and again only after the reported end of the wait.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from rotator.events import Event, HostAnswered, HostAwaited
from rotator.ports import Clock, Tell

SOON = 10.0
"""Seconds after which a wait is reported."""

_until: ContextVar[float | None] = ContextVar("_until", default=None)


def _unheard(event: Event) -> None:
    del event


@dataclass(slots=True)
class Waits:
    """Hosts that requests wait for: start of the wait, and its reported end."""

    clock: Clock
    tell: Tell = _unheard
    told: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def repeating(self, until: float) -> Iterator[None]:
        """Note that the requests of the block are repeated until the moment `until`."""
        token = _until.set(until)
        try:
            yield
        finally:
            _until.reset(token)

    @contextmanager
    def watched(self, host: str, happened: str, longest: float) -> Iterator[None]:
        """Report the block as a wait for the host if it is longer than `SOON`; `longest` limits one request."""
        begun = self.clock.elapsed()
        until = max(begun + longest, _until.get() or 0.0)
        alarm = asyncio.get_running_loop().call_later(SOON, self.note, host, happened, begun, until)
        try:
            yield
        finally:
            alarm.cancel()

    def note(self, host: str, happened: str, begun: float, until: float) -> None:
        """Report a wait for a host, unless it is reported already."""
        now = self.clock.elapsed()
        since, end = self.told.get(host, (begun, now))
        if end <= now < until:
            self.told[host] = since, until
            self.tell(HostAwaited(host=host, happened=happened, seconds=round(now - since), at_most=round(until - now)))

    def answered(self, host: str) -> None:
        """Report the end of a reported wait."""
        if host in self.told:
            since, _ = self.told.pop(host)
            self.tell(HostAnswered(host=host, seconds=round(self.clock.elapsed() - since)))
