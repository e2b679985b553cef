"""Send a request to the service of the host, and add the common headers to the answer.

The order of one call: route → fault before → authentication → the operation → fault after → record. No I/O happens
here: a socket server (`server.py`) and the in-process transports (`inprocess.py`) both call :meth:`App.handle`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local_azure.clock import Clock, http_date
from local_azure.damage import instead, spoiled
from local_azure.faults import Broken, Faults, not_implemented
from local_azure.ids import Ids
from local_azure.wire import Call, Request, Response, Route, Service, ServiceError


@dataclass(frozen=True, slots=True)
class Served:
    """A served call: number, operation, method, path and status (0 for a broken connection)."""

    number: int
    operation: str
    method: str
    host: str
    path: str
    status: int


Watch = Callable[[int, str, Request], None]
"""Called before and after every operation with the call's number, its name and the request: for tests that kill or
inspect.
"""


@dataclass(slots=True)
class App:
    """All emulated services behind one door."""

    clock: Clock
    ids: Ids
    services: Sequence[Service]
    faults: Faults = field(default_factory=Faults)
    served: list[Served] = field(default_factory=list)
    before: Watch | None = None
    after: Watch | None = None

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises Broken where a planned fault breaks the connection; 502 for a host that no service has.
        """
        service = next((s for s in self.services if s.serves(request.host)), None)
        if service is None:
            return self._sealed(
                Response.json(
                    502, {"error": {"code": "NoSuchHost", "message": f"The emulator does not serve {request.host}."}}
                )
            )
        found = service.table.find(request)
        if found is None:
            self._record(f"{service.name}.notImplemented", request, 501)
            return self._sealed(not_implemented(service.name, request), service, request)
        route, params = found
        number = len(self.served) + 1
        if self.before:
            self.before(number, route.operation, request)
        response = self._operate(service, route, params, request)
        if self.after:
            self.after(number, route.operation, request)
        return self._sealed(response, service, request)

    def _operate(self, service: Service, route: Route, params: dict[str, str], request: Request) -> Response:
        self.faults.arrive(route.operation)
        status = 0
        try:
            response = self._answer(service, route, params, request)
            status = response.status
        finally:
            self.faults.depart()
            self._record(route.operation, request, status)
        return response

    def _answer(self, service: Service, route: Route, params: dict[str, str], request: Request) -> Response:
        return spoiled(self.faults, self._said(service, route, params, request))

    def _said(self, service: Service, route: Route, params: dict[str, str], request: Request) -> Response:
        try:
            self.faults.strike("before")
            if other := self.faults.echo("before", request) or instead(self.faults, "before"):
                return other
            caller = None if route.anonymous else service.authenticate(request)
            response = route.handler(Call(request, route.operation, params, caller))
            self.faults.strike("after")
            response = self.faults.echo("after", request) or instead(self.faults, "after") or response
        except ServiceError as error:
            return service.refuse(error, request)
        return response

    def _record(self, operation: str, request: Request, status: int) -> None:
        self.served.append(Served(len(self.served) + 1, operation, request.method, request.host, request.path, status))

    def _sealed(self, response: Response, service: Service | None = None, request: Request | None = None) -> Response:
        common = {"Date": http_date(self.clock.now()), "Cache-Control": "no-cache"}
        own = service.headers(request) if service and request and not response.foreign else {}
        headers = {**common, **own, **response.headers}
        response.headers = {name: value for name, value in headers.items() if value}
        if (response.body or response.status not in (204, 304)) and not response.endless:
            response.headers["Content-Length"] = str(len(response.body))
        return response


__all__ = ["App", "Broken", "Served"]
