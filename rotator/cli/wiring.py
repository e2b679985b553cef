"""Only place of the command line to create a loop, a clock and clients.

Tests replace only these functions, to run every command on virtual time against the emulator in process.
"""

import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rotator.cli.interrupt import grace, heeding

if TYPE_CHECKING:
    from rotator.clients.budgets import Budgets
    from rotator.clients.world import AzureWorld
    from rotator.notify import Transport
    from rotator.ports import Clock, LeaseStore, Queue, World

T = TypeVar("T")
Unraisable = Callable[[Any], object]


def connected(cloud: str) -> "tuple[Clock, AbstractAsyncContextManager[World]]":
    """Return a clock, and Azure as the identity found by DefaultAzureCredential.

    The SDK is loaded here and not earlier.
    """
    from rotator.clients import connect
    from rotator.system import SystemClock

    clock = SystemClock()
    return clock, connect(clock, cloud=cloud, budgets=_budgets(cloud))


@cache
def _budgets(cloud: str) -> "Budgets":
    """Return the count of this process's requests against Azure's limits, which all its connections share."""
    from rotator.clients import budgets_of
    from rotator.system import SystemClock

    return budgets_of(SystemClock(), cloud)


def lease_store(world: "World", container: str) -> "LeaseStore":
    """Return the leases in a container, over the connections and the identity of `world`."""
    return cast("AzureWorld", world).leases(container)


def budgets(world: "World") -> "Budgets":
    """Return the count of requests against Azure's limits, which all connections of the process share."""
    return cast("AzureWorld", world).budgets


def azure_time(world: "World") -> datetime | None:
    """Return Azure's time, by its answers so far; None before the first one."""
    return cast("AzureWorld", world).line.time.now()


def queue(world: "World", address: str) -> "Queue":
    """Return the queue at an address, over the connections and the identity of `world`."""
    return cast("AzureWorld", world).queue(address)


def web() -> "Transport":
    """Return the factory of connections for notifications; authorities and proxies are those of the clients."""
    from rotator.clients.transports import network

    return network


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or to a signal, on a new loop. Raises Interrupted."""
    sys.unraisablehook = without_closed_pipes(sys.unraisablehook)
    import asyncio

    return asyncio.run(heeding(main, grace(os.environ)))


def without_closed_pipes(before: Unraisable) -> Unraisable:
    """Return a hook that leaves out the pipes of an az that was given up: azure-identity leaves them to the collector.

    By then their event loop is closed, and Python would print a traceback about that (azure-identity 1.27).
    """

    def hook(unraisable: Any, /) -> None:
        name = getattr(unraisable.object, "__qualname__", "")
        if name != "BaseSubprocessTransport.__del__" or not isinstance(unraisable.exc_value, RuntimeError):
            before(unraisable)

    return hook


def now() -> datetime:
    """Return the time of this machine's clock.

    No decision depends on this clock; `doctor` reports its difference from Azure's clock.
    """
    from rotator.system import now as shown

    return shown()
