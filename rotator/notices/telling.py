"""Notices at the end of a command or of an invocation, and to whom they go."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rotator.engine import Run
from rotator.errors import AzureError, RotatorError
from rotator.events import Event
from rotator.notices.addresses import Connections
from rotator.notices.endings import Endings
from rotator.notices.sender import Sender, Store
from rotator.notify import Receivers, exchanged
from rotator.policy import Unserved
from rotator.ports import Clock, World
from rotator.report import alerts, metrics
from rotator.report.alerts import Ended
from rotator.results import Enqueued, Result

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Policies without a run: those with mistakes, and those that an error concerns."""

    unserved: Sequence[Unserved] = ()
    error: RotatorError | None = None
    unseen: Sequence[str] = ()
    """Policies that the error concerns."""
    queued: Enqueued | None = None
    """Survey for a queue, whose messages may have been moved aside."""

    @property
    def names(self) -> tuple[str, ...]:
        """All these policies."""
        return tuple(dict.fromkeys((*(one.name for one in self.unserved), *self.unseen)))

    def alerts(self, now: datetime) -> tuple[alerts.Alert, ...]:
        """Return the alerts about them."""
        error = (alerts.refused(self.error, now, self.unseen),) if self.error else ()
        aside = alerts.moved_aside(self.queued, now) if self.queued else ()
        return (*error, *alerts.not_served(self.unserved, now), *aside)


@dataclass(slots=True)
class Notices:
    """Receivers of one command or invocation, and the results of its runs until the notifications are sent."""

    settings: Receivers
    metrics: Path | None
    state: Path
    """Directory of the delivered ids, where no machines share them."""
    whole: bool
    """All policies are concerned."""
    connections: Connections
    store: Store | None = None
    """Leases that several machines share; the delivered ids are kept beside them."""
    endings: Endings = field(default_factory=Endings)

    @property
    def wanted(self) -> bool:
        """Tell if there is any receiver."""
        return bool(self.metrics or self.settings.webhook or self.settings.ping or self.settings.hook)

    def watched(self, runs: Iterable[Run]) -> Iterator[Run]:
        """Pass the runs on; as each finishes, the line of `status` for its last look is kept."""
        return (self.endings.watched(one) if self.wanted else one for one in runs)

    async def told(self, results: Sequence[Result], events: Sequence[Event], left_out: LeftOut) -> None:
        """Notify all receivers of the end of the runs.

        The runs are over: neither a signal nor a bug here keeps their report and exit code back. The text of an
        unexpected exception is not logged, since it may have an address.
        """
        if not self.wanted or self.endings.outside is None:
            return
        world, clock = self.endings.outside
        try:
            await self._tell(self._sender(clock, world), self.endings.ended(results, events), left_out)
        except asyncio.CancelledError:
            log.warning("interrupted while sending notifications; the next run sends the rest")
        except Exception as error:  # noqa: BLE001 - a notification never costs the report
            log.warning("an unexpected %s while sending notifications: a bug in rotator", type(error).__name__)
            log.debug("unexpected exception at:\n%s", "".join(traceback.format_tb(error.__traceback__)))

    async def refused(self, left_out: LeftOut) -> None:
        """Notify of an error that ended everything before any policy was looked at, if all policies are concerned.

        Azure is asked for an address in Key Vault unless the error is Azure's.
        """
        if not self.wanted or not self.whole:
            return
        if isinstance(left_out.error, AzureError):
            await self._tell(self._sender(self.connections.connected()[0], None), [], left_out)
            return
        async with self._azure() as (clock, world):
            await self._tell(self._sender(clock, world), [], left_out)

    @asynccontextmanager
    async def _azure(self) -> AsyncIterator[tuple[Clock, World]]:
        clock, connecting = self.connections.connected()
        async with connecting as world:
            yield clock, world

    def _sender(self, clock: Clock, world: World | None) -> Sender:
        return Sender(self.settings, self.state, self.connections.transport, clock, world, self.store)

    async def _tell(self, sender: Sender, ended: Sequence[Ended], left_out: LeftOut) -> None:
        now = self.connections.now()
        await sender.deliver((*alerts.alerts_of(ended, now), *left_out.alerts(now)), now)
        if self.whole and any(one.row for one in ended):
            await sender.ping()
        await self._measure(sender, ended, left_out.names, now)

    async def _measure(self, sender: Sender, ended: Sequence[Ended], unserved: Sequence[str], now: datetime) -> None:
        if self.metrics is None:
            return
        known = {one.policy for one in ended} | set(unserved) if self.whole and ended else None

        def change(text: str) -> str:
            old = metrics.parse(text)
            return metrics.render(metrics.updated(old, ended, unserved, now, untold=sender.failures, known=known))

        try:
            await exchanged(self.metrics, change, sender.clock)
        except OSError as error:
            log.warning("the metrics can't be written to %s (%s)", self.metrics, error.strerror)
