"""One process of rotator in a story: the effects on its calls, its death, and its suspension.

Stands between a World and the emulator: as the :class:`~local_azure.inprocess.Hop` of real SDK code, and of the fast
adapter's `Way`. A call is named by its operation and its number in the process, so that both adapters mean the same
call.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
import httpx
from local_azure.faults import Fault
from local_azure.inprocess import Hop, pause
from local_azure.wire import Request, Response

from tests import reached
from tests.matrices.effects import Effect
from tests.stage import Clock, Killed, Stage

Moment = Literal["before", "after"]
ALWAYS = 0
LATE_WRITE, LATE_READ = 110.0, 290.0
"""Seconds of a hanging call: a write a little less than one request may take, a read as long as its repetitions may."""
PATIENCE = 300.0
"""Seconds after which a read is given up."""
SLEEPING, SIGNING_IN = "clock.sleep", "entra.signIn"
"""A wait of the process, and its own sign-in, as operations; a proof signs in by entra.token."""
FORBIDDEN = {
    "graph": "Authorization_RequestDenied",
    "keyvault": "Forbidden",
    "acr": "DENIED",
    "entra": "unauthorized_client",
}
GONE = {
    "graph": "Request_ResourceNotFound",
    "keyvault": "SecretNotFound",
    "acr": "MANIFEST_UNKNOWN",
    "aci": "ContainerGroupNotFound",
}
"""Code of each service for a refusal, and for an absence; the others have Resource Manager's."""


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Moment of one call: before or after the effect of the `nth` call of an operation in a process, counted from 1."""

    operation: str
    nth: int = 1
    moment: Moment = "before"

    def __str__(self) -> str:
        return f"{self.operation}-{self.nth}-{self.moment}"


@dataclass(frozen=True, slots=True, order=True)
class Strike:
    """Effect on the `nth` call of an operation in a process, counted from 1; with ALWAYS on each of them."""

    operation: str
    nth: int
    effect: Effect

    def __str__(self) -> str:
        return f"{self.operation}-{self.nth}-{self.effect}"


@dataclass(frozen=True, slots=True)
class Stop:
    """Suspension of a process at a point for some seconds, with `meanwhile` in the midst of them.

    `stands_still`: the process's clock doesn't count the seconds, like the clock of a sleeping machine. `unseen` is called
    if no clock and no answer shows them before the next write.
    """

    at: Point
    seconds: float
    meanwhile: Callable[[], Awaitable[object]] | None = None
    stands_still: bool = False
    unseen: Callable[[], object] | None = None


@dataclass
class Process(Hop):
    """One process, from its start to its end or death."""

    made: Stage | None = None
    strikes: tuple[Strike, ...] = ()
    death: Point | None = None
    stop: Stop | None = None
    struck: list[Strike] = field(default_factory=list)
    calls: list[tuple[str, int, bool]] = field(default_factory=list)
    """Every call: its operation, its number among equal ones, and true for a write."""
    dead: bool = False
    stopped: bool = False
    """True once the process has reached the point of its suspension."""
    lag: float = 0.0
    """Seconds that the process's clock didn't count."""
    meets: Effect | None = None
    """Effect on the present call."""
    _asleep: bool = False
    """True from the end of a suspension with a clock that stood still until the next call."""
    _counts: Counter[str] = field(default_factory=Counter)
    _over: asyncio.Event | None = None
    _down: dict[str, float] = field(default_factory=dict)

    @property
    def clock(self) -> "OwnClock":
        """Clock of the process."""
        assert self.made
        return OwnClock(self.made.loop, self.made.clock.attempts, self)

    async def arrive(self, operation: str, *, writes: bool) -> Effect | None:
        """Return the effect on a call, before the call. Raises Killed."""
        await self._go_on()
        self._counts[operation] += 1
        self.calls.append((operation, self._counts[operation], writes))
        if self._asleep and writes and self.stop and self.stop.unseen:
            self.stop.unseen()
        self._asleep = False
        await self._at(Point(operation, self._counts[operation], "before"))
        found = next(
            (s for s in self.strikes if s.operation == operation and s.nth in (ALWAYS, self._counts[operation])), None
        )
        self.meets = found.effect if found else None
        if found is None:
            return None
        self.struck.append(found)
        reached.SEEN.add(f"class:{found.effect}")
        if found.effect is Effect.HANG:
            await pause(LATE_WRITE if writes else LATE_READ)
            await self._go_on()
            self.meets = found.effect
        return found.effect

    async def leave(self, operation: str) -> None:
        """Reach the moment after a call. Raises Killed."""
        await self._go_on()
        await self._at(Point(operation, self._counts[operation], "after"))

    async def wait(self, seconds: float) -> None:
        """Wait as the process."""
        await self.arrive(SLEEPING, writes=False)
        nth = self._counts[SLEEPING]
        await pause(seconds)
        await self._go_on()
        await self._at(Point(SLEEPING, nth, "after"))

    async def _go_on(self) -> None:
        if self._over is not None:
            await self._over.wait()
        if self.dead:
            raise Killed

    async def _at(self, point: Point) -> None:
        if self.death == point:
            self.dead = True
            raise Killed
        if self.stop and self.stop.at == point and not self.stopped:
            await self._stand_still(self.stop)

    async def _stand_still(self, stop: Stop) -> None:
        assert self.made
        self.stopped, self._over, begun = True, asyncio.Event(), self.made.loop.time()
        await pause(stop.seconds / 2)
        if stop.meanwhile:
            await asyncio.create_task(_other(stop.meanwhile), context=Context())
        await pause(stop.seconds / 2)
        if stop.stands_still:
            self.lag += self.made.loop.time() - begun
            self._asleep = stop.at.moment == "after"
        self._over.set()
        self._over = None

    async def exchange(self, request: Request) -> Response:
        """Make a call of real SDK code, with effects made of the emulator's faults.

        Raises errors of aiohttp and httpx.
        """
        assert self.made
        operation, writes = operation_of(self, request, self.made.seeded.operator.app_id)
        called = named(operation, request.path, self.made.policy.access_secret)
        effect = await self.arrive(called, writes=writes)
        if effect is Effect.NOT_SENT:
            raise _not_sent(operation)
        fault = _fault(operation, effect, writes=writes) or self._still_down(operation)
        if effect is Effect.UNKNOWN and not writes:
            self._down[operation] = self.made.loop.time() + PATIENCE
        faults, self.made.asking = self.app.faults, self
        try:
            if fault:
                faults.add(fault)
            return self.app.handle(request)
        finally:
            if fault:
                faults.planned.remove(fault)
            await self.leave(called)

    def _still_down(self, operation: str) -> Fault | None:
        assert self.made
        down = self._down.get(operation, 0.0) > self.made.loop.time()
        return Fault(operation, "status", times=0) if down else None


async def _other(meanwhile: Callable[[], Awaitable[object]]) -> None:
    await meanwhile()


def _fault(operation: str, effect: Effect | None, *, writes: bool) -> Fault | None:
    """Return the emulator's fault with the effect on a call."""
    service = operation.partition(".")[0]
    refused = {
        "kind": "status",
        "status": 403,
        "code": FORBIDDEN.get(service, "AuthorizationFailed"),
        "message": "Not allowed.",
    }
    match effect:
        case Effect.NO:
            return Fault(operation, **refused)  # type: ignore[arg-type]
        case Effect.MISLEADING:
            return Fault(operation, when="after", **refused)  # type: ignore[arg-type]
        case Effect.UNKNOWN:
            return Fault(operation, "reset") if writes else Fault(operation, "status")
        case Effect.UNKNOWN_DONE:
            return Fault(operation, "lost")
        case Effect.STALE:
            return Fault(operation, "stale")
        case Effect.GONE:
            return Fault(
                operation,
                "status",
                status=404,
                code=GONE.get(service, "ResourceNotFound"),
                message="There is no such thing.",
            )
    return None


