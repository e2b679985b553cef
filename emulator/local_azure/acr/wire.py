"""The registry's host: token endpoints, and the check of callers before every other route.

Every route is reached without an ARM token: the caller is identified here, from Basic or from the registry's own Bearer
tokens, because the challenge names the repository (azure-facts G1).
"""

from local_azure.acr.behaviour import SUFFIXES, Registries
from local_azure.acr.distribution import Distribution, Operations
from local_azure.acr.door import RegistryDoor, challenged, spoken
from local_azure.acr.metadata import Metadata
from local_azure.acr.refusal import Refused
from local_azure.acr.rights import PullIdentity, login_server
from local_azure.acr.tokens import TokenGrant
from local_azure.arm.behaviour import Resource
from local_azure.entra.behaviour import Tokens
from local_azure.ids import Ids
from local_azure.wire import Call, Caller, Request, Response, Route, ServiceError, Table

AUDIENCE = "https://containerregistry.azure.net"
"""Audiences of the Entra tokens that ``/oauth2/exchange`` takes."""
ARM_AUDIENCES = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
)
"""Audiences that it also takes while ``azureADAuthenticationAsArmPolicy`` is on, as it is by default (azure-facts G6).
"""
_RATE = {"x-ms-ratelimit-remaining-calls-per-second": "166.65"}


TOKEN_HEADERS = {"X-Ms-Ratelimit-Remaining-Calls-Per-Second": "166.65"}
DISTRIBUTION_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Docker-Distribution-Api-Version": "registry/2.0",
    "Access-Control-Expose-Headers": "Docker-Content-Digest, WWW-Authenticate, Link, X-Ms-Correlation-Request-Id",
}
"""Headers of the token endpoint and of every other answer (recorded)."""


class Acr:
    """The service ``*.azurecr.io``."""

    name = "acr"

    def __init__(self, registries: Registries, tokens: Tokens) -> None:
        self._registries, self._tokens, self._ids, self._door = registries, tokens, Ids(0), RegistryDoor(registries)
        operations = (
            *self._operations(),
            *Distribution(registries, self._door).operations(),
            *Metadata(registries, self._door).operations(),
        )
        self.table = Table(
            Route(name, method, path, spoken(handler), anonymous=True) for name, method, path, handler in operations
        )

    def _operations(self) -> Operations:
        return [
            ("acr.token", "GET", "/oauth2/token", self._token),
            ("acr.token", "POST", "/oauth2/token", self._token_for),
            ("acr.exchange", "POST", "/oauth2/exchange", self._exchange),
        ]

    def serves(self, host: str) -> bool:
        """Tell if `host` is the name of a login server, registered or not.

        A name without a registry breaks the connection, like a name without a DNS entry.
        """
        return host.endswith(SUFFIXES)

    def authenticate(self, request: Request) -> Caller:
        """Refuse every sign-in: the routes authenticate callers themselves. Raises ServiceError 401."""
        raise challenged(request)

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """Return the envelope of the distribution specification, with ACR's final line break."""
        entry = {"code": error.code, "message": error.message, **error.extra}
        response = Response.json(error.status, {"errors": [entry]}, error.headers)
        response.body += b"\n"
        return response

    def headers(self, request: Request) -> dict[str, str]:
        """Return ACR's headers for every answer, which name no cache (recorded).

        The token endpoint has none of the distribution specification.
        """
        tokens = request.path.lower().startswith("/oauth2/")
        return {
            "Server": "AzureContainerRegistry",
            **(TOKEN_HEADERS if tokens else DISTRIBUTION_HEADERS),
            "Cache-Control": "",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Ms-Correlation-Request-Id": self._ids.guid(),
        }

    def _token(self, call: Call) -> Response:
        registry = self._door.registry(call.request, token=True)
        identity = self._door.basic(call.request, registry)
        return self._access(call, registry, identity, call.request.query.get("scope"), "password")

    def _token_for(self, call: Call) -> Response:
        registry, form = self._door.registry(call.request, token=True), call.request.form()
        grant = form.get("grant_type", "")
        if grant == "password":
            identity = self._registries.rights.identify(registry, form.get("username", ""), form.get("password", ""))
        elif grant == "refresh_token":
            identity = self._registries.rights.redeem(registry, form.get("refresh_token", ""))
        else:
            raise Refused("UNSUPPORTED", f"grant_type {grant!r} is not supported", status=400)
        return self._access(call, registry, identity, form.get("scope"), grant)

    def _exchange(self, call: Call) -> Response:
        registry, form = self._door.registry(call.request, token=True), call.request.form()
        grant = form.get("grant_type", "")
        if grant not in ("access_token", "access_token_refresh_token", "refresh_token"):
            raise Refused("UNSUPPORTED", f"grant_type {grant!r} is not supported", status=400)
        if grant == "refresh_token":
            raise Refused("UNSUPPORTED", "The emulator has no Entra refresh tokens to exchange.", status=501)
        try:
            caller = self._tokens.verify(f"Bearer {form.get('access_token', '')}", _audiences(registry))
        except ServiceError as error:
            raise Refused("UNAUTHORIZED", "AAD access token is invalid.") from error
        token = self._registries.mint.issue("refresh", login_server(registry), caller.app_id, "access_token")
        return Response.json(200, {"refresh_token": token}, _RATE)

    def _access(
        self, call: Call, registry: Resource, identity: PullIdentity, scope: str | None, grant: str
    ) -> Response:
        access = None
        if scope:
            try:
                access = self._registries.rights.granted(registry, identity, TokenGrant.parse(scope))
            except ValueError as error:
                raise Refused("UNSUPPORTED", str(error), status=400) from error
        token = self._registries.mint.issue("access", call.request.host, identity.subject, grant, access)
        return Response.json(200, {"access_token": token}, _RATE)


def _audiences(registry: Resource) -> tuple[str, ...]:
    policy = (registry.properties.get("policies") or {}).get("azureADAuthenticationAsArmPolicy") or {}
    return (AUDIENCE,) if policy.get("status") == "disabled" else (AUDIENCE, *ARM_AUDIENCES)
