"""Graph's HTTP, version 1.0: applications and service principals by id or by ``(appId='…')``, their passwords and owners."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from rotator.emulator.arm.clouds import cloud_at
from rotator.emulator.entra.audiences import GRAPH as AUDIENCES
from rotator.emulator.entra.behaviour import BadToken
from rotator.emulator.graph import filters, passwords, permissions, shape
from rotator.emulator.graph.behaviour import PROPERTIES, TYPES, missing
from rotator.emulator.graph.objects import Holder, Kind
from rotator.emulator.wire import Call, Caller, Json, Request, Response, Route, ServiceError, Table

if TYPE_CHECKING:
    from rotator.emulator.azure import Azure

HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
"""Graph in every cloud."""

CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
"""As recorded, to the letter."""

KINDS: tuple[Kind, ...] = ("applications", "servicePrincipals")
DIRECTORY_CLASSES: dict[Kind, str] = {"applications": "Application", "servicePrincipals": "ServicePrincipal"}
SINGULAR: dict[Kind, str] = {"applications": "application", "servicePrincipals": "servicePrincipal"}

REASONS = {
    "missing": "Access token is empty.",
    "malformed": "CompactToken parsing failed with error code: 80049217",
    "signature": "CompactToken validation failed with reason code: 80049228.",
    "expired": "Lifetime validation failed, the token is expired.",
    "audience": "Access token validation failure. Invalid audience.",
}
"""Graph's words for what is wrong with a token, all of them InvalidAuthenticationToken."""

Verb = Callable[[Kind, Call], Response]


