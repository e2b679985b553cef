"""What carries requests: the seam between the clients and the network, so that a test can answer in process."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rotator.clients.surroundings import ensure_usable

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Transports:
    """How connections are made.

    `session` makes what stands for an ``aiohttp.ClientSession`` (``auto_decompress=False``); `fresh` makes one whose every request has a
    connection of its own, for proofs (default: `session`); `graph` makes an httpx transport (default: :func:`network`). Who asks for one closes it.
    """

    session: Callable[[], Any]
    graph: Callable[[], Any] | None = None
    fresh: Callable[[], Any] | None = None


def real() -> Transports:
    """Over the network: proxies from the environment, and the authorities that the system or SSL_CERT_FILE names.

    Raises RotatorError where the environment names a proxy or authorities that can't be used.
    """
    ensure_usable(os.environ)
    import ssl

    import aiohttp

    from rotator.clients.wire import unrepeated

    trusted = ssl.create_default_context()

    def session(*, fresh: bool = False) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=trusted, limit=100, force_close=fresh)
        jar = aiohttp.DummyCookieJar()
        return aiohttp.ClientSession(connector=connector, trust_env=True, auto_decompress=False, cookie_jar=jar, middlewares=[unrepeated])

    return Transports(session, fresh=lambda: session(fresh=True))


def network(address: str, *, fresh: bool) -> "httpx.AsyncHTTPTransport":
    """Httpx's own transport to the host of `address`, by the proxy and the authorities that :func:`real` goes by; `fresh`: no connection is kept."""
    import ssl
    from urllib.request import getproxies, proxy_bypass

    import httpx

    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    bypassed = proxy is None or proxy_bypass(urlsplit(address).hostname or "")
    kept = httpx.Limits(max_connections=100, max_keepalive_connections=0 if fresh else 20)
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), proxy=None if bypassed else proxy, limits=kept)
