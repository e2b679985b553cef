"""Small Azure for the tests of container groups and registries: one registry with images, and a principal that may
pull.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken
from local_azure.arm.behaviour import REGISTRIES, VAULTS
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.faults import Fault
from local_azure.graph.objects import Application
from local_azure.services import build
from local_azure.timing import PROMPT, Timing
from local_azure.wire import Request

TENANT = "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"
REGISTRY = f"{GROUP}/providers/{REGISTRIES}/mycontainerregistry"
SERVER = "mycontainerregistry.azurecr.io"
ID = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups/mycontainer"
ARM = "https://management.azure.com"
IMAGE = f"{SERVER}/app:v1"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BRISK = Timing(secret_valid=0, secret_gone=0, replicas=1, graph_read=0, role_active=0, role_gone=0)
"""Timing without propagation, but with containers that take time: pulled after 5 s, started after 20 s, jobs run for 60
s.
"""


@dataclass(frozen=True)
class Answer:
    """Answer as a client reads it."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        error = self.body.get("error") or self.body["errors"][0]
        return str(error["code"])


@dataclass
class Puller:
    """Service principal, with its secret and the secret's key id."""

    application: Application
    oid: str
    secret: str
    key_id: str

    @property
    def app_id(self) -> str:
        return self.application.app_id


class World:
    """Registry, images, an owner who signs every ARM call, and `puller` with AcrPull."""

    def __init__(self, timing: Timing = PROMPT) -> None:
        self.clock = Clock(START, lambda: 0.0)
        self.azure = Azure.build(self.clock, seed=3, timing=timing, tenant=TENANT)
        self.app = build(self.azure)
        self.azure.resources.add_subscription(SUBSCRIPTION, "Test")
        self.azure.resources.create_group(SUBSCRIPTION, "myResourceGroup", "eastus")
        self.azure.resources.put(REGISTRY, REGISTRIES, "eastus", {}, sku={"name": "Premium"})
        self.azure.resources.put(f"{GROUP}/providers/{VAULTS}/myvault", VAULTS, "eastus", {})
        for tag in ("v1", "latest"):
            self.azure.registries.push(SERVER, "app", tag)
        self.azure.registries.push(SERVER, "job", "ok", exit_code=0, run_seconds=30, logs="one\ntwo\nthree\n")
        self.azure.registries.push(SERVER, "job", "bad", exit_code=2, run_seconds=30)
        self.owner, self.puller = self.principal("owner"), self.principal("puller")
        self.azure.authorization.assign(f"/subscriptions/{SUBSCRIPTION}", self.owner.oid, "Owner", at_once=True)
        self.role = self.azure.authorization.assign(REGISTRY, self.puller.oid, "AcrPull", at_once=True)

    def principal(self, name: str) -> Puller:
        application = self.azure.directory.create_application(name)
        oid = self.azure.directory.create_service_principal(application.app_id).id
        password = self.azure.directory.add_password(application, end=START + timedelta(days=3650))
        return Puller(application, oid, password.secret, password.key_id)

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Return the owner's token, as azure-identity would fetch it."""
        return AccessToken(self.token(self.owner, scopes[0]), 4_000_000_000)

    def token(self, who: Puller, scope: str = "https://management.azure.com/.default") -> str:
        return str(self.azure.tokens.issue(TENANT, who.app_id, who.secret, scope)["access_token"])

    def wait(self, **period: float) -> None:
        self.clock.advance(timedelta(**period))

    def fault(self, kind: str, operation: str = "aci.containerGroups.createOrUpdate", **more: Any) -> None:
        self.azure.faults.add(Fault(operation, kind, **more))

    def send(self, method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        response = self.app.handle(Request.parse(method, url, headers or {}, content))
        return Answer(response.status, response.headers, response.body)

    def arm(self, method: str, path: str, body: object = None, *, who: Puller | None = None) -> Answer:
        """Send one signed ARM call; `path` may be a whole URL."""
        url = path if path.startswith("https:") else f"{ARM}{path}{'&' if '?' in path else '?'}api-version=2023-05-01"
        return self.send(method, url, body, {"Authorization": f"Bearer {self.token(who or self.owner)}"})

    def registry(
        self,
        method: str,
        path: str,
        *,
        basic: tuple[str, str] | None = None,
        bearer: str = "",
        body: bytes = b"",
        **headers: str,
    ) -> Answer:
        if basic:
            headers["Authorization"] = "Basic " + b64encode(":".join(basic).encode()).decode()
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return self.send(method, f"https://{SERVER}{path}", body, headers)

    @property
    def basic(self) -> tuple[str, str]:
        return self.puller.app_id, self.puller.secret

    def body(self, image: str = IMAGE, *, secret: str | None = None, **properties: Any) -> dict[str, Any]:
        """Return a group's PUT as az sends it, with one container `app`, on the ports of the group's address."""
        requests = {"memoryInGB": 1.5, "cpu": 1.0}
        credential = {"server": SERVER, "username": self.puller.app_id, "password": secret or self.puller.secret}
        ports = (properties.get("ipAddress") or {}).get("ports")
        run = {"image": image, "resources": {"requests": requests}, **({"ports": ports} if ports else {})}
        return {
            "location": "eastus",
            "tags": {},
            "properties": {
                "containers": [{"name": "app", "properties": run}],
                "imageRegistryCredentials": [credential],
                "osType": "Linux",
                **properties,
            },
        }

    def deploy(self, image: str = IMAGE, *, seconds: float = 20, **properties: Any) -> None:
        """PUT a group, and let `seconds` pass."""
        answer = self.arm("PUT", ID, self.body(image, **properties))
        assert answer.status in (200, 201), answer.content
        self.wait(seconds=seconds)

    def properties(self) -> dict[str, Any]:
        return dict(self.arm("GET", ID).body["properties"])

    def view(self, index: int = 0) -> dict[str, Any]:
        return dict(self.properties()["containers"][index]["properties"]["instanceView"])

    def events(self) -> list[tuple[str, int]]:
        return [(event["name"], event["count"]) for event in self.view()["events"]]
