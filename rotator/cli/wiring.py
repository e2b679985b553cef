"""Where the command line meets the world: the only place where a loop, a clock and clients come into being.

A test replaces these three functions and nothing else, to run every command on virtual time against the emulator in
process.
"""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, TypeVar

from rotator.cli.interrupt import grace, heeding
from rotator.ports import Clock, World

T = TypeVar("T")


def connected(cloud: str) -> tuple[Clock, AbstractAsyncContextManager[World]]:
    """A clock, and Azure as the identity that DefaultAzureCredential finds; the SDK is loaded here and not earlier."""
    from rotator.clients import connect
    from rotator.system import SystemClock

    clock = SystemClock()
    return clock, connect(clock, cloud=cloud)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, or to a signal, on a loop of its own. Raises Interrupted."""
    return asyncio.run(heeding(main, grace(os.environ)))


def now() -> datetime:
    """What this machine's clock shows: nothing is decided by it, and `doctor` says how far it is from Azure's."""
    from rotator.system import now as shown

    return shown()
