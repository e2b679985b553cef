"""HTTP of container groups in Resource Manager: paths, status codes, headers of long-running operations.

Statuses are those recorded of Azure (azure-facts B2): 201 and ``azure-asyncoperation`` for a PUT, without Location or
Retry-After; 204 with that header for a restart; 200 with the last body for a DELETE. The 200 of an update comes from
the specification; no recording exists. A region's offers, and the operations answered by 501, are in `locations.py`.
"""

import base64
from collections.abc import Callable
from hashlib import sha256
from itertools import islice
from urllib.parse import quote

from local_azure.aci.behaviour import TYPE, ContainerGroups
from local_azure.aci.linked import require_linked
from local_azure.aci.locations import location_routes
from local_azure.aci.profiles import profile_routes
from local_azure.aci.shape import unreadable
from local_azure.aci.state import GroupOperation
from local_azure.aci.versions import seen
from local_azure.arm.tags import tags_of
from local_azure.wire import Call, Json, Response, Route, ServiceError

PAGE = 100
"""Groups on one page of a list; Azure's own number is not documented."""
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"
_PROVIDER = "/providers/Microsoft.ContainerInstance"
_ITEM = f"{_GROUP}{_PROVIDER}/containerGroups/{{name}}"
_TICKS = 621355968000000000
"""The Unix epoch in the ticks (100 ns since year 1) that the operation URL's ``t`` counts."""


def routes(container_groups: ContainerGroups) -> tuple[Route, ...]:
    """Return the operations on container groups and around them, for the service of Resource Manager's host."""
    wire = _Wire(container_groups)
    table: list[tuple[str, str, str, Callable[[Call], Response]]] = [
        ("aci.containerGroups.createOrUpdate", "PUT", _ITEM, wire.put),
        ("aci.containerGroups.get", "GET", _ITEM, wire.get),
        ("aci.containerGroups.update", "PATCH", _ITEM, wire.patch),
        ("aci.containerGroups.delete", "DELETE", _ITEM, wire.delete),
        ("aci.containerGroups.list", "GET", f"{_SUBSCRIPTION}{_PROVIDER}/containerGroups", wire.list),
        ("aci.containerGroups.listByResourceGroup", "GET", f"{_GROUP}{_PROVIDER}/containerGroups", wire.list),
        ("aci.containerGroups.start", "POST", f"{_ITEM}/start", wire.start),
        ("aci.containerGroups.stop", "POST", f"{_ITEM}/stop", wire.stop),
        ("aci.containerGroups.restart", "POST", f"{_ITEM}/restart", wire.restart),
        ("aci.containers.listLogs", "GET", f"{_ITEM}/containers/{{container}}/logs", wire.logs),
        (
            "aci.operations.get",
            "GET",
            f"{_SUBSCRIPTION}{_PROVIDER}/locations/{{location}}/operations/{{operation}}",
            wire.operation,
        ),
    ]
    own = (Route(*entry) for entry in table)
    profiles = profile_routes(container_groups.profiles, container_groups.resources)
    return (*own, *profiles, *location_routes(container_groups))


