"""Files replaced at once: a reader sees the old text or the new one, never a part.

Only plain files are read or replaced: opening a pipe waits, a device may never end, and a file in its place would
destroy it.
"""

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from rotator.ports import Clock

LARGEST = 64_000_000
"""Bytes of an old text that are read."""
PAUSE, PATIENCE = 0.1, 50
"""Seconds between two tries of a lock, and the number of tries: a run goes on without the lock."""


def plain(file: Path, most: int) -> bytes:
    """Return the first bytes of a plain file. Raises OSError."""
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY), "rb") as opened:  # noqa: PTH123
        _ensure_plain(os.fstat(opened.fileno()), file)
        return opened.read(most)


def _ensure_plain(found: os.stat_result, file: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(file))


def replaced(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file beside the old one, and put it in the old one's place. Raises OSError, with the file's own name."""
    with suppress(FileNotFoundError):
        _ensure_plain(file.stat(), file)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name[:100]}.", dir=file.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as beside:
            beside.write(text)
            beside.flush()
            os.fchmod(beside.fileno(), mode)
            os.fsync(beside.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


async def exchanged(file: Path, change: Callable[[str], str], clock: Clock) -> None:
    """Replace a file by what `change` makes of its text, or of an empty text. Raises OSError.

    Two runs at once don't lose each other's change.
    """
    async with _alone(file.parent, clock):
        replaced(file, change(_text(file)))


def _text(file: Path) -> str:
    try:
        return plain(file, LARGEST).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


@asynccontextmanager
async def _alone(directory: Path, clock: Clock) -> AsyncIterator[None]:
    """Hold a lock on the directory, if it can be had within a few seconds."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for _ in range(PATIENCE):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                await clock.sleep(PAUSE)
        yield
    finally:
        os.close(descriptor)
