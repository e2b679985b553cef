"""Run the emulator in this process until it is stopped.

An entry point: here the machine's clock is read, once, as the start of Azure's time; from then on only elapsed time
counts.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from local_azure.app import App
from local_azure.arm.clouds import CLOUDS, PUBLIC
from local_azure.arm.clouds import named as cloud_named
from local_azure.authority import Authority, named
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.control import Control
from local_azure.detached import Settings
from local_azure.directory import AlreadyRunning, Running, StateDirectory
from local_azure.private import UnreadableState
from local_azure.proxy import Proxy, TurnedAway
from local_azure.seed import TENANT, fill
from local_azure.server import HttpServer, loopback
from local_azure.services import build
from local_azure.store import load, restore, save, time_of
from local_azure.timing import TIMINGS

SAVE_EVERY = 3.0
"""Seconds between two checks for unsaved changes."""


@dataclass(slots=True)
class Emulator:
    """An emulated Azure saved in a file."""

    azure: Azure
    app: App
    path: Path
    token: str = field(repr=False)
    identity_header: str = field(repr=False)
    turned_away: list[TurnedAway] = field(default_factory=list)
    _seen: int = 0

    def save(self, *, always: bool = False) -> None:
        """Save the state, if a client changed it since the last time."""
        news, self._seen = self.app.served[self._seen :], len(self.app.served)
        if always or any(call.method not in ("GET", "HEAD") for call in news):
            save(self.azure, self.path)


def open_emulator(settings: Settings) -> Emulator:
    """Load the saved Azure, or seed a new one.

    Time passed while no emulator ran has passed for Azure too. Raises UnreadableState.
    """
    directory = settings.directory
    if settings.fresh:
        directory.forget()
    content, now, began = load(directory.state), datetime.now(UTC), time.monotonic()
    start = now if content is None else max(now, time_of(content))
    clock = Clock(start, elapsed=lambda: time.monotonic() - began)
    azure = Azure.build(clock, seed=secrets.randbits(64), timing=TIMINGS[settings.timing], tenant=TENANT)
    if content is None:
        directory.keep(fill(azure, cloud_named(settings.cloud)))
    else:
        restore(azure, content)
    header = secrets.token_hex(16)
    emulator = Emulator(azure, build(azure, header), directory.state, secrets.token_urlsafe(32), header)
    control = Control(azure, emulator.app, emulator.token, emulator.turned_away)
    emulator.app.services = (*emulator.app.services, control)
    return emulator


async def serve(emulator: Emulator, settings: Settings, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set; announces itself in the state directory when ready.

    Raises OSError where the port is taken.
    """
    directory = settings.directory
    app, local = (
        emulator.app,
        replace(emulator.app, services=tuple(s for s in emulator.app.services if s.name == "msi")),
    )
    secure, plain = HttpServer(app, Authority(directory.path).context()), HttpServer(local, None)
    async with _serving(secure) as upstream, _serving(plain) as identities:
        proxy = Proxy(
            lambda host: named(host) and any(s.serves(host) for s in app.services),
            upstream,
            identities,
            emulator.turned_away,
        )
        try:
            listener = await proxy.listen("127.0.0.1", settings.port)
            emulator.save(always=True)
            port = listener.sockets[0].getsockname()[1]
            directory.announce(Running(os.getpid(), port, upstream[1], emulator.token, emulator.identity_header))
            await _until(stopping, emulator)
            listener.close()
        finally:
            proxy.close()


@asynccontextmanager
async def _serving(server: HttpServer) -> AsyncIterator[tuple[str, int]]:
    """Run a server at an address of its own; yield the address when the server is ready."""
    inner = loopback()
    serving = asyncio.create_task(server.serve(sockets=[inner]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield inner.getsockname()
    finally:
        server.should_exit = True
        await serving


async def _until(stopping: asyncio.Event, emulator: Emulator) -> None:
    try:
        while not stopping.is_set():
            emulator.save()
            try:
                async with asyncio.timeout(SAVE_EVERY):
                    await stopping.wait()
            except TimeoutError:
                continue
    finally:
        emulator.save(always=True)


async def _run(settings: Settings) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await serve(open_emulator(settings), settings, stopping)


def run(settings: Settings) -> None:
    """Serve in the foreground until SIGTERM or SIGINT.

    Raises AlreadyRunning, UnreadableState, OSError where the port is taken.
    """
    settings.directory.make()
    with settings.directory.held():
        asyncio.run(_run(settings))


def main() -> None:
    """Run a detached emulator."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--timing", choices=tuple(TIMINGS), default="azure")
    parser.add_argument("--cloud", choices=tuple(cloud.short for cloud in CLOUDS), default=PUBLIC.short)
    given = parser.parse_args()
    try:
        run(Settings(StateDirectory(given.dir), given.port, given.fresh, given.timing, given.cloud))
    except (AlreadyRunning, UnreadableState, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
