"""Entra's HTTP: the token endpoints in their v1 and v2.0 forms, discovery, keys, and the OAuth error envelope."""

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlsplit

from local_azure.entra import discovery, refusals, signing
from local_azure.wire import Call, Caller, Json, Request, Response, Route, ServiceError, Table

if TYPE_CHECKING:
    from local_azure.azure import Azure

ANY_TENANT = ("common", "organizations", "consumers")
"""Names that stand for a tenant that isn't known yet."""

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The one kind of assertion that there is (RFC 7523)."""

NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1"}


class Entra:
    """The service ``login.microsoftonline.com`` under all host names, other clouds' too."""

    name = "entra"

    def __init__(self, azure: "Azure") -> None:
        self._tokens, self._ids, self._clock = azure.tokens, azure.ids, azure.clock
        self.table = Table(
            Route(operation, method, path, handler, anonymous=True)
            for operation, method, path, handler in (
                ("entra.instances", "GET", "/common/discovery/instance", self._instances),
                ("entra.configuration", "GET", "/{tenant}/v2.0/.well-known/openid-configuration", self._configuration),
                ("entra.configuration", "GET", "/{tenant}/.well-known/openid-configuration", self._configuration),
                ("entra.keys", "GET", "/{tenant}/discovery/v2.0/keys", self._keys),
                ("entra.keys", "GET", "/{tenant}/discovery/keys", self._keys),
                ("entra.token", "POST", "/{tenant}/oauth2/v2.0/token", self._token),
                ("entra.token", "POST", "/{tenant}/oauth2/token", self._token_v1),
                ("entra.token", "GET", "/{tenant}/oauth2/v2.0/token", self._post_only),
                ("entra.token", "GET", "/{tenant}/oauth2/token", self._post_only),
            )
        )

    def serves(self, host: str) -> bool:
        """Every authority of every cloud."""
        return host in discovery.HOSTS

    def authenticate(self, request: Request) -> Caller:
        """Never asked: every route is where one gets a token. Raises ServiceError 401."""
        raise refusals.NO_SECRET.about()

    def refuse(self, error: ServiceError, request: Request) -> Response:
        """The OAuth error envelope; ids and time are repeated in its description."""
        trace, correlation = self._ids.guid(), request.headers.get("client-request-id") or self._ids.guid()
        timestamp = f"{self._clock.now():%Y-%m-%d %H:%M:%SZ}"
        number = int(error.code.removeprefix("AADSTS")) if re.fullmatch(r"AADSTS\d+", error.code) else None
        text = f"{error.code}: {error.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
        content = {
            "error": error.inner or ("temporarily_unavailable" if error.status >= 429 else "invalid_request"),
            "error_description": text,
            "error_codes": [] if number is None else [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        if number is not None and number not in refusals.UNEXPLAINED:
            content["error_uri"] = f"https://{request.host}/error?code={number}"
        return Response.json(error.status, content, {**NO_STORE, "x-ms-request-id": trace, **error.headers})

    def headers(self, request: Request) -> dict[str, str]:
        """Return the headers common to all Entra answers."""
        echo = (
            {"client-request-id": request.headers["client-request-id"]}
            if "client-request-id" in request.headers
            else {}
        )
        return {
            **echo,
            "x-ms-request-id": self._ids.guid(),
            "x-ms-ests-server": "2.1.0.0 - EMUL ProdSlices",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
        }

    # discovery

    def _instances(self, call: Call) -> Response:
        asked = urlsplit(call.request.query.get("authorization_endpoint", ""))
        if asked.hostname not in discovery.HOSTS:
            raise refusals.UNKNOWN_INSTANCE.about()
        tenant = asked.path.strip("/").split("/")[0] or "common"
        return Response.json(
            200, discovery.instances(f"https://{asked.hostname}/{tenant}/v2.0/.well-known/openid-configuration")
        )

    def _configuration(self, call: Call) -> Response:
        tenant, v2 = call["tenant"], "/v2.0/" in call.request.path.lower()
        general = tenant.lower() in ANY_TENANT
        if not general:
            self._tokens.require_tenant(tenant)
        issued_by = "{tenantid}" if general else self._tokens.directory.tenant
        named = tenant if general else self._tokens.directory.tenant
        return Response.json(
            200,
            discovery.configuration(call.request.host, named, issued_by, v2=v2),
            {"Cache-Control": "max-age=86400, private"},
        )

    def _keys(self, call: Call) -> Response:
        if call["tenant"].lower() not in ANY_TENANT:
            self._tokens.require_tenant(call["tenant"])
        return Response.json(
            200,
            signing.public_keys(
                self._tokens.state.key, f"https://{call.request.host}/{self._tokens.directory.tenant}/v2.0"
            ),
        )

    # tokens

    def _form(self, call: Call, wanted: str) -> dict[str, str]:
        """Return the fields of a client credentials request. Raises ServiceError (AADSTS…)."""
        form = _credentials(call, wanted)
        if (
            form.get("client_assertion")
            and not form.get("client_secret")
            and form.get("client_assertion_type") != ASSERTION
        ):
            raise refusals.MISSING_PARAMETER.about(name="client_assertion_type")
        return form

    def _post_only(self, call: Call) -> Response:
        raise refusals.POST_ONLY.about()

    def _token(self, call: Call) -> Response:
        form = self._form(call, "scope")
        who = call["tenant"], form["client_id"], form.get("client_secret")
        answer = self._tokens.issue(*who, form["scope"], form.get("claims"), form.get("client_assertion"))
        return Response.json(200, answer, NO_STORE)

    def _token_v1(self, call: Call) -> Response:
        form = self._form(call, "resource")
        who = call["tenant"], form["client_id"], form.get("client_secret")
        answer = self._tokens.issue_for(*who, form["resource"], form.get("claims"), form.get("client_assertion"))
        begun, seconds = int(self._clock.now().timestamp()), answer["expires_in"]
        old: dict[str, Json] = {
            "token_type": "Bearer",
            "expires_in": str(seconds),
            "ext_expires_in": str(seconds),
            "expires_on": str(begun + seconds),
            "not_before": str(begun - 300),
            "resource": form["resource"],
            "access_token": answer["access_token"],
        }
        return Response.json(200, old, NO_STORE)


def _credentials(call: Call, wanted: str) -> dict[str, str]:
    """The form of a client-credentials request with all it must have. Raises ServiceError 400."""
    try:
        form = {**call.request.form(), **_basic(call.request.headers.get("authorization", ""))}
    except ValueError as error:
        raise refusals.MALFORMED.about() from error
    grant = form.get("grant_type")
    if grant is not None and grant != "client_credentials":
        raise refusals.UNSUPPORTED_GRANT.about(grant=grant)
    for name in ("grant_type", "client_id", wanted):
        if not form.get(name):
            raise refusals.MISSING_PARAMETER.about(name=name)
    return form


def _basic(header: str) -> dict[str, str]:
    """A client's id and secret where they stand in the header (RFC 6749, 2.3.1). Raises ValueError."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
