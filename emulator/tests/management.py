"""Small Azure for the tests of Resource Manager, role-based access control and Key Vault: no containers, no images."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from azure.core.credentials import AccessToken
from local_azure.app import App
from local_azure.arm.behaviour import REGISTRIES, VAULTS, Resources
from local_azure.arm.wire import Arm
from local_azure.clock import Clock
from local_azure.entra.behaviour import Tokens
from local_azure.faults import Faults
from local_azure.graph.behaviour import Directory
from local_azure.ids import Ids
from local_azure.keyvault.behaviour import Vaults
from local_azure.keyvault.management import routes as secrets
from local_azure.keyvault.wire import KeyVault
from local_azure.rbac.behaviour import Authorization
from local_azure.rbac.wire import routes
from local_azure.timing import PROMPT, Timing
from local_azure.wire import Request, Response

TENANT = "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"
REGISTRY = f"{GROUP}/providers/{REGISTRIES}/mycontainerregistry"
VAULT = f"{GROUP}/providers/{VAULTS}/myvault"
ARM, VAULT_URL = "https://management.azure.com", "https://myvault.vault.azure.net"
START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """Answer as a client reads it."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Identity:
    """Service principal with a secret; also a TokenCredential for the SDKs."""

    world: "World"
    app_id: str
    oid: str
    secret: str

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Return a token, as azure-identity would fetch it."""
        token = self.world.tokens.issue(TENANT, self.app_id, self.secret, scopes[0])["access_token"]
        return AccessToken(token, 4_000_000_000)

    def call(self, method: str, url: str, body: object = None) -> Answer:
        """Send one signed request."""
        scope = "https://vault.azure.net/.default" if ".vault." in url else "https://management.azure.com/.default"
        headers = {"Authorization": f"Bearer {self.get_token(scope).token}", "Content-Type": "application/json"}
        return self.world.call(method, url, body, headers)


class Signed:
    """Identity for the asynchronous SDKs."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return self.identity.get_token(*scopes)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class World:
    """One subscription with a resource group, a registry and a vault, and an owner who administers the vault."""

    def __init__(self, timing: Timing = PROMPT) -> None:
        self.clock, ids, self.faults = Clock(START, lambda: 0.0), Ids(7), Faults()
        self.directory = Directory(self.clock, ids, timing, self.faults, TENANT)
        self.tokens = Tokens(self.clock, ids, timing, self.faults, self.directory)
        self.authorization = Authorization(self.clock, ids, timing, self.faults, self.directory)
        self.resources = Resources(self.clock, ids, timing, self.faults, self.authorization)
        self.vaults = Vaults(self.clock, ids, timing, self.faults, self.resources, self.authorization)
        arm = Arm(self.tokens, self.resources, (*routes(self.authorization), *secrets(self.vaults)))
        self.app = App(self.clock, ids, (KeyVault(self.tokens, self.vaults), arm), self.faults)
        self.resources.add_subscription(SUBSCRIPTION, "Test")
        self.resources.create_group(SUBSCRIPTION, "myResourceGroup", "eastus")
        self.resources.put(REGISTRY, REGISTRIES, "eastus", {}, sku={"name": "Standard"})
        self.resources.put(VAULT, VAULTS, "eastus", {})
        self.owner = self.identity("owner")
        for role in ("Owner", "Key Vault Administrator"):
            self.authorization.assign(f"/subscriptions/{SUBSCRIPTION}", self.owner.oid, role, at_once=True)

    def identity(self, name: str) -> Identity:
        """Create a service principal that can sign in and has no rights."""
        application = self.directory.create_application(name)
        principal = self.directory.create_service_principal(application.app_id)
        password = self.directory.add_password(application, end=START + timedelta(days=3650))
        self.clock.advance(timedelta(minutes=5))
        return Identity(self, application.app_id, principal.id, password.secret)

    def call(self, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request unchanged; `body` is sent as JSON."""
        sent = b"" if body is None else json.dumps(body).encode()
        response: Response = self.app.handle(Request.parse(method, url, headers or {}, sent))
        return Answer(response.status, response.headers, json.loads(response.body) if response.body else None)
