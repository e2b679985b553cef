"""Quota and use of container groups and cores by subscription and region (azure-facts A10).

Every group counts from the PUT to the DELETE; a stopped group counts without cores. Limits are those of a pay-as-you-go
subscription. Support raises the limits, and so does :meth:`Quotas.allow`.
"""

import re
from collections import Counter
from collections.abc import Callable

from local_azure.aci.state import ContainerGroup, ContainerState
from local_azure.wire import Json, ServiceError

LIMITS = {
    "ContainerGroups": 100,
    "StandardCores": 100,
    "StandardSpotCores": 100,
    "StandardK80Cores": 0,
    "StandardP100Cores": 0,
    "StandardV100Cores": 0,
    "DedicatedContainerGroups": 0,
    "DedicatedCores": 100,
    "ConfidentialContainerGroups": 100,
    "ConfidentialCores": 100,
}
"""Quotas of a subscription in one region; groups that are dedicated or confidential have their own (recorded, 2024)."""
SKUS = ("Dedicated", "Confidential")

UNBOUNDED = 10**9
"""A limit too high to be reached: no requests are counted for it."""


class Quotas:
    """Count the groups and cores of a subscription in a region."""

    def __init__(self, state: Callable[[], ContainerState]) -> None:
        self._state = state

    def allow(self, subscription: str, location: str, name: str, limit: int) -> None:
        """Set a limit, as support does on request. KeyError for a name that Azure has no quota of."""
        LIMITS[name]
        self._state().limits[_key(subscription, location, name)] = limit

    def limit(self, subscription: str, location: str, name: str) -> int:
        """Return a subscription's limit of groups or cores in a region."""
        return self._state().limits.get(_key(subscription, location, name), LIMITS[name])

    def used(self, subscription: str, location: str, *, but: str = "") -> Counter[str]:
        """Return a subscription's use of a region, without the group with the id `but`."""
        found: Counter[str] = Counter()
        within = f"/subscriptions/{subscription.lower()}/"
        for key, group in self._state().groups.items():
            if key.startswith(within) and key != but.lower() and group.resource["location"] == location:
                found.update(_needs(group.resource, running=not group.terminated))
        return found

    def usages(self, subscription: str, location: str) -> list[Json]:
        """Return the list shown by a location's ``usages``."""
        used = self.used(subscription, location)
        base = f"/subscriptions/{subscription}/providers/Microsoft.ContainerInstance/locations/{location}/usages"
        return [
            {
                "id": f"{base}/{name if name.endswith('Groups') else name[0].lower() + name[1:]}",
                "unit": "Count",
                "currentValue": int(used[name]),
                "limit": self.limit(subscription, location, name),
                "name": {"value": name, "localizedValue": _words(name)},
            }
            for name in LIMITS
        ]

    def check(self, group_id: str, resource: dict[str, Json], old: ContainerGroup | None) -> None:
        """Refuse a group for which there is no room.

        Raises ServiceError: 409 ServiceUnavailable, 400 ContainerGroupQuotaReached.
        """
        subscription, location = group_id.strip("/").split("/")[1], resource["location"]
        wanted = _needs(resource, running=True)
        if old and not old.terminated:
            wanted.subtract(_needs(old.resource, running=True))
        elif old:
            wanted["ContainerGroups"] -= 1
        limits = {name: self.limit(subscription, location, name) for name, count in wanted.items() if count > 0}
        if all(limit >= UNBOUNDED for limit in limits.values()):
            return
        used = self.used(subscription, location)
        for name, limit in limits.items():
            if used[name] + wanted[name] > limit:
                raise _reached(name, location, limit, used[name], wanted[name])


def _needs(resource: dict[str, Json], *, running: bool) -> Counter[str]:
    properties = resource["properties"]
    own = properties.get("sku") if properties.get("sku") in SKUS else ""
    found: Counter[str] = Counter({f"{own}ContainerGroups": 1})
    if not running:
        return found
    for container in properties["containers"]:
        requests = container["properties"]["resources"]["requests"]
        sort = requests["gpu"]["sku"] if "gpu" in requests else "Spot" if properties.get("priority") == "Spot" else ""
        found[f"{own}Cores" if own else f"Standard{sort}Cores"] += requests["cpu"]
    return found


def _words(name: str) -> str:
    """Return a quota's name in words; those of confidential groups say dedicated (recorded)."""
    return re.sub(r"(?<=[a-z0])(?=[A-Z])", " ", name.replace("Confidential", "Dedicated"))


def _reached(name: str, location: str, limit: int, used: float, wanted: float) -> ServiceError:
    what = (
        f"Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota '{name}' exceeded in region"
        f" '{location}'."
    )
    message = f"{what} Limit: '{limit}', Usage: '{used:g}' Requested: '{wanted:g}'."
    if name.endswith("ContainerGroups"):
        return ServiceError(409, "ServiceUnavailable", message)
    return ServiceError(400, "ContainerGroupQuotaReached", message)


def _key(subscription: str, location: str, name: str) -> str:
    return f"{subscription} {location} {name}".lower()
