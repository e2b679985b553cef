"""Azure, for real: the `World` of `ports.py` over Microsoft's own client libraries, the only place that imports them.

Nothing is imported until :func:`connect` is entered, so that ``rotator --help`` loads no SDK. There is no mode for the
emulator: its proxy and its authority come from the environment, as any other.
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
    """A World for the identity that DefaultAzureCredential finds.

    `cloud`: public, usgov or china; `transports` is for tests.

    No request is made yet. Raises KeyError for a cloud that there isn't, and RotatorError where the environment names
    no usable proxy.
    """
    from rotator.clients.world import AzureWorld
    from rotator.cloud import CLOUDS

    world = AzureWorld(clock, CLOUDS[cloud], transports or real())
    try:
        yield world
    finally:
        await world.close()


__all__ = ["Transports", "connect"]
