"""Graph's HTTP, version 1.0: tables of all parts, errors, headers, budgets, and batches."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from local_azure.arm.clouds import cloud_at
from local_azure.entra.audiences import GRAPH as AUDIENCES
from local_azure.entra.bearers import BadToken
from local_azure.faults import not_implemented
from local_azure.graph import batch, odata
from local_azure.graph.access import DirectoryAccess
from local_azure.graph.budget import DirectoryBudget, is_write
from local_azure.graph.odata import UNITS
from local_azure.graph.routes import (
    delegated,
    deleted,
    federated,
    grants,
    groups,
    objects,
    owners,
    passwords,
    policies,
    tenant,
    upsert,
)
from local_azure.wire import Call, Caller, Handler, Request, Response, Route, ServiceError, Table

if TYPE_CHECKING:
    from local_azure.azure import Azure

HOSTS = ("graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn")
"""Graph in every cloud."""

REASONS = {
    "missing": "Access token is empty.",
    "malformed": "CompactToken parsing failed with error code: 80049217",
    "signature": "CompactToken validation failed with reason code: 80049228.",
    "expired": "Lifetime validation failed, the token is expired.",
    "audience": "Access token validation failure. Invalid audience.",
}
"""Graph's words for what is wrong with a token, all of them InvalidAuthenticationToken."""

BATCH = "graph.batch"


class Graph:
    """The service ``graph.microsoft.com``."""

    name = "graph"

    def __init__(self, azure: "Azure") -> None:
        self._directory, self._tokens, self._ids, self._clock = azure.directory, azure.tokens, azure.ids, azure.clock
        self._budget = DirectoryBudget(azure.clock, azure.directory.tenant)
        self.table: Table = odata.Actions(self._routes(DirectoryAccess(azure.directory)), self._metered)

    def _routes(self, access: DirectoryAccess) -> Iterator[Route]:
        parts = (passwords, objects, owners, deleted, tenant, groups, grants, delegated, policies, federated, upsert)
        yield from chain.from_iterable(part.routes(access) for part in parts)
        yield Route(BATCH, "POST", "/v1.0/$batch", self._batch)

    def serves(self, host: str) -> bool:
        """Graph in every cloud."""
        return host in HOSTS

    def authenticate(self, request: Request) -> Caller:
        """Whom the token speaks for. Raises ServiceError 401 InvalidAuthenticationToken."""
        try:
            return self._tokens.verify(request.headers.get("authorization"), AUDIENCES)
        except BadToken as bad:
            login = cloud_at(request.host).login
            challenge = (
                f'Bearer realm="", authorization_uri="https://{login}/common/oauth2/authorize",'
                f' client_id="{AUDIENCES[-1]}"'
            )
            raise ServiceError(401, bad.code, REASONS[bad.reason], headers={"WWW-Authenticate": challenge}) from bad

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Graph's envelope, as recorded; the request ids stand in the header and in ``innerError``."""
        ids = self._request_ids(request)
        inner = {"date": f"{self._clock.now():%Y-%m-%dT%H:%M:%S}", **ids}
        content = {"error": {"code": error.code, "message": error.message, **error.extra, "innerError": inner}}
        cost = {} if error.status in (401, 429) else {UNITS: "1"}
        headers = {"Content-Type": "application/json", "Vary": "Accept-Encoding", **cost, **ids}
        return Response.json(error.status, content, {**headers, **error.headers})

    def headers(self, request: Request) -> dict[str, str]:
        """Return the headers common to all Graph answers."""
        diagnostic = {
            "DataCenter": "West Europe",
            "Slice": "E",
            "Ring": "5",
            "ScaleUnit": "000",
            "RoleInstance": "AM1PEPF00000001",
        }
        return {
            **self._request_ids(request),
            "Strict-Transport-Security": "max-age=31536000",
            "x-ms-ags-diagnostic": json.dumps({"ServerInfo": diagnostic}, separators=(",", ":")),
        }

    def _request_ids(self, request: Request) -> dict[str, str]:
        own = self._ids.guid()
        return {"request-id": own, "client-request-id": request.headers.get("client-request-id") or own}

    def _metered(self, route: Route) -> Route:
        """Return a route with a charge on the caller's budgets; a batch charges for each of the requests inside."""
        return route if route.operation == BATCH else replace(route, handler=self._counting(route.handler))

    def _counting(self, handler: Handler) -> Handler:
        def counted(call: Call) -> Response:
            writes = is_write(call.request.method)
            spent = self._budget.open(self._directory.state, call.who.app_id, writes=writes)
            try:
                response = handler(call)
            except ServiceError:
                self._budget.charge(spent, 1, writes=writes)
                raise
            response.headers |= self._budget.charge(spent, int(response.headers.get(UNITS, "1")), writes=writes)
            return response

        return counted

    def _batch(self, call: Call) -> Response:
        answers = batch.run(
            odata.members(call).get("requests"), call.request, lambda request: self._serve(request, call.who)
        )
        return Response.json(200, {"responses": answers}, {"OData-Version": "4.0"})

    def _serve(self, request: Request, who: Caller) -> Response:
        """One request out of a batch."""
        found = self.table.find(request)
        if found is None or found[0].operation == BATCH:
            return not_implemented(self.name, request)
        route, params = found
        try:
            return route.handler(Call(request, route.operation, params, who))
        except ServiceError as error:
            return self.refuse(error, request)
