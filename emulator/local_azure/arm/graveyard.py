"""Deleted vaults, still recoverable: soft delete on the side of Resource Manager.

The names of deleted vaults stay taken.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from local_azure.arm.state import Grave, Resource
from local_azure.clock import Clock
from local_azure.wire import Json, ServiceError


def retention(properties: Mapping[str, Json]) -> int:
    """Return the days for which what is deleted can be recovered: 90, unless the vault was given others."""
    return int(properties.get("softDeleteRetentionInDays") or 90)


class Graveyard:
    """The deleted vaults of all subscriptions; `state` finds them by lower-cased name.

    Those past their time are purged on the way.
    """

    def __init__(self, clock: Clock, state: Callable[[], dict[str, Grave]], purged: Callable[[Resource], None]) -> None:
        self.clock, self._state, self._purged = clock, state, purged

    def bury(self, vault: Resource) -> None:
        """Keep a vault deleted now."""
        now, days = self.clock.now(), retention(vault.properties)
        self._state()[vault.name.lower()] = Grave(vault, now, now + timedelta(days=days))

    def find(self, name: str) -> Grave | None:
        """Find by name, in any case: names are unique in the whole cloud."""
        now, state = self.clock.now(), self._state()
        for over in [each for each in state.values() if each.purge_at <= now]:
            self._end(over)
        return state.get(name.lower())

    def of(self, subscription_id: str) -> list[Grave]:
        """The deleted vaults of one subscription."""
        found = [self.find(name) for name in list(self._state())]
        return [each for each in found if each and each.resource.id.split("/")[2].lower() == subscription_id.lower()]

    def get(self, subscription_id: str, location: str, name: str) -> Grave:
        """Return a deleted vault by subscription, location and name; 404 DeletedVaultNotFound."""
        for each in self.of(subscription_id):
            if (
                each.resource.name.lower() == name.lower()
                and each.resource.location.replace(" ", "").lower() == location.replace(" ", "").lower()
            ):
                return each
        message = (
            f"The specified deleted vault '{name}' does not exist. Ensure that the vault was indeed deleted and that it"
            " is in recoverable state. If soft delete was not enabled then the vault is permanently deleted."
            " Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2149745"
        )
        raise ServiceError(404, "DeletedVaultNotFound", message)

    def raise_up(self, grave: Grave) -> Resource:
        """Take out a recovered vault, and return the resource."""
        del self._state()[grave.resource.name.lower()]
        return grave.resource

    def purge(self, grave: Grave) -> None:
        """Delete a vault for good; 405 MethodNotAllowed if the vault has purge protection."""
        if grave.resource.properties.get("enablePurgeProtection"):
            raise ServiceError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
        self._end(grave)

    def _end(self, grave: Grave) -> None:
        del self._state()[grave.resource.name.lower()]
        self._purged(grave.resource)
