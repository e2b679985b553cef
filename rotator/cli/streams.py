"""Standard streams of a command: possibly closed, full, of another encoding, or without a reader."""

import io
import os
import sys
from typing import Any


class _Pipe(io.FileIO):
    """File descriptor whose reader may close its end early.

    After ``rotator status | head -1`` the reader has the wanted line; no failure is reported.
    """

    def write(self, data: Any, /) -> int:
        """Write; without a reader, discard the data. Raises OSError."""
        try:
            return super().write(data)
        except BrokenPipeError:
            silence(self.fileno())
            return memoryview(data).nbytes


class _Told(_Pipe):
    """Stderr, for progress and logs.

    A run goes on even if stderr can't be written, with a truthful exit code.
    """

    def write(self, data: Any, /) -> int:
        """Write; after an error, discard this and all later data."""
        try:
            return super().write(data)
        except OSError:
            silence(self.fileno())
            return memoryview(data).nbytes


def prepare() -> None:
    """Make the standard streams safe to use.

    A closed stream becomes the null device: otherwise a file opened later would get the number of the stream.
    Characters outside the encoding are escaped.
    """
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
    """Discard all further output to a descriptor, including the last flush at the program's end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def unwritten(error: OSError, what: str, more: str = "") -> None:
    """Report on stderr a failed write to stdout."""
    silence(1)
    sys.stderr.write(f"{what} could not be written ({error.strerror}).{more}\n")
    sys.stderr.flush()
