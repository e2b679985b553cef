"""Virtual networks, subnets, peerings and security groups: as far as a container group and a vault's rules name them.

Nothing is connected to anything. Source: recordings of azure-cli (2024, 2025): a PUT is 201 or 200 with
``Azure-AsyncOperation``, a deletion 202 with ``Location``, and everything has an ``etag``; the descriptions of
Microsoft.Network for what is in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from local_azure.arm import peerings
from local_azure.arm.addresses import availability, inhabited
from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.network_shape import ADDED, ENDPOINTS, INTERFACES, NETWORKS, SECURITY, complete, etagged, refusal
from local_azure.arm.network_uses import require_unnamed, require_unused, subnets_of
from local_azure.arm.operations import Operation
from local_azure.arm.private_endpoints import fresh, names_of, require_subnet
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from local_azure.wire import Call, Json, Response, Route, ServiceError

SOON = {NETWORKS: {"Retry-After": "3"}, SECURITY: {"Retry-After": "1"}, ENDPOINTS: {"Retry-After": "10"}}
"""When to ask again, by type (recorded)."""
GONE_SOON = {**SOON, NETWORKS: {"Retry-After": "10"}, INTERFACES: {"Retry-After": "4"}}
"""When to ask again after a deletion, by type (recorded of networks and interfaces)."""
TAGGED, PLACE = "tagged", "extendedLocation"
"""Kept of a network that was given tags, even none: it shows them (recorded)."""
_HEAD, _POLICIES = ("provisioningState", "resourceGuid", "addressSpace"), "privateEndpointVNetPolicies"
POLICIES_SINCE = "2024-03-01"
"""The first api-version that shows a network's ``privateEndpointVNetPolicies`` (recorded until 2026)."""


def network_routes(resources: Resources) -> Iterator[Route]:
    """The operations of Microsoft.Network on networks, subnets, security groups and their rules."""
    for type_, parts in ADDED.items():
        kind, path = type_.rsplit("/", 1)[-1], f"/providers/{type_}"
        of, one = Networks(resources, type_), f"{GROUP}/providers/{type_}/{{name}}"
        yield Route(f"network.{kind}.list", "GET", GROUP + path, of.list)
        yield Route(f"network.{kind}.listAll", "GET", SUBSCRIPTION + path, of.list)
        verbs: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
            ("get", "GET", of.get),
            ("createOrUpdate", "PUT", of.put),
            ("updateTags", "PATCH", of.patch),
            ("delete", "DELETE", of.remove),
        )
        for verb, method, handler in verbs:
            yield Route(f"network.{kind}.{verb}", method, one, handler)
        if type_ == NETWORKS:
            yield Route("network.checkIPAddress", "GET", f"{one}/CheckIPAddressAvailability", of.check_address)
        for part in parts:
            inside = _Peerings(of, part) if part == peerings.PART else _Parts(of, part)
            yield Route(f"network.{part}.list", "GET", f"{one}/{part}", inside.every)
            yield Route(f"network.{part}.get", "GET", f"{one}/{part}/{{part}}", inside.get)
            if part != "defaultSecurityRules":
                yield Route(f"network.{part}.createOrUpdate", "PUT", f"{one}/{part}/{{part}}", inside.put)
                yield Route(f"network.{part}.delete", "DELETE", f"{one}/{part}/{{part}}", inside.remove)
    base = f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}"
    yield Route("network.operations", "GET", base + "/operations/{operation}", partial(_status, resources))
    yield Route("network.operationResults", "GET", base + "/operationResults/{operation}", partial(_result, resources))


def _status(resources: Resources, call: Call) -> Response:
    over = _over(resources, call, "operations")
    return Response.json(200, {"status": "Succeeded" if over else "InProgress"}, {} if over else SOON[NETWORKS])


def _result(resources: Resources, call: Call) -> Response:
    """Return 202, then 204, each with both addresses (recorded)."""
    over = _over(resources, call, "operationResults")
    own = f"https://{call.request.host}{call.request.path}?api-version={call.request.query['api-version']}"
    status = own.replace("/operationResults/", "/operations/")
    headers = {"Location": own, "azure-asyncoperation": status, "azure-asyncnotification": "Enabled"}
    return Response(204, headers=headers) if over else Response.json(202, None, {**headers, **SOON[NETWORKS]})


def _over(resources: Resources, call: Call, name: str) -> bool:
    action = f"Microsoft.Network/locations/{name}/read"
    resources.authorization.require(call.who, action, f"/subscriptions/{call['subscription']}")
    return resources.operations.over(resources.operations.get(call["operation"]))


