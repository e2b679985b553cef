"""Tests of the printed commands of `rotator doctor`, pasted into bash with stock ``az`` on PATH: each mends its world
of `tests/doctor`.

They run where ``az`` is, as `tests/az/test_az.py`. One server serves one world after the other; ``az`` signs in once,
since all have the same tenant.
"""

import asyncio
import itertools
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from local_azure.app import App
from local_azure.authority import Authority, named
from local_azure.environment import AZ as QUIET
from local_azure.environment import _settle_version
from local_azure.proxy import Proxy
from local_azure.server import HttpServer, loopback
from local_azure.wire import Request, Response

import tests.cli.scene
from tests.az.test_az import AZ
from tests.cli.scene import Scene, make
from tests.doctor.mending import mend
from tests.doctor.verbs import GLOBAL, VERBS
from tests.doctor.worlds import WORLDS, World
from tests.remedy.test_remedy import CASES

pytestmark = pytest.mark.skipif(
    AZ is None, reason="the Azure CLI is not here: put az on PATH, or name it in ROTATOR_AZ"
)


@dataclass
class Stage:
    """Server of the current world under Azure's names. `script` starts ``az`` with access to the server."""

    script: str = ""
    directory: Path = Path()
    app: App | None = field(default=None, repr=False)

    def handle(self, request: Request) -> Response:
        assert self.app
        return self.app.handle(request)

    def serves(self, host: str) -> bool:
        return bool(named(host) and self.app and any(each.serves(host) for each in self.app.services))

    def az(self, *words: str) -> str:
        """Run one command of ``az``; return its output."""
        return subprocess.run(
            ["sh", "-c", self.script, "az", *words], capture_output=True, text=True, check=True
        ).stdout


@contextmanager
def _served(stage: Stage, authority: Authority) -> Iterator[int]:
    """Serve from a thread; the proxy's port."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    port = [0]

    async def main() -> None:
        inner = loopback()
        server = HttpServer(stage, authority.context())  # type: ignore[arg-type]
        serving = asyncio.create_task(server.serve(sockets=[inner]))
        proxy = Proxy(stage.serves, inner.getsockname())
        listener = await proxy.listen("127.0.0.1", 0)
        port[0] = listener.sockets[0].getsockname()[1]
        ready.set()
        await done.wait()
        listener.close()
        proxy.close()
        server.should_exit = True
        await serving

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    assert AZ
    directory, found = tmp_path_factory.mktemp("az"), Stage()
    with _served(found, Authority(directory)) as port:
        trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(directory / "ca.pem"))
        variables = {
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "NO_PROXY": "",
            **trusted,
            **QUIET,
            "AZURE_CONFIG_DIR": str(directory),
            "HOME": str(directory),
        }
        _settle_version(AZ, {**os.environ, **variables}, directory / "versionCheck.json")
        found.directory = directory
        found.script = (
            f"#!/bin/sh\nexec env {shlex.join(f'{name}={value}' for name, value in variables.items())}"
            f' {shlex.quote(AZ)} "$@"\n'
        )
        with pytest.MonkeyPatch.context() as patch:
            _signed_in(found, _of_today(patch, tmp_path_factory.mktemp("scene")))
        yield found


def _of_today(patch: pytest.MonkeyPatch, directory: Path) -> Scene:
    """Return a scene in today's time: az itself sets a password's start."""
    patch.setattr(
        tests.cli.scene, "START", datetime.fromtimestamp(directory.stat().st_mtime, UTC).replace(microsecond=0)
    )
    return make(patch, directory)


def _signed_in(stage: Stage, scene: Scene) -> None:
    stage.app, who = scene.app, scene.seeded.admin
    stage.az(
        "login",
        "--service-principal",
        "--username",
        who.app_id,
        f"--password={who.secret}",
        "--tenant",
        scene.seeded.tenant,
    )


@pytest.mark.parametrize("world", [world for world in WORLDS if not world.not_by_az], ids=lambda world: world.id)
def test_stock_az_mends_what_doctor_finds(
    world: World, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scene = _of_today(monkeypatch, tmp_path)
    stage.app = scene.app
    for cache in stage.directory.glob("msal_token_cache.*"):
        cache.unlink()
    mend(world, scene, tmp_path / "terminal", {"az": stage.script})


def test_stock_az_has_every_option_that_is_printed_and_needs_no_other() -> None:
    assert AZ
    helped = {verb: _help(AZ, verb.split()) for verb in {*VERBS, *(verb for verb, _ in PRINTED)}}
    lacking = {
        (verb, option)
        for verb, options in (*((verb, each[1]) for verb, each in VERBS.items()), *PRINTED)
        for option in (*options, *GLOBAL)
        if not re.search(rf"{option}(?=\s|$)", helped[verb])
    }
    assert lacking == set()
    needed = {
        verb: [line.partition("[Required]")[0].split() for line in REQUIRED.findall(text)]
        for verb, text in helped.items()
    }
    assert [(verb, names) for verb, options in PRINTED for names in needed[verb] if not {*names} & {*options}] == []


REQUIRED = re.compile(r"^ *-.*\[Required\]", re.MULTILINE)
"""Pattern of az's help on an option that has to be there."""


def _printed() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each command of `rotator.remedy` for az: its verb, and its options."""
    for line in (line for _, lines in CASES.values() for line in lines):
        program, *words = shlex.split(line)
        verb = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
        if program == "az":
            yield " ".join(verb), tuple(w.partition("=")[0] for w in words[len(verb) :] if re.match("--[a-z]", w))


PRINTED = tuple(_printed())


def _help(command: str, words: list[str]) -> str:
    return subprocess.run([command, *words, "--help"], capture_output=True, text=True, check=True).stdout
