"""Federated credentials of user-assigned identities: trust in assertions of other issuers, for workloads in clusters.

Shapes as recorded of ``az identity federated-credential`` (2022). The words of the refusals could not be looked up,
except for a missing parent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local_azure.arm.behaviour import IDENTITIES
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP
from local_azure.graph.objects import ServicePrincipal
from local_azure.msi.behaviour import Identities, own_case
from local_azure.wire import Call, Json, Response, Route, ServiceError

TYPE = f"{IDENTITIES}/federatedIdentityCredentials"
EXPRESSION = "claimsMatchingExpression"
"""In place of a subject, from 2025-01-31-preview."""
MOST = 20
"""Most federated credentials of an identity (documented)."""


def routes(identities: Identities) -> Iterator[Route]:
    """The operations of Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials."""
    of, path = _Federated(identities), f"{GROUP}/providers/{IDENTITIES}/{{name}}/federatedIdentityCredentials"
    verbs: tuple[tuple[str, str, str, Callable[[Call], Response]], ...] = (
        ("list", "GET", "", of.list),
        ("get", "GET", "/{credential}", of.get),
        ("createOrUpdate", "PUT", "/{credential}", of.put),
        ("delete", "DELETE", "/{credential}", of.delete),
    )
    for verb, method, rest, handler in verbs:
        yield Route(f"msi.federatedIdentityCredentials.{verb}", method, path + rest, handler)


@dataclass(frozen=True, slots=True)
class _Federated:
    identities: Identities

    def list(self, call: Call) -> Response:
        path, principal = self._of(call, "read")
        return Response.json(200, {"value": [_json(path, each) for each in principal.federated]})

    def get(self, call: Call) -> Response:
        path, principal = self._of(call, "read")
        found = _named(principal, call)
        if found is None:
            raise ServiceError(
                404, "NotFound", f"The federated identity credential '{call['credential']}' was not found."
            )
        return Response.json(200, _json(path, found))

    def put(self, call: Call) -> Response:
        """Return 201 with the address of a new credential, or 200 for an existing credential of the same name."""
        path, principal = self._of(call, "write")
        wanted, old = {"name": call["credential"], **_given(call.request.json())}, _named(principal, call)
        others = [each for each in principal.federated if each is not old]
        if len(others) >= MOST or any(
            wanted["subject"] and (each["issuer"], each["subject"]) == (wanted["issuer"], wanted["subject"])
            for each in others
        ):
            raise _bad(
                f"An identity has at most {MOST} federated identity credentials, each with an issuer and a subject of"
                " its own."
            )
        self.identities.directory.records.remember(principal)
        if old is None:
            principal.federated.append(wanted)
            return Response.json(
                201, _json(path, wanted), {"Location": f"{path}/federatedIdentityCredentials/{wanted['name']}"}
            )
        name = old["name"]
        old.clear()
        old.update({**wanted, "name": name})
        return Response.json(200, _json(path, old))

    def delete(self, call: Call) -> Response:
        """200, or 204 where there was none."""
        _, principal = self._of(call, "delete")
        found = _named(principal, call)
        if found is None:
            return Response(204)
        self.identities.directory.records.remember(principal)
        principal.federated.remove(found)
        return Response(200)

    def _of(self, call: Call, verb: str) -> tuple[str, ServicePrincipal]:
        """Return the identity's id in this provider's spelling, and the identity's service principal.

        Raises ServiceError 403, 404, or 409 under a lock.
        """
        resources = self.identities.resources
        group = f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}"
        path = f"{group}/providers/{IDENTITIES}/{call['name']}"
        one = f"{path}/federatedIdentityCredentials/{call['credential']}" if "credential" in call.params else path
        resources.authorization.require(call.who, f"{TYPE}/{verb}", one)
        found, principal = resources.get(path), self.identities.principal(path)
        if found is None or principal is None:
            message = (
                f"Failed to perform '{verb}' on resource(s) of type"
                " 'userAssignedIdentities/federatedIdentityCredentials', because"
            )
            raise ServiceError(
                404, "ParentResourceNotFound", f"{message} the parent resource '{path}' could not be found."
            )
        if verb != "read":
            resources.require_unlocked(one, verb)
        return own_case(found.id), principal


def _named(principal: ServicePrincipal, call: Call) -> dict[str, Any] | None:
    return next((each for each in principal.federated if each["name"].lower() == call["credential"].lower()), None)


def _given(body: Json) -> dict[str, Any]:
    """Return issuer, subject (or an expression in the subject's place) and audience. Raises ServiceError 400."""
    properties = fields(body, "properties")
    issuer, subject, audiences = (properties.get(name) for name in ("issuer", "subject", "audiences"))
    expression = properties.get(EXPRESSION)
    named = isinstance(subject, str) if expression is None else not subject and isinstance(expression, dict)
    if not isinstance(issuer, str) or not named or not isinstance(audiences, list) or len(audiences) != 1:
        raise _bad("A federated identity credential needs an issuer, a subject and one audience.")
    given = {"issuer": issuer, "subject": subject or None, "audiences": audiences}
    return given if expression is None else {**given, EXPRESSION: expression}


def _json(path: str, credential: dict[str, Any]) -> Json:
    names = ("issuer", "subject", "audiences", EXPRESSION)
    properties = {name: credential[name] for name in names if credential.get(name) is not None}
    return {
        "id": f"{path}/federatedIdentityCredentials/{credential['name']}",
        "name": credential["name"],
        "type": TYPE,
        "properties": properties,
    }


def _bad(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)
