"""The registry's HTTP: the challenge, the token endpoints, and the read half of the distribution API (pushes answer 501).

Every route is reached without an ARM token: who asks is decided here, from Basic or from the registry's own Bearer tokens, because
the challenge names the repository (G1 of the facts).
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote

from rotator.emulator.acr.behaviour import DENIED, REQUIRED, SUFFIXES, Identity, Kind, PullRefused, Registries
from rotator.emulator.acr.image import MANIFEST
from rotator.emulator.acr.tokens import BadToken, Grant
from rotator.emulator.arm.behaviour import Resource
from rotator.emulator.entra.behaviour import Tokens
from rotator.emulator.faults import Broken
from rotator.emulator.ids import Ids
from rotator.emulator.wire import Call, Caller, Json, Request, Response, Route, ServiceError, Table

STATUS = {"UNAUTHORIZED": 401, "DENIED": 403, "NAME_UNKNOWN": 404, "MANIFEST_UNKNOWN": 404, "BLOB_UNKNOWN": 404, "UNSUPPORTED": 400}
"""HTTP statuses of the registry's error codes (distribution specification)."""
AUDIENCES = (
    "https://containerregistry.azure.net",
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
)
"""Whose Entra tokens ``/oauth2/exchange`` takes: its own and, as ``azureADAuthenticationAsArmPolicy`` is on by default, ARM's."""
READABLE = (MANIFEST, "application/*", "*/*")
PAGE = 100


