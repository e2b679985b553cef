"""Key Vault's data plane at ``{vault}.vault.azure.net`` (and sovereign names): secrets, api-versions from 7.0.

A missing vault has no host name: :meth:`KeyVault.serves` returns False and the caller sees an unresolvable name. Keys
and certificates are not emulated.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from local_azure.arm.clouds import CLOUDS
from local_azure.arm.operations import unpadded
from local_azure.arm.paging import start_of, token_for
from local_azure.entra.audiences import KEY_VAULT
from local_azure.entra.bearers import BadToken
from local_azure.entra.behaviour import Tokens
from local_azure.ids import Ids
from local_azure.keyvault.behaviour import Vaults
from local_azure.keyvault.gate import ADDRESS
from local_azure.keyvault.others import other_routes
from local_azure.keyvault.refusals import check_name, invalid
from local_azure.keyvault.secret import Changes, Secret, Version
from local_azure.wire import Call, Caller, Json, Request, Response, Route, ServiceError, Table

T = TypeVar("T")

PERMISSIONS = {"deletedSecrets.get": "get"}
"""Permission that an access policy must grant for an operation whose data action usually needs another permission."""

PAGE = 25
"""Items on a page where ``maxresults`` isn't given, and the most that it may ask for."""
WITHOUT_DAYS = ("2015-06-01", "2016-10-01", "7.0")
"""Api-versions whose attributes have no ``recoverableDays`` (recorded)."""


def _unknown(call: Call) -> Response:
    """Refuse what the emulator's vaults don't have, after the challenge that every request without a token gets."""
    request = call.request
    message = f"The emulator does not implement {request.method} {request.path} of keyvault."
    raise ServiceError(501, "NotImplemented", message)


