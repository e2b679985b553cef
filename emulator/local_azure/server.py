"""Serve the emulator's App over HTTPS, one call at a time, in the order of the event loop.

Uvicorn does HTTP and TLS; the ASGI application and the breaking of connections for a fault are our own. No answer
carries uvicorn's own ``Date`` or ``Server``: the emulator's time is not the machine's.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from local_azure.app import App
from local_azure.faults import Broken
from local_azure.wire import Request, Response

Scope = MutableMapping[str, Any]

PATIENCE = 300.0
"""Seconds for which a call that a fault lets hang is held open, if its client does not give up before."""


class _Connection(HttpToolsProtocol):
    """Pass each request's connection to the application, so that a fault can break the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["connection"] = self.transport


class Door:
    """The ASGI application: reads a request, lets the App handle it, sends the answer or breaks the connection."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Handle one request in the form of ASGI."""
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            response = self.app.handle(_request(scope, body))
        except Broken as broken:
            await _break(broken, scope["state"]["connection"], receive)
            return
        await _send(response, send, receive)


def _request(scope: Scope, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]):
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = scope["query_string"].decode("latin-1")
    url = f"{scope['scheme']}://{headers.get('host', '')}{scope['raw_path'].decode('latin-1')}?{query}"
    return Request.parse(scope["method"], url, headers, body)


async def _send(response: Response, send: Any, receive: Any) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.pace or response.endless:
        await _slowly(response, send, receive)
    else:
        await send({"type": "http.response.body", "body": response.body})


async def _slowly(response: Response, send: Any, receive: Any) -> None:
    """Byte by byte, until the client has gone or, where nothing ends, for `PATIENCE`."""
    gone = asyncio.ensure_future(_gone(receive))
    try:
        for piece in dripping(response, response.pace or 1.0):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            if (await asyncio.wait([gone], timeout=response.pace or 1.0))[0]:
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


def dripping(response: Response, pace: float) -> Iterator[bytes]:
    """Yield the sent bytes, piece by piece; white space after the body of an endless answer."""
    yield from (response.body[at : at + 1] for at in range(len(response.body)))
    if response.endless:
        yield from (b" " for _ in range(int(PATIENCE / pace)))


async def _break(broken: Broken, connection: asyncio.Transport, receive: Any) -> None:
    """Returns when the connection is gone: only then does uvicorn not answer in our place."""
    if broken.how == "timeout":
        try:
            async with asyncio.timeout(PATIENCE):
                await _gone(receive)
        except TimeoutError:
            pass
    connection.abort()
    await _gone(receive)


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class HttpServer(uvicorn.Server):
    """A uvicorn server without signal handling; ends when ``should_exit`` is set.

    Without a context, the server speaks plain HTTP.
    """

    def __init__(self, app: App, context: ssl.SSLContext | None) -> None:
        config = uvicorn.Config(
            Door(app),
            http=_Connection,
            ws="none",
            lifespan="off",
            ssl_context_factory=(lambda *_: context) if context else None,
            date_header=False,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
            backlog=256,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are captured here."""
        yield


def loopback(port: int = 0) -> socket.socket:
    """A socket bound to 127.0.0.1 and to nothing else; asyncio turns Nagle's delay off only where TCP is named.

    Raises OSError.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
