"""Private endpoints, and the connections that a vault or a registry has through them: approved, rejected, removed.

Nothing is connected to anything. Source: recordings of azure-cli (``az network private-endpoint``, ``az keyvault`` and
``az acr private-endpoint-connection``, 2024). A connection that was asked for by hand waits for its approval, any other
is approved. The answer to the deletion of a vault's connection could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from local_azure.arm.access import Stamp
from local_azure.arm.addresses import free, prefixes
from local_azure.arm.behaviour import REGISTRIES, VAULTS, Resource, Resources
from local_azure.arm.child_operations import AGAIN, absent, begun, removed, stamped, supported
from local_azure.arm.network_shape import ENDPOINTS, LINKS, NETWORKS, refusal
from local_azure.arm.operations import unpadded
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP, Tracked, status_url
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError

KIND = "privateEndpointConnections"
STATES = {"approved": "Approved", "rejected": "Rejected", "pending": "Pending", "disconnected": "Disconnected"}


@dataclass(frozen=True, slots=True)
class Connection:
    """A link of a private endpoint, as the resource that it leads to shows it."""

    endpoint: Resource
    link: dict[str, Json]
    target: Resource

    @property
    def name(self) -> str:
        """The link's name; a registry's connections have names of their own."""
        if self.target.type.lower() == VAULTS.lower():
            return str(self.link["name"])
        return f"{self.target.name}.{self.endpoint.properties['own']['resourceGuid'].replace('-', '')}"

    @property
    def id(self) -> str:
        """The id below the target."""
        return f"{self.target.id}/{KIND}/{self.name}"

    @property
    def state(self) -> dict[str, Json]:
        """The decision on the connection, kept with the endpoint's link."""
        found: dict[str, Json] = self.link["properties"]["privateLinkServiceConnectionState"]
        return found

    def decide(self, given: dict[str, Json]) -> None:
        """Store a decision. Raises ServiceError 400 for an unknown status."""
        status = STATES.get(str(given.get("status", "")).lower())
        if status is None:
            raise ServiceError(400, "BadRequest", f"The status '{given.get('status')}' of a connection is not valid.")
        said = {"description": given["description"]} if given.get("description") is not None else {}
        self.link["properties"]["privateLinkServiceConnectionState"] = {
            "status": status,
            **said,
            "actionsRequired": given.get("actionsRequired") or "None",
        }

    def of_vault(self) -> dict[str, Json]:
        """Return what a vault shows of the connection."""
        state = {name: value for name, value in self.state.items() if value}
        endpoint = {"privateEndpoint": {"id": self.endpoint.id}}
        return {"provisioningState": "Succeeded", **endpoint, "privateLinkServiceConnectionState": state}

    def of_registry(self) -> dict[str, Json]:
        """Return a registry's whole object of the connection."""
        state = {name: value for name, value in self.state.items() if value and name != "actionsRequired"}
        endpoint = {"privateEndpoint": {"id": self.endpoint.id}}
        properties = {**endpoint, "privateLinkServiceConnectionState": state, "provisioningState": "Succeeded"}
        return {"type": f"{REGISTRIES}/{KIND}", "id": self.id, "name": self.name, "properties": properties}


def require_subnet(resources: Resources, path: str, given: dict[str, Json]) -> None:
    """Raises ServiceError 400 InvalidResourceReference for an endpoint in a subnet that doesn't exist."""
    wanted = str(fields(given, "subnet").get("id", ""))
    if subnet_of(resources, wanted) is None:
        where = f"Resource {wanted} referenced by resource {path} was not found."
        advice = "Please make sure that the referenced resource exists, and that both resources are in the same region."
        raise refusal(400, "InvalidResourceReference", f"{where} {advice}")


def subnet_of(resources: Resources, wanted: str) -> Json:
    """Return a subnet by its id; None where there is none."""
    network = resources.get(wanted.partition("/subnets/")[0])
    subnets = network.properties["own"]["subnets"] if network and network.type == NETWORKS else []
    return next((each for each in subnets if each["id"].lower() == wanted.lower()), None)


def fresh(shown: Json, version: str) -> Json:
    """Return an endpoint as the answer to its PUT shows it: what became of its links is said there only (recorded)."""
    said = {"Approved": "Auto Approved" if version >= "2022-01-01" else "", "Pending": "Awaiting Approval"}
    properties = {**shown["properties"], "customDnsConfigs": []}
    for part in LINKS:
        properties[part] = [_described(each, said) for each in properties[part]]
    return {**shown, "properties": properties}


def _described(link: Json, said: dict[str, str]) -> Json:
    own = link["properties"]
    state = own["privateLinkServiceConnectionState"]
    state = {**state, "description": state.get("description") or said.get(state["status"], "")}
    return {**link, "properties": {**own, "privateLinkServiceConnectionState": state}}


