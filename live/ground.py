"""Ground of a run: resource group, registry, vault, roles and principals, each with the run's mark on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar, cast

from live.azure import Answer, Azure, Stopped
from live.hidden import Hidden
from live.marks import Marks
from live.ports import Clock

T = TypeVar("T")
SLOW = 900.0
"""Seconds to wait for a role or a password; ten minutes are documented (azure-facts F4)."""
IMAGE = "azuredocs/aci-helloworld:latest"
"""Image to import: public, small, with a shell, and serving until stopped."""
PULL, REPOSITORY, TAGGED = "AcrPull", "aci-helloworld", "aci-helloworld:v1"
OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
}
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


def once(make: Callable[[Any], T]) -> Callable[[Any], T]:
    """Make a part of the scene at its first use; a part that failed is not tried again."""

    @wraps(make)
    def made(scene: "Ground") -> T:
        name = make.__name__
        if name not in scene.parts:
            try:
                scene.parts[name] = make(scene)
            except Stopped as stopped:
                scene.parts[name] = stopped
        if isinstance(found := scene.parts[name], Stopped):
            raise found
        return cast("T", found)

    return made


@dataclass(frozen=True, slots=True)
class Principal:
    """Application of the run with its service principal and a password of the application."""

    app_id: str
    application: str
    service_principal: str
    password: str = field(repr=False)
    key_id: str
    added: Answer = field(repr=False)


@dataclass
class Ground:
    """Azure of one run, without container groups."""

    azure: Azure
    marks: Marks
    location: str
    tenant: str
    object_id: str
    """Object id of the run's identity."""
    clock: Clock
    new_id: Callable[[], str] = field(repr=False)
    parts: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def hidden(self) -> Hidden:
        """Secrets and names to keep out of every report."""
        return self.azure.hidden

    @property
    def subscription_path(self) -> str:
        """Path of the subscription."""
        return f"/subscriptions/{self.marks.subscription}"

    @property
    def group_path(self) -> str:
        """Path of the resource group."""
        return f"{self.subscription_path}/resourceGroups/{self.marks.group}"

    @property
    def server(self) -> str:
        """Login server of the run's registry."""
        return f"{self.marks.short}.{self.azure.cloud.registry_suffix}"

    @property
    def vault_url(self) -> str:
        """Address of the run's vault."""
        return f"https://{self.marks.short}.{self.azure.cloud.vault_suffix}"

    def tagged(self, **body: Any) -> dict[str, Any]:
        """Return the body of a resource with its location and the tags of the run."""
        return {"location": self.location, "tags": self.marks.tags, **body}

    def put(self, path: str, body: object, what: str, version: str = "") -> Answer:
        """Make a resource of Resource Manager and wait for its end. Raises Stopped."""
        answer = self.azure.arm("PUT", path, body, version)
        end = self.azure.finished(answer) if answer.status < 400 else answer
        if end.status >= 400 or end.at("status") in ("Failed", "Canceled"):
            raise Stopped(f"{what} could not be made", end)
        return answer

    @once
    def registry(self) -> Answer:
        """Make the registry with the image; return the answer to the registry's PUT."""
        path = f"{self.group_path}/providers/Microsoft.ContainerRegistry/registries/{self.marks.short}"
        made = self.put(path, self.tagged(sku={"name": "Basic"}), "The registry")
        self._settled(path, "The registry")
        source = {"registryUri": "mcr.microsoft.com", "sourceImage": IMAGE}
        taken = self.azure.arm("POST", f"{path}/importImage", {"source": source, "targetTags": [TAGGED]})
        if (end := self.azure.finished(taken)).status >= 400:
            raise Stopped(f"{IMAGE} could not be imported", end)
        return made

    @property
    def registry_path(self) -> str:
        """Path of the registry, made at first use."""
        self.registry()
        return f"{self.group_path}/providers/Microsoft.ContainerRegistry/registries/{self.marks.short}"

    def _settled(self, path: str, what: str) -> Answer:
        """Wait until a resource is provisioned. Raises Stopped."""
        states = ("Succeeded", "Failed", "Canceled")
        shown = self.azure.until(
            lambda: self.azure.arm("GET", path),
            lambda each: each.status >= 400 or each.at("properties", "provisioningState") in states,
            SLOW,
            5,
        )
        if shown.at("properties", "provisioningState") != "Succeeded":
            raise Stopped(f"{what} was not provisioned", shown)
        return shown

    @once
    def bare_vault(self) -> Answer:
        """Make the vault, without any role assignment yet; return the answer to its PUT."""
        sku = {"family": "A", "name": "standard"}
        properties = {"tenantId": self.tenant, "sku": sku, "softDeleteRetentionInDays": 7}
        body = self.tagged(properties=properties)
        made = self.put(self.vault_path, body, "The vault")
        self._settled(self.vault_path, "The vault")
        return made

    @property
    def vault_path(self) -> str:
        """Path of the vault."""
        return f"{self.group_path}/providers/Microsoft.KeyVault/vaults/{self.marks.short}"

    @once
    def vault(self) -> str:
        """Address of the vault, on which the run's identity may write secrets."""
        self.bare_vault()
        self.assigned(self.vault_path, OFFICER, self.object_id)
        tried = self.azure.until(
            lambda: self.azure.vault("GET", f"{self.vault_url}/secrets"), lambda each: each.status == 200, SLOW, 10
        )
        if tried.status != 200:
            raise Stopped("The vault could not be read a quarter of an hour after the role was given", tried)
        return self.vault_url

    def assigned(self, scope: str, role: str, object_id: str) -> Answer:
        """Assign a role to a principal; an existing assignment is fine. Raises Stopped."""
        definition = f"{self.subscription_path}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        properties = {"roleDefinitionId": definition, "principalId": object_id}
        answer = self.azure.until(
            lambda: self.azure.arm("PUT", f"{scope}/{ASSIGNMENTS}/{self.new_id()}", {"properties": properties}),
            lambda each: each.code != "PrincipalNotFound",
            SLOW,
            10,
        )
        if answer.status not in (200, 201) and answer.code != "RoleAssignmentExists":
            raise Stopped("The role could not be given", answer)
        return answer

    def application(self, what: str, **more: object) -> Answer:
        """Make an application with the run's mark. Raises Stopped."""
        body = {"displayName": self.marks.called(what), "tags": [self.marks.mark], **more}
        made = self.azure.graph("POST", "/applications", body)
        if made.status >= 400:
            raise Stopped("An application could not be made", made)
        return made

    def principal(self, what: str) -> Principal:
        """Make an application with a service principal and a password. Raises Stopped."""
        made = self.application(what)
        application, app_id = str(made.at("id")), str(made.at("appId"))
        body = {"appId": app_id, "tags": [self.marks.mark]}
        owned = self.azure.until(
            lambda: self.azure.graph("POST", "/servicePrincipals", body), lambda each: each.status == 201, 120, 5
        )
        if owned.status != 201:
            raise Stopped("A service principal could not be made", owned)
        credential = {"passwordCredential": {"displayName": self.marks.mark}}
        address = f"/applications/{application}/addPassword"
        added = self.azure.until(
            lambda: self.azure.graph("POST", address, credential), lambda each: each.status != 404, 120, 5
        )
        if added.status >= 400:
            raise Stopped("A password could not be added", added)
        secret, key_id = str(added.at("secretText")), str(added.at("keyId"))
        return Principal(app_id, application, str(owned.at("id")), secret, key_id, added)
