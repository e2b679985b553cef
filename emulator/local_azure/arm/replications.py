"""Regions of a Premium registry's replications.

A pushed image is in all regions at once: a replication is a region with endpoints.

The first replication adds a replication of the home region (``az acr replication create``, recorded). The words for a
tier without replications could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.arm.access import Access, Replication
from local_azure.arm.behaviour import Resource
from local_azure.arm.children import Children, located
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError


def replication_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on replications."""
    replications = _Replications(registries, "replications")
    group = "/subscriptions/{subscription}/resourceGroups/{group}"
    one = f"{group}/providers/{registries.type}/{{name}}/replications/{{child}}"
    yield Route("arm.replications.create", "PUT", one, replications.put)
    yield Route("arm.replications.update", "PATCH", one, replications.patch)
    yield from replications.routes()


@dataclass(frozen=True, slots=True)
class _Replications(Children[Replication]):
    def held(self, access: Access) -> dict[str, Replication]:
        return access.replications

    def put(self, call: Call) -> Response:
        registry, access = self._writable(call)
        body = call.request.json()
        given, location, known = fields(body, "properties"), located(body), call["child"].lower() in access.replications
        zones, now = str(given.get("zoneRedundancy") or "Disabled"), self.registries.resources.clock.now()
        if not access.replications:
            home = registry.location.replace(" ", "").lower()
            access.replications[home] = Replication(
                home, home, {}, now, zones=str(registry.properties["zoneRedundancy"])
            )
        made = Replication(
            call["child"],
            location,
            tags_of(body),
            now,
            given.get("regionEndpointEnabled") is not False,
            zones,
        )
        access.replications[call["child"].lower()] = made
        return self.written(call, registry, made, new=not known)

    def patch(self, call: Call) -> Response:
        registry, access = self._writable(call)
        found, body = self.found(call, access), call.request.json()
        if body.get("tags") is not None:
            found.tags = tags_of(body)
        routed = fields(body, "properties").get("regionEndpointEnabled")
        found.routed = found.routed if routed is None else routed is True
        return self.written(call, registry, found, new=False)

    def _writable(self, call: Call) -> tuple[Resource, Access]:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        tier = str((registry.sku or {}).get("name"))
        if tier != "Premium":
            raise ServiceError(400, "ReplicationNotSupported", f"Geo-replication is not supported for the SKU {tier}.")
        return registry, access

    def json(self, registry: Resource, child: Replication) -> Json:
        own = f"{registry.id}/replications/{child.name}"
        ready = {"displayStatus": "Ready", "message": "The replication is ready.", "timestamp": iso(child.created)}
        properties = {
            "provisioningState": self.state(own),
            "status": ready,
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
        return {**head, "properties": properties}