def _not_sent(operation: str) -> Exception:
    if operation.startswith("graph."):
        return httpx.ConnectError("no connection")
    key = aiohttp.client_reqrep.ConnectionKey("host", 443, True, True, None, None, None)
    return aiohttp.ClientConnectorError(key, OSError("no connection"))


def named(operation: str, path: str, mark: str) -> str:
    """Return the name of an operation in stories: reads and writes of the access mark have names of their own."""
    return (
        operation.replace("keyvault.", "mark.")
        if operation.startswith("keyvault.") and f"/{mark}" in path
        else operation
    )


def operation_of(hop: Hop, request: Request, own: str) -> tuple[str, bool]:
    """Return the operation of a request, and true for a write; `own` is the app id of rotator's identity."""
    service = next((each for each in hop.app.services if each.serves(request.host)), None)
    found = service.table.find(request) if service else None
    operation = found[0].operation if found else "unknown"
    if operation == "entra.token" and own.encode() in request.body:
        operation = SIGNING_IN
    return operation, request.method not in ("GET", "HEAD") and not operation.startswith("entra.")


@dataclass
class OwnClock(Clock):
    """Clock of one process: suspended with the process, and possibly behind."""

    process: Process | None = None

    def elapsed(self) -> float:
        return self.loop.time() - (self.process.lag if self.process else 0.0)

    async def sleep(self, seconds: float) -> None:
        assert self.process
        await self.process.wait(seconds)

    def attempt(self) -> str:
        assert self.process and self.process.made
        return self.process.made.clock.attempt()
