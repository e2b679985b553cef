"""Start and stop of an emulator in a process of its own, which this module does not load."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_azure.arm.clouds import PUBLIC
from local_azure.directory import AlreadyRunning, Running, StateDirectory

READY_WITHIN = 30.0
"""Seconds that a detached emulator has to become ready, and a stopped one to end."""


class StartFailed(Exception):
    """The detached emulator ended, or was not ready in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a run.

    State directory, port of 127.0.0.1 (0: any free port), a fresh or the saved state, and one of `TIMINGS`. A new
    tenant lives in `cloud`, a saved tenant in the cloud of its creation.
    """

    directory: StateDirectory
    port: int = 0
    fresh: bool = False
    timing: str = "azure"
    cloud: str = PUBLIC.short


def start(settings: Settings) -> Running:
    """Serve in a separate process outliving the present one; return when the emulator is ready.

    Raises AlreadyRunning, StartFailed.
    """
    directory = settings.directory
    directory.make()
    if directory.serving():
        raise AlreadyRunning(f"an emulator is already running in {directory.path}")
    command = [sys.executable, "-m", "local_azure.process", "--dir", str(directory.path), "--port", str(settings.port)]
    command += ["--timing", settings.timing, "--cloud", settings.cloud, *["--fresh"] * settings.fresh]
    pid = _spawn(command, directory.log)
    for _ in _moments():
        if directory.announced() == pid:
            return directory.running()
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            raise StartFailed(_end_of(directory.log))
    os.kill(pid, signal.SIGTERM)
    raise StartFailed(f"not ready after {READY_WITHIN:g} s: {_end_of(directory.log)}")


def _spawn(command: list[str], log: Path) -> int:
    """Start a process in a session of its own, with empty input and the output in `log`."""
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True)


def stop(directory: StateDirectory) -> int:
    """End the emulator of `directory` and wait until the state is saved; return the process id.

    Raises NotRunning, UnreadableState, StartFailed.
    """
    pid = directory.process()
    os.kill(pid, signal.SIGTERM)
    for _ in _moments():
        if not directory.serving():
            return pid
    raise StartFailed(f"process {pid} did not end within {READY_WITHIN:g} s")


def _moments() -> Iterator[None]:
    """Check at short intervals, up to the longest time that a caller waits."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        yield
        time.sleep(0.02)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) or "it said nothing"
