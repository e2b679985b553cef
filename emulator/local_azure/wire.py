"""HTTP types shared by all emulated services: a request, a route to an operation, an answer, an error.

A service is a table of :class:`Route` and a form of refusal. The ``wire`` module of a service knows paths, JSON and
envelopes; the ``behaviour`` module knows Azure, and no HTTP. No I/O happens here.
"""

import json
import marshal
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from local_azure.bad_json import words

T = TypeVar("T")
Json = Any
"""Decoded JSON. What a client sends is checked where it is used, so a precise type would only be a promise that no code
keeps.
"""


def copied(value: T) -> T:
    """Return a copy of decoded JSON sharing no part with `value`.

    The function is many times faster than ``copy.deepcopy``, because it handles JSON types only.
    """
    json_types: Any = value
    copy: T = marshal.loads(marshal.dumps(json_types))  # noqa: S302 - bytes made here
    return copy


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, already read: header and query names in lower case, the path decoded, doubled slashes kept.

    What a query says several times (Docker's ``scope``) is one value, with spaces between.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    sent: str = ""
    """The path as the client wrote it."""

    @classmethod
    def parse(cls, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> "Request":
        """Make a request from a client library's values; `url` is absolute."""
        parts = urlsplit(url)
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query[name.lower()] = f"{query[name.lower()]} {value}" if name.lower() in query else value
        lowered = {name.lower(): value for name, value in headers.items()}
        host = (parts.hostname or "").lower()
        return cls(method.upper(), host, unquote(parts.path), query, lowered, body, parts.path)

    def json(self) -> Json:
        """The body as JSON; an empty one is ``{}``. Raises ServiceError 400 InvalidRequestContent."""
        try:
            return json.loads(self.body) if self.body.strip() else {}
        except (ValueError, RecursionError) as error:
            why = words(self.body.decode(errors="replace"), error)
            message = f"The request content was invalid and could not be deserialized: '{why}'."
            raise ServiceError(400, "InvalidRequestContent", message) from error

    def form(self) -> dict[str, str]:
        """The body as ``application/x-www-form-urlencoded``."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """One HTTP answer. `headers` are in addition to what :mod:`local_azure.app` puts on every answer."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    foreign: bool = False
    """True for an answer of another server in the service's place, without the headers of the service.
    """
    pace: float = 0.0
    """Seconds from byte to byte, where a fault makes it drip."""
    endless: bool = False
    """True if a fault keeps its body from ever ending."""

    @classmethod
    def json(cls, status: int, content: Json, headers: Mapping[str, str] | None = None) -> "Response":
        """A JSON answer, ``application/json; charset=utf-8`` unless `headers` say otherwise."""
        body = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


class ServiceError(Exception):
    """A refusal in the service's own words; the service's ``refuse`` adds the envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        inner: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.inner = status, code, message, inner
        self.headers, self.extra = dict(headers or {}), dict(extra or {})


@dataclass(frozen=True, slots=True)
class Caller:
    """Principal of a valid bearer token.

    `oid` is the service principal's object id, `app_id` the application's.
    """

    tenant: str
    oid: str
    app_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an operation: the matched parts of the path, and the caller (None without sign-in)."""

    request: Request
    operation: str
    params: Mapping[str, str]
    caller: Caller | None

    def __getitem__(self, name: str) -> str:
        return self.params[name]

    @property
    def who(self) -> Caller:
        """Return the caller, in operations for signed-in callers only."""
        if self.caller is None:
            raise RuntimeError(f"{self.operation} is reached without a token")
        return self.caller


Handler = Callable[[Call], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: the name (used by faults and 501), the method and the path template.

    ``{name}`` matches one segment, ``{name*}`` any number of segments. Matching ignores case and doubled slashes, as
    Azure Resource Manager does; a trailing slash is accepted.
    """

    operation: str
    method: str
    template: str
    handler: Handler
    anonymous: bool = False
    """Reached without a bearer token (token endpoints, challenges)."""

    def pattern(self) -> re.Pattern[str]:
        """The compiled template."""
        return _compiled(self.template)

    def fits(self, method: str, segments: int) -> bool:
        """Tell if a path of so many segments can be this operation's."""
        return self.method == method and _length(self.template) in (None, segments)


@cache
def _compiled(template: str) -> re.Pattern[str]:
    """The same few hundred templates for every emulator in a process."""
    parts = re.split(r"(\{\w+\*?\})", template)
    return re.compile("".join(map(_segment, parts)) + "/?", re.IGNORECASE)


@cache
def _length(template: str) -> int | None:
    """Number of segments of a path that fits; None for any number."""
    return None if "*}" in template else template.removesuffix("/").count("/")


def _segment(part: str) -> str:
    if part.endswith("*}"):
        return f"(?P<{part[1:-2]}>.+?)"
    if part.startswith("{"):
        return f"(?P<{part[1:-1]}>[^/]+)"
    return re.escape(part)


class Table:
    """Find the route of a request.

    Built at the first request, since many emulators of a process are never asked.

    `guarded` wraps a route with the checks common to a service's routes; only found routes are wrapped.
    """

    def __init__(self, routes: Iterable[Route], guarded: Callable[[Route], Route] = lambda route: route) -> None:
        self._given, self._guarded = routes, guarded
        self._fitting: dict[tuple[str, int], list[tuple[Route, re.Pattern[str]]]] = {}
        self._ready: dict[tuple[str, str], Route] = {}

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Return all routes, in matching order."""
        return tuple(self._given)

    def find(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        """The first route that fits, with the values from the path as the client wrote them."""
        path = re.sub(r"/{2,}", "/", request.path) if "//" in request.path else request.path
        for route, pattern in self._possible(request.method, path.removesuffix("/").count("/")):
            if match := pattern.fullmatch(path):
                return self._prepared(route), match.groupdict()
        return None

    def _possible(self, method: str, segments: int) -> list[tuple[Route, re.Pattern[str]]]:
        if (method, segments) not in self._fitting:
            fitting = [(route, route.pattern()) for route in self.routes if route.fits(method, segments)]
            self._fitting[method, segments] = fitting
        return self._fitting[method, segments]

    def _prepared(self, route: Route) -> Route:
        named = route.method, route.template
        if named not in self._ready:
            self._ready[named] = self._guarded(route)
        return self._ready[named]


class Service(Protocol):
    """Interface of a service for :mod:`local_azure.app`."""

    name: str
    """The prefix of its operations: ``entra``, ``graph``, ``keyvault``, ``arm``, ``rbac``, ``aci``, ``acr``."""
    table: Table

    def serves(self, host: str) -> bool:
        """Tell if a request to `host` is for the service."""
        ...

    def authenticate(self, request: Request) -> Caller:
        """Return the caller of a request with required sign-in.

        Raises ServiceError 401 in the service's own words.
        """
        ...

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Return a refusal in the service's envelope."""
        ...

    def headers(self, request: Request) -> dict[str, str]:
        """Return the service's headers for every answer."""
        ...
