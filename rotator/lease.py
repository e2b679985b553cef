"""A lease in a local file: enough where all runs of a policy share one machine, as a crontab's do.

The kernel gives it back when its holder dies, however it dies, so it never needs to expire. Several machines want the
lease in Azure Blob storage; safety rests on neither, only the sparing of double work.

Rules for whoever edits this file:

1. Whoever can write into the directory can keep every run out for ever, so it is ours alone where rotator makes it, and
   said to be open where not.
2. Nothing in the directory is waited for: only a plain file of ours is a lease.
3. The file says who holds it, since when and how long that may take, so that a lease which is held too long is an
   alarm. What can't be written (a full disk) or read of that stops no run.
"""

import fcntl
import json
import logging
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rotator.errors import Holder, LeaseHeld, RotatorError

LONGEST = timedelta(hours=6)
"""How long a run without a deadline may take before its lease is an alarm: Azure gives each group half an hour, four at a time."""
_MOST = 1000
"""Bytes of a lease file that are read."""
_OPENING = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

log = logging.getLogger(__name__)


def directory(environment: Mapping[str, str]) -> Path:
    """Where leases are kept unless somebody says otherwise: ``$XDG_STATE_HOME/rotator``, or ``~/.local/state/rotator``.

    Whoever has no home has one in the temporary directory. Source: XDG Base Directory Specification 0.8, which wants a
    relative path ignored.
    """
    stated = Path(environment.get("XDG_STATE_HOME", ""))
    if stated.is_absolute():
        return stated / "rotator"
    try:
        return Path("~/.local/state/rotator").expanduser()
    except RuntimeError:  # a container's user that has neither HOME nor an entry in passwd
        return Path(tempfile.gettempdir()) / f"rotator-{os.geteuid()}"


def exposed(where: Path) -> str:
    """Why others could keep every run out, or let two in at once; empty where nobody can, and where there is no directory yet."""
    try:
        found = where.stat()
    except OSError:
        return ""
    if found.st_uid not in (os.geteuid(), 0):
        return f"it belongs to another user (uid {found.st_uid})"
    writers = [who for who, bit in (("its group", stat.S_IWGRP), ("everybody", stat.S_IWOTH)) if found.st_mode & bit]
    return f"{writers[-1]} may write to it (mode {stat.S_IMODE(found.st_mode):04o})" if writers else ""


def standing(where: Path, name: str, now: datetime) -> tuple[str | None, Holder | None]:
    """Why leases can't be kept in `where`, and who holds the one called `name`; nothing is written, and no run is kept waiting."""
    there = next((each for each in (where, *where.parents) if _exists(each)), Path("/"))
    if not there.is_dir():
        return f"{there} is no directory", None
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written to", None
    file = where / _file(name)
    try:
        descriptor = _opened(file, os.O_RDONLY)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return f"{file}: {error.strerror}", None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return None, _holder(descriptor, now)
    except OSError as error:
        return f"{file}: {error.strerror}", None
    finally:
        os.close(descriptor)
    return None, None


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):
        return False


def _file(name: str) -> str:
    return f"{quote(name, safe='')}.lock"


def _opened(file: Path, how: int) -> int:
    """A descriptor of a plain file of ours. Raises OSError."""
    descriptor = os.open(file, how | _OPENING, 0o600)
    if why := _unfit(os.fstat(descriptor)):
        os.close(descriptor)
        raise OSError(0, f"{why}; remove it")
    return descriptor


def _unfit(found: os.stat_result) -> str:
    """Why what stands in a lease's place is none."""
    if not stat.S_ISREG(found.st_mode):
        return "not a plain file, so no lease"
    if found.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        return f"another user's file (uid {found.st_uid}), who could hold it for ever"
    return "a file that has another name, too, and would be written to" if found.st_nlink > 1 else ""


def _holder(descriptor: int, now: datetime) -> Holder:
    """What the file says of its holder; of one that says nothing, since when the file is as it is."""
    said = _said(descriptor)
    return Holder(
        now,
        _running(said.get("pid"), said.get("started")),
        _since(descriptor, said.get("since")),
        _allowed(said.get("seconds")),
    )


def _said(descriptor: int) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(os.pread(descriptor, _MOST, 0))
        return found if isinstance(found, dict) else {"pid": found}
    return {}


def _since(descriptor: int, said: object) -> datetime:
    with suppress(ValueError):
        since = datetime.fromisoformat(said) if isinstance(said, str) else None
        if since and since.tzinfo:
            return since
    return datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)


def _allowed(said: object) -> timedelta:
    plausible = isinstance(said, int | float) and 0 <= said <= 366 * 86400
    return timedelta(seconds=float(said)) if plausible and isinstance(said, int | float) else LONGEST


def _running(process: object, started: object) -> int | None:
    """The id of the process that is meant, where it still runs on this machine."""
    if not (isinstance(process, int) and 0 < process < 1 << 31):
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return process if started is None or _started(process) == started else None


def _started(process: int) -> str | None:
    """When a process was started, as Linux counts: with it, an id that was given to another process since is told apart. Source: proc(5), stat."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


@cache
def _warn(where: Path, why: str) -> None:
    """Say once of a directory that it is open to others."""
    if why:
        log.warning(
            "the lease directory %s isn't private: %s. Others could keep every run out; `chmod 700` closes it",
            where,
            why,
        )


@dataclass(frozen=True, slots=True)
class LocalLease:
    """`rotator.ports.Lease` by flock(2) on a file per name in `where`; two holders in one process exclude each other, too. `now`: what to record."""

    where: Path
    now: Callable[[], datetime]

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[None]:
        """Hold the lease called `name` while the block runs, which may take `for_`; the kernel frees it, whatever happens. Raises LeaseHeld."""
        descriptor = self._open(name)
        try:
            self._lock(descriptor, name)
            self._record(descriptor, for_)
            yield
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            self.where.mkdir(mode=0o700, parents=True, exist_ok=True)
            _warn(self.where, exposed(self.where))
            return _opened(self.where / _file(name), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            remedy = (
                "Mend it as `rotator doctor` says, or name another with --lease-dir; all runs of a policy must name the"
                " same."
            )
            why = "it is no directory" if isinstance(error, FileExistsError) else f"{_file(name)}: {error.strerror}"
            raise RotatorError(f"the lease directory {self.where} can't be used: {why}", remedy=remedy) from error

    def _lock(self, descriptor: int, name: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(descriptor, self.now())
            remedy = "Wait until it has finished; its end frees the lease."
            raise LeaseHeld(f"{holder} holds the lease {name}", holder, remedy=remedy) from error
        except OSError as error:
            remedy = "Name a directory on a local disk with --lease-dir; all runs of a policy must name the same."
            raise RotatorError(
                f"the lease directory {self.where} has no locks: {error.strerror}", remedy=remedy
            ) from error

    def _record(self, descriptor: int, for_: timedelta) -> None:
        process = os.getpid()
        said = {
            "pid": process,
            "since": self.now().isoformat(timespec="seconds"),
            "seconds": round(for_.total_seconds()),
            "started": _started(process),
        }
        with suppress(OSError):
            os.utime(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{json.dumps(said)}\n".encode(), 0)