@dataclass(frozen=True, slots=True)
class Networks(Tracked):
    """Resources of one type of Microsoft.Network: networks, security groups, private endpoints, interfaces."""

    def json(self, call: Call, resource: Resource) -> Json:
        """Return the resource in the order of recorded answers; the etag changes with every change."""
        shown = {
            "name": resource.name,
            "id": resource.id,
            "etag": resource.properties["etag"],
            "type": resource.type,
            "location": resource.location,
            **({"tags": resource.tags} if resource.tags or resource.properties.get(TAGGED) else {}),
            **({PLACE: resource.properties[PLACE]} if PLACE in resource.properties else {}),
        }
        own = resource.properties["own"]
        if self.type == NETWORKS and call.request.query["api-version"] >= POLICIES_SINCE:
            own = {**dict.fromkeys(_HEAD), _POLICIES: "Disabled", **own}
        if self.type == NETWORKS:
            capital = call.request.method == "GET"
            own = {
                **own,
                "subnets": [inhabited(self.resources, each, capital=capital) for each in own["subnets"]],
                peerings.PART: [peerings.shown(self.resources, resource, each) for each in own[peerings.PART]],
            }
        if self.type == ENDPOINTS:
            own = {**own, "customDnsConfigs": names_of(self.resources, own)}
        return {**shown, "properties": own}

    def get(self, call: Call) -> Response:
        """One resource, with its etag as a header; 404 ResourceNotFound."""
        self.require(call, "read")
        found = self.found(call)
        return Response.json(200, self.json(call, found), {"ETag": found.properties["etag"]})

    def check_address(self, call: Call) -> Response:
        """Tell if a private address is free."""
        self.require(call, "read")
        return Response.json(200, availability(self.found(call), call.request.query.get("ipaddress", "")))

    def put(self, call: Call) -> Response:
        """Create a network or a security group, or replace an existing one with all parts."""
        path, body = self.require(call, "write"), call.request.json()
        self.resources.require_unlocked(path, "write")
        if self.type == ENDPOINTS:
            require_subnet(self.resources, path, fields(body, "properties"))
        if not body.get("location"):
            raise refusal(400, "LocationRequired", "The location property is required for this definition.")
        existing = self.resources.get(path)
        before = self.json(call, existing) if existing else None
        given = self._peered(fields(body, "properties"), existing)
        if self.type == NETWORKS and existing:
            given["subnets"] = subnets_of(self.resources, given, existing, call.request.query["api-version"])
        made = self.keep(path, body["location"], given, tags_of(body), existing)
        if body.get("tags") is not None:
            made.properties[TAGGED] = True
        if body.get(PLACE) is not None:
            made.properties[PLACE] = body[PLACE]
        shown = self.json(call, made)
        if self.type == ENDPOINTS:
            shown = fresh(shown, call.request.query["api-version"])
        return self.begun(call, made, shown, before)

    def _peered(self, given: dict[str, Json], existing: Resource | None) -> dict[str, Json]:
        """Return the properties with the peerings as stored; a network's own PUT only keeps some, or all."""
        if self.type != NETWORKS:
            return given
        asked, stored = given.get(peerings.PART), existing.properties["own"][peerings.PART] if existing else []
        names = {str(fields(each).get("name")).lower() for each in asked or []}
        if names - {each["name"].lower() for each in stored}:
            message = "The emulator makes peerings by a PUT of their own, not with their network."
            raise ServiceError(501, "NotImplemented", message)
        kept = stored if asked is None else [each for each in stored if each["name"].lower() in names]
        return {**given, peerings.PART: kept}

    def keep(
        self, path: str, location: str, given: dict[str, Json], tags: dict[str, str], existing: Resource | None
    ) -> Resource:
        """Store the resource with a new etag, and what Azure adds."""
        resources = self.resources
        etag, own = f'W/"{resources.ids.guid()}"', existing.properties["own"] if existing else None
        kept = (
            {name: existing.properties[name] for name in (TAGGED, PLACE) if name in existing.properties}
            if existing
            else {}
        )
        guid = own["resourceGuid"] if own else resources.ids.guid()
        whole = complete(self.type, existing.id if existing else path, given, guid, location)
        return resources.put(path, self.type, location, {"etag": etag, "own": etagged(whole, etag), **kept}, tags)

    def begun(self, call: Call, resource: Resource, shown: Json, before: Json | None) -> Response:
        """Return the answer to a PUT: 201 for a new object, else 200.

        One that changes no more than tags is over at once (recorded).
        """
        operation = self.resources.operations.begin(resource.id, "", 0, "Updating")
        headers = self._followed(call, resource, operation)
        if before is None or etagged(before["properties"], "") != etagged(shown["properties"], ""):
            shown = {**shown, "properties": {**shown["properties"], "provisioningState": "Updating"}}
            headers |= SOON[self.type]
        return Response.json(200 if before else 201, shown, headers)

    def gone(self, call: Call, resource: Resource) -> Response:
        """Return the answer to a deletion: 202 with both addresses."""
        operation = self.resources.operations.begin(resource.id, "", 0, "Deleting")
        headers = self._followed(call, resource, operation)
        located = headers["azure-asyncoperation"].replace("/operations/", "/operationResults/")
        return Response(202, headers={**headers, "Location": located, **GONE_SOON[self.type]})

    def _followed(self, call: Call, resource: Resource, operation: Operation) -> dict[str, str]:
        region = resource.location.replace(" ", "").lower()
        base = f"/subscriptions/{call['subscription']}/providers/Microsoft.Network/locations/{region}"
        query = f"?api-version={call.request.query['api-version']}"
        url = f"https://{call.request.host}{base}/operations/{operation.id}{query}"
        return {"azure-asyncoperation": url, "azure-asyncnotification": "Enabled"}

    def patch(self, call: Call) -> Response:
        """Set the tags."""
        path, body = self.require(call, "write"), call.request.json()
        found = self.found(call)
        self.resources.require_unlocked(path, "write")
        if "tags" in body:
            found.tags, found.properties[TAGGED] = tags_of(body), True
        return Response.json(200, self.json(call, found))

    def remove(self, call: Call) -> Response:
        """Delete the resource: 202, or 204 where there is none; 400 for one that is in use."""
        path = self.require(call, "delete")
        found = self.resources.get(path)
        if found is None:
            return Response(204)
        for subnet in found.properties["own"].get("subnets", ()):
            require_unused(self.resources, subnet)
        if self.type == SECURITY:
            require_unnamed(self.resources, found)
        self.resources.delete(path)
        return self.gone(call, found)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Subnets of a network, or rules of a security group."""

    of: Networks
    part: str

    def every(self, call: Call) -> Response:
        return Response.json(200, {"value": [*map(self._read, self._all(self._parent(call, "read")))]})

    def get(self, call: Call) -> Response:
        shown = self._read(self._found(call, self._parent(call, "read")))
        return Response.json(200, shown, {"ETag": shown["etag"]})

    def _read(self, part: Json) -> Json:
        return inhabited(self.of.resources, part, capital=True) if self.part == "subnets" else part

    def put(self, call: Call) -> Response:
        parent, body = self._parent(call, "write"), call.request.json()
        parts, name = self._all(parent), call["part"]
        old = next((each for each in parts if each["name"].lower() == name.lower()), None)
        made = {"name": old["name"] if old else name, "properties": fields(body, "properties")}
        changed = self._kept(parent, [*(each for each in parts if each is not old), made])
        shown = self._found(call, changed)
        if self.part == "subnets":
            shown = inhabited(self.of.resources, shown, capital=False)
            old = old and inhabited(self.of.resources, old, capital=False)
        return self.of.begun(call, changed, shown, old)

    def remove(self, call: Call) -> Response:
        parent = self._parent(call, "delete")
        found = next((each for each in self._all(parent) if each["name"].lower() == call["part"].lower()), None)
        if found is None:
            return Response(204)
        if self.part == "subnets":
            require_unused(self.of.resources, found)
        self._kept(parent, [each for each in self._all(parent) if each is not found])
        return self.of.gone(call, parent)

    def _all(self, parent: Resource) -> list[Json]:
        return list(parent.properties["own"][self.part])

    def _kept(self, parent: Resource, parts: list[Json]) -> Resource:
        given = {**parent.properties["own"], self.part: parts}
        return self.of.keep(parent.id, parent.location, given, parent.tags, parent)

    def _found(self, call: Call, parent: Resource) -> Json:
        found = next((each for each in self._all(parent) if each["name"].lower() == call["part"].lower()), None)
        if found is None:
            raise refusal(404, "NotFound", f"Resource {parent.id}/{self.part}/{call['part']} not found.")
        return found

    def _parent(self, call: Call, verb: str) -> Resource:
        path = self.of.path(call)
        action = f"{self.of.type}/{self.part}/{verb}"
        self.of.resources.authorization.require(call.who, action, f"{path}/{self.part}")
        found = self.of.found(call)
        if verb != "read":
            self.of.resources.require_unlocked(path, verb)
        return found


@dataclass(frozen=True, slots=True)
class _Peerings(_Parts):
    """Peerings of a network: stored with what was asked for, shown with what both networks are now."""

    def put(self, call: Call) -> Response:
        parent, body, resources = self._parent(call, "write"), call.request.json(), self.of.resources
        stored, name = list(parent.properties["own"][self.part]), call["part"]
        before = next((each for each in self._all(parent) if each["name"].lower() == name.lower()), None)
        old = next((each for each in stored if each["name"].lower() == name.lower()), None)
        sync = call.request.query.get("syncremoteaddressspace", "").lower() == "true"
        made = peerings.read(resources, parent, old["name"] if old else name, body, sync=sync, old=old)
        self.of.resources.authorization.require(call.who, f"{NETWORKS}/peer/action", peerings.remote(made))
        changed = self._kept(parent, [*(each for each in stored if each is not old), made])
        peerings.meet(resources, changed, made)
        return self.of.begun(call, changed, self._found(call, changed), before)

    def remove(self, call: Call) -> Response:
        parent = self._parent(call, "delete")
        stored, name = parent.properties["own"][self.part], call["part"].lower()
        if all(each["name"].lower() != name for each in stored):
            return Response(204)
        self._kept(parent, [each for each in stored if each["name"].lower() != name])
        return self.of.gone(call, parent)

    def _all(self, parent: Resource) -> list[Json]:
        return [peerings.shown(self.of.resources, parent, each) for each in parent.properties["own"][self.part]]
