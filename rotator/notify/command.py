"""A command as a receiver: run without a shell, in a clean environment, with one event on its standard input."""

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

SECONDS = 10.0
"""Seconds after which the command and its children are killed."""
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""Environment of the command; rotator's own environment has secrets, so none of it is passed on."""


def unstartable(words: Sequence[str]) -> str:
    """Return why the command can't be started, as far as can be seen without a start; empty if nothing is in the way.

    So a mistake in its name is found before the first alert.
    """
    program = words[0] if "/" not in words[0] else f"/{words[0].removeprefix('/')}"
    return "" if shutil.which(program, path=ENVIRONMENT["PATH"]) else f"there is no program {words[0]} that may be run"


async def run_hook(words: Sequence[str], event: bytes) -> str:
    """Run the command with an event on its standard input; return why it failed, empty if it didn't.

    What the command prints is discarded.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=ENVIRONMENT, cwd="/", start_new_session=True
        )
    except (OSError, ValueError) as error:
        return f"could not be started ({getattr(error, 'strerror', None) or type(error).__name__})"
    try:
        async with asyncio.timeout(SECONDS):
            await process.communicate(event)
    except TimeoutError:
        return f"did not end within {SECONDS:.0f} s, and was killed"
    finally:
        await _ended(process)
    code = process.returncode or 0
    return f"ended with {code}" if code > 0 else f"was ended by signal {-code}" if code else ""


async def _ended(process: Process) -> None:
    """Kill the command's process group, and wait for the command."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
