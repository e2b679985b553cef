"""Let a request to a registry in, or refuse in ACR's words.

Credentials are Basic or one of the registry's own tokens (azure-facts G1 to G3, G9).
"""

import base64

from local_azure.acr.behaviour import Registries
from local_azure.acr.limits import TooMany
from local_azure.acr.refusal import BARE, Refused
from local_azure.acr.rights import DENIED, REQUIRED, Kind, PullIdentity
from local_azure.acr.tokens import BadRegistryToken, TokenGrant
from local_azure.arm.behaviour import Resource
from local_azure.faults import Broken
from local_azure.wire import Call, Handler, Json, Request, Response, ServiceError


class RegistryDoor:
    """Asked by every operation of every registry."""

    def __init__(self, registries: Registries) -> None:
        self._registries, self._rights, self._limits = registries, registries.rights, registries.limits

    def registry(self, request: Request, *, token: bool = False) -> Resource:
        """The registry at the request's host; `token` counts a request to its token endpoints.

        Raises Broken, Refused.
        """
        try:
            found = self._rights.registry(request.host)
        except Refused as refused:
            if refused.code == "NO_SUCH_HOST":
                raise Broken("reset") from refused
            raise
        if token:
            self._limits.count_token(found)
        return found

    def basic(self, request: Request, registry: Resource) -> PullIdentity:
        """Return the identity of the request's Basic credentials. Raises Refused."""
        return self._rights.identify(registry, *_basic(request.headers.get("authorization", "")))

    def admit(self, request: Request, needed: TokenGrant | None = None) -> None:
        """Let a request pass that needs all of the actions of `needed`. Raises Broken, Refused, ServiceError."""
        registry = self.registry(request)
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            self._bearer(request, registry, value, needed)
            return
        nobody = PullIdentity(Kind.ANONYMOUS)
        if not value and not (needed and self._may(registry, nobody, needed)):
            raise challenged(request, needed)
        identity = self.basic(request, registry) if value else nobody
        self._limits.count_request(registry, identity.subject)
        if needed and not self._may(registry, identity, needed):
            raise Refused("DENIED", DENIED, _wanted(needed))

    def lets(self, request: Request, needed: TokenGrant) -> bool:
        """Tell if a request already let in for another action has the `needed` grant too."""
        try:
            self.admit(request, needed)
        except (Refused, ServiceError):
            return False
        return True

    def _may(self, registry: Resource, identity: PullIdentity, needed: TokenGrant) -> bool:
        actions = ("catalog",) if needed.type == "registry" else needed.actions
        return all(self._rights.may(registry, identity, action, needed.name) for action in actions)

    def _bearer(self, request: Request, registry: Resource, token: str, needed: TokenGrant | None) -> None:
        try:
            claims = self._registries.mint.read("access", request.host, token)
        except BadRegistryToken as error:
            raise challenged(request, needed, "invalid_token") from error
        self._limits.count_request(registry, str(claims["sub"]))
        if needed and not _covers(claims.get("access") or [], needed):
            raise challenged(request, needed, "insufficient_scope")


def spoken(handler: Handler) -> Handler:
    """Return the handler with refusals turned into answers."""

    def speaking(call: Call) -> Response:
        try:
            return handler(call)
        except Refused as refused:
            headers = {"Retry-After": str(refused.seconds)} if isinstance(refused, TooMany) else None
            detail = refused.detail if refused.detail is not None else _named(call, refused.code)
            extra = {} if detail is BARE else {"detail": detail}
            raise ServiceError(refused.status, refused.code, refused.message, headers=headers, extra=extra) from refused

    return speaking


def challenged(request: Request, needed: TokenGrant | None = None, error: str = "") -> ServiceError:
    """Return a 401 naming the way to a sufficient token."""
    parts = [f'Bearer realm="https://{request.host}/oauth2/token"', f'service="{request.host}"']
    if needed:
        parts.append(f'scope="{needed.type}:{needed.name}:{",".join(needed.actions)}"')
    header = {"WWW-Authenticate": ",".join([*parts, f'error="{error}"'] if error else parts)}
    return ServiceError(401, "UNAUTHORIZED", REQUIRED, headers=header, extra={"detail": _wanted(needed)})


def _wanted(needed: TokenGrant | None) -> Json:
    return (
        [{"Type": needed.type, "Name": needed.name, "Action": action} for action in needed.actions] if needed else None
    )


def _named(call: Call, code: str) -> Json:
    """Return the detail of a not-found error: the requested name."""
    found = {name: call.params[name] for name in ("name", "reference", "digest", "tag") if name in call.params}
    return found if code.endswith("_UNKNOWN") else None


def _basic(header: str) -> tuple[str, str]:
    kind, _, value = header.partition(" ")
    if not header:
        return "", ""
    try:
        username, found, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError as error:
        raise Refused("UNAUTHORIZED", REQUIRED) from error
    if kind.lower() != "basic" or not found:
        raise Refused("UNAUTHORIZED", REQUIRED)
    return username, password


def _covers(access: list[Json], needed: TokenGrant) -> bool:
    given = {
        action
        for entry in access
        if (entry["type"], entry["name"]) == (needed.type, needed.name)
        for action in entry["actions"]
    }
    implied = {"metadata_read"} if "pull" in given else set()
    return "*" in given or set(needed.actions) <= given | implied
