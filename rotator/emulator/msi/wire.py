"""Resource Manager's operations on user-assigned identities."""

from collections.abc import Iterator
from dataclasses import dataclass

from rotator.emulator.arm.behaviour import IDENTITIES
from rotator.emulator.arm.shape import fields
from rotator.emulator.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from rotator.emulator.msi.behaviour import Identities
from rotator.emulator.wire import Call, Response, Route


def routes(identities: Identities) -> Iterator[Route]:
    """The operations of Microsoft.ManagedIdentity/userAssignedIdentities."""
    tracked = Tracked(identities.resources, IDENTITIES)
    own, path = _Identities(identities, tracked), f"/providers/{IDENTITIES}"
    for scope in (SUBSCRIPTION, GROUP):
        yield Route("msi.userAssignedIdentities.list", "GET", scope + path, tracked.list)
    one = f"{GROUP}{path}/{{name}}"
    yield Route("msi.userAssignedIdentities.get", "GET", one, tracked.get)
    yield Route("msi.userAssignedIdentities.createOrUpdate", "PUT", one, own.put)
    yield Route("msi.userAssignedIdentities.update", "PATCH", one, own.patch)
    yield Route("msi.userAssignedIdentities.delete", "DELETE", one, own.delete)


@dataclass(frozen=True, slots=True)
class _Identities:
    identities: Identities
    tracked: Tracked

    def put(self, call: Call) -> Response:
        """Create one, 201, or set its tags, 200."""
        path, body, existing = self.tracked.writable(call)
        made = self.identities.put(path, body["location"], fields(body, "tags"), by=call.who.app_id)
        return Response.json(200 if existing else 201, self.tracked.json(call, made))

    def patch(self, call: Call) -> Response:
        """Set its tags."""
        path, body = self.tracked.require(call, "write"), call.request.json()
        found = self.tracked.found(call)
        self.identities.resources.require_unlocked(path, "write")
        tags = fields(body, "tags") if "tags" in body else found.tags
        return Response.json(200, self.tracked.json(call, self.identities.put(path, found.location, tags)))

    def delete(self, call: Call) -> Response:
        """200, or 204 where there was none."""
        return Response(200 if self.identities.delete(self.tracked.require(call, "delete")) else 204)
