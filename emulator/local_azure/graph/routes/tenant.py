"""Objects of any kind by their ids, and the tenant itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.graph import odata, permissions, shape
from local_azure.graph.access import DirectoryAccess
from local_azure.graph.objects import Entry, kind_of
from local_azure.graph.properties import KINDRED
from local_azure.graph.queries import Kindred
from local_azure.graph.refusals import bad_value, missing
from local_azure.wire import Call, Response, Route, ServiceError

OBJECT = Kindred("microsoft.graph.directoryObject", frozenset().union(*(each.properties for each in KINDRED.values())))
"""An object of any type, as lists of mixed ones have it."""

MOST_IDS = 1000
"""Most ids that one request may resolve (documented)."""


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on the directory as a whole."""
    tenant = _Tenant(access)
    yield Route("graph.directoryObjects.getByIds", "POST", "/v1.0/directoryObjects/getByIds", tenant.by_ids)
    yield Route("graph.directoryObjects.get", "GET", "/v1.0/directoryObjects/{id}", tenant.get)
    yield Route("graph.directoryObjects.delete", "DELETE", "/v1.0/directoryObjects/{id}", tenant.delete)
    yield Route("graph.organization.list", "GET", "/v1.0/organization", tenant.organization)
    yield Route("graph.domains.list", "GET", "/v1.0/domains", tenant.domains)
    yield Route("graph.me.get", "GET", "/v1.0/me", tenant.me)
    yield Route("graph.me.get", "GET", "/v1.0/me/ownedObjects", tenant.me)


@dataclass(frozen=True, slots=True)
class _Tenant:
    access: DirectoryAccess

    def by_ids(self, call: Call) -> Response:
        self.access.require(call, permissions.RESOLVERS)
        asked = odata.members(call)
        ids, types = asked.get("ids"), asked.get("types")
        if not isinstance(ids, list) or not ids or len(ids) > MOST_IDS:
            raise bad_value("ids", "directoryObject")
        if types is not None and not isinstance(types, list):
            raise bad_value("types", "directoryObject")
        found = [
            target
            for oid in ids
            if (target := self.access.directory.records.any(str(oid))) and (not types or _is_one_of(target, types))
        ]
        return odata.collection(call, "directoryObjects", map(self.access.usual, found), cost=3)

    def get(self, call: Call) -> Response:
        self.access.require(call, permissions.RESOLVERS)
        return odata.entity(call, "directoryObjects", self.access.usual(self._found(call)))

    def delete(self, call: Call) -> Response:
        target, directory = self._found(call), self.access.directory
        permissions.may_write(self.access.roles(call), call.who.oid, target, kind_of(target))
        permissions.may_delete(self.access.roles(call), kind_of(target))
        self.access.undisturbed()
        directory.delete(target)
        return odata.done()

    def _found(self, call: Call) -> Entry:
        target = self.access.directory.records.any(call["id"])
        if target is None:
            raise missing(call["id"])
        return target

    def organization(self, call: Call) -> Response:
        self.access.require(call, permissions.DIRECTORY_READERS)
        directory = self.access.directory
        state = directory.state
        tenant = shape.organization(
            directory.tenant, state.organization, state.domain, state.created or directory.clock.now()
        )
        return odata.collection(call, "organization", [tenant])

    def domains(self, call: Call) -> Response:
        self.access.require(call, permissions.DOMAIN_READERS)
        return odata.collection(call, "domains", [shape.domain(self.access.directory.state.domain)])

    def me(self, call: Call) -> Response:
        raise ServiceError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def _is_one_of(target: Entry, types: list[str]) -> bool:
    return "directoryObject" in types or KINDRED[kind_of(target)].type.rpartition(".")[2] in types
