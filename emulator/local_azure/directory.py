"""State directory: the emulator's files on disk by name, and the check for a running emulator.

A running emulator holds an exclusive lock on ``lock`` until the process ends. So a file left by a killed emulator never
counts as a running one, and two emulators never share a directory.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from local_azure.private import UnreadableState, private_directory, read_json, write_private_json
from local_azure.seeded import Seeded

VARIABLE = "LOCAL_AZURE_DIR"
"""The environment variable that names the directory where no option does."""
DEFAULT = Path(".local-azure")
CONTROL_HOST = "control.local-azure.internal"
"""Host of the emulator's own control endpoint; not a name of Azure's."""


class NotRunning(Exception):
    """No emulator serves the directory."""


class AlreadyRunning(Exception):
    """Another emulator serves the directory."""


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses and tokens of a running emulator.

    The proxy's port, the TLS server's port, the control endpoint's token and App Service's header.
    """

    pid: int
    port: int
    tls_port: int
    token: str = field(repr=False)
    identity_header: str = field(repr=False)


class StateDirectory:
    """Files of one emulator; made on first use, for the owner only."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = (path or Path(os.environ.get(VARIABLE) or DEFAULT)).absolute()
        self.certificate = self.path / "ca.pem"
        self.state = self.path / "state.json"
        self.log = self.path / "server.log"
        self._running = self.path / "running.json"
        self._seeded = self.path / "seeded.json"
        self._lock = self.path / "lock"

    def make(self) -> None:
        """Have the directory."""
        private_directory(self.path)

    def _alive(self) -> bool:
        """Tell if a process holds the lock.

        The lock is tried only once there is an announcement, so that the check never keeps an emulator from starting.
        """
        with self._lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run as the only emulator in the directory. Raises AlreadyRunning."""
        with self._lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunning(f"an emulator is already running in {self.path}") from error
            self._running.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._running.unlink(missing_ok=True)

    def announce(self, running: Running) -> None:
        """Announce the emulator as ready."""
        write_private_json(self._running, TypeAdapter(Running).dump_python(running))

    def announced(self) -> int:
        """Return the process id in the last announcement; 0 if missing or unreadable.

        The process may have been killed since.
        """
        try:
            content = read_json(self._running)
        except ValueError:
            return 0
        pid = content.get("pid") if isinstance(content, dict) else None
        return pid if isinstance(pid, int) and pid > 1 else 0  # a signal to 1, 0 or less would meet others

    def serving(self) -> bool:
        """Tell if an emulator is ready in the directory."""
        return self._running.exists() and self._alive()

    def process(self) -> int:
        """Return the process id of the directory's emulator, of any version.

        Raises NotRunning, UnreadableState.
        """
        if not self.serving():
            raise NotRunning(f"no emulator is running in {self.path}: start one with `local-azure start --detach`")
        pid = self.announced()
        if not pid:
            raise UnreadableState(
                f"an emulator is running in {self.path}, but {self._running} names no process: end it by hand"
            )
        return pid

    def running(self) -> Running:
        """Return the addresses and tokens of the directory's emulator. Raises NotRunning, UnreadableState."""
        pid = self.process()
        try:
            return TypeAdapter(Running).validate_python(read_json(self._running))
        except ValidationError:
            advice = "end it with `local-azure stop`, and start it anew"
            raise UnreadableState(
                f"the emulator in {self.path} (process {pid}) is of another version: {advice}"
            ) from None

    def keep(self, seeded: Seeded) -> None:
        """Remember the identities and names of the seeded tenant."""
        write_private_json(self._seeded, TypeAdapter(Seeded).dump_python(seeded))

    def seeded(self) -> Seeded:
        """Return the seeded tenant. Raises NotRunning if there is none yet, UnreadableState."""
        if not self._seeded.exists():
            raise NotRunning(f"there is no emulator in {self.path}: start one with `local-azure start --detach`")
        try:
            return TypeAdapter(Seeded).validate_json(self._seeded.read_bytes())
        except ValidationError:
            advice = "`local-azure start --fresh --detach` seeds a new one"
            raise UnreadableState(
                f"the tenant in {self.path} was seeded by another version of the emulator: {advice}"
            ) from None

    def az(self, identity: str) -> Path:
        """The configuration directory of ``az`` for one identity."""
        return self.path / "az" / identity

    def forget(self) -> None:
        """Start afresh: the tenant goes, the certificate authority and the logs stay."""
        for path in (self.state, self._seeded):
            path.unlink(missing_ok=True)
        for path in sorted((self.path / "az").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
