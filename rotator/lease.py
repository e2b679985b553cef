"""A lease in a local file: enough where all runs of a policy share one machine, as a crontab's do.

The kernel gives it back when its holder dies, however it dies, so it never needs to expire. Several machines want the lease in Azure
Blob storage; safety rests on neither, only the sparing of double work.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from rotator.errors import LeaseHeld, RotatorError


def directory(environment: Mapping[str, str]) -> Path:
    """Where leases are kept unless somebody says otherwise: ``$XDG_STATE_HOME/rotator``, or ``~/.local/state/rotator``.

    Source: XDG Base Directory Specification 0.8, which wants a relative path ignored.
    """
    stated = Path(environment.get("XDG_STATE_HOME", ""))
    return (stated if stated.is_absolute() else Path("~/.local/state").expanduser()) / "rotator"


def standing(where: Path, name: str) -> tuple[str | None, str | None]:
    """Why leases can't be kept in `where`, and who holds the one called `name`; nothing is written, and no run is kept waiting."""
    there = next(each for each in (where, *where.parents) if each.exists())
    if not there.is_dir():
        return f"{there} is no directory", None
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written to", None
    try:
        descriptor = os.open(where / _file(name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return f"{where / _file(name)}: {error.strerror}", None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None, _holder(descriptor)
    finally:
        os.close(descriptor)
    return None, None


def _file(name: str) -> str:
    return f"{quote(name, safe='')}.lock"


def _holder(descriptor: int) -> str:
    holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    return f"process {holder}" if holder.isdigit() else "another run"


@dataclass(frozen=True, slots=True)
class LocalLease:
    """`rotator.ports.Lease` by flock(2) on a file per name in `where`; two holders in one process exclude each other, too."""

    where: Path

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[None]:
        """Hold the lease called `name` while the block runs; `for_` is not needed, since the kernel frees it. Raises LeaseHeld."""
        del for_
        descriptor = self._open(name)
        try:
            self._lock(descriptor, name)
            yield
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            self.where.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.where / _file(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            remedy = "Make the directory writable, or name another with --lease-dir; all runs of a policy must name the same."
            raise RotatorError(f"the lease directory {self.where} can't be used: {error.strerror}", remedy=remedy) from error

    def _lock(self, descriptor: int, name: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LeaseHeld(
                f"{_holder(descriptor)} on this machine holds the lease {name}", remedy="Wait until it has finished; its end frees the lease."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