class Graph:
    """The service ``graph.microsoft.com``."""

    name = "graph"

    def __init__(self, azure: "Azure") -> None:
        self._directory, self._tokens, self._ids, self._clock = azure.directory, azure.tokens, azure.ids, azure.clock
        self._faults = azure.faults
        self.table = Table([*self._object_routes(), *self._other_routes()])

    def _object_routes(self) -> Iterator[Route]:
        verbs: tuple[tuple[str, str, str, Verb], ...] = (
            ("addPassword", "POST", "/addPassword", self._add_password),
            ("removePassword", "POST", "/removePassword", self._remove_password),
            ("owners.list", "GET", "/owners", self._owners),
            ("owners.add", "POST", "/owners/$ref", self._add_owner),
            ("owners.remove", "DELETE", "/owners/{owner}/$ref", self._remove_owner),
            ("get", "GET", "", self._get),
            ("update", "PATCH", "", self._update),
            ("delete", "DELETE", "", self._delete),
        )
        for kind in KINDS:
            yield Route(f"graph.{kind}.list", "GET", f"/v1.0/{kind}", partial(self._list, kind))
            yield Route(f"graph.{kind}.create", "POST", f"/v1.0/{kind}", partial(self._create, kind))
            for operation, method, rest, verb in verbs:
                for key in ("/{id}", "(appId='{app_id}')"):
                    yield Route(f"graph.{kind}.{operation}", method, f"/v1.0/{kind}{key}{rest}", partial(verb, kind))

    def _other_routes(self) -> Iterator[Route]:
        yield Route("graph.directoryObjects.getByIds", "POST", "/v1.0/directoryObjects/getByIds", self._by_ids)
        yield Route("graph.groups.get", "GET", "/v1.0/groups/{id}", self._group)
        yield Route("graph.organization.list", "GET", "/v1.0/organization", self._organization)
        yield Route("graph.me.get", "GET", "/v1.0/me", self._me)

    def serves(self, host: str) -> bool:
        """Graph in every cloud."""
        return host in HOSTS

    def authenticate(self, request: Request) -> Caller:
        """Whom the token speaks for. Raises ServiceError 401 InvalidAuthenticationToken."""
        try:
            return self._tokens.verify(request.headers.get("authorization"), AUDIENCES)
        except BadToken as bad:
            login = cloud_at(request.host).login
            challenge = f'Bearer realm="", authorization_uri="https://{login}/common/oauth2/authorize", client_id="{AUDIENCES[-1]}"'
            raise ServiceError(401, bad.code, REASONS[bad.reason], headers={"WWW-Authenticate": challenge}) from bad

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Graph's envelope; the request ids stand in the header and in ``innerError``."""
        ids = self._request_ids(request)
        inner = {"date": f"{self._clock.now():%Y-%m-%dT%H:%M:%S}", **ids}
        content = {"error": {"code": error.code, "message": error.message, **error.extra, "innerError": inner}}
        return Response.json(error.status, content, {"Content-Type": CONTENT_TYPE, "OData-Version": "4.0", **ids, **error.headers})

    def headers(self, request: Request) -> dict[str, str]:
        """What Graph puts on every answer."""
        diagnostic = {"DataCenter": "West Europe", "Slice": "E", "Ring": "5", "ScaleUnit": "000", "RoleInstance": "AM1PEPF00000001"}
        return {
            **self._request_ids(request),
            "Strict-Transport-Security": "max-age=31536000",
            "Vary": "Accept-Encoding",
            "x-ms-ags-diagnostic": json.dumps({"ServerInfo": diagnostic}, separators=(",", ":")),
        }

    def _request_ids(self, request: Request) -> dict[str, str]:
        own = self._ids.guid()
        return {"request-id": own, "client-request-id": request.headers.get("client-request-id") or own}

    def _key(self, kind: Kind, call: Call) -> str:
        """The id of the object in the path, which may name it by its application ID. Raises ServiceError 501 for what is no object."""
        if "app_id" in call.params:
            return self._directory.id_of(kind, call["app_id"])
        if call["id"] == "delta" or call["id"].startswith("$"):
            raise ServiceError(501, "NotImplemented", f"The emulator does not implement {call.request.method} {call.request.path} of graph.")
        return call["id"]

    # reads

    def _list(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self._roles(call))
        wanted = filters.query(call.request.query, PROPERTIES[kind], TYPES[kind])
        bodies, more = self._directory.page(kind, wanted, self._directory.glance())
        content: dict[str, Json] = {"@odata.context": f"{_metadata(call)}#{kind}{_selection(wanted.select)}"}
        if more:
            content["@odata.nextLink"] = _next_link(call, bodies[-1]["id"])
        content["value"] = [_selected(body, wanted.select) for body in bodies]
        cost = 2 if kind == "applications" else 1
        return _odata(200, content, cost=cost)

    def _get(self, kind: Kind, call: Call) -> Response:
        filters.only_select(call.request.query)
        select = filters.select(call.request.query, PROPERTIES[kind], TYPES[kind])
        key = self._key(kind, call)
        permissions.may_read(self._roles(call))
        body = self._directory.read(kind, key, self._directory.glance())
        context = f"{_metadata(call)}#{kind}{_selection(select)}/$entity"
        return _odata(200, {"@odata.context": context, **_selected(body, select)})

    def _by_ids(self, call: Call) -> Response:
        permissions.may_resolve(self._roles(call))
        asked = _members(call)
        ids, types = asked.get("ids"), asked.get("types")
        if not isinstance(ids, list) or not ids:
            raise ServiceError(400, "Request_BadRequest", "Invalid value specified for property 'ids' of resource 'directoryObject'.")
        found = [self._typed(kind, oid) for oid in ids for kind in KINDS if not types or SINGULAR[kind] in types or "directoryObject" in types]
        return _odata(200, {"@odata.context": f"{_metadata(call)}#directoryObjects", "value": [each for each in found if each]}, cost=3)

    def _typed(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """An object with its type, as lists of directory objects have it; None where there is none."""
        target = self._directory.known(kind, key)
        return {"@odata.type": f"#{TYPES[kind]}", **self._directory.body(target)} if target else None

    def _owners(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self._roles(call))
        target = self._directory.holder(kind, self._key(kind, call))
        found = [self._typed("servicePrincipals", oid) for oid in target.owners]
        return _odata(200, {"@odata.context": f"{_metadata(call)}#directoryObjects", "value": [each for each in found if each]})

    def _group(self, call: Call) -> Response:
        """A group's id and name, which is all that a ``$select`` can ask for here."""
        permissions.may_read_groups(self._roles(call))
        if not set(call.request.query.get("$select", "").split(",")) <= {"id", "displayName"}:
            raise ServiceError(501, "NotImplemented", "The emulator shows a group's id and displayName only; $select them.")
        state, key = self._directory.state, call["id"].lower()
        if key not in state.groups:
            raise missing(key)
        return _odata(
            200, {"@odata.context": f"{_metadata(call)}#groups(id,displayName)/$entity", "id": key, "displayName": state.group_names.get(key, key)}
        )

    def _organization(self, call: Call) -> Response:
        permissions.may_read_directory(self._roles(call))
        state = self._directory.state
        tenant = shape.organization(self._directory.tenant, state.organization, state.domain, state.created or self._clock.now())
        return _odata(200, {"@odata.context": f"{_metadata(call)}#organization", "value": [tenant]})

    def _me(self, call: Call) -> Response:
        raise ServiceError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")

    # writes

    def _roles(self, call: Call) -> list[str]:
        principal = self._directory.principal_by_id(call.who.oid)
        return principal.app_roles if principal else []

    def _writable(self, kind: Kind, call: Call) -> Holder:
        """The object that a write is about. Raises ServiceError 404, 403, or 409 where a ``concurrency`` fault strikes."""
        permissions.may_write(self._roles(call), call.who.oid, self._directory.known(kind, self._key(kind, call)))
        target = self._directory.holder(kind, self._key(kind, call))
        self._undisturbed()
        return target

    def _undisturbed(self) -> None:
        if fault := self._faults.active("concurrency"):
            message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
            headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            raise ServiceError(409, "Directory_ConcurrencyViolation", message, headers=headers)

    def _create(self, kind: Kind, call: Call) -> Response:
        asked, roles = _members(call), self._roles(call)
        permissions.may_create(roles)
        made = self._application(asked) if kind == "applications" else self._principal(asked, call)
        if permissions.ALL not in roles:
            self._directory.add_owner(made.id, call.who.oid)
        body = self._directory.body(made)
        if kind == "applications":
            body["createdDateTime"] = shape.date(made.created)
        location = f"https://{call.request.host}/v2/{self._directory.tenant}/directoryObjects/{made.id}/Microsoft.DirectoryServices.{DIRECTORY_CLASSES[kind]}"
        return _odata(201, {"@odata.context": f"{_metadata(call)}#{kind}/$entity", **body}, {"Location": location})

    def _application(self, asked: dict[str, Json]) -> Holder:
        name = asked.pop("displayName", None)
        if not isinstance(name, str) or not name:
            raise ServiceError(400, "Request_BadRequest", "A value is required for property 'displayName' of resource 'Application'.")
        self._undisturbed()
        return self._directory.create_application(name, **asked)

    def _principal(self, asked: dict[str, Json], call: Call) -> Holder:
        app_id = asked.pop("appId", None)
        if not isinstance(app_id, str) or not app_id:
            raise ServiceError(400, "Request_BadRequest", "A value is required for property 'appId' of resource 'ServicePrincipal'.")
        if application := self._directory.application(app_id):
            permissions.may_write(self._roles(call), call.who.oid, application)
        self._undisturbed()
        return self._directory.create_service_principal(app_id, **asked)

    def _update(self, kind: Kind, call: Call) -> Response:
        self._directory.update(self._writable(kind, call), _members(call))
        return _done()

    def _delete(self, kind: Kind, call: Call) -> Response:
        self._directory.delete(self._writable(kind, call))
        return _done()

    def _add_password(self, kind: Kind, call: Call) -> Response:
        name, start, end = passwords.asked(_members(call))
        added = self._directory.add_password(self._writable(kind, call), name, start, end)
        context = f"{_metadata(call)}#microsoft.graph.passwordCredential"
        return _odata(200, {"@odata.context": context, **shape.password(added, added.secret)}, {"Location": f"https://{call.request.host}"})

    def _remove_password(self, kind: Kind, call: Call) -> Response:
        key_id = _members(call).get("keyId")
        if not isinstance(key_id, str):
            raise ServiceError(400, "Request_BadRequest", "Invalid value specified for property 'keyId' of resource 'PasswordCredential'.")
        self._directory.remove_password(self._writable(kind, call), key_id)
        return _done()

    def _add_owner(self, kind: Kind, call: Call) -> Response:
        target = self._writable(kind, call)
        owner = str(call.request.json().get("@odata.id", "")).rstrip("/").rpartition("/")[2].lower()
        if self._directory.principal_by_id(owner) is None:
            raise missing(owner)
        if owner in target.owners:
            message = "One or more added object references already exist for the following modified properties: 'owners'."
            raise ServiceError(400, "Request_BadRequest", message)
        self._directory.add_owner(target.id, owner)
        return _done()

    def _remove_owner(self, kind: Kind, call: Call) -> Response:
        target = self._writable(kind, call)
        owner = call["owner"].lower()
        if owner not in target.owners:
            raise missing(owner)
        target.owners.remove(owner)
        return _done()


def _members(call: Call) -> dict[str, Json]:
    asked = call.request.json()
    if not isinstance(asked, dict):
        raise ServiceError(400, "Request_BadRequest", "The request body must be a JSON object.")
    return {name: value for name, value in asked.items() if not name.startswith("@odata.")}


def _metadata(call: Call) -> str:
    return f"https://{call.request.host}/v1.0/$metadata"


def _selection(select: tuple[str, ...] | None) -> str:
    return "" if select is None else f"({','.join(select)})"


def _selected(body: Mapping[str, Json], select: tuple[str, ...] | None) -> Mapping[str, Json]:
    return body if select is None else {name: body[name] for name in select}


def _next_link(call: Call, last: str) -> str:
    options = {**call.request.query, "$skiptoken": filters.skiptoken(last)}
    return f"https://{call.request.host}{call.request.path.replace('//', '/')}?{urlencode(options, safe='$,', quote_via=quote)}"


def _done() -> Response:
    return Response(204, headers={"x-ms-resource-unit": "1"})


def _odata(status: int, content: Json, headers: Mapping[str, str] | None = None, *, cost: int = 1) -> Response:
    """A JSON answer with OData's headers; `cost` is what it takes from the tenant's budget, in resource units."""
    common = {"Content-Type": CONTENT_TYPE, "OData-Version": "4.0", "x-ms-resource-unit": str(cost)}
    return Response.json(status, content, {**common, **(headers or {})})
