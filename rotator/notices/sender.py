"""Delivery of alerts and of the ping, each alert once to each receiver."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rotator import notify
from rotator.errors import RotatorError
from rotator.notices.addresses import from_key_vault
from rotator.notify import Delivered, DeliveredIds, LocalIds, Receivers, Shape, SharedIds, Transport, Web
from rotator.notify.settings import PING, WEBHOOK, Address
from rotator.ports import Clock, LeaseStore, World
from rotator.report import shapes
from rotator.report.alerts import Alert
from rotator.secret import Secret

LONGEST = 60.0
"""Seconds after which no further alert is sent to a receiver: a run must end."""
Store = Callable[[World], LeaseStore]
"""Leases that several machines share, as Azure's connections reach them."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sender:
    """Receivers of one command or invocation, and the ids that they have got, in the directory `state` or shared."""

    settings: Receivers
    state: Path
    transport: Callable[[], Transport]
    clock: Clock
    world: World | None = None
    """Azure, for an address in Key Vault and for shared ids."""
    store: Store | None = None
    """Leases that several machines share, if there are any; the ids are kept beside them."""
    failures: int = 0
    known: dict[str, Secret] = field(default_factory=dict)
    """Addresses by variable, once read."""

    async def deliver(self, found: Sequence[Alert], now: datetime) -> None:
        """Send webhook and hook the alerts that they haven't got yet.

        A command that can't be started is an error even if there is nothing to tell.
        """
        if self.settings.hook and not found and (why := notify.unstartable(self.settings.hook)):
            self.failures += 1
            log.error("the hook can't be started, so that no alert can reach it: %s", why)
        if not found or not (self.settings.webhook or self.settings.hook):
            return
        place = self._place()
        delivered = Delivered.of(await self._kept(place), now)
        if self.settings.webhook:
            await self._to_webhook(delivered, found, self.settings.webhook)
        if self.settings.hook:
            await self._to_hook(delivered, found)
        if delivered.added:
            await self._keep(place, delivered)

    def _place(self) -> DeliveredIds:
        """Return the place of the delivered ids: beside shared leases, if there are any and Azure can be reached."""
        return SharedIds(self.store(self.world)) if self.store and self.world else LocalIds(self.state)

    async def _kept(self, place: DeliveredIds) -> str:
        try:
            return await place.read()
        except RotatorError as error:
            log.warning("%s: this run may notify again", error.happened)
            return ""

    async def _keep(self, place: DeliveredIds, delivered: Delivered) -> None:
        try:
            await place.write(delivered.joined(await place.read()))
        except (OSError, RotatorError) as error:
            why = (error.strerror if isinstance(error, OSError) else error.happened) or type(error).__name__
            log.warning("%s can't be written (%s): the next run notifies again", place.where, why)

    async def ping(self) -> None:
        """Send the dead-man's switch the ping that the run is over."""
        if self.settings.ping:
            await self._sent(PING, self.settings.ping)

    async def _to_webhook(self, delivered: Delivered, found: Sequence[Alert], address: Address) -> None:
        shape = self.settings.shape

        async def send(about: Sequence[Alert]) -> bool:
            return await self._sent(WEBHOOK, address, *shapes.shaped(shape.value, about))

        await self._each(delivered, "webhook", found, send, together=shape is not Shape.cloudevents)

    async def _to_hook(self, delivered: Delivered, found: Sequence[Alert]) -> None:
        async def run(about: Sequence[Alert]) -> bool:
            failed = await notify.run_hook(self.settings.hook, shapes.cloud_event(about[0]))
            return not failed or self._untold(f"the hook {failed}")

        await self._each(delivered, "hook", found, run)

    async def _each(
        self,
        delivered: Delivered,
        receiver: str,
        found: Sequence[Alert],
        tell: Callable[[Sequence[Alert]], Awaitable[bool]],
        *,
        together: bool = False,
    ) -> None:
        """Send a receiver the alerts that it hasn't got, one by one or `together`, until one fails or time is up."""
        new = [alert for alert in found if not delivered.has(receiver, alert.id)]
        messages = [new] if new and together else [[alert] for alert in new]
        begun = self.clock.elapsed()
        for number, about in enumerate(messages):
            if self.clock.elapsed() - begun > LONGEST:
                self._untold(f"the {receiver} is slow; messages left: {len(messages) - number}")
                return
            if not await tell(about):
                return
            for alert in about:
                delivered.add(receiver, alert.id)

    async def _sent(self, variable: str, address: Address, body: bytes = b"", kind: str = "") -> bool:
        try:
            failed = await Web(self.clock, self.transport()).send(await self._known(variable, address), body, kind)
        except (RotatorError, ValueError) as error:
            failed = str(error)
        return not failed or self._untold(
            f"{variable}: {failed}", level=logging.WARNING if variable == PING else logging.ERROR
        )

    async def _known(self, variable: str, address: Address) -> Secret:
        """Return an address. Raises RotatorError, ValueError."""
        if isinstance(address, Secret):
            return address
        if variable not in self.known:
            self.known[variable] = await from_key_vault(self.world, address, variable)
        return self.known[variable]

    def _untold(self, why: str, level: int = logging.ERROR) -> bool:
        """Count and log a failure; return False. An alert that nobody got is an error, which `--quiet` shows, too."""
        self.failures += 1
        log.log(level, "a notification failed: %s; the next run tries again", why)
        return False
