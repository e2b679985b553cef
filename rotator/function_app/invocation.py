"""One invocation: its connections, its leases, its time, and its log."""

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, TypeVar, cast

from rotator import clients
from rotator.engine import Journal, Run
from rotator.errors import RotatorError, Unexpected
from rotator.events import Event, StepFailed, Vetoed, as_json
from rotator.function_app.settings import AppSettings
from rotator.lease import LocalLease, RenewedLease, exposed
from rotator.notices import Connections, Notices
from rotator.notify import Transport
from rotator.policy import Policy, durations
from rotator.ports import Clock, Lease, LeaseStore, Queue, World
from rotator.system import SystemClock, now

if TYPE_CHECKING:
    from rotator.clients.budgets import Budgets
    from rotator.clients.world import AzureWorld

T = TypeVar("T")
GRACE = timedelta(seconds=60)
"""From when nothing new is begun until what is still under way is cut off here, with an error of ours, rather than by
the platform.
"""
LAST = timedelta(seconds=25)
"""Part of that time for the answer to a write under way, after all other requests were cut off."""

log = logging.getLogger("rotator.function")


class RotationFailed(RotatorError):
    """A step failed, or waits past its warning: the invocation must count as failed."""

    remedy = (
        "The events above show the failures and their reasons. The next tick continues; `rotator plan` shows its steps."
    )


@dataclass(frozen=True, slots=True)
class Invocation:
    """Azure, as one invocation reaches it until `deadline` (elapsed seconds of `clock`)."""

    settings: AppSettings
    world: World
    clock: Clock
    deadline: float
    heard: list[Event] = field(default_factory=list)
    """Events of the runs, for their notices."""

    def run(self, policy: Policy) -> Run:
        """Return the run of a policy."""

        def hear(event: Event) -> None:
            self.heard.append(event)
            tell(event)

        return Run(self.world, self.clock, Journal(hear, policy.name), policy, deadline=self.deadline)

    def runs(self, policies: Iterable[Policy]) -> tuple[Run, ...]:
        """Return the runs of policies."""
        return tuple(map(self.run, policies))

    @property
    def lease(self) -> Lease:
        """Leases in the container of the settings, else in this instance's temporary folder."""
        if store := self.lease_store:
            return RenewedLease(store, self.clock, now)
        return LocalLease(state(), now)

    @property
    def lease_store(self) -> LeaseStore | None:
        """The leases in the container of the settings."""
        return lease_store(self.world, self.settings.container) if self.settings.container else None

    @property
    def queue(self) -> Queue:
        """The queue of the settings."""
        return queue(self.world, self.settings.queue)


async def within(settings: AppSettings, work: Callable[[Invocation], Awaitable[T]], at_most: timedelta) -> T:
    """Return the result of `work`; cut it off `GRACE` after `at_most`. Raises RotationFailed.

    A failed sign-in ends the invocation before any policy is looked at. Raises AzureError.
    """
    clock, connecting = connected(settings.cloud)
    deadline = clock.elapsed() + at_most.total_seconds()
    async with connecting as world:
        world.repeat_until(deadline)
        world.tell_waits(tell)
        working = asyncio.ensure_future(_signed_in(Invocation(settings, world, clock, deadline), work))
        for seconds in ((at_most + GRACE - LAST).total_seconds(), LAST.total_seconds()):
            await asyncio.wait({working}, timeout=seconds)
            if working.done() and not working.cancelled():
                return working.result()
            working.cancel()
    state = "The events above show the steps that are done; a write that was under way may have happened."
    raise RotationFailed(f"the run was cut off {durations.render(at_most + GRACE)} after its start", state=state)


async def _signed_in(one: Invocation, work: Callable[[Invocation], Awaitable[T]]) -> T:
    """Sign in, then work. A token that can't be read is used as it is."""
    with suppress(Unexpected):
        await one.world.signed_in()
    return await work(one)


def state() -> Path:
    """Return a directory private to this user in the instance's temporary folder.

    If another user has taken the usual name, make a new directory.
    """
    usual = Path(tempfile.gettempdir()) / f"rotator-{os.geteuid()}"
    with suppress(FileExistsError):
        usual.mkdir(mode=0o700)
    found = usual.lstat()
    if S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not exposed(usual):
        return usual
    told(
        "log",
        logging.WARNING,
        level="warning",
        text=f"{usual} is not a private directory of this user, so leases are kept in a new one",
    )
    return Path(tempfile.mkdtemp(prefix="rotator-"))


def connected(cloud: str) -> tuple[Clock, AbstractAsyncContextManager[World]]:
    """Return a clock, and Azure as the app's identity; tests replace this function and the next three."""
    clock = SystemClock()
    return clock, clients.connect(clock, cloud=cloud, budgets=_budgets(cloud))


@cache
def _budgets(cloud: str) -> "Budgets":
    """Return the count of this host's requests against Azure's limits, which all its invocations share."""
    return clients.budgets_of(SystemClock(), cloud)


def web() -> Transport:
    """Return the factory of connections for notices; authorities and proxies are those of the clients."""
    from rotator.clients.transports import network

    return network


def notices(settings: AppSettings, *, whole: bool) -> Notices:
    """Return the notices of an invocation; the delivered ids are kept where the leases are."""
    connections = Connections(now, web, lambda: connected(settings.cloud))
    container = settings.container
    store = (lambda world: lease_store(world, container)) if container else None
    return Notices(settings.receivers, None, state(), whole, connections, store)


def lease_store(world: World, container: str) -> LeaseStore:
    """Return the leases in a container."""
    return cast("AzureWorld", world).leases(container)


def queue(world: World, address: str) -> Queue:
    """Return the queue at an address."""
    return cast("AzureWorld", world).queue(address)


def tell(event: Event) -> None:
    """Log an event as one line of JSON; the level serves alert rules."""
    event = event if event.at else replace(event, at=now())
    warns = isinstance(event, Vetoed) or bool(getattr(event, "warn", False))
    level = logging.ERROR if isinstance(event, StepFailed) else logging.WARNING if warns else logging.INFO
    log.log(level, "%s", json.dumps(as_json(event)))


def told(event: str, severity: int, **content: object) -> None:
    """Log what is no event of a run, as one line of JSON."""
    log.log(severity, "%s", json.dumps({"v": 1, "event": event, "at": now().isoformat(), **content}))
