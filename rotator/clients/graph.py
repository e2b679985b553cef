"""Microsoft Graph: the application, its service principal and their password credentials.

Requests go through msgraph-sdk's request adapter, by URL, and answers come as bytes: the SDK's models take a second to
load. The adapter's retries are off, because they repeat POST. Source of routes, codes and permissions: Microsoft Graph
v1.0, "application: addPassword" and its neighbours.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph_core import BaseGraphRequestAdapter  # type: ignore[import-untyped]

from rotator.clients.api_versions import GRAPH
from rotator.clients.budgets import Sent
from rotator.clients.directory import (
    Named,
    PasswordHolder,
    Shown,
    application_of,
    created_of,
    identity_of,
    ids_of,
    issued_of,
    made_now,
    named,
    names_of,
    no_body,
    service_principal_of,
)
from rotator.clients.pausing import retry_after
from rotator.clients.pipeline import Line, host, retrying, together
from rotator.clients.refusal import Asked, Refused, decoded, parsed
from rotator.clients.token import Token
from rotator.clients.translation import answered, ask
from rotator.clients.typed import items, labels, record, records, text
from rotator.cloud import Cloud
from rotator.codes import FailureCode
from rotator.errors import AzureError, Conflict, NotFound, OutcomeUnknown, Unexpected, Unseen
from rotator.ports import Issued
from rotator.state import Home, Identity, Principal

T = TypeVar("T")
SERVICE = "Microsoft Graph"
COLLECTION = {Home.APPLICATION: "applications", Home.SERVICE_PRINCIPAL: "servicePrincipals"}
WRITE = "Application.ReadWrite.OwnedBy, as an owner of {} (or Application.ReadWrite.All)"
READ = "Application.ReadWrite.OwnedBy (or Application.Read.All)"
NO_CONTENT = 204
MOST_IN_ONE_FILTER = 15
"""Largest number of values for ``in`` ("Use the $filter query parameter" of Microsoft Graph): always a single page."""
MAKE = "Application.ReadWrite.OwnedBy (or Application.ReadWrite.All)"
_SHORT = "id,appId,displayName"
_SELECT = "id,appId,displayName,passwordCredentials"
APPLICATION = f"{_SELECT},signInAudience,servicePrincipalLockConfiguration"
SERVICE_PRINCIPAL = f"{_SELECT},accountEnabled"
"""Properties read of an application, and of a service principal."""


class _Authentication(AuthenticationProvider):
    """Authentication provider of the adapter: puts our token on each request."""

    def __init__(self, token: Token, scope: str) -> None:
        self._token, self._scope = token, scope

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
    ) -> None:
        """Add the authorization header; another tenant stands in the parameters of the request.

        The adapter repeats a read whose token was withdrawn, and gives the claims of the challenge.
        """
        tenant, asked = request.path_parameters.get("tenant"), (additional_authentication_context or {}).get("claims")
        claims = decoded(asked) if asked else ""
        said = await (
            self._token.renewed(self._scope, claims, tenant) if claims else self._token.text(self._scope, tenant)
        )
        request.headers.remove("Authorization")
        request.headers.add("Authorization", f"Bearer {said}")


class Graph:
    """Microsoft Graph client of one signed-in identity."""

    def __init__(self, line: Line, cloud: Cloud, token: Token, http: httpx.AsyncClient) -> None:
        self._line, self._url = line, f"{cloud.graph}/{GRAPH}"
        self._adapter = BaseGraphRequestAdapter(_Authentication(token, cloud.graph_scope), http_client=http)
        self._tenants: dict[str, str] = {}
        """Tenants of objects outside rotator's own tenant, by object id."""

    async def password_holder(self, home: Home, app_id: str, tenant: str | None) -> PasswordHolder | None:
        """Return the application or service principal with its passwords; None where it isn't found.

        `tenant` is given for another tenant's object.
        """
        if home is Home.APPLICATION:
            return await self._find(home, app_id, APPLICATION, tenant, application_of)
        return await self._find(home, app_id, SERVICE_PRINCIPAL, tenant, service_principal_of)

    async def _find(
        self, home: Home, app_id: str, select: str, tenant: str | None, read: Callable[[Shown], T]
    ) -> T | None:
        """Read one object by its alternate key; None where Graph answers 404."""
        what = home.value.replace("_", " ")
        asked = Asked(SERVICE, f"read the {what} of {app_id}", READ)

        def found(shown: Shown) -> tuple[str, T]:
            return text(shown["id"]), read(shown)

        try:
            object_id, said = await self._send(
                asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')?$select={select}", found, tenant=tenant
            )
        except Unseen:
            raise
        except NotFound:
            return None
        if tenant:
            self._tenants[object_id] = tenant
        return said

    async def holder(self, home: Home, app_id: str, select: str, tenant: str | None) -> dict[str, Any] | None:
        """Read the application or service principal; None where it isn't found. Raises Forbidden."""
        return await self._find(home, app_id, select, tenant, record)

    async def federated(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """Return the federated identity credentials of an object: 20 at most, so one page is enough.

        Raises Forbidden, NotFound, Unexpected.
        """
        asked = Asked(SERVICE, f"list the federated credentials of {app_id}", READ)
        path = f"{COLLECTION[home]}(appId='{app_id}')/federatedIdentityCredentials"
        listed, following = await self._send(
            asked, Method.GET, path, lambda page: (items(page), page.get("@odata.nextLink")), tenant=tenant
        )
        if following:
            raise Unexpected(
                f"{app_id} has more federated credentials than one page",
                service=SERVICE,
                code=FailureCode.UNREADABLE_ANSWER,
            )
        return listed

    async def group_name(self, group: str) -> str:
        """Return a group's display name by its object id. Raises Forbidden, NotFound."""
        asked = Asked(SERVICE, f"read group {group}", "GroupMember.Read.All")
        return await self._send(
            asked, Method.GET, f"groups/{group}?$select=displayName", lambda shown: text(shown["displayName"])
        )

    async def names(self, app_ids: Sequence[str]) -> dict[str, str]:
        """Return the display names of the tenant's service principals for the given app ids.

        The keys are app ids in lower case.
        """
        asked, found = Asked(SERVICE, "read the names of service principals", READ), dict[str, str]()
        for start in range(0, len(app_ids), MOST_IN_ONE_FILTER):
            wanted = ",".join(f"'{each}'" for each in app_ids[start : start + MOST_IN_ONE_FILTER])
            path = f"servicePrincipals?$filter=appId in ({wanted})&$select=appId,displayName".replace(" ", "%20")
            found |= await self._send(asked, Method.GET, path, names_of)
        return found

    async def batch(self, asked: Asked, paths: Sequence[str], tenant: str | None) -> list[Shown | AzureError]:
        """Return the answers to several reads sent as one request, in the order of `paths`; errors in their places."""
        reads = [{"id": str(number), "method": "GET", "url": f"/{path}"} for number, path in enumerate(paths)]

        def answers(shown: Shown) -> list[Shown | AzureError]:
            found = {text(each["id"]): each for each in records(shown["responses"])}
            for answer in found.values():
                self._count(answer)
            return [batched(asked, found[each["id"]]) for each in reads]

        return await self._send(asked, Method.POST, "$batch", answers, {"requests": reads}, tenant=tenant)

    def _count(self, answer: Shown) -> None:
        """Count a read inside a batch by its own price, and obey its refusal. Raises TypeError."""
        headers, status = labels(answer.get("headers")), answer.get("status")
        if self._line.budgets and isinstance(status, int):
            sent = Sent("GET", host(self._url), "")
            self._line.budgets.hear_within(sent, status, headers, retry_after(headers))

    async def owners(self, home: Home, app_id: str, tenant: str | None = None) -> tuple[str, ...]:
        """Return the object ids of the owners of the application or service principal.

        `tenant` is given for another tenant's object. Raises NotFound.
        """
        asked = Asked(SERVICE, f"list the owners of the {home.value.replace('_', ' ')} of {app_id}", READ)
        return await self._send(
            asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')/owners?$select=id", ids_of, tenant=tenant
        )

    async def identities(self, me: str, app_id: str | None, display_name: str | None) -> tuple[Identity, ...]:
        """Return the application of an app id, or every application of a name.

        Each tells which of its objects (application, service principal) are owned by `me`, an object id.
        """
        if app_id:
            application = await self._find(Home.APPLICATION, app_id, _SHORT, None, named)
            found = await self._identity(me, application, app_id)
            return (found,) if found else ()
        quoted = quote((display_name or "").replace("'", "''"))
        asked = Asked(SERVICE, f"look for applications called {display_name}", READ)
        path = f"applications?$filter=displayName eq '{quoted}'&$select={_SHORT}".replace(" ", "%20")
        page = await self._send(asked, Method.GET, path, lambda shown: [named(each) for each in items(shown)])
        each = await together(*(self._identity(me, one, one.app_id) for one in page))
        return tuple(sorted((one for one in each if one), key=lambda one: one.app_id))

    async def _identity(self, me: str, application: Named | None, app_id: str) -> Identity | None:
        principal = await self._find(Home.SERVICE_PRINCIPAL, app_id, _SHORT, None, named)
        shown = application or principal
        if shown is None:
            return None
        there = [home for home, what in ((Home.APPLICATION, application), (Home.SERVICE_PRINCIPAL, principal)) if what]
        owners = await together(*(self.owners(home, app_id) for home in there))
        owned = tuple(home for home, who in zip(there, owners, strict=True) if me.lower() in who)
        at_home, here = (each.id if each else None for each in (application, principal))
        return Identity(app_id.lower(), shown.display_name, at_home, here, owned)

    async def create_application(self, display_name: str, key: str) -> Identity:
        """Create the application, or find the one with the alternate key.

        For an existing application Graph's answer is empty, and the application is read by the key. Graph itself
        prevents a second one, however often the request is sent (v1.0, "Upsert application": ``uniqueName`` with
        ``Prefer: create-if-missing``). An app-only caller owns the applications created by it.
        """
        asked, by_key = Asked(SERVICE, f"make application {display_name}", MAKE), f"applications(uniqueName='{key}')"
        body = {"displayName": display_name}
        made = await self._send(asked, Method.PATCH, by_key, made_now, body, prefer="create-if-missing")
        if made is None:
            made = await self._send(asked, Method.GET, f"{by_key}?$select={_SHORT}", identity_of)
        return made

    async def create_service_principal(self, app_id: str) -> tuple[str, bool]:
        """Return the service principal's object id, and True if newly created.

        If one exists already, Graph refuses to create another, and the existing one is found.
        """
        asked = Asked(SERVICE, f"make a service principal of {app_id}", MAKE)
        try:
            return (
                await self._send(
                    asked, Method.POST, "servicePrincipals", lambda shown: text(shown["id"]), {"appId": app_id}
                ),
                True,
            )
        except (Conflict, OutcomeUnknown) as error:
            found = await self._find(Home.SERVICE_PRINCIPAL, app_id, _SHORT, None, named)
            if found is None:
                raise error from None
            return found.id, not isinstance(error, Conflict)

    async def own(self, me: str, home: Home, object_id: str) -> None:
        """Add `me` as owner of an object not yet owned by it."""
        asked = Asked(SERVICE, f"add an owner to {home.value.replace('_', ' ')} {object_id}", WRITE.format(object_id))
        body = {"@odata.id": f"{self._url}/directoryObjects/{me}"}
        await self._send(asked, Method.POST, f"{COLLECTION[home]}/{object_id}/owners/$ref", no_body, body)

    async def policies(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """Return the app management policies assigned to an object. Raises Forbidden."""
        asked = Asked(SERVICE, f"list the app management policies of {app_id}", "Policy.Read.All")
        return await self._send(
            asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')/appManagementPolicies", items, tenant=tenant
        )

    async def created(self, app_id: str, tenant: str | None) -> datetime | None:
        """Return an application's creation time; None for another tenant's application."""
        return await self._find(Home.APPLICATION, app_id, "id,createdDateTime", tenant, created_of)

    async def default_policy(self, tenant: str | None) -> dict[str, Any]:
        """Return the tenant's default app management policy. Raises Forbidden."""
        asked = Asked(SERVICE, "read the tenant's app management policy", "Policy.Read.All")
        return await self._send(asked, Method.GET, "policies/defaultAppManagementPolicy", record, tenant=tenant)

    async def add_password(self, principal: Principal, home: Home, display_name: str, end: datetime) -> Issued:
        """Add a password credential; the POST is sent once."""
        owner = _owner(principal, home)
        asked = Asked(SERVICE, f"add a password to {home.value.replace('_', ' ')} {owner}", WRITE.format(owner))
        credential = {"displayName": display_name, "endDateTime": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        path, body = f"{COLLECTION[home]}/{owner}/addPassword", {"passwordCredential": credential}
        return await self._send(asked, Method.POST, path, lambda added: issued_of(added, home), body, once=True)

    async def remove_password(self, principal: Principal, home: Home, key_id: str) -> None:
        """Remove a password credential; sent once, since each removal is a separate decision."""
        owner = _owner(principal, home)
        asked = Asked(
            SERVICE, f"remove password {key_id} from {home.value.replace('_', ' ')} {owner}", WRITE.format(owner)
        )
        await self._send(
            asked, Method.POST, f"{COLLECTION[home]}/{owner}/removePassword", no_body, {"keyId": key_id}, once=True
        )

    async def _send(
        self,
        asked: Asked,
        method: Method,
        path: str,
        read: Callable[[Shown], T],
        body: Mapping[str, Any] | None = None,
        *,
        tenant: str | None = None,
        once: bool = False,
        prefer: str = "",
    ) -> T:
        """Send one request and return the result of `read` for its JSON ({} for an answer without a body).

        Raises an AzureError of ours.
        """
        tenant = tenant or next((self._tenants[part] for part in path.split("/") if part in self._tenants), None)

        async def attempt() -> httpx.Response:
            response: Any = await self._adapter.send_primitive_async(
                _request(method, f"{self._url}/{path}", body, tenant, prefer), "bytes", {}
            )
            self._line.time.hear(response.headers, host(self._url))
            return response  # type: ignore[no-any-return]

        async def asking() -> T:
            response = await (attempt() if once else retrying(self._line.limit, also=_disturbed)(attempt))
            if not response.is_success:
                raise Refused(parsed(response.status_code, response.headers, response.text))
            return read({} if response.status_code == NO_CONTENT else _filled(json.loads(response.content)))

        return await ask(asked, asking())


def batched(asked: Asked, answer: Shown) -> Shown | AzureError:
    """Return the content of one answer of a batch, or its error. Raises KeyError, TypeError."""
    status = answer["status"]
    if not isinstance(status, int):
        raise TypeError("not a status")
    if 200 <= status < 300:
        return _filled(answer["body"])
    refusal = parsed(status, record(answer.get("headers") or {}), json.dumps(answer.get("body")))
    return answered(asked, refusal)


def _filled(content: object) -> Shown:
    """Return a non-empty object of Graph.

    Raises ValueError for an empty one: an answer without content comes without a body (204).
    """
    shown = record(content)
    if not shown:
        raise ValueError("an empty object")
    return shown


def _request(
    method: Method, url: str, body: Mapping[str, Any] | None, tenant: str | None, prefer: str = ""
) -> RequestInformation:
    request = RequestInformation(method=method)
    request.url = url
    if tenant:
        request.path_parameters["tenant"] = tenant
    request.headers.add("Accept", "application/json")
    if prefer:
        request.headers.add("Prefer", prefer)
    if body is not None:
        request.set_stream_content(json.dumps(body).encode(), "application/json")
    request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return request


def _disturbed(response: httpx.Response) -> bool:
    """Tell if Graph refused because of a concurrent write, or of an object not yet replicated.

    Sources: Microsoft Graph error responses; "Create servicePrincipal" (an application created just before is no
    backing application).
    """
    concurrent = response.status_code == 409 and b"Directory_ConcurrencyViolation" in response.content
    return concurrent or (response.status_code == 400 and b"NoBackingApplicationObject" in response.content)


def _owner(principal: Principal, home: Home) -> str:
    owner = principal.application if home is Home.APPLICATION else principal.service_principal
    if owner is None:
        raise Unexpected(
            f"principal {principal.app_id} has no {home.value.replace('_', ' ')} in this tenant",
            service=SERVICE,
            code=FailureCode.NO_SUCH_HOME,
        )
    return owner


def unknown(app_id: str, tenant: str) -> NotFound:
    """Return the error of an app id of which the tenant has neither application nor service principal."""
    remedy = (
        "Correct `principal.app_id` (the application's client ID, not an object ID), or sign in to the tenant that"
        " has it."
    )
    happened = f"no application or service principal with app id {app_id} is in tenant {tenant}"
    return NotFound(happened, service=SERVICE, code=FailureCode.NO_SUCH_PRINCIPAL, status=404, remedy=remedy)
