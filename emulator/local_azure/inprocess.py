"""The emulator inside the client libraries: no socket and no TLS, so tests run SDK code on a virtual clock.

:class:`Session` takes the place of the ``aiohttp.ClientSession`` in azure-core's ``AioHttpTransport``,
:class:`GraphTransport` of the transport in msgraph-sdk's ``httpx.AsyncClient``, :class:`SyncAdapter` of the adapter in
``requests``. Each raises its own library's exceptions, so that the mapping of errors above stays real. An exception
raised by a watcher of the App (a test's kill) passes through unchanged.
"""

import asyncio
import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.client import RemoteDisconnected
from typing import Any, Self, cast
from urllib.parse import urlencode

import aiohttp
import httpx
import requests
import requests.adapters
import urllib3
from multidict import CIMultiDict

from local_azure.app import App
from local_azure.faults import Broken
from local_azure.wire import Request, Response

Gate = Callable[[Request], Awaitable[None]]
"""Awaited with the request; what holds one client back (or kills it) without the others noticing."""


async def pause(seconds: float) -> None:
    """Let `seconds` of the running loop's time pass; 0 lets every other task that is ready go first."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, _finish, over)
    try:
        await over
    finally:
        timer.cancel()


def _finish(over: asyncio.Future[None]) -> None:
    """End the wait, unless the waiter was cancelled in the same step of the loop."""
    if not over.done():
        over.set_result(None)


@dataclass(slots=True)
class Hop:
    """Round trip to the emulator; the trip takes time, and other tasks run meanwhile.

    `latency` gives the seconds of the round trip. Half passes before the effect, so the effect may or may not have
    happened for a client cancelled on the way. `arriving` is awaited before the effect, `leaving` after the effect.
    """

    app: App
    latency: Callable[[Request], float] = lambda request: 0.0
    arriving: Gate | None = None
    leaving: Gate | None = None

    async def exchange(self, request: Request) -> Response:
        """Return the answer to `request`. Raises Broken if the connection breaks."""
        seconds = self.latency(request) / 2
        await pause(seconds)
        if self.arriving:
            await self.arriving(request)
        response = self.app.handle(request)
        if self.leaving:
            await self.leaving(request)
        await pause(seconds)
        return response


def _body(response: Response, method: str) -> bytes:
    return b"" if method.upper() == "HEAD" else response.body


def _reason(status: int) -> str:
    return PHRASES.get(status, "")


PHRASES = {status.value: status.phrase for status in HTTPStatus}
"""The reason that goes with a status (RFC 9110)."""


class _Content:
    """The body as a stream, as it arrives: whole, or drop by drop."""

    def __init__(self, body: bytes, pace: float = 0.0, endless: bool = False) -> None:
        self._left, self._pace, self._endless = io.BytesIO(body), pace, endless

    async def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end, which an endless one hasn't."""
        if not self._pace and not self._endless:
            return self._left.read(size)
        await pause(self._pace or 1.0)
        return self._left.read(1) or (b" " if self._endless else b"")


@dataclass(frozen=True)
class SessionResponse:
    """As much of ``aiohttp.ClientResponse`` as azure-core reads."""

    method: str
    url: str
    status: int
    reason: str
    headers: CIMultiDict[str]
    body: bytes = field(repr=False)
    pace: float = 0.0
    endless: bool = False

    @cached_property
    def content(self) -> _Content:
        """The body as a stream."""
        return _Content(self.body, self.pace, self.endless)

    async def read(self) -> bytes:
        """The whole body."""
        return self.body

    async def text(self) -> str:
        """The whole body as text."""
        return self.body.decode()

    def close(self) -> None:
        """Do nothing: no resource is held open."""

    release = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class _Sending:
    """Request to be awaited or entered, as in aiohttp."""

    def __init__(self, sending: Awaitable[SessionResponse]) -> None:
        self._sending = sending

    def __await__(self) -> Generator[Any, None, SessionResponse]:
        return self._sending.__await__()

    async def __aenter__(self) -> SessionResponse:
        return await self._sending

    async def __aexit__(self, *_: object) -> None:
        return None


OPTIONS = frozenset(inspect.signature(aiohttp.ClientSession._request).parameters)  # noqa: SLF001 - `request` itself takes anything
"""Arguments of a real session; an option meant for a policy that leaks down to here would break it, so it must
break this one.
"""


