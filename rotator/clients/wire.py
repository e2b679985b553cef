"""Last stage before the network, below every policy and retry of the client libraries.

Requests are checked here, and answers are limited. Rules for editors of this file:

1. A client's requests go to its own hosts only, over TLS: otherwise a link or a redirect to another host would take a
   token, or a password, there. Requests of azure-identity for rotator's sign-in are exempt: the library knows its own
   hosts.
2. One call sends once. A challenge to a write isn't answered, since the answer would send the write again; a dropped
   connection isn't retried; a redirect isn't followed. Writes have connections of their own, so that no server can have
   closed one a moment before.
3. An answer comes whole within `LONGEST`, or is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from io import BytesIO
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from rotator.clients.azuretime import AzureTime
from rotator.clients.body import BadBody, whole
from rotator.clients.budgets import Budgets
from rotator.clients.counted_request import Sent
from rotator.clients.pausing import retry_after
from rotator.clients.refusal import CHALLENGED, challenged
from rotator.clients.sending import READS, Try, definite_no, ensure_in_time, trying, uncancelled
from rotator.clients.silence import Silence
from rotator.clients.translation import TRANSIENT, never_sent
from rotator.clients.waits import Waits
from rotator.codes import FailureCode
from rotator.errors import Unexpected
from rotator.ports import Clock

LONGEST = 120.0
"""Timeout in seconds from a request's first byte to the answer's last byte; shorter for a proof."""
PATIENCE = 300.0
"""Seconds that a request may wait for Azure's limits before it is sent."""
PIECE = 64 * 1024
"""Bytes read at once."""
HTTPS = 443
Proxy = Callable[[str], str | None]
"""The way to an address: a proxy's, or None."""


@dataclass(slots=True)
class Limit:
    """End of a run: no request is repeated, or held back, beyond `until` (elapsed seconds of `clock`)."""

    clock: Clock
    until: float = float("inf")
    silence: Silence = field(init=False)
    """Hosts whose failures are believed."""
    waits: Waits = field(init=False)
    """Hosts that are waited for."""

    def __post_init__(self) -> None:
        self.silence, self.waits = Silence(self.clock), Waits(self.clock)

    def left(self) -> float:
        """Seconds until the end."""
        return self.until - self.clock.elapsed()


@dataclass(frozen=True, slots=True)
class Gate:
    """Limits on the requests of one client.

    `hosts` are the client's hosts, None for azure-identity's own requests, always without effect. `budgets` are those
    of the process; no request waits for them beyond `limit`.
    """

    time: AzureTime
    hosts: frozenset[str] | None
    longest: float = LONGEST
    budgets: Budgets | None = None
    limit: Limit | None = None

    def writes(self, method: str) -> bool:
        """Tell if a request can have an effect; a token request has none."""
        return self.hosts is not None and method.upper() not in READS

    @staticmethod
    def effect(method: str, path: str) -> str:
        """Return the method that tells the effect: a batch is a POST to Graph, and rotator's have only reads inside."""
        return "GET" if path.endswith("/$batch") else method

    def ensure_open(self, method: str, scheme: str, host: str, port: int | None) -> None:
        """Check a request before sending.

        Raises NotSent for a write after its deadline, Unexpected for a host of another client.
        """
        if self.hosts is None:
            return
        if scheme != "https" or host.lower() not in self.hosts or port not in (None, HTTPS):
            raise foreign(host or "an address that names no host", self.hosts)
        ensure_in_time(self.time, method, host)

    async def within_limits(self, sent: Sent, exchange: Callable[[], Awaitable["Answer"]]) -> "Answer":
        """Return the answer of an exchange that is begun within Azure's limits. Raises Throttled, and as the exchange.

        The age of a write is checked after the wait, in the exchange.
        """
        if self.budgets is None:
            return await self._watched(sent, exchange)
        patience = PATIENCE if self.limit is None else min(PATIENCE, self.limit.left())
        with self._telling(sent, "Azure's limit on requests is reached", patience):
            await self.budgets.admit(sent, patience)
        answered = False
        try:
            answer = await self._watched(sent, exchange)
            answered = True
        finally:
            if not answered:
                self.budgets.unheard(sent)
        self.budgets.hear(sent, answer.status, answer.headers, retry_after(answer.headers))
        return answer

    async def _watched(self, sent: Sent, exchange: Callable[[], Awaitable["Answer"]]) -> "Answer":
        """Return the answer of an exchange; a long wait for the answer is reported."""
        with self._telling(sent, "no answer yet", self.longest):
            answer = await exchange()
        if self.limit and answer.status not in TRANSIENT:
            self.limit.waits.answered(sent.host)
        return answer

    def _telling(self, sent: Sent, happened: str, longest: float) -> AbstractContextManager[None]:
        return self.limit.waits.watched(sent.host, happened, longest) if self.limit else nullcontext()


