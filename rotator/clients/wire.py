"""The last policy before the network: what may not be sent any more is refused here, after tokens, challenges and pauses have taken their time.

Rules for whoever edits this file:

1. A write that has a `not_after` leaves this machine only before it; each repetition is checked again.
2. Requests for tokens are exempt: they change nothing, and a write that needs one is checked after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx
from azure.core.pipeline.transport import AioHttpTransport

from rotator.clients.azuretime import AzureTime
from rotator.errors import NotSent

READS = frozenset({"GET", "HEAD"})

_not_after: ContextVar[float | None] = ContextVar("_not_after", default=None)


@contextmanager
def no_later(not_after: float | None) -> Iterator[None]:
    """Let no write of this block, nor of the tasks started in it, be sent after `not_after` on the scale of :meth:`AzureTime.moment`."""
    token = _not_after.set(not_after)
    try:
        yield
    finally:
        _not_after.reset(token)


def ensure_in_time(time: AzureTime, method: str, url: str) -> None:
    """Refuse a write whose time is over. Raises NotSent."""
    limit = _not_after.get()
    if limit is None or method.upper() in READS or time.moment() <= limit:
        return
    host = urlsplit(url).hostname or ""
    happened = f"a {method.upper()} to {host} was held back: what it rests on was read too long ago ({time.moment() - limit:.0f} s past its time)"
    raise NotSent(happened, service=host, code="TooLate")


class Wire(AioHttpTransport):  # type: ignore[misc]  # the SDK loads it lazily, so that mypy sees Any
    """Carries the requests of an azure-core client; `tokens` says that it carries nothing but requests for tokens."""

    def __init__(self, time: AzureTime, *, tokens: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._time, self._tokens = time, tokens

    async def send(self, request: Any, **config: Any) -> Any:
        """Send `request` if it may still be sent. Raises NotSent, and what aiohttp's transport raises."""
        if not self._tokens:
            ensure_in_time(self._time, request.method, request.url)
        return await super().send(request, **config)


class GraphWire(httpx.AsyncBaseTransport):
    """The same in front of an httpx transport."""

    def __init__(self, time: AzureTime, inner: httpx.AsyncBaseTransport) -> None:
        self._time, self._inner = time, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` if it may still be sent. Raises NotSent, and what the transport below raises."""
        ensure_in_time(self._time, request.method, str(request.url))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport below."""
        await self._inner.aclose()
