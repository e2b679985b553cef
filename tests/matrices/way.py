"""Way from the fast adapter to the emulator's behaviour, in place of the wire and Microsoft's clients.

Rules for editors of this file:

1. Each call has its name on the wire, passes the same hooks in the same order, and is recorded like a call on the wire.
2. A call is struck by one of the eight effects, or by a fault for which a service looks.
3. Refusals are read as the clients read them (`translate`), and so is the age of writes (`sending`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

from local_azure.acr.refusal import Refused
from local_azure.app import Served
from local_azure.faults import Broken, Fault
from local_azure.inprocess import Hop, pause
from local_azure.wire import Caller, Request, ServiceError

from rotator.clients.azuretime import AzureTime
from rotator.clients.refusal import Asked, ServiceRefusal
from rotator.clients.sending import ensure_in_time
from rotator.clients.translation import answered
from rotator.errors import AzureError, Forbidden, NotFound, OutcomeUnknown, Unavailable
from tests.matrices.effects import Effect
from tests.matrices.process import FORBIDDEN, GONE, PATIENCE, Process, named
from tests.stage import Stage

T = TypeVar("T")
NAMES = {
    "graph": "Microsoft Graph",
    "keyvault": "Key Vault",
    "arm": "Azure Resource Manager",
    "rbac": "Azure role-based access control",
    "aci": "Container Instances",
    "entra": "Microsoft Entra ID",
    "acr": "Azure Container Registry",
}
"""Names of the services in the clients, by the beginning of an operation's name."""


class Way:
    """Path of all calls of one process."""

    def __init__(self, made: Stage, hop: Hop, time: AzureTime) -> None:
        self.made, self.azure, self.app = made, made.azure, made.app
        self.process = hop if isinstance(hop, Process) else Process(made.app, made=made)
        self.time = time
        operator = made.seeded.operator
        self.caller = Caller(made.azure.directory.tenant, operator.object_id, operator.app_id)

    async def read(self, operation: str, effect: Callable[[], T], path: str = "") -> T:
        """Make a read; return its answer. Raises AzureError."""
        return await self._call(operation, effect, "GET", path)

    async def write(self, operation: str, effect: Callable[[], T], method: str = "POST", path: str = "") -> T:
        """Make a write; return its answer. Raises AzureError, and NotSent after its deadline."""
        return await self._call(operation, effect, method, path)

    async def _call(self, operation: str, effect: Callable[[], T], method: str, path: str) -> T:
        called = named(operation, path, self.made.policy.access_secret)
        request, service, writes = Request(method, "", path, {}, {}), operation.partition(".")[0], method != "GET"
        ensure_in_time(self.time, method, service)
        strike = await self.process.arrive(called, writes=writes)
        if strike is Effect.NOT_SENT:
            raise Unavailable(
                f"no connection came about for {operation}", service=NAMES[service], code="ClientConnectorError"
            )
        answer: Any = None
        try:
            answer = self._arrived(operation, request, effect, strike)
        except ServiceError as error:
            self._hear(service)
            failure: AzureError | None = answered(Asked(NAMES[service], operation), _refusal(error))
        except Broken:
            failure = _said(operation, service, Effect.UNKNOWN, writes=writes)
        else:
            self._hear(service)
            failure = (
                None
                if strike in (None, Effect.STALE, Effect.HANG)
                else _said(operation, service, strike, writes=writes)
            )
        await self.process.leave(called)
        if failure is None:
            return answer  # type: ignore[no-any-return]
        if isinstance(failure, Unavailable) and not writes:
            await pause(PATIENCE)
        raise failure

    def _arrived(self, operation: str, request: Request, effect: Callable[[], T], strike: Effect | None) -> T:
        """Take a call's effect, with the hooks of observers around it; return the answer.

        Raises ServiceError, Broken, and errors of hooks.
        """
        self.made.asking = self.process
        if self.app.before:
            self.app.before(len(self.app.served) + 1, operation, request)
        answer, status = None, 0
        try:
            if strike not in (Effect.NO, Effect.UNKNOWN, Effect.GONE):
                answer = self._effect(operation, effect, stale=strike is Effect.STALE)
            status = 200
        finally:
            self.app.served.append(
                Served(len(self.app.served) + 1, operation, request.method, "", request.path, status)
            )
        if self.app.after:
            self.app.after(len(self.app.served), operation, request)
        return answer  # type: ignore[return-value]  # what is raised for these strikes takes its place

    def _effect(self, operation: str, effect: Callable[[], T], *, stale: bool) -> T:
        faults = self.azure.faults
        if stale:
            faults.add(Fault(operation, "stale"))
        if not faults.planned:
            return effect()
        faults.arrive(operation)
        try:
            faults.strike("before")
            answer = effect()
            faults.strike("after")
        finally:
            faults.depart()
            if stale:
                faults.planned.pop()
        return answer

    def _hear(self, service: str) -> None:
        self.time.note(self.azure.clock.now().replace(microsecond=0), service)


def _refusal(error: ServiceError) -> ServiceRefusal:
    """Return a refusal as the clients read it, with its pause."""
    asked = (error.headers or {}).get("Retry-After")
    return ServiceRefusal(
        error.status, error.inner or error.code, error.message, pause=None if asked is None else float(asked)
    )


def _said(operation: str, service: str, strike: Effect | None, *, writes: bool) -> AzureError:
    """Return the error of a call that an effect has struck."""
    if strike is Effect.GONE:
        return NotFound(
            f"{operation} finds nothing", service=NAMES[service], code=GONE.get(service, "ResourceNotFound"), status=404
        )
    if strike in (Effect.NO, Effect.MISLEADING):
        return Forbidden(
            f"{operation} is refused",
            service=NAMES[service],
            code=FORBIDDEN.get(service, "AuthorizationFailed"),
            status=403,
        )
    kind = OutcomeUnknown if writes else Unavailable
    return kind(f"no answer came to {operation}", service=NAMES[service], code="ServerDisconnectedError")


def refused(error: Refused) -> ServiceError:
    """Return a registry's refusal as a service's error."""
    return ServiceError(error.status, error.code, error.message)
