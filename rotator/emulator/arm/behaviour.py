"""What exists in the emulated subscriptions: resource groups, registries, vaults, and the locks on them.

Ids compare without case, as in Azure, and are shown as they were first written. Container groups are kept by their own service,
which adds itself to `also` so that the list of all resources has them too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from rotator.emulator.arm.access import Access, RegistryAccess
from rotator.emulator.arm.defaults import complete
from rotator.emulator.arm.operations import Operation, Operations
from rotator.emulator.clock import Clock
from rotator.emulator.faults import Faults
from rotator.emulator.ids import Ids
from rotator.emulator.rbac.behaviour import Authorization
from rotator.emulator.rbac.scopes import encloses, scope_key
from rotator.emulator.timing import Timing
from rotator.emulator.wire import Json, ServiceError

REGISTRIES, VAULTS = "Microsoft.ContainerRegistry/registries", "Microsoft.KeyVault/vaults"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


@dataclass(slots=True)
class Subscription:
    """A subscription of the one tenant."""

    id: str
    name: str
    state: str = "Enabled"


@dataclass(slots=True)
class ResourceGroup:
    """A resource group; `id` is its full path."""

    id: str
    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Resource:
    """Any tracked resource; `properties` are as its provider shows them."""

    id: str
    name: str
    type: str
    location: str
    properties: dict[str, Json]
    tags: dict[str, str]
    created: datetime
    changed: datetime
    sku: dict[str, Json] | None = None
    identity: dict[str, Json] | None = None
    created_by: str = ""
    changed_by: str = ""


@dataclass(slots=True)
class Lock:
    """A management lock, ``CanNotDelete`` or ``ReadOnly``, in force at `scope` and below."""

    id: str
    name: str
    scope: str
    level: str
    notes: str | None = None


@dataclass(slots=True)
class State:
    """All that changes, by lower-cased id; `names` finds a globally unique name (``type/name``, lower case)."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    groups: dict[str, ResourceGroup] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)


_Listers = list[Callable[[str], Iterable[Resource]]]