class Acr:
    """The service ``*.azurecr.io``."""

    name = "acr"

    def __init__(self, registries: Registries, tokens: Tokens) -> None:
        self._registries, self._tokens, self._ids = registries, tokens, Ids(0)
        self.table = Table(Route(operation, method, path, handler, anonymous=True) for operation, method, path, handler in self._routes())

    def _routes(self) -> list[tuple[str, str, str, Callable[[Call], Response]]]:
        return [
            ("acr.challenge", "GET", "/v2", self._challenge),
            ("acr.token", "GET", "/oauth2/token", self._token),
            ("acr.token", "POST", "/oauth2/token", self._token_for),
            ("acr.exchange", "POST", "/oauth2/exchange", self._exchange),
            ("acr.catalog.list", "GET", "/v2/_catalog", self._catalog),
            ("acr.tags.list", "GET", "/v2/{name*}/tags/list", self._tags),
            ("acr.manifests.get", "GET", "/v2/{name*}/manifests/{reference}", self._manifest),
            ("acr.manifests.head", "HEAD", "/v2/{name*}/manifests/{reference}", self._manifest),
            ("acr.blobs.get", "GET", "/v2/{name*}/blobs/{digest}", self._blob),
            ("acr.blobs.head", "HEAD", "/v2/{name*}/blobs/{digest}", self._blob),
        ]

    def serves(self, host: str) -> bool:
        """Every login server's name, registered or not: one without a registry breaks the connection, as a name that doesn't resolve."""
        return host.endswith(SUFFIXES)

    def authenticate(self, request: Request) -> Caller:
        """Never signs anybody in: the routes authenticate themselves. Raises ServiceError 401."""
        raise _refused("UNAUTHORIZED", REQUIRED, headers=_challenge_of(request.host))

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """The envelope of the distribution specification, with the line break that ACR ends it with."""
        entry = {"code": error.code, "message": error.message, "detail": error.extra.get("detail")}
        response = Response.json(error.status, {"errors": [entry]}, error.headers)
        response.body += b"\n"
        return response

    def headers(self, request: Request) -> dict[str, str]:
        """What ACR puts on every answer."""
        return {
            "Server": "AzureContainerRegistry",
            "Docker-Distribution-Api-Version": "registry/2.0",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "X-Ms-Correlation-Request-Id": self._ids.guid(),
        }

    def _registry(self, request: Request) -> Resource:
        try:
            return self._registries.registry(request.host)
        except PullRefused as refused:
            if refused.code == "NO_SUCH_HOST":
                raise Broken("reset") from refused
            raise _refused(refused.code, refused.message) from refused

    def _challenge(self, call: Call) -> Response:
        self._authorize(call.request, None)
        return Response.json(200, {})

    def _token(self, call: Call) -> Response:
        registry = self._registry(call.request)
        identity = self._identify(registry, *_basic(call.request.headers.get("authorization", "")))
        return self._access(call, registry, identity, call.request.query.get("scope"), "password")

    def _token_for(self, call: Call) -> Response:
        registry, form = self._registry(call.request), call.request.form()
        grant = form.get("grant_type", "")
        if grant == "password":
            identity = self._identify(registry, form.get("username", ""), form.get("password", ""))
        elif grant == "refresh_token":
            identity = self._redeem(registry, form.get("refresh_token", ""))
        else:
            raise _refused("UNSUPPORTED", f"grant_type {grant!r} is not supported")
        return self._access(call, registry, identity, form.get("scope"), grant)

    def _exchange(self, call: Call) -> Response:
        self._registry(call.request)
        form = call.request.form()
        if form.get("grant_type") not in ("access_token", "access_token_refresh_token"):
            raise _refused("UNSUPPORTED", f"grant_type {form.get('grant_type')!r} is not supported")
        try:
            caller = self._tokens.verify(f"Bearer {form.get('access_token', '')}", AUDIENCES)
        except ServiceError as error:
            raise _refused("UNAUTHORIZED", "AAD access token is invalid.") from error
        token = self._registries.mint.issue("refresh", call.request.host, caller.app_id, "access_token")
        return Response.json(200, {"refresh_token": token}, _RATE)

    def _access(self, call: Call, registry: Resource, identity: Identity, scope: str | None, grant: str) -> Response:
        access = None
        if scope:
            try:
                access = self._registries.granted(registry, identity, Grant.parse(scope))
            except ValueError as error:
                raise _refused("UNSUPPORTED", str(error)) from error
        token = self._registries.mint.issue("access", call.request.host, identity.subject, grant, access)
        return Response.json(200, {"access_token": token}, _RATE)

    def _catalog(self, call: Call) -> Response:
        self._authorize(call.request, Grant("registry", "catalog", ("*",)))
        page, headers = _page(call, self._registries.repositories(call.request.host))
        return Response.json(200, {"repositories": page or None}, headers)

    def _tags(self, call: Call) -> Response:
        self._authorize(call.request, Grant("repository", call["name"], ("metadata_read",)))
        with _Words(call):
            page, headers = _page(call, self._registries.tags(call.request.host, call["name"]))
        return Response.json(200, {"name": call["name"], "tags": page}, headers)

    def _manifest(self, call: Call) -> Response:
        self._authorize(call.request, Grant("repository", call["name"], ("pull",)))
        with _Words(call):
            stored = self._registries.stored(call.request.host, call["name"], call["reference"])
        accepted = [kind.partition(";")[0].strip() for kind in call.request.headers.get("accept", "*/*").split(",")]
        if not any(kind in READABLE for kind in accepted):
            message = "OCI manifest found, but accept header does not support OCI manifests"
            raise _refused("MANIFEST_UNKNOWN", message)
        return _content(stored.manifest.encode(), stored.digest, MANIFEST)

    def _blob(self, call: Call) -> Response:
        self._authorize(call.request, Grant("repository", call["name"], ("pull",)))
        with _Words(call):
            content = self._registries.blob(call.request.host, call["name"], call["digest"])
        return _content(content, call["digest"], "application/octet-stream")

    def _authorize(self, request: Request, needed: Grant | None) -> None:
        registry = self._registry(request)
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            self._bearer(request, value, needed)
            return
        if not value and not (needed and self._registries.may(registry, Identity(Kind.ANONYMOUS), needed.actions[0])):
            raise _refused("UNAUTHORIZED", REQUIRED, needed, headers=_challenge_of(request.host, needed))
        identity = self._identify(registry, *_basic(f"{kind} {value}" if value else ""))
        action = "catalog" if needed and needed.type == "registry" else needed.actions[0] if needed else ""
        if needed and not self._registries.may(registry, identity, action, needed.name):
            raise _refused("DENIED", DENIED, needed)

    def _bearer(self, request: Request, token: str, needed: Grant | None) -> None:
        try:
            claims = self._registries.mint.read("access", request.host, token)
        except BadToken as error:
            headers = _challenge_of(request.host, needed, "invalid_token")
            raise _refused("UNAUTHORIZED", REQUIRED, needed, headers=headers) from error
        if needed and not _covers(claims.get("access") or [], needed):
            headers = _challenge_of(request.host, needed, "insufficient_scope")
            raise _refused("UNAUTHORIZED", REQUIRED, needed, headers=headers)

    def _identify(self, registry: Resource, username: str, password: str) -> Identity:
        try:
            return self._registries.identify(registry, username, password)
        except PullRefused as refused:
            raise _refused(refused.code, refused.message) from refused

    def _redeem(self, registry: Resource, refresh_token: str) -> Identity:
        try:
            return self._registries.redeem(registry, refresh_token)
        except PullRefused as refused:
            raise _refused(refused.code, refused.message) from refused


