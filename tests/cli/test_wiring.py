"""Tests of Python's own output, as far as the command line suppresses it."""

import asyncio.base_subprocess
from types import SimpleNamespace
from typing import Any

from rotator.cli.wiring import without_closed_pipes


def test_an_az_that_was_given_up_leaves_no_traceback_and_anything_else_is_told() -> None:
    told: list[Any] = []
    hook = without_closed_pipes(told.append)
    ends = asyncio.base_subprocess.BaseSubprocessTransport.__del__
    hook(SimpleNamespace(object=ends, exc_value=RuntimeError("Event loop is closed")))
    others = (
        SimpleNamespace(object=ends, exc_value=OSError("no")),
        SimpleNamespace(object=print, exc_value=RuntimeError("Event loop is closed")),
    )
    for other in others:
        hook(other)
    assert told == list(others)
