"""Token endpoints for a machine with managed identities: IMDS of a virtual machine, and App Service's endpoint.

Plain HTTP as in Azure. The machine is this one, and every user-assigned identity of the tenant counts as assigned to
the machine; the machine has no system-assigned identity. Sources: "How to use managed identities … on an Azure VM to
acquire an access token", "How to use managed identities for App Service", and msal's use of both endpoints.
"""

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING

from local_azure.arm.behaviour import Resource
from local_azure.entra import refusals
from local_azure.graph.objects import ServicePrincipal
from local_azure.msi.addresses import APP_SERVICE_PATH, HOSTS, IMDS_PATH
from local_azure.wire import Call, Caller, Json, Request, Response, Route, ServiceError, Table

if TYPE_CHECKING:
    from local_azure.azure import Azure

NAMED_BY = {
    "client_id": "clientId",
    "object_id": "principalId",
    "principal_id": "principalId",
    "msi_res_id": "id",
    "mi_res_id": "id",
}
"""Parameter by which a request may name an identity → the property of its resource."""

WANTED = (
    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token"
    " request"
)


class ManagedIdentity:
    """The local token endpoints.

    `header` is the secret for App Service's endpoint; an empty one refuses all requests to App Service's endpoint.
    """

    name = "msi"

    def __init__(self, azure: "Azure", header: str = "") -> None:
        self._identities, self._tokens, self._ids, self._header = azure.identities, azure.tokens, azure.ids, header
        self.table = Table(
            (
                Route("msi.imds.token", "GET", IMDS_PATH, self._imds, anonymous=True),
                Route("msi.appService.token", "GET", APP_SERVICE_PATH, self._app_service, anonymous=True),
            )
        )

    def serves(self, host: str) -> bool:
        """Tell if the host is IMDS's address or this machine."""
        return host in HOSTS

    def authenticate(self, request: Request) -> Caller:
        """Never asked: being on the machine is enough. Raises ServiceError 401."""
        raise ServiceError(401, "invalid_request", "Not authorized.")

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Return the error in the endpoint's own envelope."""
        if request.path.lower().startswith(APP_SERVICE_PATH):
            content: Json = {"statusCode": error.status, "message": error.message, "correlationId": self._ids.guid()}
        else:
            content = {"error": error.inner or error.code, "error_description": error.message}
        return Response.json(error.status, content, error.headers)

    def headers(self, request: Request) -> dict[str, str]:
        """Return IMDS's ``Server`` header."""
        return {"Server": "IMDS/150.870.65.1853"} if request.path.lower().startswith("/metadata/") else {}

    def _imds(self, call: Call) -> Response:
        asked = call.request.query
        if call.request.headers.get("metadata", "").lower() != "true":
            raise ServiceError(400, "invalid_request", "Required metadata header not specified")
        for name in ("api-version", "resource"):
            if not asked.get(name):
                raise ServiceError(400, "invalid_request", f"Required query variable '{name}' is missing")
        issued = self._issued(asked, "Identity not found")
        return Response.json(
            200, {**issued, "expires_in": issued["expires_in"], "ext_expires_in": issued["expires_in"]}
        )

    def _app_service(self, call: Call) -> Response:
        asked = call.request.query
        given = call.request.headers.get("x-identity-header", "")
        if not self._header or not hmac.compare_digest(given.encode(), self._header.encode()):
            raise ServiceError(401, "Unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
        if not asked.get("resource") or asked.get("api-version") != "2019-08-01":
            raise ServiceError(400, "BadRequest", "The query needs api-version=2019-08-01 and a resource.")
        issued = self._issued(
            asked, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
        )
        kept = ("access_token", "client_id", "expires_on", "resource", "token_type")
        return Response.json(200, {name: issued[name] for name in kept})

    def _issued(self, asked: Mapping[str, str], unknown: str) -> dict[str, str]:
        resource = self._resource(asked, unknown)
        principal = self._principal(resource, unknown)
        try:
            return self._tokens.issue_managed(principal, resource.id, asked["resource"])
        except ServiceError as error:
            if error.code != f"AADSTS{refusals.UNKNOWN_RESOURCE.number}":
                raise
            raise ServiceError(400, "invalid_resource", f"{error.code}: {error.message}") from error

    def _resource(self, asked: Mapping[str, str], unknown: str) -> Resource:
        """The identity that is asked for: the named one, or the only one there is."""
        every = list(self._identities.every())
        for parameter, attribute in NAMED_BY.items():
            if wanted := asked.get(parameter):
                every = [one for one in every if {**one.properties, "id": one.id}[attribute].lower() == wanted.lower()]
        if not every:
            raise ServiceError(400, "invalid_request", unknown)
        if len(every) > 1:
            raise ServiceError(400, "invalid_request", WANTED)
        return every[0]

    def _principal(self, resource: Resource, unknown: str) -> ServicePrincipal:
        found = self._identities.principal(resource.id)
        if found is None or not found.account_enabled:
            raise ServiceError(400, "invalid_request", unknown)
        return found