_RATE = {"x-ms-ratelimit-remaining-calls-per-second": "166.65"}


class _Words:
    """Turns a PullRefused into the registry's answer, with the detail that names what was asked for."""

    def __init__(self, call: Call) -> None:
        self._detail = {"name": call["name"], **{key: call.params[key] for key in ("reference", "digest") if key in call.params}}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PullRefused):
            raise ServiceError(STATUS[error.code], error.code, error.message, extra={"detail": self._detail}) from error


def _refused(code: str, message: str, needed: Grant | None = None, *, headers: dict[str, str] | None = None) -> ServiceError:
    detail: Json = [{"Type": needed.type, "Name": needed.name, "Action": needed.actions[0]}] if needed else None
    return ServiceError(STATUS[code], code, message, headers=headers, extra={"detail": detail})


def _challenge_of(host: str, needed: Grant | None = None, error: str = "") -> dict[str, str]:
    parts = [f'Bearer realm="https://{host}/oauth2/token"', f'service="{host}"']
    if needed:
        parts.append(f'scope="{needed.type}:{needed.name}:{",".join(needed.actions)}"')
    return {"WWW-Authenticate": ",".join([*parts, f'error="{error}"'] if error else parts)}


def _basic(header: str) -> tuple[str, str]:
    kind, _, value = header.partition(" ")
    if not header:
        return "", ""
    try:
        username, found, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _refused("UNAUTHORIZED", REQUIRED) from error
    if kind.lower() != "basic" or not found:
        raise _refused("UNAUTHORIZED", REQUIRED)
    return username, password


def _covers(access: list[Json], needed: Grant) -> bool:
    return any(
        entry["type"] == needed.type
        and entry["name"] == needed.name
        and any(action in entry["actions"] or (action == "metadata_read" and "pull" in entry["actions"]) for action in (*needed.actions, "*"))
        for entry in access
    )


def _page(call: Call, names: list[str]) -> tuple[list[str], dict[str, str]]:
    last, size = call.request.query.get("last", ""), call.request.query.get("n", "")
    count = int(size) if size.isdigit() and int(size) else PAGE
    rest = [name for name in names if name > last] if last else names
    if len(rest) <= count:
        return rest, {}
    link = f'<{call.request.path}?last={quote(rest[count - 1], safe="")}&n={count}&orderby=>; rel="next"'
    return rest[:count], {"Link": link}


def _content(content: bytes, digest: str, media_type: str) -> Response:
    """A HEAD gets it too, for its length: the transports leave the body out."""
    return Response(200, content, {"Content-Type": media_type, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'})