class Session:
    """Substitute for an ``aiohttp.ClientSession`` in ``AioHttpTransport(session=…, session_owner=False)``."""

    auto_decompress = False
    closed = False

    def __init__(self, hop: Hop | App) -> None:
        self.hop = hop if isinstance(hop, Hop) else Hop(hop)

    def request(self, method: str, url: object, **options: Any) -> _Sending:
        """Send one request.

        Raises ServerDisconnectedError or SocketTimeoutError as aiohttp does, and TypeError for options it doesn't have.
        """
        if unknown := set(options) - OPTIONS:
            raise TypeError(f"aiohttp's ClientSession.request() has no option {', '.join(sorted(unknown))}")
        return _Sending(self._send(method, str(url), **options))

    async def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: object = None,
        timeout: aiohttp.ClientTimeout | None = None,  # noqa: ASYNC109 - aiohttp's own signature
        **_: object,
    ) -> SessionResponse:
        body, kind = _encoded(data)
        request = Request.parse(method, url, {**kind, **(headers or {})}, body)
        try:
            response = await self.hop.exchange(request)
        except Broken as broken:
            if broken.how == "reset":
                raise aiohttp.ServerDisconnectedError from broken
            await pause(_patience(timeout))
            raise aiohttp.SocketTimeoutError(f"Timeout on reading data from socket ({request.host})") from broken
        return _answer(method, url, response)

    async def close(self) -> None:
        """Do nothing: no resource is held open."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _patience(timeout: aiohttp.ClientTimeout | None) -> float:
    """Return aiohttp's timeout for an answer, in seconds; 300 is the default for a whole request."""
    set_ = timeout and (timeout.sock_read or timeout.total)
    return float(set_ or 300)


def _encoded(data: object) -> tuple[bytes, dict[str, str]]:
    """Return a body as sent by aiohttp, and the content type.

    Raises TypeError for a body not sent by any Azure client.
    """
    match data:
        case None:
            return b"", {}
        case Mapping():
            return urlencode(data, doseq=True).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        case str():
            return data.encode(), {"Content-Type": "text/plain; charset=utf-8"}
        case bytes() | bytearray():
            return bytes(data), {"Content-Type": "application/octet-stream"}
    raise TypeError(f"a body of {type(data).__name__} is not sent by any Azure client that the emulator knows")


def _answer(method: str, url: str, response: Response) -> SessionResponse:
    headers = CIMultiDict(response.headers)
    body = _body(response, method)
    return SessionResponse(
        method,
        url,
        response.status,
        _reason(response.status),
        headers,
        body,
        response.pace,
        response.endless and bool(body),
    )


class GraphTransport(httpx.AsyncBaseTransport):
    """Transport for ``httpx.AsyncClient(transport=…)``, for msgraph-sdk."""

    def __init__(self, hop: Hop | App) -> None:
        self.hop = hop if isinstance(hop, Hop) else Hop(hop)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises RemoteProtocolError or ReadTimeout, as httpcore does."""
        body = await request.aread()
        try:
            response = await self.hop.exchange(Request.parse(request.method, str(request.url), request.headers, body))
        except Broken as broken:
            if broken.how == "reset":
                raise httpx.RemoteProtocolError(
                    "Server disconnected without sending a response.", request=request
                ) from broken
            await pause(request.extensions.get("timeout", {}).get("read") or 300)
            raise httpx.ReadTimeout("", request=request) from broken
        stream = _Stream(_Content(_body(response, request.method), response.pace, response.endless))
        return httpx.Response(response.status, headers=response.headers, stream=stream, request=request)


class _Stream(httpx.AsyncByteStream):
    """Body as read by httpx."""

    def __init__(self, content: _Content) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._content.read():
            yield piece


class SyncAdapter(requests.adapters.HTTPAdapter):
    """Adapter for ``requests.Session().mount("https://", …)``, for the synchronous SDKs.

    A timeout raises at once.
    """

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Send one request. Raises ConnectionError or ReadTimeout, as requests does."""
        method, body = request.method or "GET", request.body or b""
        sent = body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]
        try:
            response = self.app.handle(
                Request.parse(method, request.url or "", cast(Mapping[str, str], request.headers), sent)
            )
        except Broken as broken:
            if broken.how == "timeout":
                raise requests.ReadTimeout("Read timed out.", request=request) from broken
            closed = urllib3.exceptions.ProtocolError(
                "Connection aborted.", RemoteDisconnected("Remote end closed connection without response")
            )
            raise requests.ConnectionError(closed, request=request) from broken
        raw = urllib3.HTTPResponse(
            io.BytesIO(_body(response, method)),
            response.headers,
            response.status,
            reason=_reason(response.status),
            preload_content=False,
            request_method=method,
        )
        return self.build_response(request, raw)
