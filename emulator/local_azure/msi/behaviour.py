"""User-assigned identities: each is a resource, and a service principal of type ManagedIdentity in the directory."""

from collections.abc import Iterator

from local_azure.arm.behaviour import IDENTITIES, Resource, Resources
from local_azure.graph.behaviour import Directory
from local_azure.graph.objects import ServicePrincipal


class Identities:
    """The user-assigned identities of all subscriptions; what they are is kept in their resources' properties."""

    def __init__(self, resources: Resources, directory: Directory) -> None:
        self.resources, self.directory = resources, directory
        resources.removed.append(self._gone)

    def put(self, resource_id: str, location: str, tags: dict[str, str] | None = None, *, by: str = "") -> Resource:
        """Create an identity, or change the tags of one.

        Raises ServiceError 404 where its resource group isn't there.
        """
        parts = resource_id.strip("/").split("/")
        group = self.resources.resource_group(parts[1], parts[3])
        existing = self.resources.get(resource_id)
        path = existing.id if existing else f"{group.id}/providers/{IDENTITIES}/{parts[-1]}"
        properties = existing.properties if existing else self._made(parts[-1], path)
        return self.resources.put(path, IDENTITIES, location, dict(properties), tags, by=by)

    def _made(self, name: str, path: str) -> dict[str, str]:
        principal = self.directory.create_identity(name, own_case(path))
        return {"tenantId": self.directory.tenant, "principalId": principal.id, "clientId": principal.app_id}

    def delete(self, resource_id: str) -> bool:
        """Remove an identity and the identity's service principal; False if no identity was found.

        Raises ServiceError 409 under a lock.
        """
        return self.resources.delete(resource_id)

    def _gone(self, resource: Resource) -> None:
        if resource.type.lower() == IDENTITIES.lower():
            self.directory.erase(resource.properties["principalId"])

    def every(self) -> Iterator[Resource]:
        """All of them."""
        for subscription in self.resources.state.subscriptions.values():
            yield from self.resources.list(subscription.id, type=IDENTITIES)

    def principal(self, resource_id: str) -> ServicePrincipal | None:
        """The service principal of an identity, by the identity's resource id."""
        found = self.resources.get(resource_id)
        return (
            self.directory.principal_by_id(found.properties["principalId"])
            if found and found.type.lower() == IDENTITIES.lower()
            else None
        )


def own_case(resource_id: str) -> str:
    """Return an identity's id in this provider's spelling: ``resourcegroups`` in lower case (recorded)."""
    return resource_id.replace("/resourceGroups/", "/resourcegroups/")
