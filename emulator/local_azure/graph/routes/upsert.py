"""Applications by the alternate key ``uniqueName``: a PATCH creates a missing application, so a repeated PATCH is safe.

Source: Microsoft Graph v1.0, "Upsert application". Without ``Prefer: create-if-missing`` a PATCH only updates; 201 with
the application, 204 without content for an existing application.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.graph import odata, permissions, queries, shape
from local_azure.graph.access import DirectoryAccess
from local_azure.graph.objects import Application
from local_azure.graph.properties import KINDRED, turned
from local_azure.graph.refusals import missing, required
from local_azure.wire import Call, Response, Route

KEY = "/v1.0/applications(uniqueName='{unique_name}')"


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """Reading and upserting by key."""
    of = _Keyed(access)
    yield Route("graph.applications.get", "GET", KEY, of.get)
    yield Route("graph.applications.upsert", "PATCH", KEY, of.patch)


@dataclass(frozen=True, slots=True)
class _Keyed:
    access: DirectoryAccess

    def get(self, call: Call) -> Response:
        wanted = queries.of_one(call.request.query, KINDRED["applications"])
        permissions.may_read(self.access.roles(call), "applications")
        found = self._found(call)
        if found is None:
            raise missing(call["unique_name"])
        body = self.access.directory.records.body(found)
        return odata.entity(call, f"applications{odata.selection(wanted.select)}", queries.shown(body, wanted.select))

    def patch(self, call: Call) -> Response:
        asked, roles, directory = odata.members(call), self.access.roles(call), self.access.directory
        found = self._found(call)
        if found:
            permissions.may_write(roles, call.who.oid, found, "applications")
            self.access.undisturbed()
            directory.update(found, asked)
            return odata.done()
        if "create-if-missing" not in call.request.headers.get("prefer", ""):
            raise missing(call["unique_name"])
        permissions.may_create(roles, "applications")
        return self._create(call, asked, owned=permissions.ALL not in roles)

    def _create(self, call: Call, asked: dict[str, object], *, owned: bool) -> Response:
        name, directory = asked.pop("displayName", None), self.access.directory
        if not isinstance(name, str) or not name:
            raise required("displayName", "Application")
        self.access.undisturbed()
        made = directory.create_application(name, **asked)
        made.properties["uniqueName"] = call["unique_name"]
        if owned:
            directory.add_owner(made.id, call.who.oid)
        body = {**turned(directory.records.body(made)), "createdDateTime": shape.date(made.created)}
        return odata.entity(call, "applications", body, status=201)

    def _found(self, call: Call) -> Application | None:
        """Return the application with the key, in the current state."""
        held = self.access.directory.state.applications.values()
        return next(
            (app for app in held if app.deleted is None and app.properties.get("uniqueName") == call["unique_name"]),
            None,
        )
