"""Scopes of resources: subscriptions, resource groups, and the locks on them.

Ids compare without case, as in Azure, and are shown as first written.
"""

import re
from collections.abc import Sequence

from local_azure.arm.state import Lock, ResourceGroup, ResourceState, Subscription
from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.rbac.scopes import encloses, scope_key
from local_azure.wire import ServiceError

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Scopes:
    """Subscriptions, resource groups and locks."""

    clock: Clock
    faults: Faults
    state: ResourceState

    def add_subscription(self, subscription_id: str, name: str) -> Subscription:
        """Create a subscription, which Resource Manager alone can't do.

        Raises 400 InvalidSubscriptionId, 409 where there is one.
        """
        if not GUID.fullmatch(subscription_id):
            raise _malformed(subscription_id)
        if subscription_id.lower() in self.state.subscriptions:
            raise ServiceError(
                409, "SubscriptionAlreadyExists", f"The subscription '{subscription_id}' already exists."
            )
        made = Subscription(subscription_id, name)
        self.state.subscriptions[subscription_id.lower()] = made
        return made

    def subscription(self, subscription_id: str) -> Subscription:
        """Find by id; 404 SubscriptionNotFound, 400 InvalidSubscriptionId."""
        found = self.state.subscriptions.get(subscription_id.lower())
        if found:
            return found
        if not GUID.fullmatch(subscription_id):
            raise _malformed(subscription_id)
        raise ServiceError(404, "SubscriptionNotFound", f"The subscription '{subscription_id}' could not be found.")

    def create_group(
        self, subscription_id: str, name: str, location: str, tags: dict[str, str] | None = None
    ) -> ResourceGroup:
        """Create a resource group or change the tags.

        The location can't change (409 InvalidResourceGroupLocation).
        """
        self.subscription(subscription_id)
        path = f"/subscriptions/{subscription_id}/resourceGroups/{name}"
        existing = self._standing().get(path.lower())
        if existing is None:
            existing = self.state.groups[path.lower()] = ResourceGroup(path, name, location)
        elif existing.location.lower() != location.lower():
            message = (
                f"Invalid resource group location '{location}'. The Resource group already exists in location"
                f" '{existing.location}'."
            )
            raise ServiceError(409, "InvalidResourceGroupLocation", message)
        existing.tags = None if tags is None else dict(tags)
        return existing

    def resource_group(self, subscription_id: str, name: str) -> ResourceGroup:
        """Find by name, in any case; 404 ResourceGroupNotFound."""
        found = self._standing().get(f"/subscriptions/{subscription_id}/resourceGroups/{name}".lower())
        if found is None:
            raise ServiceError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")
        return found

    def located(self, subscription_id: str, name: str) -> str:
        """Return the region of a resource group; ``global`` where there is none."""
        found = self._standing().get(f"/subscriptions/{subscription_id}/resourceGroups/{name}".lower())
        return found.location if found else "global"

    def groups(self, subscription_id: str) -> Sequence[ResourceGroup]:
        """The resource groups of a subscription."""
        return [g for key, g in self._standing().items() if encloses(f"/subscriptions/{subscription_id}", key)]

    def has_group(self, subscription_id: str, name: str) -> bool:
        """Tell if a group of this name exists, in any case."""
        return f"/subscriptions/{subscription_id}/resourceGroups/{name}".lower() in self._standing()

    def _standing(self) -> dict[str, ResourceGroup]:
        """Return the groups, without those already deleted."""
        now = self.clock.now()
        for key in [key for key, group in self.state.groups.items() if group.gone_at and group.gone_at <= now]:
            del self.state.groups[key]
        return self.state.groups

    def lock(self, scope: str, level: str = "CanNotDelete", name: str = "lock", notes: str | None = None) -> Lock:
        """Lock a scope, or change the scope's lock of the given name."""
        scope = "/" + scope.strip("/")
        made = Lock(f"{scope}/providers/Microsoft.Authorization/locks/{name}", name, scope, level, notes)
        self.state.locks[made.id.lower()] = made
        return made

    def unlock(self, scope: str, name: str = "lock") -> bool:
        """Remove a lock; False if there was none."""
        return (
            self.state.locks.pop(f"{scope_key(scope)}/providers/microsoft.authorization/locks/{name.lower()}", None)
            is not None
        )

    def locks(self, scope: str) -> Sequence[Lock]:
        """Return the locks in force at a scope: locks of the scope and of the scopes above."""
        return [lock for lock in self.state.locks.values() if encloses(lock.scope, scope)]

    def require_unlocked(self, scope: str, operation: str, *, below: bool = False) -> None:
        """Let a ``write`` or ``delete`` pass; raises 409 ScopeLocked.

        Any lock forbids deletion, ``ReadOnly`` writes too.

        With `below`, so do locks on what is inside. A planned fault ``ScopeLocked`` acts as a lock at `scope` itself.
        """
        locks = [lock.scope for lock in self.locks(scope) if operation == "delete" or lock.level.lower() == "readonly"]
        if below:
            locks += [
                lock.scope
                for lock in self.state.locks.values()
                if encloses(scope, lock.scope) and lock.scope not in locks
            ]
        if self.faults.active("ScopeLocked"):
            locks.append(scope)
        if locks:
            message = (
                f"The scope '{scope}' cannot perform {operation} operation because following scope(s) are locked:"
                f" '{','.join(locks)}'."
            )
            raise ServiceError(409, "ScopeLocked", f"{message} Please remove the lock and try again.")


def _malformed(subscription_id: str) -> ServiceError:
    return ServiceError(
        400,
        "InvalidSubscriptionId",
        f"The provided subscription identifier '{subscription_id}' is malformed or invalid.",
    )
