"""The bridge against the emulator: in process, on virtual time, as the emulator's administrator."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from local_azure.app import App
from local_azure.azure import Azure as Emulated
from local_azure.clock import Clock as AzureClock
from local_azure.inprocess import Hop, Session
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.wire import Request
from typer.testing import CliRunner

from live.azure import Azure
from live.hidden import Hidden
from live.marks import Marks
from live.ports import Said
from live.removal import Removal
from live.run import Bridge
from live.scene import Scene
from rotator.cli import wiring
from rotator.cli.app import command_line
from rotator.clients import Transports, connect
from rotator.cloud import PUBLIC
from rotator.ports import Clock, World
from tests.cli.scene import START, Time

Alter = Callable[[httpx.Request, httpx.Response], httpx.Response]
GROUP, RUN, OTHER = "live", "0a1b2c", "3d4e5f"


@dataclass
class Waiting:
    """Clock that only waits move."""

    time: Time

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time.elapsed())

    def elapsed(self) -> float:
        return self.time.elapsed()

    def sleep(self, seconds: float) -> None:
        self.time.reached += seconds


class InProcess(httpx.BaseTransport):
    """Emulator in place of the network; an answer may be altered on its way."""

    def __init__(self, app: App, alter: Alter | None = None) -> None:
        self.app, self.alter = app, alter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.app.handle(Request.parse(request.method, str(request.url), request.headers, request.read()))
        body = b"" if request.method == "HEAD" else answer.body
        came = httpx.Response(answer.status, headers=answer.headers, content=body, request=request)
        return self.alter(request, came) if self.alter else came


@dataclass
class Admin:
    """Credential of the seeded administrator."""

    azure: Emulated
    seeded: Seeded

    def token(self, scope: str) -> str:
        who = self.seeded.admin
        return str(self.azure.tokens.issue(self.seeded.tenant, who.app_id, who.secret, scope)["access_token"])


class Commands:
    """Commands of rotator in this process, on virtual time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def __call__(self, arguments: Sequence[str], policies: str) -> Said:
        self.patch.setenv("ROTATOR_POLICIES", policies)
        self.patch.setenv("ROTATOR_LEASE_DIR", f"{policies}/.leases")
        done = CliRunner().invoke(command_line(arguments), [*arguments])
        return Said(done.exit_code, done.output)


def absent(arguments: Sequence[str], policies: str) -> Said:
    """Answer as a shell without rotator."""
    return Said(127, "no rotator")


@dataclass
class Local:
    """Emulated Azure, with the ports of a run."""

    alter: Alter | None = None
    time: Time = field(default_factory=Time)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.azure = Emulated.build(AzureClock(START, self.time.elapsed), seed=7)
        self.seeded = fill(self.azure)
        self.app = build(self.azure)
        self.clock = Waiting(self.time)
        self.wire = Azure(self.client(self.alter), Admin(self.azure, self.seeded), PUBLIC, self.clock, Hidden())

    def client(self, alter: Alter | None) -> httpx.Client:
        """Return a connection to the same Azure."""
        return httpx.Client(transport=InProcess(self.app, alter))

    def removal(self) -> Removal:
        """Return the removal of `make live-clean`."""
        return Removal(self.wire, self.seeded.subscription, GROUP)

    def marks(self, run: str = RUN) -> Marks:
        return Marks(self.seeded.subscription, GROUP, run)

    def scene(self) -> Scene:
        """Return the scene of a run with its resource group, and no other resource yet."""
        who = self.seeded.admin.object_id
        ids = self.azure.ids.guid
        made = Scene(self.wire, self.marks(), "eastus", self.seeded.tenant, who, self.clock, ids)
        self.wire.arm("PUT", made.group_path, made.tagged())
        return made

    def bridge(self, directory: Path, patch: pytest.MonkeyPatch | None = None, run: str = RUN) -> Bridge:
        """Return a whole run; with `patch` it also plays rotator's own commands."""
        rotator = self._rotator(patch) if patch else absent
        ids, tell = self.azure.ids.guid, self.told.append
        chain = patch is not None
        return Bridge(self.wire, self.marks(run), "eastus", self.clock, ids, rotator, directory, tell, chain=chain)

    def _rotator(self, patch: pytest.MonkeyPatch) -> Commands:
        who = self.seeded.admin
        for name, value in (
            ("TENANT_ID", self.seeded.tenant),
            ("CLIENT_ID", who.app_id),
            ("CLIENT_SECRET", who.secret),
        ):
            patch.setenv(f"AZURE_{name}", value)
        patch.setattr(wiring, "connected", self._connected)
        patch.setattr(wiring, "run", self.time.run)
        patch.setattr(wiring, "now", self.azure.clock.now)
        return Commands(patch)

    def _connected(self, cloud: str) -> tuple[Clock, AbstractAsyncContextManager[World]]:
        hop = Hop(self.app)
        return self.time, connect(self.time, cloud, Transports(lambda: Session(hop)))
