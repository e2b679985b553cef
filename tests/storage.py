"""Leases and messages in memory: stand-ins for Azure Storage in simulations, with the same contract as Azurite."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from local_azure.inprocess import pause

from rotator.errors import Unavailable
from rotator.ports import Message

QUEUE = "https://rotatorstate.queue.core.windows.net/rotator"
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
    texts: dict[str, str] = field(default_factory=dict)
    broken: bool = False
    """No text can be kept."""
    down: bool = False
    where: str = WHERE
    asked: int = 0
    """Requests for a lease."""
    seconds: float = 0.0
    """Until the answer to such a request."""

    async def acquire(self, name: str, lease_id: str, record: Mapping[str, str]) -> Mapping[str, str] | None:
        self.asked += 1
        await pause(20 if self.down else self.seconds)
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

    async def kept(self, name: str) -> str:
        self._reached()
        return self.texts.get(name, "")

    async def keep(self, name: str, text: str) -> None:
        self._reached()
        if self.broken:
            raise Unavailable("Azure Blob Storage gave no answer", service="Azure Blob Storage")
        self.texts[name] = text

    def _reached(self) -> None:
        if self.down:
            raise Unavailable("Azure Blob Storage gave no answer", service="Azure Blob Storage")


@dataclass
class _Waiting:
    message: Message
    visible: float


@dataclass
class MemoryQueue:
    """`ports.Queue` on `clock`, in seconds."""

    clock: Callable[[], float]
    waiting: list[_Waiting] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    numbers: int = 0
    down: bool = False
    where: str = QUEUE

    async def put(self, text: str) -> None:
        self._reached()
        self.waiting.append(_Waiting(Message(self._next(), "", text, 0), self.clock()))

    async def take(self, seconds: float) -> Message | None:
        self._reached()
        for each in self.waiting:
            if each.visible <= self.clock():
                each.message = replace(each.message, receipt=self._next(), tries=each.message.tries + 1)
                each.visible = self.clock() + seconds
                return each.message
        return None

    async def keep(self, message: Message, seconds: float) -> Message | None:
        self._reached()
        each = self._mine(message)
        if each is None:
            return None
        each.message, each.visible = replace(each.message, receipt=self._next()), self.clock() + seconds
        return each.message

    async def done(self, message: Message) -> None:
        self._reached()
        if each := self._mine(message):
            self.waiting.remove(each)

    async def poison(self, message: Message) -> None:
        self._reached()
        self.aside.append(message.text)
        await self.done(message)

    async def poisoned(self) -> tuple[str, ...]:
        self._reached()
        return tuple(sorted(set(self.aside)))

    def _mine(self, message: Message) -> _Waiting | None:
        return next((each for each in self.waiting if each.message.receipt == message.receipt), None)

    def _next(self) -> str:
        self.numbers += 1
        return f"{self.numbers}"

    def _reached(self) -> None:
        if self.down:
            raise Unavailable("Azure Queue Storage gave no answer", service="Azure Queue Storage")
