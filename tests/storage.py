"""Leases and messages in memory: they stand in for Azure Storage in simulations, and keep the same contract as Azurite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotator.errors import Unavailable

WHERE = "https://rotatorstate.blob.core.windows.net/leases"


@dataclass
class _Blob:
    id: str = ""
    until: float = 0.0
    record: Mapping[str, str] = field(default_factory=dict)


@dataclass
class MemoryLeases:
    """`ports.LeaseStore` on `clock`, in seconds."""

    clock: Callable[[], float]
    blobs: dict[str, _Blob] = field(default_factory=dict)
    down: bool = False
    where: str = WHERE

    async def acquire(self, name: str, lease_id: str, record: Mapping[str, str]) -> Mapping[str, str] | None:
        self._reached()
        blob = self.blobs.setdefault(name, _Blob())
        if blob.id not in ("", lease_id) and self.clock() < blob.until:
            return blob.record
        blob.id, blob.until, blob.record = lease_id, self.clock() + 60, dict(record)
        return None

    async def renew(self, name: str, lease_id: str) -> bool:
        self._reached()
        blob = self.blobs.get(name)
        if blob is None or blob.id != lease_id:
            return False
        blob.until = self.clock() + 60
        return True

    async def release(self, name: str, lease_id: str) -> None:
        self._reached()
        blob = self.blobs.get(name)
        if blob and blob.id == lease_id:
            blob.id, blob.until = "", 0.0

    async def standing(self) -> Mapping[str, Mapping[str, str]]:
        self._reached()
        return {name: blob.record for name, blob in self.blobs.items() if blob.id and self.clock() < blob.until}

    def _reached(self) -> None:
        if self.down:
            raise Unavailable("Azure Blob Storage gave no answer", service="Azure Blob Storage")
