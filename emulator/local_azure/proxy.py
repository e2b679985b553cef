"""The only entry: an HTTP CONNECT proxy on loopback, ending every tunnel at the emulator, for any host.

The proxy serves the names of the emulator on port 443, and refuses every other name with 403, on record. Connections go
to the emulator's own addresses only, so no traffic through the proxy can leave the machine.

Managed identities are served in plain HTTP, as in Azure: a request without a host, or for the proxy's host or the host
of IMDS, goes to `plain`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PLAIN_HOSTS = ("127.0.0.1", "localhost", "169.254.169.254")
"""Whom plain HTTP may be meant for: this machine, and the address that a virtual machine asks for its tokens."""

MAX_HEAD = 16_384
"""Bytes that a client may send before its request must be complete."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A refused request for a host not served."""

    method: str
    target: str


@dataclass(slots=True)
class Proxy:
    """Proxy for tunnels to hosts accepted by `serves`, joined to `upstream` (host and port of the TLS server)."""

    serves: Callable[[str], bool]
    upstream: tuple[str, int]
    plain: tuple[str, int] | None = None
    refused: list[TurnedAway] = field(default_factory=list)
    open: set[asyncio.Transport] = field(default_factory=set)
    joining: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Start to accept; port 0 takes a free one. Raises OSError where the port is taken."""
        return await asyncio.get_running_loop().create_server(lambda: _Tunnel(self), host, port)

    def close(self) -> None:
        """End every tunnel."""
        for transport in tuple(self.open):
            transport.abort()

    def way(self, method: str, target: str) -> tuple[str, int] | None:
        """Return the destination of the request line; None for a refused line, which is recorded."""
        local = target.startswith("/") or urlsplit(target).hostname in PLAIN_HOSTS
        if self.plain and method != "CONNECT" and local:
            return self.plain
        return self.upstream if self.admits(method, target) else None

    def admits(self, method: str, target: str) -> bool:
        """Tell if the request line is allowed; a refused line is recorded."""
        host, _, port = target.rpartition(":")
        admitted = method == "CONNECT" and port == "443" and self.serves(host)
        if not admitted:
            self.refused.append(TurnedAway(method, target))
        return admitted


class _End(asyncio.Protocol):
    """One end of a tunnel: bytes received here leave at `other`, no faster than `other` can send."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.proxy.open.add(transport)

    def data_received(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport:
            self.proxy.open.discard(self.transport)
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.resume_reading()


class _Tunnel(_End):
    """The client's end: reads one request, then is a tunnel or closed."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(proxy)
        self._head: bytearray | None = bytearray()

    def data_received(self, data: bytes) -> None:
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._answer(bytes(self._head))
        elif len(self._head) > MAX_HEAD:
            self._refuse(431, "Request Header Fields Too Large")

    def _answer(self, head: bytes) -> None:
        assert self.transport is not None
        first, _, rest = head.partition(b"\r\n\r\n")
        method, target, *_ = [*first.split(b"\r\n")[0].decode("latin-1").split(" "), "", ""]
        upstream = self.proxy.way(method, target)
        if upstream is None:
            self._refuse(403, f"The emulator does not serve {target or 'that'}")
            return
        self._head = None
        self.transport.pause_reading()
        greeting, early = (b"HTTP/1.1 200 Connection established\r\n\r\n", rest) if method == "CONNECT" else (b"", head)
        joining = asyncio.get_running_loop().create_task(self._join(upstream, greeting, early))
        self.proxy.joining.add(joining)
        joining.add_done_callback(self.proxy.joining.discard)

    async def _join(self, upstream: tuple[str, int], greeting: bytes, early: bytes) -> None:
        """Begin a tunnel with a greeting, or pass a plain request on, with all bytes already received."""
        assert self.transport is not None
        try:
            _, far = await asyncio.get_running_loop().create_connection(lambda: _End(self.proxy), *upstream)
        except OSError:
            self._refuse(502, "The emulator is not there")
            return
        self.other, far.other = far, self
        if greeting:
            self.transport.write(greeting)
        if early:
            super().data_received(early)
        self.transport.resume_reading()

    def _refuse(self, status: int, reason: str) -> None:
        if self.transport:
            text = reason.encode("ascii", "replace")
            self.transport.write(b"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (status, text))
            self.transport.close()
