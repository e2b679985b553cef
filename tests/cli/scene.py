"""Scene of the commands' tests: the real command line, engine and clients on virtual time, against the emulator in
process.
"""

import json
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.graph.objects import Application, Password
from local_azure.inprocess import Hop, Session, pause
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop, run
from ruamel.yaml import YAML
from typer import testing
from typer.testing import CliRunner

from rotator.cli import wiring
from rotator.cli.app import command_line
from rotator.clients import Transports, connect
from rotator.ports import Clock, World

T = TypeVar("T")
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PASSWORD = "mycontainerregistry-pull-pwd"
NAME = "mycontainerregistry"
testing._get_command = cache(testing._get_command)  # type: ignore[attr-defined]
"""A command made once from its functions: making all of them takes longer than most of them run."""
IMAGE, JOB = "mycontainerregistry.azurecr.io/aci-helloworld:v1", "mycontainerregistry.azurecr.io/nightly:v1"


@dataclass
class Time:
    """Virtual time across commands, each of which has its own loop."""

    loop: VirtualLoop | None = None
    reached: float = 0.0
    attempts: int = 0

    def elapsed(self) -> float:
        return self.loop.time() if self.loop else self.reached

    async def sleep(self, seconds: float) -> None:
        await pause(seconds)

    def attempt(self) -> str:
        self.attempts += 1
        return f"attempt{self.attempts}"

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in place of `wiring.run`."""

        def on(loop: VirtualLoop) -> Coroutine[Any, Any, T]:
            self.loop = loop
            return main

        try:
            return run(on, self.reached)
        finally:
            assert self.loop
            self.reached, self.loop = self.loop.time(), None


@dataclass(frozen=True)
class Said:
    """Output and exit code of one command."""

    code: int
    out: str
    err: str
    raised: BaseException | None = field(repr=False, default=None)

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Scene:
    """Azure with a hand-made principal, a running group, and a policy about both."""

    azure: Azure
    app: App
    seeded: Seeded
    application: Application
    password: Password
    policies: Path
    time: Time
    skew: timedelta = timedelta()
    """Time by which this machine's clock is ahead of Azure's."""

    def __call__(self, *arguments: str) -> Said:
        """Run a command, as a shell without a terminal does."""
        done = CliRunner().invoke(command_line(arguments), [*arguments])
        raised = done.exception if not isinstance(done.exception, SystemExit) else None
        return Said(done.exit_code, done.stdout, done.stderr, raised)

    def group_id(self, name: str = "mycontainer") -> str:
        return f"/subscriptions/{self.seeded.subscription}/resourceGroups/myResourceGroup/providers/Microsoft.ContainerInstance/containerGroups/{name}"

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.azure.clock.advance(timedelta(**span))

    def write(self, name: str = NAME, **changes: Any) -> None:
        """Write the policy, with some parts replaced."""
        content = {
            "principal": {"app_id": self.application.app_id},
            "registries": [{"id": self.seeded.registry_id}],
            "key_vault": {"url": self.seeded.vault_url, "password_secret": PASSWORD},
            "proof": {"times": 1, "over": "0s"},
            "container_groups": [{"id": self.group_id()}],
            **changes,
        }
        with (self.policies / f"{name}.yaml").open("w") as file:
            YAML().dump(content, file)

    def deploy(self, name: str = "mycontainer", image: str = IMAGE, restart: str = "Always") -> None:
        """Deploy a group by hand."""
        entry = {
            "server": self.seeded.login_server,
            "username": self.application.app_id,
            "password": self.password.secret,
        }
        container = {
            "name": "app",
            "properties": {"image": image, "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}}},
        }
        properties = {
            "containers": [container],
            "osType": "Linux",
            "restartPolicy": restart,
            "imageRegistryCredentials": [entry],
        }
        self.azure.container_groups.put(
            self.group_id(name), {"location": "eastus", "properties": properties}, "2025-09-01"
        )
        self.pass_(minutes=5)

    def live(self) -> set[str]:
        """Return the key ids of the application's passwords."""
        found = self.azure.directory.application(self.application.app_id)
        assert found
        now = self.azure.clock.now()
        return {
            password.key_id for password in found.passwords if password.gone_from is None or password.gone_from > now
        }

    def pulls(self, name: str = "mycontainer") -> bool:
        """Tell if the platform could move the group now."""
        return self.azure.container_groups.could_pull(self.group_id(name))

    def served(self, since: int = 0) -> list[str]:
        """Return the served operations."""
        return [call.operation for call in self.app.served[since:]]


def make(monkeypatch: pytest.MonkeyPatch, directory: Path) -> Scene:
    """Return the scene, signed in as the operator; only `rotator.cli.wiring` is replaced."""
    time = Time()
    azure = Azure.build(AzureClock(START, time.elapsed), seed=7, timing=PROMPT)
    seeded, served = fill(azure), build(azure)
    application = azure.directory.create_application("pull")
    principal = azure.directory.create_service_principal(application.app_id)
    for owned in (application.id, principal.id):
        azure.directory.add_owner(owned, seeded.operator.object_id)
    azure.authorization.assign(seeded.registry_id, principal.id, "AcrPull", at_once=True)
    password = azure.directory.add_password(
        application, display_name="by hand", end=azure.clock.now() + timedelta(days=365)
    )
    azure.vaults.set("myvault", PASSWORD, password.secret)
    _sign_in(monkeypatch, seeded)
    _replace_graph(monkeypatch, served, time)
    for name, value in (("ROTATOR_POLICIES", "policies"), ("ROTATOR_LEASE_DIR", "leases")):
        (directory / value).mkdir()
        monkeypatch.setenv(name, str(directory / value))
    made = Scene(azure, served, seeded, application, password, directory / "policies", time)
    monkeypatch.setattr(wiring, "now", lambda: azure.clock.now() + made.skew)
    made.deploy()
    made.write()
    return made


def _sign_in(monkeypatch: pytest.MonkeyPatch, seeded: Seeded) -> None:
    who = seeded.operator
    for name, value in (("TENANT_ID", seeded.tenant), ("CLIENT_ID", who.app_id), ("CLIENT_SECRET", who.secret)):
        monkeypatch.setenv(f"AZURE_{name}", value)


def _replace_graph(monkeypatch: pytest.MonkeyPatch, served: App, time: Time) -> None:
    def connected(cloud: str) -> tuple[Clock, AbstractAsyncContextManager[World]]:
        hop = Hop(served)
        return time, connect(time, cloud, Transports(lambda: Session(hop)))

    monkeypatch.setattr(wiring, "connected", connected)
    monkeypatch.setattr(wiring, "run", time.run)
