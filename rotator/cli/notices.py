"""Notifications of a command: keep how each policy ended, then tell the receivers that the environment names.

A failed notification is a warning in the log, and never changes the exit code.
"""

import logging
import os
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import wiring
from rotator.cli.invocation import Common
from rotator.errors import RotatorError

if TYPE_CHECKING:
    from datetime import datetime

    from rotator.engine import Journal, Run
    from rotator.events import Event
    from rotator.notify import Delivered, KeyVaultSecret, Receivers
    from rotator.policy import Policy
    from rotator.ports import Clock, World
    from rotator.report.alerts import Alert, Ended
    from rotator.report.status import Row
    from rotator.results import Result
    from rotator.secret import Secret

Metrics = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        envvar="ROTATOR_METRICS",
        metavar="FILE",
        help="Write Prometheus metrics, for node_exporter's textfile collector: a name ending in .prom.",
    ),
]
Hook = Annotated[
    str | None,
    typer.Option(
        "--hook",
        envvar="ROTATOR_HOOK",
        metavar="COMMAND",
        help="Run a command, without a shell, with each alert on its standard input.",
    ),
]
LONGEST = 60.0
"""Seconds after which no further alert is sent to a receiver: a run must end."""
PATIENCE = 60
"""Seconds for an address from Key Vault: the clients would go on trying for longer."""
LIST = "delivered.json"
"""Name of the file with the delivered ids, beside the leases."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Notices:
    """Receivers of one command, and what is kept of its runs until they are told."""

    settings: "Receivers"
    metrics: Path | None
    state: Path
    whole: bool
    """The command is about all policies."""
    rows: "dict[str, Row]" = field(default_factory=dict)
    policies: "dict[str, Policy]" = field(default_factory=dict)
    outside: "tuple[World, Clock] | None" = None
    untold: int = 0
    known: "dict[str, Secret]" = field(default_factory=dict)
    """Addresses by variable, once read."""

    @property
    def wanted(self) -> bool:
        """Tell if there is any receiver."""
        return bool(self.metrics or self.settings.webhook or self.settings.ping or self.settings.hook)

    def watched(self, runs: "Iterable[Run]") -> "Iterator[Run]":
        """Pass the runs on; as each finishes, keep the line of `status` for its last look."""
        for one in runs:
            if self.wanted:
                self.outside = (one.world, one.clock)
                self.policies[one.policy.name] = one.policy
            yield replace(one, journal=self._listening(one)) if self.wanted else one

    def _listening(self, one: "Run") -> "Journal":
        from rotator.events import Finished

        def hear(event: "Event") -> None:
            if isinstance(event, Finished):
                self._keep(one)
            one.journal.hear(event)

        return replace(one.journal, hear=hear)

    def _keep(self, one: "Run") -> None:
        from rotator.engine import remembered
        from rotator.report.status import rows

        with suppress(Exception):  # without a line the policy counts as unseen; its run has ended in any case
            if seen := remembered(one):
                self.rows[one.policy.name] = rows([(one.policy.name, seen)])[0]

    async def told(self, common: Common, results: "Sequence[Result]", events: "Sequence[Event]") -> None:
        """Tell all receivers how the runs ended.

        The runs are over: neither a signal nor a bug here keeps their report and exit code back. The text of an
        unexpected exception is not logged, since it may have an address.
        """
        import asyncio

        try:
            if self.wanted and self.outside is not None:
                await self._tell(common, results, events)
        except asyncio.CancelledError:
            log.warning("interrupted while sending notifications; the next run sends the rest")
        except Exception as error:  # noqa: BLE001 - a notification never costs the report
            log.warning("an unexpected %s while sending notifications: a bug in rotator", type(error).__name__)
            log.debug("unexpected exception at:\n%s", "".join(traceback.format_tb(error.__traceback__)))

    async def _tell(self, common: Common, results: "Sequence[Result]", events: "Sequence[Event]") -> None:
        from rotator.report import alerts

        now, ended = wiring.now(), self._ended(results, events)
        left_out = [alerts.not_served(one.name, [str(each) for each in one.mistakes], now) for one in common.unserved]
        await self._deliver((*alerts.alerts_of(ended, now), *left_out), now)
        if self.whole and any(one.row for one in ended):
            await self._ping()
        await self._measure(common, ended, now)

    def _ended(self, results: "Sequence[Result]", events: "Sequence[Event]") -> "list[Ended]":
        from rotator.events import Noted, StepFailed, Vetoed, Waiting
        from rotator.report.alerts import Ended

        grave: dict[str, list[Event]] = {}
        for event in events:
            if isinstance(event, StepFailed | Vetoed) or (isinstance(event, Waiting | Noted) and event.warn):
                grave.setdefault(event.policy, []).append(event)
        return [
            Ended(
                result.policy,
                self.policies[result.policy].principal.app_id,
                self.policies[result.policy].rotation.warn_before,
                result.exit_code,
                self.rows.get(result.policy),
                tuple(grave.get(result.policy, ())),
            )
            for result in results
        ]

    @contextmanager
    def failing(self, common: Common) -> Iterator[None]:
        """Tell of an error that ends an unattended command before it looks at any policy, then raise it again."""
        try:
            yield
        except RotatorError as error:
            if self.wanted and self.whole:
                wiring.run(self._refused(common, error))
            raise

    async def _refused(self, common: Common, error: RotatorError) -> None:
        from rotator.report import alerts

        self.outside = None
        now = wiring.now()
        await self._deliver((alerts.refused(error, now, common.unseen),), now)
        await self._measure(common, [], now)

    async def _deliver(self, found: "Sequence[Alert]", now: "datetime") -> None:
        """Tell webhook and hook of the alerts that they haven't got yet."""
        from rotator.notify import Delivered

        if not found or not (self.settings.webhook or self.settings.hook):
            return
        delivered = Delivered.read(self.state / LIST, now)
        if self.settings.webhook:
            await self._to_webhook(delivered, found)
        if self.settings.hook:
            await self._to_hook(delivered, found)
        try:
            delivered.write()
        except OSError as error:
            log.warning("%s can't be written (%s): the next run notifies again", self.state / LIST, error.strerror)

    async def _to_webhook(self, delivered: "Delivered", found: "Sequence[Alert]") -> None:
        from rotator.notify import Shape
        from rotator.report import shapes

        shape = self.settings.shape

        async def send(about: "Sequence[Alert]") -> bool:
            return await self._sent("ROTATOR_WEBHOOK", self.settings.webhook, *shapes.shaped(shape.value, about))

        await self._each(delivered, "webhook", found, send, together=shape is not Shape.cloudevents)

    async def _to_hook(self, delivered: "Delivered", found: "Sequence[Alert]") -> None:
        from rotator.notify import run_hook
        from rotator.report.shapes import cloud_event

        async def run(about: "Sequence[Alert]") -> bool:
            failed = await run_hook(self.settings.hook, cloud_event(about[0]))
            return not failed or self._failed(f"the hook {failed}")

        await self._each(delivered, "hook", found, run)

    async def _each(
        self,
        delivered: "Delivered",
        receiver: str,
        found: "Sequence[Alert]",
        tell: "Callable[[Sequence[Alert]], Awaitable[bool]]",
        *,
        together: bool = False,
    ) -> None:
        """Tell a receiver of the alerts that it hasn't got, one by one or `together`, until one fails or time is up."""
        new = [alert for alert in found if not delivered.has(receiver, alert.id)]
        clock, messages = self._clock(), [new] if new and together else [[alert] for alert in new]
        begun = clock.elapsed()
        for number, about in enumerate(messages):
            if clock.elapsed() - begun > LONGEST:
                self._failed(f"the {receiver} is slow; messages left: {len(messages) - number}")
                return
            if not await tell(about):
                return
            for alert in about:
                delivered.add(receiver, alert.id)

    async def _ping(self) -> None:
        if self.settings.ping:
            await self._sent("ROTATOR_PING", self.settings.ping)

    async def _sent(
        self, variable: str, address: "Secret | KeyVaultSecret | None", body: bytes = b"", kind: str = ""
    ) -> bool:
        from rotator.notify import Web
        from rotator.secret import Secret

        try:
            known = self.known.get(variable)
            if known is None:
                known = address if isinstance(address, Secret) else await self._from_key_vault(variable, address)
                self.known[variable] = known
            failed = await Web(self._clock(), wiring.web()).send(known, body, kind)
        except (RotatorError, ValueError) as error:
            failed = str(error)
        return not failed or self._failed(f"{variable}: {failed}")

    async def _from_key_vault(self, variable: str, address: "KeyVaultSecret | None") -> "Secret":
        """Read an address. Raises RotatorError, ValueError."""
        import asyncio

        from rotator.notify.settings import checked
        from rotator.policy import KeyVaultPolicy

        if address is None or self.outside is None:
            raise ValueError("the address is in Key Vault, which was not reached")
        policy = next(iter(self.policies.values()))
        vault = KeyVaultPolicy.model_validate({"url": address.vault, "password_secret": address.name})
        try:
            async with asyncio.timeout(PATIENCE):
                value = await self.outside[0].secret(policy.model_copy(update={"key_vault": vault}), address.name)
        except TimeoutError:
            raise ValueError(f"Key Vault gave no address within {PATIENCE} s") from None
        return checked(value, f"the secret named by {variable}")

    def _clock(self) -> "Clock":
        return self.outside[1] if self.outside else wiring.connected("public")[0]

    def _failed(self, why: str) -> bool:
        """Count and log a failure; return False."""
        self.untold += 1
        log.warning("a notification failed: %s; the next run tries again", why)
        return False

    async def _measure(self, common: Common, ended: "Sequence[Ended]", now: "datetime") -> None:
        from rotator.notify import exchanged
        from rotator.report import metrics

        if self.metrics is None:
            return
        unserved = [*(one.name for one in common.unserved), *common.unseen]
        known = {one.policy for one in ended} | set(unserved) if self.whole and ended else None

        def change(text: str) -> str:
            old = metrics.parse(text)
            return metrics.render(metrics.updated(old, ended, unserved, now, untold=self.untold, known=known))

        try:
            await exchanged(self.metrics, change, self._clock())
        except OSError as error:
            log.warning("the metrics can't be written to %s (%s)", self.metrics, error.strerror)


def notices_of(metrics: Path | None, hook: str | None, leases: Path | None, *, whole: bool) -> Notices:
    """Read the receivers from options and environment; what was delivered is kept beside the leases.

    Raises typer.BadParameter.
    """
    from rotator import lease
    from rotator.notify.settings import Receivers

    try:
        return Notices(Receivers.read(os.environ, hook), metrics, leases or lease.directory(os.environ), whole)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
