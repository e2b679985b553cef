"""Faults striking a named operation at a known call, before or after the effect, and never at random.

A fault is data: ``Fault(operation="keyvault.secrets.set", kind="lost", when="after", nth=1)``. Answer kinds
(``status``, ``error``) replace the answer; ``reset`` and ``timeout`` (and ``lost``: the effect happens, the answer
doesn't arrive) break the connection; kinds with a service's meaning (``stale``, ``transitioning``, …) are checked by
the service with :meth:`Faults.active`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from local_azure.wire import Request, Response, ServiceError

When = Literal["before", "after"]


class Broken(Exception):
    """The connection ends without an answer.

    `how` is ``reset`` (closed at once) or ``timeout`` (nothing ever comes).
    """

    def __init__(self, how: Literal["reset", "timeout"]) -> None:
        super().__init__(how)
        self.how = how


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault.

    `nth` counts the calls of `operation` (a name or an fnmatch pattern) since the fault was added, from 1; `times`
    strikes the given number of calls in a row (0: for ever). kind ``status``: answer `status` in the service's
    envelope with `code`, `message`, `retry_after` seconds and more `headers`; of a 401, `argument` is the header
    WWW-Authenticate. Entra's envelope also has an OAuth `error`, and takes a number from a code like ``AADSTS90033``.
    kind ``reset`` | ``timeout``: break the connection. kind ``lost``: the same as reset after the effect. kind
    ``echo``: answer `status` with a page quoting the whole request, as a proxy between client and service may; with
    `argument` ``message`` the service itself quotes the request in the message of the error. kind ``flip``:
    replicas answering in turn, one of them lagging: ``stale`` at the first struck call, and at every other one. The
    kinds of :mod:`local_azure.damage` are answers given by no service, or damaged answers of the service. Any other
    kind is a condition checked by the service (`argument` is the condition's parameter).
    """

    operation: str
    kind: str
    when: When = "before"
    nth: int = 1
    times: int = 1
    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = "The service is temporarily unavailable."
    retry_after: float | None = None
    argument: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    error: str = ""

    def strikes(self, count: int) -> bool:
        """Tell if the fault is planned for the `count`-th matching call."""
        return count >= self.nth and (self.times == 0 or count < self.nth + self.times)


@dataclass(slots=True)
class Faults:
    """The plan of faults of one emulator, and how often each has been looked at."""

    planned: list[Fault] = field(default_factory=list)
    struck: list[Fault] = field(default_factory=list)
    _seen: list[tuple[Fault, int]] = field(default_factory=list)
    _now: dict[str, Fault] = field(default_factory=dict)

    def add(self, fault: Fault) -> None:
        """Plan a fault, counting calls from now on."""
        self.planned.append(fault)

    def clear(self) -> None:
        """Forget every planned fault; `struck` keeps the record."""
        self.planned.clear()
        self._seen.clear()
        self._now.clear()

    def arrive(self, operation: str) -> None:
        """Count one call of `operation` and choose the faults of the call."""
        self._now.clear()
        self._seen = [(fault, self._count(fault, operation)) for fault in self.planned]

    def _count(self, fault: Fault, operation: str) -> int:
        """Return how many calls of its operation a fault has met, and let it strike where it is planned for this one.

        The count is the fault's own: another fault in its place in the plan begins anew.
        """
        count = next((seen for each, seen in self._seen if each is fault), 0)
        if not fnmatchcase(operation, fault.operation):
            return count
        if fault.strikes(count + 1):
            self._plan(fault, count + 1 - fault.nth)
        return count + 1

    def _plan(self, fault: Fault, before: int) -> None:
        """Let `fault` strike the call being served, the one after `before` others."""
        if fault.kind != "flip":
            self._now[fault.kind] = fault
        elif before % 2 == 0:
            self._now["stale"] = fault

    def depart(self) -> None:
        """End the call: questions outside a call (an oracle, a host move) meet no fault of the last call."""
        self._now.clear()

    def active(self, kind: str) -> Fault | None:
        """Return the fault of the `kind` striking the present call, or None.

        Services use this method to check for their own kinds.
        """
        fault = self._now.get(kind)
        if fault:
            self.struck.append(fault)
        return fault

    def planned_now(self, kind: str, when: When) -> bool:
        """Tell if a fault of the `kind` strikes the present call at the given moment."""
        fault = self._now.get(kind)
        return fault is not None and fault.when == when

    def strike(self, when: When) -> None:
        """Break the connection or refuse, if a fault is planned for the present call and moment.

        Raises Broken or ServiceError.
        """
        for kind in ("status", "reset", "timeout", "lost"):
            fault = self._now.get(kind)
            if fault and (fault.when == when or (kind == "lost" and when == "after")):
                if kind == "lost" and when == "before":
                    continue
                self.struck.append(fault)
                _raise(fault)

    def echo(self, when: When, request: Request) -> Response | None:
        """Return an answer quoting the request, if planned for the present call and moment.

        Raises ServiceError.
        """
        fault = self._now.get("echo")
        if fault is None or fault.when != when:
            return None
        self.struck.append(fault)
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        quoted = f"{request.method} {request.path}\n{headers}\n\n{request.body.decode(errors='replace')}"
        if fault.argument == "message":
            raise ServiceError(fault.status, fault.code, quoted)
        return Response(fault.status, f"<html><pre>{quoted}</pre></html>".encode(), {"Content-Type": "text/html"})


def _raise(fault: Fault) -> None:
    if fault.kind == "status":
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        if fault.status == 401 and fault.argument:
            headers["WWW-Authenticate"] = fault.argument
        raise ServiceError(
            fault.status, fault.code, fault.message, inner=fault.error or None, headers={**headers, **fault.headers}
        )
    raise Broken("timeout" if fault.kind == "timeout" else "reset")


def not_implemented(service: str, request: Request) -> Response:
    """The honest answer to what the emulator doesn't do: 501, with the operation's method and path."""
    message = f"The emulator does not implement {request.method} {request.path} of {service}."
    return Response.json(501, {"error": {"code": "NotImplemented", "message": message}})
