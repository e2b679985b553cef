"""Resource Manager's operations on user-assigned identities."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from local_azure.arm.behaviour import IDENTITIES, Resource
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from local_azure.msi import federated
from local_azure.msi.behaviour import Identities, own_case
from local_azure.msi.operations import associated, list_operations
from local_azure.wire import Call, Json, Response, Route


def routes(identities: Identities) -> Iterator[Route]:
    """The operations of Microsoft.ManagedIdentity/userAssignedIdentities."""
    tracked = _Own(identities.resources, IDENTITIES)
    own, path = _Identities(identities, tracked), f"/providers/{IDENTITIES}"
    for scope in (SUBSCRIPTION, GROUP):
        yield Route("msi.userAssignedIdentities.list", "GET", scope + path, tracked.list)
    one = f"{GROUP}{path}/{{name}}"
    yield Route("msi.userAssignedIdentities.get", "GET", one, tracked.get)
    yield Route("msi.userAssignedIdentities.createOrUpdate", "PUT", one, own.put)
    yield Route("msi.userAssignedIdentities.update", "PATCH", one, own.patch)
    yield Route("msi.userAssignedIdentities.delete", "DELETE", one, own.delete)
    operation = "msi.userAssignedIdentities.listAssociatedResources"
    yield Route(operation, "POST", f"{one}/listAssociatedResources", partial(associated, tracked=tracked))
    yield Route("msi.operations.list", "GET", "/providers/Microsoft.ManagedIdentity/operations", list_operations)
    yield from federated.routes(identities)


@dataclass(frozen=True, slots=True)
class _Own(Tracked):
    """Identities in their provider's spelling."""

    def json(self, call: Call, resource: Resource) -> Json:
        """As every resource, but for ``resourcegroups`` in lower case and without a provisioning state (recorded)."""
        shown = Tracked.json(self, call, resource)
        properties = {name: value for name, value in shown["properties"].items() if name != "provisioningState"}
        return {**shown, "id": own_case(shown["id"]), "properties": properties}


@dataclass(frozen=True, slots=True)
class _Identities:
    identities: Identities
    tracked: Tracked

    def put(self, call: Call) -> Response:
        """Create an identity (201 with the address), or set the tags of an existing one (200)."""
        path, body, existing = self.tracked.writable(call)
        made = self.identities.put(path, body["location"], tags_of(body), by=call.who.app_id)
        shown = self.tracked.json(call, made)
        return Response.json(200, shown) if existing else Response.json(201, shown, {"Location": shown["id"]})

    def patch(self, call: Call) -> Response:
        """Set an identity's tags."""
        path, body = self.tracked.require(call, "write"), call.request.json()
        found = self.tracked.found(call)
        self.identities.resources.require_unlocked(path, "write")
        tags = tags_of(body) if "tags" in body else found.tags
        return Response.json(200, self.tracked.json(call, self.identities.put(path, found.location, tags)))

    def delete(self, call: Call) -> Response:
        """200, or 204 where there was none."""
        return Response(200 if self.identities.delete(self.tracked.require(call, "delete")) else 204)
