"""What a command reads from and writes to: its ends may be closed, full, of another encoding, or with nobody listening."""

import io
import os
import sys
from typing import Any


class _Pipe(io.FileIO):
    """A file descriptor whose reader may go away: ``rotator status | head -1`` has what it wants, and nothing failed."""

    def write(self, data: Any, /) -> int:
        """Write, or forget it where nobody reads. Raises OSError."""
        try:
            return super().write(data)
        except BrokenPipeError:
            silence(self.fileno())
            return memoryview(data).nbytes


class _Told(_Pipe):
    """Where progress and logs go: a run goes on though nobody can be told, and its exit code stays true."""

    def write(self, data: Any, /) -> int:
        """Write, or forget it, and all that comes after it."""
        try:
            return super().write(data)
        except OSError:
            silence(self.fileno())
            return memoryview(data).nbytes


def prepare() -> None:
    """Take what the shell gave: a closed end is the null device, lest a file opened later be taken for it; what can't be encoded is escaped."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    sys.stdout, sys.stderr = (
        _opened(_Pipe(1, "w", closefd=False), sys.stdout),
        _opened(_Told(2, "w", closefd=False), sys.stderr),
    )


def _opened(end: _Pipe, found: Any) -> io.TextIOWrapper:
    encoding, buffered = getattr(found, "encoding", None), getattr(found, "line_buffering", True)
    return io.TextIOWrapper(
        io.BufferedWriter(end), encoding=encoding, errors="backslashreplace", line_buffering=buffered
    )


def silence(number: int) -> None:
    """Let a descriptor swallow what comes, also what is written once more when the program ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def unwritten(error: OSError, what: str, more: str = "") -> None:
    """Say on stderr that stdout took no more."""
    silence(1)
    sys.stderr.write(f"{what} could not be written ({error.strerror}).{more}\n")
    sys.stderr.flush()
