"""HTTP client of notifications: one request, an answer of which only the status is read."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotator import __version__
from rotator.ports import Clock
from rotator.secret import Secret

if TYPE_CHECKING:
    import httpx

SECONDS, PAUSES = 10.0, (2.0, 8.0)
"""Seconds for one request, and the waits before it is sent again."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Statuses after which a request is sent again; the ids in the messages show a repetition."""
MOST_CAUSES = 10
CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate isn't trusted; SSL_CERT_FILE names the authorities"),
    (ssl.SSLError, "no TLS connection"),
    (socket.gaierror, "its host name isn't found"),
    (ConnectionRefusedError, "connection refused"),
)
"""Errors below those of the client, and what they mean."""
Transport = Callable[[str], "httpx.AsyncBaseTransport"]
"""Factory of the connection to an address."""
SILENT = ("httpx", "httpcore")
"""Loggers that print the addresses of requests."""


@dataclass(frozen=True, slots=True)
class Web:
    """Sender of requests without token, cookie and redirect."""

    clock: Clock
    transport: Transport

    async def send(self, address: Secret, body: bytes = b"", content_type: str = "") -> str:
        """POST the body, or GET the address if there is no body; return why that failed, empty if it didn't.

        The reason names no address.
        """
        failed, again = await self._once(address, body, content_type)
        for pause in PAUSES:
            if not again:
                break
            await self.clock.sleep(pause)
            failed, again = await self._once(address, body, content_type)
        return failed

    async def _once(self, address: Secret, body: bytes, content_type: str) -> tuple[str, bool]:
        """Return the failure of one request, and whether another may succeed."""
        import httpx

        try:
            async with asyncio.timeout(SECONDS):
                status = await self._status(address.reveal(), body, content_type)
        except TimeoutError:
            return f"no answer within {SECONDS:.0f} s", True
        except httpx.HTTPError as error:
            return f"no answer ({_cause(error)})", True
        except (httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            return f"no request could be made ({type(error).__name__})", False
        if 200 <= status < 300:
            return "", False
        redirect = " (a redirect, which is not followed)" if 300 <= status < 400 else ""
        return f"answered with {status}{redirect}", status in BUSY

    async def _status(self, address: str, body: bytes, content_type: str) -> int:
        import httpx

        headers = {"User-Agent": f"rotator/{__version__}"} | ({"Content-Type": content_type} if content_type else {})
        with _unlogged():
            async with httpx.AsyncClient(
                transport=self.transport(address), trust_env=False, follow_redirects=False, timeout=SECONDS
            ) as client:
                request = client.build_request(
                    "POST" if body else "GET", address, content=body or None, headers=headers
                )
                answer = await client.send(request, stream=True)
                await answer.aclose()
                return answer.status_code


def _cause(error: BaseException) -> str:
    """Return the cause of a lost request, in words without names of hosts."""
    causes = [error]
    while (earlier := causes[-1].__cause__ or causes[-1].__context__) and len(causes) < MOST_CAUSES:
        causes.append(earlier)
    for kind, words in CAUSES:
        if any(isinstance(each, kind) for each in causes):
            return words
    return type(error).__name__


class _unlogged:  # noqa: N801 - a context manager, used like a function
    """Keep the loggers of the client silent: their lines show whole addresses."""

    def __enter__(self) -> None:
        self._levels = {name: logging.getLogger(name).level for name in SILENT}
        for name in SILENT:
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def __exit__(self, *error: object) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
