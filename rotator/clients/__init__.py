"""Azure implementation of the `World` of `ports.py`, over Microsoft's own client libraries.

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
    from rotator.clients.world import AzureWorld


@asynccontextmanager
async def connect(
    clock: Clock, cloud: str = "public", transports: Transports | None = None
) -> AsyncIterator["AzureWorld"]:
    """Yield a World for the identity found by DefaultAzureCredential.

    `cloud`: public, usgov or china; `transports` is for tests.

    No request is made yet. Raises KeyError for an unknown cloud, and RotatorError where the environment names no usable
    proxy.
    """
    from rotator.clients.world import AzureWorld
    from rotator.cloud import CLOUDS

    world = AzureWorld(clock, CLOUDS[cloud], transports or real())
    try:
        yield world
    finally:
        await world.close()


__all__ = ["Transports", "connect"]
