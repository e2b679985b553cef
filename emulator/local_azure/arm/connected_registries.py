"""Operations on connected registries: what Azure keeps of a registry that is on premises.

Nothing is connected: each stays offline and inactive. Source: recorded ``az acr connected-registry`` (2024): every
change is done at once, 200 without an operation. The refusals could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.arm.access import ConnectedRegistry, RegistrySettings
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import removed, stamped, supported
from local_azure.arm.children import Children
from local_azure.arm.defaults import hosts
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.replications import restamped
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP
from local_azure.wire import Call, Json, Response, Route, ServiceError

_MODES = {mode.lower(): mode for mode in ("ReadWrite", "ReadOnly", "Registry", "Mirror")}
_ALWAYS = "* * * * *"
"""The schedule without a window (recorded)."""
_LOGGING = {"logLevel": "Information", "auditLogStatus": "Disabled"}


def connected_registry_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on connected registries."""
    of = _Connected(registries, "connectedRegistries")
    yield from of.routes()
    one = f"{GROUP}/providers/{registries.type}/{{name}}/connectedRegistries/{{child}}/deactivate"
    yield Route("arm.connectedRegistries.deactivate", "POST", one, of.deactivate)


@dataclass(frozen=True, slots=True)
class _Connected(Children[ConnectedRegistry]):
    def held(self, access: RegistrySettings) -> dict[str, ConnectedRegistry]:
        return access.connected

    def put(self, call: Call) -> Response:
        registry, access = self._writable(call)
        given, name = fields(call.request.json(), "properties"), call["child"]
        mode = _MODES.get(str(given.get("mode", "")).lower())
        parent = fields(given, "parent")
        if mode is None or not isinstance(fields(parent, "syncProperties").get("tokenId"), str):
            raise _invalid("A connected registry needs a mode and the token of its synchronization.")
        self._require_parent(registry, access, parent.get("id"))
        logged = {**_LOGGING, **fields(given, "logging")}
        lists = {each: given[each] for each in ("clientTokenIds", "notificationsList") if given.get(each)}
        made = ConnectedRegistry(name, mode, parent, logged, lists)
        old = access.connected.get(name.lower())
        return self._kept(call, registry, access, made, old)

    def patch(self, call: Call) -> Response:
        registry, access = self._writable(call)
        found, given = self.found(call, access), fields(call.request.json(), "properties")
        sync = {**fields(found.parent, "syncProperties"), **fields(given, "syncProperties")}
        if sync.get("schedule") == _ALWAYS:
            sync.pop("syncWindow", None)
        lists = {each: given[each] for each in ("clientTokenIds", "notificationsList") if given.get(each) is not None}
        made = ConnectedRegistry(
            found.name,
            found.mode,
            {**found.parent, "syncProperties": sync},
            {**found.logging, **fields(given, "logging")},
            {**found.lists, **lists},
        )
        return self._kept(call, registry, access, made, found)

    def delete(self, call: Call) -> Response:
        """Answer 200 with nothing, at once; one with children stays."""
        registry, access = self.of(call, "delete")
        self.registries.resources.require_unlocked(registry.id, "delete")
        found = access.connected.get(call["child"].lower())
        if found is None:
            return Response(204)
        own = f"{registry.id}/{self.kind}/{found.name}".lower()
        if any(str(each.parent.get("id", "")).lower() == own for each in access.connected.values()):
            raise _invalid(f"The connected registry '{found.name}' has children. Delete them first.")
        del access.connected[call["child"].lower()]
        return Response(200, headers=supported(call))

    def deactivate(self, call: Call) -> Response:
        """Answer 202; one that was never active stays as it is."""
        registry, access = self.of(call, "deactivate/action")
        found, resources = self.found(call, access), self.registries.resources
        resources.require_unlocked(registry.id, "write")
        about = f"{registry.id}/{self.kind}/{found.name}"
        return removed(call, resources, about, registry.location, self.word)

    def json(self, call: Call, registry: Resource, child: ConnectedRegistry) -> Json:
        parent, lists = child.parent, child.lists
        if not parent.get("id"):
            data = hosts({**registry.properties, "dataEndpointEnabled": True}, [registry.location])
            sync = {**parent["syncProperties"], "gatewayEndpoint": data["dataEndpointHostNames"][0]}
            parent = {**parent, "syncProperties": sync}
        properties = {
            "provisioningState": "Succeeded",
            "mode": child.mode,
            "connectionState": "Offline",
            "activation": {"status": "Inactive"},
            "parent": parent,
            **({"clientTokenIds": lists["clientTokenIds"]} if "clientTokenIds" in lists else {}),
            "loginServer": {"tls": {"certificate": {}}},
            "logging": child.logging,
            **({"notificationsList": lists["notificationsList"]} if "notificationsList" in lists else {}),
        }
        return {**self.head(registry, child.name), **stamped(call, child.stamp), "properties": properties}

    def _kept(
        self,
        call: Call,
        registry: Resource,
        access: RegistrySettings,
        made: ConnectedRegistry,
        old: ConnectedRegistry | None,
    ) -> Response:
        now = self.registries.resources.clock.now()
        made.stamp = restamped(old.stamp if old else None, call.who.app_id, now)
        access.connected[made.name.lower()] = made
        return Response.json(200, self.json(call, registry, made), supported(call))

    def _require_parent(self, registry: Resource, access: RegistrySettings, parent: Json) -> None:
        """Refuse a parent that isn't a connected registry of the same registry."""
        prefix = f"{registry.id}/{self.kind}/".lower()
        if parent and str(parent).lower().removeprefix(prefix) not in access.connected:
            raise _invalid(f"The parent '{parent}' of a connected registry could not be found.")

    def _writable(self, call: Call) -> tuple[Resource, RegistrySettings]:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        if (registry.sku or {}).get("name") != "Premium" or not registry.properties.get("dataEndpointEnabled"):
            raise _invalid("A connected registry needs a Premium registry with dedicated data endpoints.")
        return registry, access


def _invalid(message: str) -> ServiceError:
    return ServiceError(400, "InvalidRequestContent", message)