def names_of(resources: Resources, own: Json) -> list[Json]:
    """Return the name and address of each vault that an endpoint leads to, once it is approved (recorded)."""
    subnet = subnet_of(resources, own["subnet"]["id"])
    addresses = [each for prefix in prefixes(subnet) for each in free(prefix)] if subnet else []
    found = []
    for part in LINKS:
        for link in own[part]:
            target = resources.get(link["properties"]["privateLinkServiceId"])
            approved = link["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
            if target and target.type.lower() == VAULTS.lower() and approved and addresses:
                host = urlsplit(target.properties["vaultUri"]).hostname
                found.append({"fqdn": host, "ipAddresses": [str(addresses[0])]})
    return found


def connections(resources: Resources, target: Resource) -> list[Connection]:
    """Return all connections of a resource, in the order of the endpoints."""
    return [
        Connection(endpoint, link, target)
        for endpoint in resources.state.resources.values()
        if endpoint.type == ENDPOINTS
        for part in LINKS
        for link in endpoint.properties["own"][part]
        if str(link["properties"].get("privateLinkServiceId", "")).lower() == target.id.lower()
        and link["properties"]["privateLinkServiceConnectionState"]["status"] != "Disconnected"
    ]


def connection_routes(resources: Resources) -> Iterator[Route]:
    """The operations on the connections of vaults and registries."""
    registries = _OfRegistries(resources, REGISTRIES)
    for of in (_OfVaults(resources, VAULTS), registries):
        every = f"{GROUP}/providers/{of.type}/{{name}}/{KIND}"
        name = f"arm.{of.type.rsplit('/', 1)[-1]}.{KIND}"
        yield Route(f"{name}.list", "GET", every, of.list)
        yield Route(f"{name}.get", "GET", every + "/{child}", of.get)
        yield Route(f"{name}.put", "PUT", every + "/{child}", of.put)
        yield Route(f"{name}.delete", "DELETE", every + "/{child}", of.delete)
    one = f"{GROUP}/providers/{REGISTRIES}/{{name}}/{KIND}/{{child}}/operationStatuses/{{operation}}"
    yield Route(f"arm.registries.{KIND}.operation", "GET", one, registries.operation)


@dataclass(frozen=True, slots=True)
class _Connections(Tracked):
    def every(self, call: Call, verb: str) -> list[Connection]:
        self.require(call, f"{KIND}/{verb}")
        target = self.found(call)
        if verb != "read":
            self.resources.require_unlocked(target.id, verb)
        return connections(self.resources, target)

    def one(self, call: Call, verb: str) -> Connection:
        """Return the connection that the path names. Raises ServiceError 404."""
        found = next((each for each in self.every(call, verb) if each.name.lower() == call["child"].lower()), None)
        return absent(call["child"]) if found is None else found

    def shown(self, call: Call, found: Connection) -> Json:
        raise NotImplementedError

    def list(self, call: Call) -> Response:
        return Response.json(200, {"value": [self.shown(call, each) for each in self.every(call, "read")]})

    def get(self, call: Call) -> Response:
        return Response.json(200, self.shown(call, self.one(call, "read")))

    def decided(self, call: Call) -> Connection:
        """Keep what the body of a PUT decides on a connection."""
        found, properties = self.one(call, "write"), fields(call.request.json(), "properties")
        found.decide(fields(properties, "privateLinkServiceConnectionState"))
        found.link["decided"] = self.resources.ids.guid().replace("-", "")
        return found


class _OfVaults(_Connections):
    def shown(self, call: Call, found: Connection) -> Json:
        head = {"id": found.id, "name": found.name, "type": f"{VAULTS}/{KIND}", "location": found.target.location}
        etag = {"etag": found.link["decided"]} if "decided" in found.link else {}
        return {**head, **etag, "properties": found.of_vault()}

    def put(self, call: Call) -> Response:
        """Approve or reject: 200; the operation's address is the connection's own."""
        found = self.decided(call)
        word = "reject" if found.state["status"] == "Rejected" else "approve"
        made = {"code": f"{KIND}/{word}", "st": iso(self.resources.clock.now()), "etag": found.link["decided"]}
        job = unpadded("{" + ",".join(f'"{name}":"{value}"' for name, value in made.items()) + "}")
        url = f"https://{call.request.host}{found.id}?api-version={call.request.query['api-version']}"
        shown = self.shown(call, found)
        shown["properties"] |= {"provisioningState": "Updating"}
        return Response.json(200, shown, {"Azure-AsyncOperation": f"{url}&kv-operation={job}", **AGAIN})

    def delete(self, call: Call) -> Response:
        found = self.one(call, "delete")
        found.decide({"status": "Disconnected"})
        return Response.json(200, self.shown(call, found))


class _OfRegistries(_Connections):
    def shown(self, call: Call, found: Connection) -> Json:
        return found.of_registry()

    def put(self, call: Call) -> Response:
        """Approve or reject: 201 with an operation."""
        shown, now, by = self.decided(call).of_registry(), self.resources.clock.now(), call.who.app_id
        shown |= {**stamped(call, Stamp(by, now, by, now)), "properties": shown.pop("properties")}
        shown["properties"]["privateLinkServiceConnectionState"].pop("description", None)
        return begun(call, self.resources, shown, KIND.lower(), self.resources.timing.registry_made, "Updating")

    def delete(self, call: Call) -> Response:
        found = self.one(call, "delete")
        found.decide({"status": "Disconnected"})
        return removed(call, self.resources, found.id, found.target.location, KIND.lower())

    def operation(self, call: Call) -> Response:
        """Return the progress: 201 until it is over, with the id of the connection."""
        found, operation = self.one(call, "read"), self.resources.operations.get(call["operation"])
        over = self.resources.operations.over(operation)
        shown = {"id": found.id, "name": operation.id, "status": "Succeeded" if over else operation.word}
        url = {} if over else {"Azure-AsyncOperation": status_url(call, found.id, operation), **AGAIN}
        return Response.json(200 if over else 201, shown, {**url, **supported(call)})