class KeyVault:
    """The service behind every vault's host."""

    name = "keyvault"

    def __init__(self, tokens: Tokens, vaults: Vaults) -> None:
        self.tokens, self.vaults = tokens, vaults
        self.table = Table(self._routes())
        self._request_ids = Ids(0)

    def _routes(self) -> tuple[Route, ...]:
        one, deleted = "/secrets/{secret}", "/deletedsecrets/{secret}"
        named: tuple[tuple[str, str, str, str, Callable[[Call, str], Response]], ...] = (
            ("secrets.list", "GET", "/secrets", "readMetadata/action", self._list),
            ("secrets.set", "PUT", one, "setSecret/action", self._set),
            ("secrets.get", "GET", one, "getSecret/action", self._get),
            ("secrets.versions", "GET", one + "/versions", "readMetadata/action", self._versions),
            ("secrets.get", "GET", one + "/{version}", "getSecret/action", self._get),
            ("secrets.update", "PATCH", one, "update/action", self._update),
            ("secrets.update", "PATCH", one + "/{version}", "update/action", self._update),
            ("secrets.delete", "DELETE", one, "delete", self._delete),
            ("secrets.restore", "POST", "/secrets/restore", "restore/action", self._restore),
            ("secrets.backup", "POST", one + "/backup", "backup/action", self._backup),
            ("deletedSecrets.list", "GET", "/deletedsecrets", "readMetadata/action", self._list_deleted),
            ("deletedSecrets.get", "GET", deleted, "readMetadata/action", self._get_deleted),
            ("deletedSecrets.recover", "POST", deleted + "/recover", "recover/action", self._recover),
            ("deletedSecrets.purge", "DELETE", deleted, "purge/action", self._purge),
        )
        routes = tuple(
            Route(f"keyvault.{name}", method, path, self._guarded(action, handler, PERMISSIONS.get(name)))
            for name, method, path, action, handler in named
        )
        methods = ("GET", "PUT", "PATCH", "POST", "DELETE")
        return (
            *routes,
            *other_routes(self._read),
            *(Route("keyvault.notImplemented", method, "/{rest*}", _unknown) for method in methods),
        )

    def _read(self, call: Call, kind: str, permission: str) -> None:
        """Check a read of what a vault has beside secrets."""
        if not call.request.query.get("api-version"):
            raise ServiceError(400, "BadParameter", "api-version must be specified")
        resource, gate = self.vaults.vault(call.request.host.partition(".")[0]), self.vaults.gate
        gate.admit(call.who, resource)
        gate.spend(resource, creating=False)
        gate.require_read(call.who, resource, kind, permission)

    def _guarded(
        self, action: str, handler: Callable[[Call, str], Response], permission: str | None = None
    ) -> Callable[[Call], Response]:
        """Checks what every operation must have, an api-version, a way in and a permission, and finds the vault."""

        def guarded(call: Call) -> Response:
            if not call.request.query.get("api-version"):
                raise ServiceError(400, "BadParameter", "api-version must be specified")
            vault = call.request.host.partition(".")[0]
            resource, secret, gate = self.vaults.vault(vault), call.params.get("secret"), self.vaults.gate
            gate.admit(call.who, resource)
            gate.spend(resource, creating=action == "setSecret/action")
            gate.require(call.who, resource, action, secret, permission)
            if secret is not None:
                check_name(secret)
            return handler(call, vault)

        return guarded

    def serves(self, host: str) -> bool:
        """Tell if `host` is the name of an existing vault."""
        return (
            any(host.endswith(f".{cloud.vaults}") for cloud in CLOUDS) and self.vaults.resources.vault(host) is not None
        )

    def authenticate(self, request: Request) -> Caller:
        """Return the caller of the bearer token; answer a request without a token with the SDKs' challenge."""
        header = request.headers.get("authorization", "")
        if not header.lower().startswith(("bearer ", "pop ")):
            raise self._challenge(request, "AKV10000: Request is missing a Bearer or PoP token.")
        try:
            return self.tokens.verify(header, KEY_VAULT)
        except BadToken as error:
            raise self._challenge(
                request, f"[BearerReadAccessTokenFailed] Error validating token: '{error.message}'."
            ) from error

    def _challenge(self, request: Request, message: str) -> ServiceError:
        cloud = next(cloud for cloud in CLOUDS if request.host.endswith(f".{cloud.vaults}"))
        tenant = self.vaults.authorization.directory.tenant
        challenge = f'Bearer authorization="https://{cloud.login}/{tenant}", resource="https://{cloud.vaults}"'
        return ServiceError(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """``{"error":{"code","message","innererror"?}}``."""
        inner = {"innererror": {"code": error.inner}} if error.inner else {}
        return Response.json(
            error.status, {"error": {"code": error.code, "message": error.message, **inner}}, error.headers
        )

    def headers(self, request: Request) -> dict[str, str]:
        """Return the vault's region, the request's ids, and the fixed headers."""
        vault = self.vaults.resources.vault(request.host)
        echoed = request.headers.get("x-ms-client-request-id")
        return {
            "Pragma": "no-cache",
            "Expires": "-1",
            "x-ms-keyvault-region": vault.location if vault else "",
            **({"x-ms-client-request-id": echoed} if echoed else {}),
            "x-ms-request-id": self._request_ids.guid(),
            "x-ms-keyvault-service-version": "1.9.2876.1",
            "x-ms-keyvault-network-info": f"conn_type=Ipv4;addr={ADDRESS};act_addr_fam=InterNetwork;",
            "X-Content-Type-Options": "nosniff",
            "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
        }

    def _set(self, call: Call, vault: str) -> Response:
        body = call.request.json()
        value = _typed(body, "value", str)
        if value is None:
            raise invalid()
        given = _changes(body)
        enabled = True if given.enabled is None else given.enabled
        version = self.vaults.set(
            vault, call["secret"], value, given.tags, given.content_type, enabled, given.exp, given.nbf
        )
        return Response.json(200, self._bundle(call, vault, version))

    def _get(self, call: Call, vault: str) -> Response:
        version = self.vaults.get(vault, call["secret"], call.params.get("version"))
        return Response.json(200, self._bundle(call, vault, version))

    def _update(self, call: Call, vault: str) -> Response:
        version = self.vaults.update(vault, call["secret"], call.params.get("version"), _changes(call.request.json()))
        return Response.json(200, self._item(call, vault, call["secret"], version))

    def _versions(self, call: Call, vault: str) -> Response:
        found = self.vaults.versions(vault, call["secret"])
        return _page(call, found, lambda version: self._item(call, vault, call["secret"], version))

    def _list(self, call: Call, vault: str) -> Response:
        return _page(
            call,
            self.vaults.listed(vault),
            lambda secret: self._item(call, vault, secret.name, self.vaults.newest(secret), short=True),
        )

    def _delete(self, call: Call, vault: str) -> Response:
        return Response.json(200, self._deleted(call, vault, self.vaults.delete(vault, call["secret"])))

    def _get_deleted(self, call: Call, vault: str) -> Response:
        return Response.json(200, self._deleted(call, vault, self.vaults.deleted(vault, call["secret"])))

    def _list_deleted(self, call: Call, vault: str) -> Response:
        found = self.vaults.deleted_names(vault)
        return _page(call, found, lambda secret: self._deleted(call, vault, secret, short=True), eager=True)

    def _recover(self, call: Call, vault: str) -> Response:
        secret, newest = self.vaults.recover(vault, call["secret"])
        return Response.json(200, self._item(call, vault, secret.name, newest))

    def _backup(self, call: Call, vault: str) -> Response:
        return Response.json(200, {"value": self.vaults.backup(vault, call["secret"])})

    def _restore(self, call: Call, vault: str) -> Response:
        text = _typed(call.request.json(), "value", str)
        if text is None:
            raise invalid()
        secret, newest = self.vaults.restore(vault, text)
        return Response.json(200, self._item(call, vault, secret.name, newest))

    def _purge(self, call: Call, vault: str) -> Response:
        self.vaults.purge(vault, call["secret"])
        return Response(204)

    def _bundle(self, call: Call, vault: str, version: Version) -> Json:
        return {"value": version.value, **self._item(call, vault, call["secret"], version)}

    def _item(self, call: Call, vault: str, name: str, version: Version, *, short: bool = False) -> Json:
        """A version without its value; with `short`, under an id without the version."""
        kind = {"contentType": version.content_type} if version.content_type is not None else {}
        tags = {"tags": version.tags} if version.tags is not None else {}
        path = f"https://{call.request.host}/secrets/{name}"
        return {
            **kind,
            "id": path if short else f"{path}/{version.id}",
            "attributes": self._attributes(call, vault, version),
            **tags,
        }

    def _attributes(self, call: Call, vault: str, version: Version) -> Json:
        times = {"nbf": version.nbf, "exp": version.exp}
        bounds = {name: int(at.timestamp()) for name, at in times.items() if at}
        made = {"created": int(version.created.timestamp()), "updated": int(version.updated.timestamp())}
        shown = call.request.query["api-version"] not in WITHOUT_DAYS
        days = {"recoverableDays": self.vaults.retention(vault)} if shown else {}
        return {
            "enabled": version.enabled,
            **bounds,
            **made,
            "recoveryLevel": self.vaults.recovery_level(vault),
            **days,
        }

    def _deleted(self, call: Call, vault: str, secret: Secret, *, short: bool = False) -> Json:
        newest = secret.newest()
        item = self._item(call, vault, secret.name, newest, short=short) if newest else {}
        times = {"deletedDate": secret.deleted_at, "scheduledPurgeDate": secret.purge_at}
        dates = {name: int(at.timestamp()) for name, at in times.items() if at}
        return {"recoveryId": f"https://{call.request.host}/deletedsecrets/{secret.name}", **dates, **item}


def _changes(body: Json) -> Changes:
    attributes = _typed(body, "attributes", dict) or {}
    exp, nbf = (_instant(_typed(attributes, name, int)) for name in ("exp", "nbf"))
    tags = _typed(body, "tags", dict)
    if tags is not None and not all(isinstance(value, str) for value in tags.values()):
        raise invalid()
    return Changes(_typed(attributes, "enabled", bool), exp, nbf, _typed(body, "contentType", str), tags)


def _typed(body: Json, name: str, kind: type[T]) -> T | None:
    """Return the body's value under `name`, or None if absent.

    Raises ServiceError 400 for a value of another type.
    """
    if not isinstance(body, dict):
        raise ServiceError(400, "BadParameter", "The request body must be a JSON object.")
    value = body.get(name)
    if value is None or type(value) is kind:
        return value
    raise invalid()


def _instant(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise invalid() from error


def _page(call: Call, items: Sequence[T], shown: Callable[[T], Json], *, eager: bool = False) -> Response:
    """One page of what `shown` makes of the items, and the link to the next page.

    The link is null on the last page, and with the port on the others (recorded). `eager`: a full page has a link, so
    that the last page may be empty.
    """
    query = call.request.query
    size, start = _size(query.get("maxresults")), _start(query.get("$skiptoken"))
    link = None
    if start + size < len(items) + (1 if items and eager else 0):
        token = unpadded(f'{{"NextMarker":"{token_for(start + size)}","TargetLocation":0}}')
        path = call.request.path.rstrip("/")
        link = f"https://{call.request.host}:443{path}?api-version={query['api-version']}&$skiptoken={token}&maxresults={size}"
    return Response.json(200, {"value": [shown(item) for item in items[start : start + size]], "nextLink": link})


def _size(text: str | None) -> int:
    """Return the number of items per page.

    The texts of the refusal here and of the next could not be looked up.
    """
    if text is None:
        return PAGE
    if not text.isdigit() or not 1 <= int(text) <= PAGE:
        raise ServiceError(400, "BadParameter", f"maxresults must be between 1 and {PAGE}.")
    return int(text)


def _start(token: str | None) -> int:
    """Return the number of the page's first item; a token is JSON in base64 (recorded)."""
    found = 0 if not token else start_of(_marker(token))
    if found is None:
        raise ServiceError(400, "BadParameter", "The skip token is not valid.")
    return found


def _marker(token: str) -> str:
    try:
        text = b64decode(f"{token}{'=' * (-len(token) % 4)}", altchars=b"-_").decode()
    except ValueError:
        return ""
    found = re.fullmatch(r'\{"NextMarker":"([^"]*)","TargetLocation":0\}', text)
    return found[1] if found else ""
