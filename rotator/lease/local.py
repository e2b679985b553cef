"""Lease in a local file: enough if all runs of a policy share one machine, for example a crontab.

The kernel frees the lease at its holder's death, whatever the cause, so a lease never needs to expire. Several machines
need `renewed.py`. Safety depends on neither kind; a lease only avoids double work.

Rules for editors of this file:

1. A user with write access to the directory can block every run for ever. So a directory made by rotator is private,
   and rotator warns about an open one.
2. No wait for a file in the directory: only a plain file owned by this user (or root) is a lease.
3. The file records the holder, the start and the allowed duration, so a lease held too long raises an alarm. A failed
   write (a full disk) or read of this record stops no run.
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
from urllib.parse import quote, unquote

from rotator.errors import Holder, LeaseHeld, RotatorError

LONGEST = timedelta(hours=6)
"""Time after which the lease of a run without a deadline is an alarm.

Azure gives each container group half an hour to start, and four groups start at a time.
"""
_MOST = 1000
"""Bytes of a lease file that are read."""
_OPENING = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

log = logging.getLogger(__name__)


def directory(environment: Mapping[str, str]) -> Path:
    """Return the default directory of leases: ``$XDG_STATE_HOME/rotator``, or ``~/.local/state/rotator``.

    A user without a home gets one in the temporary directory. Source: XDG Base Directory Specification 0.8, by which a
    relative path is ignored.
    """
    stated = Path(environment.get("XDG_STATE_HOME", ""))
    if stated.is_absolute():
        return stated / "rotator"
    try:
        return Path("~/.local/state/rotator").expanduser()
    except RuntimeError:  # a container's user that has neither HOME nor an entry in passwd
        return Path(tempfile.gettempdir()) / f"rotator-{os.geteuid()}"


def exposed(where: Path) -> str:
    """Return the reason others could block every run, or let two run at once.

    Empty if the directory is private or doesn't exist yet.
    """
    try:
        found = where.stat()
    except OSError:
        return ""
    if found.st_uid not in (os.geteuid(), 0):
        return f"it belongs to another user (uid {found.st_uid})"
    writers = [who for who, bit in (("its group", stat.S_IWGRP), ("everybody", stat.S_IWOTH)) if found.st_mode & bit]
    return f"{writers[-1]} may write to it (mode {stat.S_IMODE(found.st_mode):04o})" if writers else ""


def standing(where: Path, name: str, now: datetime) -> tuple[str | None, Holder | None]:
    """Return the reason leases can't be kept in `where`, and the holder of the lease called `name`.

    No file is written, and no run is kept waiting.
    """
    there = next((each for each in (where, *where.parents) if _exists(each)), Path("/"))
    if not there.is_dir():
        return f"{there} is no directory", None
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} may not be written to", None
    file = where / lease_file(name)
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


def held(where: Path, now: datetime) -> dict[str, Holder]:
    """Return the holder of each lease in `where` that is held, by the lease's name; no file is written."""
    found = {unquote(file.name.removesuffix(".lock")): file for file in sorted(where.glob("*.lock"))}
    holders = {name: standing(where, name, now)[1] for name in found}
    return {name: holder for name, holder in holders.items() if holder}


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):
        return False


def lease_file(name: str) -> str:
    """Return the name under which a lease is kept, in a directory or in a container."""
    return f"{quote(name, safe='')}.lock"


def _opened(file: Path, how: int) -> int:
    """Return a descriptor of a plain file fit for a lease. Raises OSError."""
    descriptor = os.open(file, how | _OPENING, 0o600)
    if why := _unfit(os.fstat(descriptor)):
        os.close(descriptor)
        raise OSError(0, f"{why}; remove it")
    return descriptor


def _unfit(found: os.stat_result) -> str:
    """Return the reason a file can't be a lease; empty if the file is fit."""
    if not stat.S_ISREG(found.st_mode):
        return "not a plain file, so no lease"
    if found.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        return f"a file of another user (uid {found.st_uid}), who could hold the lease for ever"
    return "a file with a second name (a hard link), which a lease would overwrite" if found.st_nlink > 1 else ""


def _holder(descriptor: int, now: datetime) -> Holder:
    """Return the holder recorded in the file; without a record, the time of the file's last change."""
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
    """Return the id of the recorded process if still running on this machine, else None."""
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
    """Return the start time of a process, in Linux's count.

    With the start time, a process id reused by another process is told apart. Source: proc(5), stat.
    """
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


@cache
def _warn(where: Path, why: str) -> None:
    """Warn once per directory about access by other users."""
    if why:
        log.warning(
            (
                "the lease directory %s is not private: %s. Other users could block every run; `chmod 700` makes"
                " it private"
            ),
            where,
            why,
        )


@dataclass(frozen=True, slots=True)
class LocalLease:
    """`rotator.ports.Lease` by flock(2) on a file per name in `where`.

    Two holders in one process exclude each other, too. `now`: the time to record.
    """

    where: Path
    now: Callable[[], datetime]

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[None]:
        """Hold the lease called `name` while the block runs. Raises LeaseHeld.

        The block may take `for_`. The kernel frees the lease in every case.
        """
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
            return _opened(self.where / lease_file(name), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            remedy = (
                "Fix the directory as `rotator doctor` says, or name another one with --lease-dir; all runs of a"
                " policy must use the same."
            )
            why = (
                "it is no directory" if isinstance(error, FileExistsError) else f"{lease_file(name)}: {error.strerror}"
            )
            raise RotatorError(f"the lease directory {self.where} can't be used: {why}", remedy=remedy) from error

    def _lock(self, descriptor: int, name: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _holder(descriptor, self.now())
            remedy = "Wait until the other run has ended; its lease ends with it."
            raise LeaseHeld(f"{holder} holds the lease {name}", holder, remedy=remedy) from error
        except OSError as error:
            remedy = "Name a directory on a local disk with --lease-dir; all runs of a policy must use the same."
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
