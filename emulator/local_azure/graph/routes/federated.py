"""Federated identity credentials of applications; read-only for managed identities.

A federated identity credential names another issuer's assertions, accepted in place of a secret. Graph's list for a
service principal other than a managed identity could not be looked up; the emulator returns an empty list
("servicePrincipal resource type": only managed identities have them, and Microsoft.ManagedIdentity is the place to
create them).
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from local_azure.graph import odata, queries
from local_azure.graph.access import KEYS, DirectoryAccess
from local_azure.graph.objects import Application, ServicePrincipal
from local_azure.graph.queries import Kindred
from local_azure.graph.refusals import bad_value, missing, required, unknown_property
from local_azure.wire import Call, Json, Response, Route, ServiceError

EXPRESSION = "claimsMatchingExpression"
"""In place of a subject: ``value`` and ``languageVersion``. Answers with a subject don't have it."""
CREDENTIAL = Kindred(
    "microsoft.graph.federatedIdentityCredential",
    ("id", "name", "issuer", "subject", "description", "audiences", EXPRESSION),
)
REQUIRED = ("name", "issuer", "audiences")
MOST = 20
"""Most federated credentials of an application (documented)."""


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on federated identity credentials."""
    of = _Federated(access)
    verbs: tuple[tuple[str, str, str, Callable[[Call], Response]], ...] = (
        ("list", "GET", "", of.list),
        ("create", "POST", "", of.create),
        ("get", "GET", "/{credential}", of.get),
        ("update", "PATCH", "/{credential}", of.update),
        ("delete", "DELETE", "/{credential}", of.delete),
    )
    for key in KEYS:
        for verb, method, rest, handler in verbs:
            path = f"/v1.0/applications{key}/federatedIdentityCredentials{rest}"
            yield Route(f"graph.applications.federatedIdentityCredentials.{verb}", method, path, handler)
        path = f"/v1.0/servicePrincipals{key}/federatedIdentityCredentials"
        yield Route("graph.servicePrincipals.federatedIdentityCredentials.list", "GET", path, of.list_of_identity)


@dataclass(frozen=True, slots=True)
class _Federated:
    access: DirectoryAccess

    def list(self, call: Call) -> Response:
        application = self._readable(call)
        bodies = [dict(each) for each in self.access.directory.reads.hung(application, "federated")]
        return odata.slice_of(call, _context(application), bodies, queries.query(call.request, CREDENTIAL))

    def list_of_identity(self, call: Call) -> Response:
        principal = cast("ServicePrincipal", self.access.readable("servicePrincipals", call))
        bodies = [_shown(principal, each) for each in self.access.directory.reads.hung(principal, "federated")]
        context = f"servicePrincipals('{principal.id}')/federatedIdentityCredentials"
        return odata.slice_of(call, context, bodies, queries.query(call.request, CREDENTIAL))

    def get(self, call: Call) -> Response:
        application = self._readable(call)
        wanted = queries.of_one(call.request.query, CREDENTIAL)
        return odata.entity(call, _context(application), queries.shown(_found(application, call), wanted.select))

    def create(self, call: Call) -> Response:
        application, asked, directory = self._writable(call), odata.members(call), self.access.directory
        for name in REQUIRED:
            if not asked.get(name):
                raise required(name, "FederatedIdentityCredential")
        if not asked.get("subject") and not asked.get(EXPRESSION):
            raise required("subject", "FederatedIdentityCredential")
        _check(asked)
        _either(asked)
        _vacant(application, asked)
        made = {"id": directory.ids.guid(), "description": None, "subject": None, **asked}
        directory.records.remember(application)
        application.federated.append(_stored(made))
        location = f"https://{call.request.host}/v2/{directory.tenant}/federatedIdentityCredentials/{made['id']}"
        return odata.entity(
            call, _context(application), application.federated[-1], status=201, headers={"Location": location}
        )

    def update(self, call: Call) -> Response:
        application, changes = self._writable(call), odata.members(call)
        _check(changes)
        found = _found(application, call)
        if changes.get("name", found["name"]) != found["name"]:
            raise bad_value("name", "FederatedIdentityCredential")
        changed = _stored({**found, **changes})
        _either(changed)
        self.access.directory.records.remember(application)
        found.clear()
        found.update(changed)
        return odata.done()

    def delete(self, call: Call) -> Response:
        application = self._writable(call)
        found = _found(application, call)
        self.access.directory.records.remember(application)
        application.federated.remove(found)
        return odata.done()

    def _readable(self, call: Call) -> Application:
        return cast("Application", self.access.readable("applications", call))

    def _writable(self, call: Call) -> Application:
        return cast("Application", self.access.writable("applications", call))


def _context(application: Application) -> str:
    return f"applications('{application.id}')/federatedIdentityCredentials"


def _shown(principal: ServicePrincipal, kept: dict[str, Any]) -> dict[str, Any]:
    """A managed identity's credential in Graph's shape."""
    return _stored({"id": str(uuid.uuid5(uuid.UUID(principal.id), kept["name"])), "description": None, **kept})


def _stored(made: dict[str, Any]) -> dict[str, Any]:
    """Return a credential in Graph's order; an expression only if there is one."""
    return {name: made.get(name) for name in CREDENTIAL.properties if name != EXPRESSION or made.get(name)}


def _either(made: dict[str, Json]) -> None:
    """Check for a subject or an expression, not both. Raises ServiceError 400; the words could not be looked up."""
    if bool(made.get("subject")) == bool(made.get(EXPRESSION)):
        message = "Either subject or claimsMatchingExpression must be specified, but not both."
        raise ServiceError(400, "Request_BadRequest", message)


def _found(application: Application, call: Call) -> dict[str, Any]:
    """Return a credential by id or name. Raises ServiceError 404."""
    wanted = call["credential"]
    found = next((each for each in application.federated if wanted in (each["id"], each["name"])), None)
    if found is None:
        raise missing(wanted)
    return found


def _check(asked: dict[str, Json]) -> None:
    for name, value in asked.items():
        if name not in CREDENTIAL.properties or name == "id":
            raise unknown_property(name, CREDENTIAL.type)
        if not _fits(name, value):
            raise bad_value(name, "FederatedIdentityCredential")


def _fits(name: str, value: Json) -> bool:
    if name == "audiences":
        return isinstance(value, list) and len(value) == 1
    if name == EXPRESSION and value is not None:
        return isinstance(value, dict) and isinstance(value.get("value"), str)
    return isinstance(value, str) or (value is None and name in ("description", "subject", EXPRESSION))


def _vacant(application: Application, asked: dict[str, Json]) -> None:
    """Names differ, and so do pairs of issuer and subject; there are twenty at most. Raises ServiceError 400 or 409.

    The words about the limit could not be looked up.
    """
    if len(application.federated) >= MOST:
        message = f"The maximum number of federated identity credentials per application is {MOST}."
        raise ServiceError(400, "Request_BadRequest", message)
    for each in application.federated:
        if each["name"] == asked["name"]:
            message = f"FederatedIdentityCredential with name {asked['name']} already exists."
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)
        if asked.get("subject") and (each["issuer"], each["subject"]) == (asked["issuer"], asked["subject"]):
            message = "Issuer and subject combination already exists for this application."
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)
