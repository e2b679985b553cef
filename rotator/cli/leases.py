"""Place of the leases of a command: a directory of this machine, or a container that all machines reach."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rotator import lease
from rotator.cli import wiring
from rotator.cloud import CLOUDS
from rotator.errors import RotatorError
from rotator.secret import struck

if TYPE_CHECKING:
    from rotator.cli.invocation import Common
    from rotator.engine import Run
    from rotator.errors import Holder
    from rotator.ports import Clock, Lease, World


@dataclass(frozen=True, slots=True)
class Leases:
    """Place of the leases: `container` if there is one, else `directory`."""

    directory: Path
    container: str = ""

    @property
    def where(self) -> str:
        """The place, as messages name it."""
        return self.container or str(self.directory)

    def within(self, world: "World", clock: "Clock") -> "Lease":
        """Return the leases for runs in `world`."""
        if self.container:
            return lease.RenewedLease(wiring.lease_store(world, self.container), clock, wiring.now)
        return lease.LocalLease(self.directory, wiring.now)

    async def held(self, world: "World", clock: "Clock") -> "Mapping[str, Holder]":
        """Return the holder of each lease that is held, by name; nothing is written. Raises RotatorError."""
        if self.container:
            return await lease.RenewedLease(wiring.lease_store(world, self.container), clock, wiring.now).standing()
        return lease.held(self.directory, wiring.now())

    @property
    def exposed(self) -> str:
        """The reason others could block every run; a container's roles aren't looked at."""
        return "" if self.container else lease.exposed(self.directory)


def state_directory() -> Path:
    """Return the directory of rotator's files on this machine where no option names one."""
    named = os.environ.get("ROTATOR_LEASE_DIR")
    return Path(named) if named else lease.directory(os.environ)


def chosen(common: "Common", directory: Path | None, container: str | None) -> Leases:
    """Return the place that a command's options name. Raises BadParameter for an address of no container."""
    if container:
        try:
            CLOUDS[common.cloud.value].storage("blob", container)
        except ValueError as error:
            raise typer.BadParameter(f"--lease-container {struck(container)}: {error}") from error
    return Leases(directory or lease.directory(os.environ), container or "")


@dataclass(slots=True)
class Holders:
    """Holders of leases, read once for all policies of a command."""

    leases: Leases
    unknown: RotatorError | None = None
    """The reason for which they aren't known."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _found: "Mapping[str, Holder] | None" = None

    async def of(self, run: "Run") -> "tuple[Holder, ...]":
        """Return the runs at work on a principal, whatever they do there."""
        async with self._lock:
            if self._found is None:
                self._found = await self._read(run)
        app_id = run.policy.principal.app_id
        return tuple(who for name, who in sorted(self._found.items()) if name[: len(app_id)] == app_id)

    async def _read(self, run: "Run") -> "Mapping[str, Holder]":
        try:
            return await self.leases.held(run.world, run.clock)
        except RotatorError as error:
            self.unknown = error
            return {}

    async def standing(self, run: "Run") -> "tuple[str | None, Holder | None]":
        """Return the reason leases can't be kept, and the holder of the lease for rotations of a policy."""
        if not self.leases.container:
            return lease.standing(self.leases.directory, run.policy.principal.app_id, wiring.now())
        at_work = await self.of(run)
        exact = self._found.get(run.policy.principal.app_id) if self._found and at_work else None
        return self.unknown.happened if self.unknown else None, exact
