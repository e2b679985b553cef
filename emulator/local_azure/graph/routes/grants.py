"""App role assignments, listed by the role's holder and by the role's resource."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from local_azure.graph import odata, permissions, queries
from local_azure.graph.access import KEYS, DirectoryAccess
from local_azure.graph.objects import Grant, ServicePrincipal
from local_azure.graph.queries import Kindred
from local_azure.graph.refusals import missing, required
from local_azure.wire import Call, Response, Route

ASSIGNMENT = Kindred(
    "microsoft.graph.appRoleAssignment",
    frozenset(
        {
            "id",
            "deletedDateTime",
            "appRoleId",
            "createdDateTime",
            "principalDisplayName",
            "principalId",
            "principalType",
            "resourceDisplayName",
            "resourceId",
        }
    ),
)


Rows = list[tuple[ServicePrincipal, Grant]]


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on app role assignments."""
    for key in KEYS:
        for relation, find in (("appRoleAssignments", _held), ("appRoleAssignedTo", partial(_given, access))):
            path, name = f"/v1.0/servicePrincipals{key}/{relation}", f"graph.servicePrincipals.{relation}"
            side = _Side(access, find, relation)
            yield Route(f"{name}.list", "GET", path, side.list)
            yield Route(f"{name}.create", "POST", path, side.create)
            yield Route(f"{name}.get", "GET", f"{path}/{{grant}}", side.get)
            yield Route(f"{name}.delete", "DELETE", f"{path}/{{grant}}", side.delete)


def _held(target: ServicePrincipal) -> Rows:
    """Return the roles held by a service principal."""
    return [(target, grant) for grant in target.grants]


def _given(access: DirectoryAccess, target: ServicePrincipal) -> Rows:
    """Return the assignments of a service principal's roles to others."""
    return [*access.directory.grants.to(target)]


@dataclass(frozen=True, slots=True)
class _Side:
    """The operations as one side of the relation sees them."""

    access: DirectoryAccess
    find: Callable[[ServicePrincipal], Rows]
    relation: str

    def _rows(self, call: Call) -> Rows:
        return self.find(self._target(call))

    def _target(self, call: Call) -> ServicePrincipal:
        target = self.access.directory.records.holder("servicePrincipals", self.access.key("servicePrincipals", call))
        return cast("ServicePrincipal", target)

    def _context(self, call: Call) -> str:
        """Return the collection that the answer's context names (recorded of a list)."""
        return f"servicePrincipals('{self._target(call).id}')/{self.relation}"

    def list(self, call: Call) -> Response:
        self.access.require(call, permissions.GRANT_READERS)
        wanted, grants = queries.query(call.request, ASSIGNMENT), self.access.directory.grants
        return odata.slice_of(call, self._context(call), [grants.body(*row) for row in self._rows(call)], wanted)

    def get(self, call: Call) -> Response:
        self.access.require(call, permissions.GRANT_READERS)
        found = next((row for row in self._rows(call) if row[1].id == call["grant"]), None)
        if found is None:
            raise missing(call["grant"])
        return odata.entity(call, self._context(call), self.access.directory.grants.body(*found))

    def create(self, call: Call) -> Response:
        self.access.require(call, permissions.GRANT_WRITERS)
        self._rows(call)
        asked = odata.members(call)
        for name in ("principalId", "resourceId", "appRoleId"):
            if not isinstance(asked.get(name), str):
                raise required(name, "AppRoleAssignment")
        self.access.undisturbed()
        grants = self.access.directory.grants
        made = grants.assign(asked["principalId"], asked["resourceId"], asked["appRoleId"])
        return odata.entity(call, self._context(call), grants.body(*made), status=201)

    def delete(self, call: Call) -> Response:
        self.access.require(call, permissions.GRANT_WRITERS)
        self.access.undisturbed()
        self.access.directory.grants.take(call["grant"], self._rows(call))
        return odata.done()
