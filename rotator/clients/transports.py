"""What carries requests: the seam between the clients and the network, so that a test can answer in process.

Proxies come from the environment, and nothing else does: aiohttp and httpx would also take a user name and password for
a host from ``.netrc``.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rotator.clients.surroundings import ensure_usable

if TYPE_CHECKING:
    import httpx


def direct(address: str) -> None:
    """No proxy, whatever is asked for."""
    del address


@dataclass(frozen=True, slots=True)
class Transports:
    """How connections are made.

    `session` makes what stands for an ``aiohttp.ClientSession`` (``auto_decompress=False``); `fresh` makes one whose
    every request has a connection of its own, for writes and proofs (default: `session`); `graph` makes an httpx
    transport (default: :func:`network`). Who asks for one closes it. `proxy` is the way to an address of the first two.
    """

    session: Callable[[], Any]
    graph: Callable[[], Any] | None = None
    fresh: Callable[[], Any] | None = None
    proxy: Callable[[str], str | None] = direct


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
        return aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=jar, middlewares=[unrepeated]
        )

    return Transports(session, fresh=lambda: session(fresh=True), proxy=proxied)


def network(address: str, *, fresh: bool) -> "httpx.AsyncHTTPTransport":
    """Httpx's own transport to the host of `address`, by the proxy and the authorities that :func:`real` goes by; `fresh`: no connection is kept."""
    import ssl

    import httpx

    kept = httpx.Limits(max_connections=100, max_keepalive_connections=0 if fresh else 20)
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), proxy=proxied(address), limits=kept)


def proxied(address: str) -> str | None:
    """The proxy that the environment names for an address, None where it is asked directly."""
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(address), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
