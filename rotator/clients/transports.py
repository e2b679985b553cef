"""What carries requests: the seam between the clients and the network, so that a test can answer in process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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
    """Over the network: proxies from the environment, and the authorities that the system or SSL_CERT_FILE names."""
    import ssl

    import aiohttp

    trusted = ssl.create_default_context()

    def session(*, fresh: bool = False) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=trusted, limit=100, force_close=fresh)
        return aiohttp.ClientSession(connector=connector, trust_env=True, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())

    return Transports(session, fresh=lambda: session(fresh=True))


def network(address: str) -> "httpx.AsyncHTTPTransport":
    """Httpx's own transport to the host of `address`, by the proxy and the authorities that :func:`real` goes by."""
    import ssl
    from urllib.request import getproxies, proxy_bypass

    import httpx

    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    bypassed = proxy is None or proxy_bypass(urlsplit(address).hostname or "")
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), proxy=None if bypassed else proxy)
