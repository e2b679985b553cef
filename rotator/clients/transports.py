"""Transports of requests: the seam between clients and network, so that a test can answer in process.

Only proxies come from the environment: aiohttp and httpx would also take a user name and password for a host from
``.netrc``.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rotator.clients.surroundings import ensure_usable

if TYPE_CHECKING:
    import httpx


def direct(address: str) -> None:
    """Return no proxy for any address."""
    del address


@dataclass(frozen=True, slots=True)
class Transports:
    """Factories of connections.

    `session` makes an ``aiohttp.ClientSession`` or a stand-in (``auto_decompress=False``); `fresh` makes one with a new
    connection for each request, for writes (default: `session`). The caller closes the result. `proxy` returns the
    proxy to an address.
    """

    session: Callable[[], Any]
    fresh: Callable[[], Any] | None = None
    proxy: Callable[[str], str | None] = direct


def real() -> Transports:
    """Return transports over the network.

    Proxies come from the environment, certificate authorities from the system or SSL_CERT_FILE. Raises RotatorError
    where the environment names an unusable proxy or unusable authorities.
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

    known = cache(proxied)
    return Transports(
        session,
        fresh=lambda: session(fresh=True),
        proxy=lambda address: known(_origin(address)),
    )


def network(address: str) -> "httpx.AsyncHTTPTransport":
    """Return httpx's own transport to the host of `address`, which keeps no connection.

    Proxy and authorities are those of :func:`real`.
    """
    import ssl

    import httpx

    kept = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), proxy=proxied(address), limits=kept)


def _origin(address: str) -> str:
    """Return scheme and host of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def proxied(address: str) -> str | None:
    """Return the proxy named by the environment for an address, None for a direct connection."""
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(address), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
