"""Tests of the transport of notifications over real sockets and TLS: a receiver on loopback that accepts, refuses,
redirects or hangs.
"""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from rotator.clients import transports
from rotator.notify import Web
from rotator.notify import web as notify_web
from rotator.secret import Secret
from tests.notify.test_web import Waits

PATH = "/services/SECRET-PATH"


@pytest.fixture(name="authority")
def _authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Provide an authority named in the environment, as in docs/notifications.md, and no proxy."""
    authority = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return authority


def told(authority: trustme.CA, status: str, clock: Waits, *, up: bool = True) -> tuple[str, list[str]]:
    """Send one message; return the reason of its failure, and the received heads and bodies."""
    arrived: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.lower().splitlines() if "content-length" in line)
        arrived.append(head + (await reader.readexactly(length)).decode())
        if status == "hang":
            await reader.read()
        else:
            writer.write(f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async def main() -> str:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            if not up:
                server.close()
            web = Web(clock, transports.network)
            return await web.send(Secret(f"https://127.0.0.1:{port}{PATH}"), b"{}", "application/json")

    return asyncio.run(main()), arrived


@pytest.mark.parametrize(
    ("status", "failed", "tries"),
    [
        ("202 Accepted", "", 1),
        ("500 Broken", "answered with 500", 3),
        ("307 Elsewhere", "answered with 307 (a redirect, which is not followed)", 1),
        ("hang", "no answer within 0 s", 3),
    ],
)
def test_a_message_arrives_at_a_receiver_whose_authority_the_environment_names(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, status: str, failed: str, tries: int
) -> None:
    if status == "hang":
        monkeypatch.setattr(notify_web, "SECONDS", 0.2)
    clock = Waits()
    said, arrived = told(authority, status, clock)
    assert (said, len(arrived), len(clock.slept)) == (failed, tries, tries - 1)
    assert all(each.startswith(f"POST {PATH} HTTP/1.1\r\n") and each.endswith("\r\n\r\n{}") for each in arrived)
    assert not any(word in arrived[0].lower() for word in ("authorization:", "cookie:"))


def test_why_no_message_arrives_is_told_without_the_address(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(authority, "202 Accepted", Waits(), up=False)[0] == "no answer (connection refused)"
    monkeypatch.delenv("SSL_CERT_FILE")
    said, arrived = told(authority, "202 Accepted", Waits())
    assert said == "no answer (its certificate isn't trusted; SSL_CERT_FILE names the authorities)"
    assert arrived == []
