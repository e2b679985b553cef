"""HTTP of ``management.azure.com``: Resource Manager, role-based access control and container groups.

Checks common to every management operation happen here, before the handler: the ``api-version``, the subscription, the
resource group. Each handler checks the caller's rights.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from local_azure.arm.behaviour import Resources
from local_azure.arm.budget import KINDS, SIZES
from local_azure.arm.cache_rules import cache_rule_routes
from local_azure.arm.child_operations import result_routes
from local_azure.arm.clouds import CLOUDS, cloud_at
from local_azure.arm.connected_registries import connected_registry_routes
from local_azure.arm.credential_sets import credential_set_routes
from local_azure.arm.groups import GROUP_READ, group_routes
from local_azure.arm.interfaces import interface_routes
from local_azure.arm.locks import lock_routes
from local_azure.arm.networks import network_routes
from local_azure.arm.private_endpoints import connection_routes
from local_azure.arm.providers import provider_routes, unknown_routes
from local_azure.arm.registries import RegistryRoutes, registry_routes
from local_azure.arm.replications import replication_routes
from local_azure.arm.scope_tags import scope_tag_routes
from local_azure.arm.shape import envelope
from local_azure.arm.storage import storage_routes
from local_azure.arm.subscriptions import subscription_routes
from local_azure.arm.tokens import token_routes
from local_azure.arm.vaults import VaultRoutes, vault_routes
from local_azure.arm.webhooks import webhook_routes
from local_azure.entra.audiences import RESOURCE_MANAGER
from local_azure.entra.bearers import BadToken
from local_azure.entra.behaviour import Tokens
from local_azure.ids import Ids
from local_azure.wire import Call, Caller, Handler, Json, Request, Response, Route, ServiceError, Table

OLDER_NAMES = {"login.microsoftonline.com": "login.windows.net"}
"""The name of the public cloud's sign-in in the challenge of Resource Manager (recorded, 2024 and 2025)."""

CODES = {
    "missing": "AuthenticationFailed",
    "expired": "ExpiredAuthenticationToken",
    "audience": "InvalidAuthenticationTokenAudience",
}
"""Resource Manager's words for what is wrong with a token; any other fault of it is InvalidAuthenticationToken."""

GATEWAY = {
    *(
        "ResourceNotFound",
        "ResourceGroupNotFound",
        "SubscriptionNotFound",
        "InvalidSubscriptionId",
        "AuthorizationFailed",
        "ScopeLocked",
    ),
    *(
        "AuthenticationFailed",
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenAudience",
    ),
    *(
        "MissingApiVersionParameter",
        "LocationRequired",
        "InvalidResourceLocation",
        "InvalidResourceName",
        "InvalidResourceType",
    ),
    *("SubscriptionRequestsThrottled", "LinkedAuthorizationFailed", "InvalidRequestContent"),
    *("MissingIdentityIds", "InvalidTagNameCharacters", "FailedIdentityOperation"),
}
"""Answer of Resource Manager itself, before a provider is asked: marked so by a header (recorded)."""

READING = {
    "storage.storageAccounts.checkNameAvailability",
    "arm.registries.checkName",
    "arm.registries.listCredentials",
    "arm.vaults.checkName",
}
"""Operations that read although they are sent with POST (recorded: the answer to a check of a name has reads left)."""

_WITHIN = re.compile(
    r"/+subscriptions/+(?P<subscription>[^/]+)(?:/+resourceGroups/+(?P<group>[^/]+)(?P<inside>/+.+)?)?.*", re.IGNORECASE
)


