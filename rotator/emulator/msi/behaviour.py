"""User-assigned identities: each is a resource, and a service principal of type ManagedIdentity in the directory."""

from collections.abc import Iterator

from rotator.emulator.arm.behaviour import IDENTITIES, Resource, Resources
from rotator.emulator.graph.behaviour import Directory
from rotator.emulator.graph.objects import ServicePrincipal
from rotator.emulator.rbac.scopes import encloses


class Identities:
    """The user-assigned identities of all subscriptions; what they are is kept in their resources' properties."""

    def __init__(self, resources: Resources, directory: Directory) -> None:
        self.resources, self.directory = resources, directory
        resources.removers.append(self._remove_all)

    def _remove_all(self, group_id: str) -> None:
        """With a resource group go the service principals of its identities."""
        for principal in [*self.directory.state.principals.values()]:
            names: list[str] = principal.properties.get("alternativeNames") or [""]
            if principal.properties.get("servicePrincipalType") == "ManagedIdentity" and encloses(group_id, names[-1]):
                self.directory.erase(principal.id)

    def put(self, resource_id: str, location: str, tags: dict[str, str] | None = None, *, by: str = "") -> Resource:
        """Create an identity, or change the tags of one. Raises ServiceError 404 where its resource group isn't there."""
        parts = resource_id.strip("/").split("/")
        group = self.resources.resource_group(parts[1], parts[3])
        existing = self.resources.get(resource_id)
        path = existing.id if existing else f"{group.id}/providers/{IDENTITIES}/{parts[-1]}"
        properties = existing.properties if existing else self._made(parts[-1], path)
        return self.resources.put(path, IDENTITIES, location, dict(properties), tags, by=by)

    def _made(self, name: str, path: str) -> dict[str, str]:
        principal = self.directory.create_identity(name, path)
        return {"tenantId": self.directory.tenant, "principalId": principal.id, "clientId": principal.app_id}

    def delete(self, resource_id: str) -> bool:
        """Remove an identity and its service principal; False if there was none. Raises ServiceError 409 where it is locked."""
        found = self.resources.get(resource_id)
        if not self.resources.delete(resource_id) or found is None:
            return False
        self.directory.erase(found.properties["principalId"])
        return True

    def every(self) -> Iterator[Resource]:
        """All of them."""
        for subscription in self.resources.state.subscriptions.values():
            yield from self.resources.list(subscription.id, type=IDENTITIES)

    def principal(self, resource_id: str) -> ServicePrincipal | None:
        """The service principal of an identity, by the identity's resource id."""
        found = self.resources.get(resource_id)
        return self.directory.principal_by_id(found.properties["principalId"]) if found and found.type.lower() == IDENTITIES.lower() else None
