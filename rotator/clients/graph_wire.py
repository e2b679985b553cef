"""Transport of Graph's SDK, which speaks httpx, over the carrier of every other client."""

import aiohttp
import httpx
from multidict import CIMultiDict

from rotator.clients.translation import never_sent
from rotator.clients.wire import Carrier

_OF_THE_CONNECTION = ("Content-Length", "Transfer-Encoding")
_BY_AIOHTTP = frozenset({"host", "connection", "content-length", "transfer-encoding"})
"""Headers that aiohttp writes by itself."""


class GraphWire(httpx.AsyncBaseTransport):
    """Transport of an httpx client over a :class:`Carrier`: the same connections and checks as every other client's."""

    def __init__(self, carrier: Carrier, timeout: aiohttp.ClientTimeout) -> None:
        self._carrier, self._timeout = carrier, timeout

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises as httpx, as :meth:`Gate.ensure_open` and as :meth:`Gate.within_limits`."""
        headers = CIMultiDict((name, value) for name, value in request.headers.multi_items() if name not in _BY_AIOHTTP)
        body = await request.aread()
        options = {"headers": headers, "data": body or None, "timeout": self._timeout, "allow_redirects": False}
        try:
            answer = await self._carrier.request(request.method, str(request.url), **options)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _by_httpx(error)(str(error) or type(error).__name__, request=request) from error
        for name in _OF_THE_CONNECTION:
            answer.headers.popall(name, None)
        return httpx.Response(answer.status, headers=list(answer.headers.items()), content=answer.body, request=request)


def _by_httpx(error: BaseException) -> type[httpx.TransportError]:
    """Return httpx's name for a failure of aiohttp's."""
    if never_sent(error):
        return httpx.ConnectError
    return httpx.ReadTimeout if isinstance(error, TimeoutError) else httpx.ReadError
