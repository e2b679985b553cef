"""Tests of the process-wide settings that a stage changes: all are restored, in any order of the processes."""

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
