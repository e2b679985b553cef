"""What carries requests: the seam between the clients and the network, so that a test can answer in process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Transports:
    """How connections are made.

    `session` makes what stands for an ``aiohttp.ClientSession`` (``auto_decompress=False``); `fresh` makes one whose every request has a
    connection of its own, for proofs (default: `session`); `graph` makes an httpx transport, None for httpx's own. Who asks for one closes it.
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
