"""Scene of the clients' tests: a seeded Azure, a principal that may pull, a running group, and rotator's real World
over both.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import pytest
from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import Clock as AzureClock
from local_azure.faults import Fault
from local_azure.graph.objects import Application, Password, ServicePrincipal
from local_azure.inprocess import Hop, Session, pause
from local_azure.seed import fill
from local_azure.seeded import Identity, Seeded
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import VirtualLoop, run

from rotator.clients import Transports, connect
from rotator.clients.world import AzureWorld
from rotator.policy import Policy
from rotator.resource_id import ResourceId

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD, USERNAME = "mycontainerregistry-pull-pwd", "mycontainerregistry-pull-usr"
IMAGE = "mycontainerregistry.azurecr.io/aci-helloworld:v1"


@dataclass
class Clock:
    """`ports.Clock` on the virtual loop; `slept` has every wait."""

    loop: VirtualLoop
    slept: list[float] = field(default_factory=list)

    def elapsed(self) -> float:
        return self.loop.time()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await pause(seconds)

    def attempt(self) -> str:
        return f"attempt{len(self.slept)}"


@dataclass
class Scene:
    """Azure and its objects; `world` is under test."""

    azure: Azure
    app: App
    hop: Hop
    seeded: Seeded
    clock: Clock
    application: Application
    service_principal: ServicePrincipal
    password: Password
    policy: Policy
    world: AzureWorld

    @property
    def app_id(self) -> str:
        return self.application.app_id

    @property
    def group_id(self) -> ResourceId:
        return self.policy.container_groups[0].id

    @property
    def registry_id(self) -> ResourceId:
        return self.policy.registries[0].id

    def fault(self, operation: str, kind: str = "status", **rest: Any) -> None:
        """Plan a fault from now on."""
        self.azure.faults.add(Fault(operation, kind, **rest))

    def served(self, since: int = 0) -> list[str]:
        """Return the served operations."""
        return [call.operation for call in self.app.served[since:]]

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return a container group that pulls as the principal."""
        entry = {"server": self.seeded.login_server, "username": self.app_id, "password": self.password.secret}
        container = {
            "name": "app",
            "properties": {"image": IMAGE, "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}}},
        }
        properties = {"containers": [container], "osType": "Linux", "imageRegistryCredentials": [entry], **changes}
        return {"location": "eastus", "tags": {}, "properties": properties}

    def deploy(self, group_id: str | None = None) -> str:
        """Deploy the group without HTTP; return its id."""
        where = group_id or self.group_id
        self.azure.container_groups.put(where, self.body(), "2025-09-01")
        self.azure.clock.advance(timedelta(minutes=2))
        return where

    def policy_with(self, **changes: Any) -> Policy:
        """Return the policy with some parts replaced."""
        return Policy.model_validate({**self.policy.model_dump(), **changes})


def scene(test: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a test on virtual time, with a Scene, signed in as the operator."""

    @wraps(test)
    def ran(monkeypatch: pytest.MonkeyPatch) -> None:
        async def main(loop: VirtualLoop) -> None:
            async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as made:
                await test(made)

        run(main)

    del ran.__wrapped__  # pytest would look for the arguments there
    return ran


def sign_in(monkeypatch: pytest.MonkeyPatch, who: Identity, tenant: str) -> None:
    """Sign in through the environment, as a person does."""
    for name, value in (("TENANT_ID", tenant), ("CLIENT_ID", who.app_id), ("CLIENT_SECRET", who.secret)):
        monkeypatch.setenv(f"AZURE_{name}", value)


@asynccontextmanager
async def set_up(loop: VirtualLoop, sign_in_as: Callable[[Identity, str], None]) -> AsyncIterator[Scene]:
    """Provide the scene, with a connected World."""
    azure = Azure.build(AzureClock(START, loop.time), seed=5, timing=PROMPT)
    seeded = fill(azure)
    app = build(azure)
    hop, clock = Hop(app), Clock(loop)
    application = azure.directory.create_application("pull")
    principal = azure.directory.create_service_principal(application.app_id)
    for owned in (application.id, principal.id):
        azure.directory.add_owner(owned, seeded.operator.object_id)
    azure.authorization.assign(seeded.registry_id, principal.id, "AcrPull", at_once=True)
    password = azure.directory.add_password(
        application, display_name="by hand", end=azure.clock.now() + timedelta(days=20)
    )
    sign_in_as(seeded.operator, seeded.tenant)
    transports = Transports(lambda: Session(hop))
    async with connect(clock, transports=transports) as world:
        policy = _policy(seeded, application.app_id)
        yield Scene(azure, app, hop, seeded, clock, application, principal, password, policy, world)


def _policy(seeded: Seeded, app_id: str) -> Policy:
    group = f"/subscriptions/{seeded.subscription}/resourceGroups/myResourceGroup/providers/Microsoft.ContainerInstance/containerGroups/mycontainer"
    content = {
        "name": "mycontainerregistry",
        "file": "policies/mycontainerregistry.yaml",
        "principal": {"app_id": app_id},
        "registries": [{"id": seeded.registry_id}],
        "key_vault": {"url": seeded.vault_url, "password_secret": PASSWORD, "username_secret": USERNAME},
        "container_groups": [{"id": group}],
    }
    return Policy.model_validate(content)