class Resources:
    """The inventory that every other service asks: which registry, which vault, which group, and what is locked."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, authorization: Authorization) -> None:
        self.clock, self.ids, self.timing, self.faults, self.authorization = clock, ids, timing, faults, authorization
        self.state = State()
        self.access = RegistryAccess(clock, ids, timing, lambda: self.state.access)
        """The admin users and tokens of registries."""
        self.operations = Operations(clock, ids, lambda: self.state.operations)
        self.also: _Listers = []
        """Services that keep resources of their own: each is asked for those of a subscription id."""
        authorization.locked = self.require_unlocked

    def add_subscription(self, subscription_id: str, name: str) -> Subscription:
        """Make a subscription, as nobody can through Resource Manager alone."""
        made = Subscription(subscription_id, name)
        self.state.subscriptions[subscription_id.lower()] = made
        return made

    def subscription(self, subscription_id: str) -> Subscription:
        """By id; 404 SubscriptionNotFound, 400 InvalidSubscriptionId."""
        found = self.state.subscriptions.get(subscription_id.lower())
        if found:
            return found
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", subscription_id):
            message = f"The provided subscription identifier '{subscription_id}' is malformed or invalid."
            raise ServiceError(400, "InvalidSubscriptionId", message)
        raise ServiceError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")

    def create_group(self, subscription_id: str, name: str, location: str, tags: dict[str, str] | None = None) -> ResourceGroup:
        """Make a resource group or change its tags; its location can't change (409 InvalidResourceGroupLocation)."""
        self.subscription(subscription_id)
        path = f"/subscriptions/{subscription_id}/resourceGroups/{name}"
        existing = self.state.groups.get(path.lower())
        if existing is None:
            existing = self.state.groups[path.lower()] = ResourceGroup(path, name, location)
        elif existing.location.lower() != location.lower():
            message = f"Invalid resource group location '{location}'. The Resource group already exists in location '{existing.location}'."
            raise ServiceError(409, "InvalidResourceGroupLocation", message)
        existing.tags = dict(tags or {})
        return existing

    def resource_group(self, subscription_id: str, name: str) -> ResourceGroup:
        """By name, in any case; 404 ResourceGroupNotFound."""
        found = self.state.groups.get(f"/subscriptions/{subscription_id}/resourceGroups/{name}".lower())
        if found is None:
            raise ServiceError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        return found

    def groups(self, subscription_id: str) -> Sequence[ResourceGroup]:
        """The resource groups of a subscription."""
        return [g for key, g in self.state.groups.items() if encloses(f"/subscriptions/{subscription_id}", key)]

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
        """Create a resource or replace it, with what its provider adds; 404 as above, 409 AlreadyInUse or VaultAlreadyExists."""
        parts = resource_id.strip("/").split("/")
        group = self.resource_group(parts[1], parts[3])
        path = f"{group.id}/providers/{type}/{parts[-1]}"
        self._claim(type, parts[-1], path)
        if type.lower() == VAULTS.lower():
            properties = {"tenantId": self.authorization.directory.tenant, **properties}
        now, existing = self.clock.now(), self.get(path)
        name, created = (existing.name, existing.created) if existing else (parts[-1], now)
        properties, sku = complete(type, name, location, properties, sku, created)
        made = Resource(existing.id if existing else path, name, type, location, properties, dict(tags or {}), created, now, sku, identity)
        made.created_by, made.changed_by = (existing.created_by if existing else by), by
        self.state.resources[path.lower()] = made
        self.state.names[f"{type}/{name}".lower()] = path.lower()
        return made

    def _claim(self, type: str, name: str, path: str) -> None:
        taken = self.state.names.get(f"{type}/{name}".lower())
        if taken in (None, path.lower()):
            return
        if type.lower() == VAULTS.lower():
            message = f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is already taken."
            raise ServiceError(409, "VaultAlreadyExists", message)
        if type.lower() == REGISTRIES.lower():
            message = f"The registry DNS name {name.lower()}.azurecr.io is already in use."
            raise ServiceError(409, "AlreadyInUse", message)

    def get(self, resource_id: str) -> Resource | None:
        """The resource with this id, in any case."""
        return self.state.resources.get(scope_key(resource_id))

    def find(self, type: str, name: str) -> Resource | None:
        """A resource whose name is unique in the whole cloud: a registry or a vault."""
        return self.state.resources.get(self.state.names.get(f"{type}/{name}".lower(), ""))

    def registry(self, login_server: str) -> Resource | None:
        """The registry that answers at this host (``mycontainerregistry.azurecr.io``)."""
        found = self.find(REGISTRIES, login_server.partition(".")[0])
        return found if found and found.properties["loginServer"].lower() == login_server.lower() else None

    def vault(self, host: str) -> Resource | None:
        """The vault that answers at this host (``myvault.vault.azure.net``)."""
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
        """Remove a resource; False if there was none. Raises 409 ScopeLocked."""
        found = self.get(resource_id)
        if found is None:
            return False
        self.require_unlocked(found.id, "delete")
        del self.state.resources[found.id.lower()]
        self.access.forget(found.id)
        self.state.names.pop(f"{found.type}/{found.name}".lower(), None)
        return True

    def lock(self, scope: str, level: str = "CanNotDelete", name: str = "lock", notes: str | None = None) -> Lock:
        """Lock a scope, or change the lock of that name there."""
        scope = "/" + scope.strip("/")
        made = Lock(f"{scope}/providers/Microsoft.Authorization/locks/{name}", name, scope, level, notes)
        self.state.locks[made.id.lower()] = made
        return made

    def unlock(self, scope: str, name: str = "lock") -> bool:
        """Remove a lock; False if there was none."""
        return self.state.locks.pop(f"{scope_key(scope)}/providers/microsoft.authorization/locks/{name.lower()}", None) is not None

    def locks(self, scope: str) -> Sequence[Lock]:
        """The locks in force at a scope: its own and those above it."""
        return [lock for lock in self.state.locks.values() if encloses(lock.scope, scope)]

    def require_unlocked(self, scope: str, operation: str) -> None:
        """Let a ``write`` or ``delete`` pass; raises 409 ScopeLocked. Any lock forbids deletion, ``ReadOnly`` writes too.

        A planned fault ``ScopeLocked`` acts as a lock at `scope` itself.
        """
        locks = [lock.scope for lock in self.locks(scope) if operation == "delete" or lock.level.lower() == "readonly"]
        if self.faults.active("ScopeLocked"):
            locks.append(scope)
        if locks:
            message = f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked: '{','.join(locks)}'."
            raise ServiceError(409, "ScopeLocked", f"{message} Please remove the lock and try again.")