class Arm:
    """Service at Resource Manager's host in each cloud.

    `extra_routes` are the routes of providers in other packages.
    """

    name = "arm"

    def __init__(self, tokens: Tokens, resources: Resources, extra_routes: Iterable[Route] = ()) -> None:
        self.tokens, self.resources = tokens, resources
        self.table = Table(self._routes(extra_routes), self._guarded)
        self._left: tuple[str, int] | None = None
        """Rest of the caller's budget, for the call being answered."""
        self._request_ids = Ids(0)
        """Request ids have a source of their own, so that a world is the same whether or not HTTP was between."""

    def _routes(self, extra_routes: Iterable[Route]) -> Iterator[Route]:
        resources, registries = self.resources, RegistryRoutes(self.resources)
        yield from (
            *subscription_routes(resources),
            *group_routes(resources),
            *provider_routes(resources),
            *lock_routes(resources),
            *scope_tag_routes(resources),
        )
        yield from (
            *registry_routes(registries),
            *token_routes(registries),
            *replication_routes(registries),
            *webhook_routes(registries),
            *cache_rule_routes(registries),
            *credential_set_routes(registries),
            *connected_registry_routes(registries),
            *result_routes(resources),
        )
        yield from vault_routes(VaultRoutes(resources))
        yield from network_routes(resources)
        yield from interface_routes(resources)
        yield from connection_routes(resources)
        yield from storage_routes(resources)
        yield from extra_routes
        yield from unknown_routes(resources)

    def serves(self, host: str) -> bool:
        """Resource Manager's host in the public, US government and China clouds."""
        return any(host == cloud.resource_manager for cloud in CLOUDS)

    def authenticate(self, request: Request) -> Caller:
        """Return the caller of the bearer token.

        401 AuthenticationFailed, ExpiredAuthenticationToken or InvalidAuthenticationToken.
        """
        header = request.headers.get("authorization", "")
        if not header:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise self._unauthorized(
                request,
                "AuthenticationFailed",
                message,
                "The authentication failed because of missing 'Authorization' header.",
            )
        try:
            return self.tokens.verify(header, RESOURCE_MANAGER)
        except BadToken as error:
            raise self._unauthorized(
                request, CODES.get(error.reason, error.code), error.message, error.message
            ) from error

    def _unauthorized(self, request: Request, code: str, message: str, why: str) -> ServiceError:
        tenant = self.resources.authorization.directory.tenant
        login = cloud_at(request.host).login
        login = OLDER_NAMES.get(login, login)
        challenge = (
            f'Bearer authorization_uri="https://{login}/{tenant}", error="invalid_token", error_description="{why}"'
        )
        return ServiceError(401, code, message, headers={"WWW-Authenticate": challenge})

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Return ``{"error":{"code","message"}}``, with the error's extra properties.

        The registries' provider adds a ``status`` (recorded).
        """
        body: dict[str, Json] = {"error": {"code": error.code, "message": error.message, **error.extra}}
        if error.code in GATEWAY and error.inner != "provider":
            return Response.json(error.status, body, {"x-ms-failure-cause": "gateway", **error.headers})
        provider = request.path.lower().rpartition("/providers/")[2].partition("/")[0]
        if error.status != 501 and provider == "microsoft.containerregistry":
            body["status"] = "Failed"
        return Response.json(error.status, body, {**self._networks_own(request), **error.headers})

    def _networks_own(self, request: Request) -> dict[str, str]:
        """Return the id that the provider of networks adds to its own answers (recorded)."""
        provider = request.path.lower().rpartition("/providers/")[2].partition("/")[0]
        return {"x-ms-arm-service-request-id": self._request_ids.guid()} if provider == "microsoft.network" else {}

    def headers(self, request: Request) -> dict[str, str]:
        """Return the common headers: ids for support, the remaining rate limit, and the fixed ones.

        The fixed ones include the front door's (recorded since 2024).
        """
        correlation = request.headers.get("x-ms-correlation-request-id") or self._request_ids.guid()
        reference, now = self._request_ids.hex(32).upper(), self.resources.clock.now()
        return {
            "Pragma": "no-cache",
            "Expires": "-1",
            **self._remaining(),
            "x-ms-request-id": self._request_ids.guid(),
            "x-ms-correlation-request-id": correlation,
            "x-ms-routing-request-id": f"EASTUS:{now:%Y%m%dT%H%M%SZ}:{correlation}",
            "x-cache": "CONFIG_NOCACHE",
            "x-msedge-ref": f"Ref A: {reference} Ref B: EMULATOR Ref C: {now:%Y-%m-%dT%H:%M:%SZ}",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }

    def _remaining(self) -> dict[str, str]:
        if self._left is None:
            return {}
        (kind, left), self._left = self._left, None
        name = "x-ms-ratelimit-remaining-subscription"
        size = SIZES[kind][0]
        return {f"{name}-{kind}": str(left), f"{name}-global-{kind}": str(15 * size - (size - left))}

    def _guarded(self, route: Route) -> Route:
        return route if route.anonymous else replace(route, handler=self._checking(route.handler))

    def _checking(self, handler: Handler) -> Handler:
        def checked(call: Call) -> Response:
            if not call.request.query.get("api-version"):
                message = "The api-version query parameter (?api-version=) is required for all requests."
                raise ServiceError(400, "MissingApiVersionParameter", message)
            within = _WITHIN.fullmatch(call.request.path)
            self._spend(call, within["subscription"] if within else "")
            if call.request.method in ("PUT", "PATCH"):
                envelope(call.request.json())
            if within:
                self._exists(call.who, within["subscription"], within["group"] if within["inside"] else None)
            return self._identified(call, handler(call))

        return checked

    def _identified(self, call: Call, response: Response) -> Response:
        """Add the caller's tenant and object id to a provider's answer to a write.

        Polling such an operation gets the header too (recorded since 2025).
        """
        reads = call.request.method in ("GET", "HEAD") and "/operationstatuses/" not in call.request.path.lower()
        if not reads and "/providers/" in call.request.path:
            who = f"tenantId={call.who.tenant},objectId={call.who.oid}/eastus/{self._request_ids.guid()}"
            response.headers["x-ms-operation-identifier"] = who
        response.headers = {**self._networks_own(call.request), **response.headers}
        return response

    def _spend(self, call: Call, subscription: str) -> None:
        """Take one request from the caller's budget in a subscription, or in the tenant; 429 where none is left."""
        kind = "reads" if call.operation in READING else KINDS.get(call.request.method, "writes")
        self._left = None
        self._left = (
            kind,
            self.resources.budget.spend(subscription or self.resources.authorization.directory.tenant, call.who, kind),
        )

    def _exists(self, caller: Caller, subscription: str, group: str | None) -> None:
        """The subscription exists, and the group that the path leads through, as far as the caller may know."""
        self.resources.subscription(subscription)
        path = f"/subscriptions/{subscription}/resourceGroups/{group}"
        if (
            group
            and not self.resources.has_group(subscription, group)
            and self.resources.authorization.granted(caller.oid, GROUP_READ, path)
        ):
            self.resources.resource_group(subscription, group)
