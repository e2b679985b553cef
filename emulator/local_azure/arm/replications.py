"""Regions of a Premium registry's replications.

A pushed image is in all regions at once: a replication is a region with endpoints.

The first replication adds a replication of the home region, made by the registries' own service principal (recorded).
The words for a tier without replications could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from local_azure.arm.access import RegistrySettings, Replication, Stamp
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import stamped
from local_azure.arm.children import Children, located
from local_azure.arm.home_region import bring_home
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError


def replication_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on replications."""
    return _Replications(registries, "replications").routes()


@dataclass(frozen=True, slots=True)
class _Replications(Children[Replication]):
    def held(self, access: RegistrySettings) -> dict[str, Replication]:
        return access.replications

    def put(self, call: Call) -> Response:
        registry, access = self._writable(call)
        body = call.request.json()
        given, location, known = fields(body, "properties"), located(body), call["child"].lower() in access.replications
        zones, now = str(given.get("zoneRedundancy") or "Disabled"), self.registries.resources.clock.now()
        old, first = access.replications.get(call["child"].lower()), not access.replications
        made = Replication(
            call["child"], location, tags_of(body), now, given.get("regionEndpointEnabled") is not False, zones
        )
        made.stamp = restamped(old.stamp if old else None, call.who.app_id, now)
        access.replications[call["child"].lower()] = made
        if first:
            bring_home(registry, access, now)
        return self.written(call, registry, made, new=not known)

    def patch(self, call: Call) -> Response:
        registry, access = self._writable(call)
        found, body = self.found(call, access), call.request.json()
        if body.get("tags") is not None:
            found.tags = tags_of(body)
        routed = fields(body, "properties").get("regionEndpointEnabled")
        found.routed = found.routed if routed is None else routed is True
        found.stamp = restamped(found.stamp, call.who.app_id, self.registries.resources.clock.now())
        return self.written(call, registry, found, new=False)

    def _writable(self, call: Call) -> tuple[Resource, RegistrySettings]:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        tier = str((registry.sku or {}).get("name"))
        if tier != "Premium":
            raise ServiceError(400, "ReplicationNotSupported", f"Geo-replication is not supported for the SKU {tier}.")
        return registry, access

    def region(self, registry: Resource, child: Replication) -> str:
        return child.location

    def fresh(self, shown: Json) -> None:
        """Take away the displayed status, which a new replication doesn't have yet (recorded)."""
        shown["properties"]["status"].pop("displayStatus", None)

    def json(self, call: Call, registry: Resource, child: Replication) -> Json:
        own = f"{registry.id}/replications/{child.name}"
        state = self.state(own)
        ready = {} if state == "Creating" else {"displayStatus": "Ready"}
        properties = {
            "provisioningState": state,
            "status": {**ready, "timestamp": iso(child.stamp.changed if child.stamp else child.created)},
            "regionEndpointEnabled": child.routed,
            "zoneRedundancy": child.zones,
        }
        head = {
            "type": f"{registry.type}/replications",
            "id": own,
            "name": child.name,
            "location": child.location,
            "tags": child.tags,
        }
        return {**head, **stamped(call, child.stamp), "properties": properties}


def restamped(old: Stamp | None, by: str, now: datetime) -> Stamp:
    """Return the stamp of an object that is made or changed now."""
    return Stamp(old.by, old.at, by, now) if old else Stamp.new(by, now)
