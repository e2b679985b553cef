"""Azure implementation of the `World` of `rotator.ports`, over Microsoft's own client libraries.

No other package imports the client libraries. They are imported when :func:`connect` is entered, so ``rotator --help``
loads no SDK. The emulator needs no mode: proxy and certificate authority come from the environment, as for any other
proxy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rotator.clients.transports import Transports, real
from rotator.ports import Clock

if TYPE_CHECKING:
    from rotator.clients.budgets import Budgets
    from rotator.clients.world import AzureWorld


@asynccontextmanager
async def connect(
    clock: Clock, cloud: str = "public", transports: Transports | None = None, budgets: "Budgets | None" = None
) -> AsyncIterator["AzureWorld"]:
    """Yield a World for the identity found by DefaultAzureCredential.

    `cloud`: public, usgov or china; `transports` is for tests. `budgets` are those of the process (:func:`budgets_of`);
    without them, the connection counts its own requests only.

    No request is made yet. Raises KeyError for an unknown cloud, and RotatorError where the environment names no usable
    proxy.
    """
    from rotator.clients.world import AzureWorld
    from rotator.cloud import CLOUDS

    world = AzureWorld(clock, CLOUDS[cloud], transports or real(), budgets)
    try:
        yield world
    finally:
        await world.close()


def budgets_of(clock: Clock, cloud: str) -> "Budgets":
    """Return the count of a process's requests against Azure's limits in a cloud, to be shared by its connections.

    Raises KeyError for an unknown cloud.
    """
    from rotator.clients.budgets import Budgets
    from rotator.clients.counted_request import Hosts
    from rotator.cloud import CLOUDS

    return Budgets(clock, Hosts.of(CLOUDS[cloud]))


__all__ = ["Transports", "budgets_of", "connect"]
