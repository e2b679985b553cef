"""What the stage changes while a process is stopped is as it was afterwards, in whatever order processes go on."""

import asyncio
from typing import Any

from rotator.clients import pages, wire
from tests.stage import unhurried

WIRE: Any = wire
PAGES: Any = pages


def test_timers_of_requests_run_again_once_no_process_is_stopped() -> None:
    first, second = unhurried(), unhurried()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert WIRE.asyncio is not asyncio, "the second is stopped still"
    second.__exit__(None, None, None)
    assert (WIRE.asyncio, PAGES.asyncio) == (asyncio, asyncio)
