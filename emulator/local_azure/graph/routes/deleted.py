"""Deleted items of the last thirty days: read, restore, delete permanently."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from local_azure.graph import odata, permissions, queries
from local_azure.graph.access import DirectoryAccess
from local_azure.graph.deleted import Deleted
from local_azure.graph.objects import Kind, kind_of
from local_azure.graph.properties import KINDRED
from local_azure.wire import Call, Response, Route

CASTS: dict[str, Kind] = {
    "microsoft.graph.application": "applications",
    "microsoft.graph.servicePrincipal": "servicePrincipals",
    "microsoft.graph.user": "users",
}


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on deleted items, with the casts that a list needs and a read may have."""
    of = _Deleted(access)
    for type_, kind in CASTS.items():
        for cast in (type_, type_.removeprefix("microsoft.")):
            path = f"/v1.0/directory/deletedItems/{cast}"
            yield Route("graph.deletedItems.list", "GET", path, partial(of.list, kind))
            yield Route("graph.deletedItems.count", "GET", f"{path}/$count", partial(of.count, kind))
            yield Route("graph.deletedItems.get", "GET", f"/v1.0/directory/deletedItems/{{id}}/{cast}", of.get)
    item = "/v1.0/directory/deletedItems/{id}"
    yield Route("graph.deletedItems.get", "GET", item, of.get)
    yield Route("graph.deletedItems.restore", "POST", f"{item}/restore", of.restore)
    yield Route("graph.deletedItems.restore", "POST", f"{item}/microsoft.graph.restore", of.restore)
    yield Route("graph.deletedItems.delete", "DELETE", item, of.delete)


@dataclass(frozen=True, slots=True)
class _Deleted:
    access: DirectoryAccess

    def list(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self.access.roles(call), kind)
        wanted = queries.query(call.request, KINDRED[kind])
        bodies = [self.access.directory.records.body(target) for target in self.access.directory.deleted.every(kind)]
        return odata.slice_of(call, kind, bodies, wanted)

    def count(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self.access.roles(call), kind)
        wanted, directory = queries.counting(call.request, KINDRED[kind]), self.access.directory
        return odata.number(
            sum(wanted.holds(directory.records.body(target)) for target in directory.deleted.every(kind))
        )

    def get(self, call: Call) -> Response:
        found = self.access.directory.deleted.find(call["id"])
        permissions.may_read(self.access.roles(call), kind_of(found))
        return odata.entity(call, "directoryObjects", self.access.usual(found))

    def restore(self, call: Call) -> Response:
        found = self.access.directory.deleted.restore(self._writable(call).id)
        return odata.entity(call, "directoryObjects", self.access.usual(found))

    def delete(self, call: Call) -> Response:
        self.access.directory.deleted.destroy(self._writable(call).id)
        return odata.done()

    def _writable(self, call: Call) -> Deleted:
        roles = self.access.roles(call)
        permissions.require(roles, permissions.WRITERS | permissions.USER_WRITERS)
        found = self.access.directory.deleted.find(call["id"])
        permissions.may_write(roles, call.who.oid, found, kind_of(found))
        self.access.undisturbed()
        return found
