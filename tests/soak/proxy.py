"""Proxy that ends TLS between the command and the emulator's proxy, and follows a script for each request.

Azure gets each request unchanged and at most once: only answers and connections are damaged.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import trustme

from tests.soak import http1
from tests.soak.http1 import Message
from tests.soak.script import Script, Seen

HOSTS = (
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "management.azure.com",
    "*.vault.azure.net",
    "*.azurecr.io",
)
ELSEWHERE = "https://elsewhere.example/"
"""Address outside Azure."""
SHIFTS = {"date ahead": timedelta(hours=26), "date behind": timedelta(days=-3), "date far": timedelta(days=365 * 7000)}
DELAY = 2.0
"""Seconds of delay."""
DRIPPED = 300
"""Bytes sent one by one, before the rest at once."""


class Gone(Exception):
    """End of a connection on the command's side."""


@dataclass
class Proxies:
    """Proxies on an event loop in a separate thread, one for each run of a command."""

    upstream: int
    authority: Path
    bundle: Path
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    dates: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = trustme.CA(organization_name="a proxy that damages answers")
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.issue_cert(*HOSTS).configure_cert(self.server)
        self.bundle.write_bytes(self.authority.read_bytes() + made.cert_pem.bytes())
        self.client = ssl.create_default_context(cafile=self.authority)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self._wait(self._cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return waiting.result()

    def open(self, script: Script) -> tuple[int, asyncio.Server]:
        """Open a proxy for `script`; return its port and its server."""

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, Gone, EOFError, ValueError, asyncio.CancelledError):
                await self._tunnel(script, reader, writer)
            writer.transport.abort()

        server: asyncio.Server = self._wait(asyncio.start_server(tunnel, "127.0.0.1", 0, limit=http1.LIMIT))
        return server.sockets[0].getsockname()[1], server

    async def _tunnel(self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await http1.read(reader)
        if asked is None:
            return
        method, target, _ = asked.first.split(" ", 2)
        script.hosts |= {target.rpartition(":")[0].lower()} if method == "CONNECT" else set()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=http1.LIMIT)
        try:
            far_writer.write(f"{method} {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            granted = await http1.read(far_reader, asked="HEAD")
            if granted is None or method != "CONNECT" or granted.first.split(" ")[1] != "200":
                writer.write(granted.raw if granted else b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.start_tls(self.server)
            host = target.rpartition(":")[0]
            await far_writer.start_tls(self.client, server_hostname=host)
            while await self._exchange(script, host, (reader, writer), (far_reader, far_writer)):
                pass
        finally:
            far_writer.transport.abort()

    async def _exchange(
        self,
        script: Script,
        host: str,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> bool:
        """Relay one request and its answer; return false at the end of the connection."""
        request = await http1.read(near[0])
        if request is None:
            return False
        method, path, _ = request.first.split(" ", 2)
        seen = script.arrives(method, host, path.partition("?")[0])
        if await asyncio.to_thread(script.happens, seen, "before"):
            return False
        kind = script.damages(seen)
        if kind in ("reset", "page502", "page403", "page404"):
            return await self._instead(kind, method, near[1])
        script.forwarded(seen)
        far[1].write(request.raw)
        answer = await _while_there(http1.read(far[0], asked=method), near[0])
        await asyncio.to_thread(script.happens, seen, "after")
        await asyncio.to_thread(script.answered, seen)
        if answer is None or kind == "lost":
            return False
        return await self._deliver(kind, seen, answer, near[1])

    async def _instead(self, kind: str, method: str, writer: asyncio.StreamWriter) -> bool:
        """Answer a request in Azure's place; return false to end the connection."""
        if kind == "reset":
            return False
        status = {"page502": "502 Bad Gateway", "page403": "403 Forbidden", "page404": "404 Not Found"}[kind]
        answer = http1.page(status, Message("", (), b""))
        writer.write(answer.head() if method == "HEAD" else answer.raw)
        await writer.drain()
        return True

    async def _deliver(self, kind: str, seen: Seen, answer: Message, writer: asyncio.StreamWriter) -> bool:
        """Write an answer, damaged as `kind` says; return false to end the connection."""
        if date := answer.header("date"):
            self.dates[seen.host] = date
        spoiled = self._spoiled(kind, seen, answer)
        if seen.method == "HEAD":
            spoiled = replace(spoiled, body=b"")
        if kind == "cut":
            writer.write(spoiled.head() + spoiled.body[: len(spoiled.body) // 2])
            await writer.drain()
            return False
        if kind == "delay":
            await asyncio.sleep(DELAY)
        if kind == "drip":
            for at in range(min(DRIPPED, len(spoiled.raw))):
                writer.write(spoiled.raw[at : at + 1])
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.write(spoiled.raw[DRIPPED:])
        else:
            writer.write(spoiled.raw)
        await writer.drain()
        return kind != "drop"

    def _spoiled(self, kind: str, seen: Seen, answer: Message) -> Message:
        if kind in SHIFTS and answer.header("date"):
            return answer.but(date=_shifted(answer.header("date"), SHIFTS[kind]))
        if kind == "date of another":
            others = [date for host, date in self.dates.items() if host != seen.host]
            return answer.but(date=others[0]) if others else answer
        return SPOILED[kind](answer) if kind in SPOILED else answer


def _short(answer: Message) -> Message:
    half = answer.body[: len(answer.body) // 2]
    return replace(answer, body=half).but(content_length=str(len(half)))


def _turned(answer: Message) -> Message:
    """Return a list whose next page is at another host, by the link names of all services."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(said, dict) or not isinstance(said.get("value"), list):
        return answer
    body = json.dumps({**said, **dict.fromkeys(("nextLink", "@odata.nextLink"), f"{ELSEWHERE}next")}).encode()
    return replace(answer, body=body).but(content_length=str(len(body)))


SPOILED: dict[str, Callable[[Message], Message]] = {
    "short": _short,
    "html200": lambda answer: http1.page("200 OK", answer),
    "empty200": lambda answer: replace(answer, first="HTTP/1.1 200 OK", body=b"").but(content_length="0"),
    "page502 after": lambda answer: http1.page("502 Bad Gateway", answer),
    "redirect": lambda answer: http1.page("307 Temporary Redirect", answer, location=ELSEWHERE),
    "next elsewhere": _turned,
    "no type": lambda answer: answer.but(content_type=None),
}


def _shifted(date: str, by: timedelta) -> str:
    try:
        return format_datetime(parsedate_to_datetime(date) + by, usegmt=True)
    except OverflowError:
        return date


async def _while_there(reading: Coroutine[Any, Any, Message | None], near: asyncio.StreamReader) -> Message | None:
    """Return the answer, as long as the command waits for it. Raises Gone."""
    task = asyncio.ensure_future(reading)
    try:
        while not (await asyncio.wait({task}, timeout=0.3))[0]:
            if near.at_eof():
                raise Gone
        return task.result()
    finally:
        task.cancel()