def foreign(host: str, hosts: frozenset[str]) -> Unexpected:
    """Return the refusal to send to a host."""
    return Unexpected(
        f"an answer led to {host}, but this request may only go to {', '.join(sorted(hosts)) or 'no host'}",
        service=host,
        code=FailureCode.FOREIGN_HOST,
        state="Nothing was sent there.",
        remedy=(
            "Find out what answers in Azure's place (a proxy, a name server, a registry that isn't Azure's), then run"
            " again."
        ),
    )


@dataclass(frozen=True)
class Answer:
    """Stand-in for ``aiohttp.ClientResponse`` with the parts used by azure-core: whole, and decompressed."""

    method: str
    url: str
    status: int
    reason: str
    headers: CIMultiDict[str]
    body: bytes = field(repr=False)

    async def read(self) -> bytes:
        """Return the whole body."""
        return self.body

    @cached_property
    def content(self) -> "Pieces":
        """The body as a stream, which a download of a blob reads."""
        return Pieces(BytesIO(self.body))

    def close(self) -> None:
        """Do nothing: no connection is held open."""


@dataclass(frozen=True)
class Pieces:
    """Stand-in for ``aiohttp.StreamReader``, over a body that is there already."""

    body: BytesIO = field(repr=False)

    async def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none at the end."""
        return self.body.read(size)


class Carrier:
    """Stand-in for the ``aiohttp.ClientSession`` in azure-core's transport.

    `fresh` makes a connection for each request.
    """

    auto_decompress = True
    """True, because azure-core gets a decompressed body."""

    def __init__(self, gate: Gate, session: Any, fresh: Any, proxy: Proxy) -> None:
        self._gate, self._session, self._fresh, self._proxy = gate, session, fresh, proxy

    async def request(self, method: str, url: str, **options: Any) -> Answer:
        """Send one request. Raises as aiohttp, as :meth:`Gate.ensure_open`, and as :meth:`Gate.within_limits`."""
        address = _address(url, self._gate)
        effect = self._gate.effect(method, address.path)
        return await self._gate.within_limits(
            Sent.of(effect, address), partial(self._send, method, effect, address, options)
        )

    async def _send(self, method: str, effect: str, address: URL, options: dict[str, Any]) -> Answer:
        self._gate.ensure_open(effect, address.scheme, address.host or "", address.explicit_port)
        options["proxy"] = self._proxy(str(address))
        writes = self._gate.writes(effect)
        session = self._fresh if writes else self._session
        with trying(writes=writes) as once:
            exchange = _settle(once, self._exchange(session, method, address, options))
            return await (uncancelled(exchange) if writes else exchange)

    async def _exchange(self, session: Any, method: str, address: URL, options: dict[str, Any]) -> Answer:
        try:
            async with asyncio.timeout(self._gate.longest), session.request(method, address, **options) as answer:
                body = await whole(partial(answer.content.read, PIECE), answer.headers.get("Content-Encoding", ""))
        except BadBody as error:
            raise aiohttp.ClientPayloadError(str(error)) from error
        headers = CIMultiDict(answer.headers)
        headers.popall("Content-Encoding", None)
        if unanswerable(method, answer.status, options.get("headers") or {}):
            _without_challenge(answer.status, headers)
        return Answer(method, str(address), answer.status, answer.reason or "", headers, body)

    async def close(self) -> None:
        """Leave the sessions open: their owner closes them."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _address(url: str, gate: Gate) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise foreign("an address that can't be read", gate.hosts or frozenset()) from None


async def _settle(once: Try, exchange: Awaitable[Answer]) -> Answer:
    """Return the answer, or raise the failure; settle a write refused for certain or never sent."""
    try:
        answer = await exchange
    except Exception as error:
        once.settled = once.settled or never_sent(error)
        raise
    once.settled = once.settled or definite_no(answer.status, answer.body)
    return answer


def unanswerable(method: str, status: int, headers: Mapping[str, str]) -> bool:
    """Tell if a 401 challenge is to a write.

    A write without a token has no body yet: Key Vault's client sends such a request only to learn the tenant for the
    sign-in.
    """
    return status == 401 and method.upper() not in READS and any(name.lower() == "authorization" for name in headers)


def _without_challenge(status: int, headers: MutableMapping[str, str]) -> None:
    """Remove the challenge to a write; that it was one of continuous access evaluation stays known."""
    if challenged(status, headers):
        headers[CHALLENGED] = "1"
    headers.pop("WWW-Authenticate", None)


async def unrepeated(
    request: aiohttp.ClientRequest, send: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> Any:
    """Keep aiohttp from repeating a request after a dropped connection.

    aiohttp repeats every method idempotent by HTTP, PUT among them. This is a middleware of aiohttp: exceptions raised
    by the middleware don't lead to a repetition.
    """
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionDropped(str(error)) from error


class ConnectionDropped(aiohttp.ClientConnectionError):
    """Connection closed before the end of the answer."""
