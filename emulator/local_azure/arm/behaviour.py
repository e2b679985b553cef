"""Resources of the emulated subscriptions: resource groups, registries, vaults, and their locks.

Ids compare without case, as in Azure, and are shown as first written. Container groups are kept by their own service.
The service adds itself to `also`, for container groups to be in the list of all resources.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from local_azure.arm.access import RegistryAccess
from local_azure.arm.budget import Budget
from local_azure.arm.defaults import complete, hosts
from local_azure.arm.graveyard import Graveyard
from local_azure.arm.login_servers import host_label
from local_azure.arm.operations import Operation, Operations, deletion_job
from local_azure.arm.scopes import Scopes
from local_azure.arm.state import Lock, Resource, ResourceGroup, ResourceState, Subscription
from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.ids import Ids
from local_azure.rbac.behaviour import Authorization
from local_azure.rbac.scopes import encloses, scope_key
from local_azure.timing import Timing
from local_azure.wire import Json, ServiceError

REGISTRIES, VAULTS = "Microsoft.ContainerRegistry/registries", "Microsoft.KeyVault/vaults"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


_Listers = list[Callable[[str], Iterable[Resource]]]


class Resources(Scopes):
    """Inventory for every other service: registries, vaults, groups and locks."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, authorization: Authorization) -> None:
        self.clock, self.ids, self.timing, self.faults, self.authorization = clock, ids, timing, faults, authorization
        self.state = ResourceState()
        self.access = RegistryAccess(clock, ids, timing, lambda: self.state.access)
        """The admin users and tokens of registries."""
        self.operations = Operations(clock, ids, lambda: self.state.operations)
        self.removed: list[Callable[[Resource], None]] = []
        """Services that keep data of a resource here: each is told when one is gone."""
        self.purged: list[Callable[[Resource], None]] = []
        """Services that keep what is in a vault: each is told when a deleted one is gone for good."""
        self.deleted_vaults = Graveyard(clock, lambda: self.state.deleted_vaults, self._tell_purged)
        self.budget = Budget(clock, lambda: self.state.buckets)
        self.also: _Listers = []
        """Services that keep resources of their own: each is asked for those of a subscription id."""
        self.taggers: list[Callable[[str, dict[str, str]], None]] = []
        """The same services: each is told the tags of a resource that it may keep."""
        self.removers: list[Callable[[str], None]] = []
        """The same services: each is told to remove all that it keeps at a scope and below."""
        authorization.locked = self.require_unlocked

    def delete_group(self, subscription_id: str, name: str) -> Operation:
        """Remove a group with all resources inside.

        The resources are gone at once; the group takes `group_gone` seconds.

        Raises 404, 409 ScopeLocked.
        """
        group = self.resource_group(subscription_id, name)
        self.require_unlocked(group.id, "delete", below=True)
        for resource in [r for r in self.state.resources.values() if encloses(group.id, r.id)]:
            self._remove(resource)
        for remove in self.removers:
            remove(group.id)
        self.authorization.forget(group.id)
        group.gone_at = self.clock.now() + timedelta(seconds=self.timing.group_gone)
        job = deletion_job(group.name, group.location, self.ids.guid().replace("-", ""))
        return self.operations.begin(group.id, "groups", self.timing.group_gone, "Deleting", named=job)

    def put(
        self,
        resource_id: str,
        type: str,
        location: str,
        properties: dict[str, Json],
        tags: dict[str, str] | None = None,
        sku: dict[str, Json] | None = None,
        identity: dict[str, Json] | None = None,
        *,
        by: str = "",
    ) -> Resource:
        """Create or replace a resource, with the provider's additions.

        Raises 404 ResourceGroupNotFound, 409 AlreadyInUse or VaultAlreadyExists.
        """
        parts = resource_id.strip("/").split("/")
        group = self.resource_group(parts[1], parts[3])
        path = f"{group.id}/providers/{type}/{parts[-1]}"
        if type.lower() == VAULTS.lower():
            properties = {"tenantId": self.authorization.directory.tenant, **properties}
        now, existing = self.clock.now(), self.get(path)
        name, created = (existing.name, existing.created) if existing else (parts[-1], now)
        claimed = self.public_name(type, name, path, existing.properties if existing else properties, created)
        self._claim(type, claimed, path)
        properties, sku = complete(type, claimed, location, properties, sku, created)
        made = Resource(
            existing.id if existing else path,
            name,
            type,
            location,
            properties,
            dict(tags or {}),
            created,
            now,
            sku,
            identity,
        )
        made.created_by, made.changed_by = (existing.created_by if existing else by), by
        self.state.resources[path.lower()] = made
        self.state.names[f"{type}/{claimed}".lower()] = path.lower()
        return made

    def public_name(
        self, type: str, name: str, resource_id: str, properties: dict[str, Json], created: datetime
    ) -> str:
        """Return the name unique in the whole cloud: a registry's login server label, else the resource's name.

        The label is the first part of the login server.
        """
        if type.lower() != REGISTRIES.lower():
            return name
        scope = str(properties.get("autoGeneratedDomainNameLabelScope") or "")
        return host_label(name, scope, self.authorization.directory.tenant, resource_id, created)

    def _claim(self, type: str, name: str, path: str) -> None:
        if type.lower() == VAULTS.lower() and (grave := self.deleted_vaults.find(name)):
            raise (
                vault_deleted()
                if grave.resource.id.lower() == path.lower()
                else ServiceError(409, "VaultAlreadyExists", vault_taken(name))
            )
        taken = self.state.names.get(f"{type}/{name}".lower())
        if taken in (None, path.lower()):
            return
        if type.lower() == VAULTS.lower():
            raise ServiceError(409, "VaultAlreadyExists", vault_taken(name))
        if type.lower() == REGISTRIES.lower():
            api = "https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability"
            message = f"The registry DNS name {name.lower()}.azurecr.io is already in use."
            raise ServiceError(
                409,
                "AlreadyInUse",
                f"{message} You can check if the name is already claimed using following API: {api}",
            )

    def get(self, resource_id: str) -> Resource | None:
        """Return the resource with the given id, in any case."""
        return self.state.resources.get(scope_key(resource_id))

    def find(self, type: str, name: str) -> Resource | None:
        """A resource whose name is unique in the whole cloud: a registry or a vault."""
        return self.state.resources.get(self.state.names.get(f"{type}/{name}".lower(), ""))

    def registry(self, login_server: str) -> Resource | None:
        """Return the registry at a host: its login server, or the endpoint of one of its regions."""
        found, host = self.find(REGISTRIES, login_server.partition(".")[0]), login_server.lower()
        if found is None or found.properties["loginServer"].lower() == host:
            return found
        return found if host in self.endpoints(found)["regionalEndpointHostNames"] else None

    def endpoints(self, registry: Resource) -> dict[str, Json]:
        """Return the names of a registry's endpoints in all its regions."""
        replications = self.access.of(registry.id).replications.values()
        regions = {registry.location.replace(" ", "").lower(), *(each.location for each in replications)}
        return hosts(registry.properties, sorted(regions))

    def vault(self, host: str) -> Resource | None:
        """Return the vault at a host (``myvault.vault.azure.net``)."""
        found = self.find(VAULTS, host.partition(".")[0])
        return found if found and urlsplit(found.properties["vaultUri"]).hostname == host.lower() else None

    def list(self, subscription_id: str, group: str | None = None, type: str | None = None) -> Iterator[Resource]:
        """The resources of a subscription, of one of its groups, or of one type in either."""
        scope = f"/subscriptions/{subscription_id}" + (f"/resourceGroups/{group}" if group else "")
        others = (resource for lister in self.also for resource in lister(subscription_id))
        for resource in (*self.state.resources.values(), *others):
            if encloses(scope, resource.id) and (type is None or resource.type.lower() == type.lower()):
                yield resource

    def delete(self, resource_id: str) -> bool:
        """Remove a resource (a vault only softly); False if there was none. Raises 409 ScopeLocked."""
        found = self.get(resource_id)
        if found is None:
            return False
        self.require_unlocked(found.id, "delete", below=True)
        self._remove(found)
        return True

    def _remove(self, resource: Resource) -> None:
        """Remove a resource with the role assignments, tokens and other dependent objects."""
        del self.state.resources[resource.id.lower()]
        claimed = self.public_name(resource.type, resource.name, resource.id, resource.properties, resource.created)
        self.state.names.pop(f"{resource.type}/{claimed}".lower(), None)
        self.access.forget(resource.id)
        self.authorization.directory.erase(str((resource.identity or {}).get("principalId", "")))
        self.authorization.forget(resource.id)
        if resource.type.lower() == VAULTS.lower():
            self.deleted_vaults.bury(resource)
        for removed in self.removed:
            removed(resource)

    def recover_vault(self, vault_id: str) -> Resource:
        """Recover a deleted vault in the old place, with all contents.

        Raises 404 DeletedVaultNotFound, ResourceGroupNotFound.
        """
        parts = vault_id.strip("/").split("/")
        self.resource_group(parts[1], parts[3])
        grave = self.deleted_vaults.find(parts[-1])
        if grave is None or grave.resource.id.lower() != scope_key(vault_id):
            raise ServiceError(
                404, "DeletedVaultNotFound", f"The specified deleted vault '{parts[-1]}' does not exist."
            )
        found = self.deleted_vaults.raise_up(grave)
        self.state.resources[found.id.lower()] = found
        self.state.names[f"{found.type}/{found.name}".lower()] = found.id.lower()
        return found

    def _tell_purged(self, vault: Resource) -> None:
        for purged in self.purged:
            purged(vault)


def vault_taken(name: str) -> str:
    """Return the message for a vault name in use, or of a vault deleted elsewhere."""
    return (
        f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is"
        " already taken. If you are sure that the vault name was not taken then it is possible that a vault with the"
        " same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in"
        " a recoverable state then the vault will need to be purged before reusing the name. For more information on"
        " soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740."
    )


def vault_deleted() -> ServiceError:
    """The same vault is there, deleted."""
    message = (
        "A vault with the same name already exists in deleted state. You need to either recover or purge existing key"
        " vault."
    )
    more = "Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete."
    return ServiceError(409, "ConflictError", f"{message} {more}")


__all__ = [
    "REGISTRIES",
    "VAULTS",
    "Lock",
    "Resource",
    "ResourceGroup",
    "ResourceState",
    "Resources",
    "Subscription",
    "vault_deleted",
    "vault_taken",
]