class _Wire:
    def __init__(self, groups: ContainerGroups) -> None:
        self._groups, self._authorization = groups, groups.authorization

    def _seen(self, call: Call, body: dict[str, Json]) -> dict[str, Json]:
        return seen(body, call.request.query.get("api-version", ""), self._groups.known)

    def put(self, call: Call) -> Response:
        group_id = self._allowed(call, "write")
        self._groups.require_unlocked(group_id, "write")
        require_linked(self._authorization, call, group_id, call.request.json())
        written = self._groups.put(group_id, call.request.json(), call.request.query.get("api-version", ""))
        headers = {**_async(call, written.operation), **self._groups.budget.headers("put", call["subscription"])}
        return Response.json(201 if written.created else 200, self._seen(call, written.body), headers)

    def get(self, call: Call) -> Response:
        return Response.json(200, self._seen(call, self._groups.get(self._allowed(call, "read"))))

    def patch(self, call: Call) -> Response:
        group_id, body = self._allowed(call, "write"), call.request.json()
        self._groups.require_unlocked(group_id, "write")
        if not isinstance(body, dict) or set(map(str.lower, body)) & {"properties", "identity"}:
            raise unreadable("Only the tags of a container group can be patched.")
        found = self._groups.patch_tags(group_id, tags_of(body)) if "tags" in body else self._groups.get(group_id)
        return Response.json(200, self._seen(call, found))

    def delete(self, call: Call) -> Response:
        group_id = self._allowed(call, "delete")
        self._groups.require_unlocked(group_id, "delete")
        last = self._groups.delete(group_id)
        headers = self._groups.budget.headers("delete", call["subscription"])
        return Response(204, headers=headers) if last is None else Response.json(200, self._seen(call, last), headers)

    def list(self, call: Call) -> Response:
        scope = f"/subscriptions/{call['subscription']}"
        if "group" in call.params:
            scope += f"/resourceGroups/{call['group']}"
        after = _last(call.request.query.get("$skiptoken"))
        found = self._groups.listed(call["subscription"], call.params.get("group"), after)
        readable = (body for body in found if self._authorization.allowed(call.who.oid, f"{TYPE}/read", body["id"]))
        first = [*islice(readable, PAGE + 1)]
        if not first and not after:
            self._authorization.require(call.who, f"{TYPE}/read", scope)
        return Response.json(200, _page(call, [self._seen(call, body) for body in first]))

    def start(self, call: Call) -> Response:
        operation = self._groups.start(self._allowed(call, "start/action"))
        return Response(202, headers=_async(call, operation)) if operation else Response(204)

    def stop(self, call: Call) -> Response:
        self._groups.stop(self._allowed(call, "stop/action"))
        return Response(204)

    def restart(self, call: Call) -> Response:
        return Response(204, headers=_async(call, self._groups.restart(self._allowed(call, "restart/action"))))

    def logs(self, call: Call) -> Response:
        tail = call.request.query.get("tail")
        if tail is not None and not tail.isdigit():
            raise ServiceError(400, "InvalidParameter", f"The value '{tail}' provided for 'tail' is not valid.")
        group_id = self._allowed(call, "containers/logs/read")
        timestamps = call.request.query.get("timestamps", "false").lower() == "true"
        content = self._groups.logs(
            group_id, call["container"], None if tail is None else int(tail), timestamps=timestamps
        )
        return Response.json(200, {"content": content})

    def operation(self, call: Call) -> Response:
        return Response.json(200, self._groups.operation(call["operation"]))

    def _allowed(self, call: Call, verb: str) -> str:
        group_id = (
            f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}/providers/{TYPE}/{call['name']}"
        )
        self._authorization.require(call.who, f"{TYPE}/{verb}", group_id)
        return group_id


def _async(call: Call, operation: GroupOperation) -> dict[str, str]:
    """Return the header for following the operation.

    The URL is signed, so that polling needs a valid token but no role.
    """
    ticks = _TICKS + int(operation.started.timestamp() * 10_000_000)
    signed = "".join(f"&{name}={sha256(f'{name}{operation.id}'.encode()).hexdigest()}" for name in "csh")
    path = f"/subscriptions/{call['subscription']}{_PROVIDER}/locations/{operation.location}/operations/{operation.id}"
    url = f"https://{call.request.host}{path}?api-version=2018-06-01&t={ticks}{signed}"
    return {"azure-asyncoperation": url, "azure-asyncnotification": "Enabled"}


def _page(call: Call, rest: list[dict[str, Json]]) -> dict[str, Json]:
    page: dict[str, Json] = {"value": rest[:PAGE]}
    if len(rest) > PAGE:
        token = base64.urlsafe_b64encode(rest[PAGE - 1]["id"].lower().encode()).decode()
        version = quote(call.request.query.get("api-version", ""))
        page["nextLink"] = (
            f"https://{call.request.host}{quote(call.request.path)}?api-version={version}&$skiptoken={quote(token)}"
        )
    return page


def _last(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode(token or "").decode()
    except ValueError as error:
        raise ServiceError(400, "InvalidSkipToken", f"The skip token '{token}' is not valid.") from error
