"""Microsoft Graph: the application, its service principal and their password credentials, through msgraph-sdk's request adapter.

Requests go by URL and answers come as bytes: the SDK's models take a second to load. Its retries are off, because they repeat POST.
Source of routes, codes and permissions: Microsoft Graph v1.0, "application: addPassword" and its neighbours.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph_core import BaseGraphRequestAdapter  # type: ignore[import-untyped]

from rotator.clients.pipeline import Line, at_once, host, retrying, together
from rotator.clients.token import Token
from rotator.clients.translate import Asked, answered, ask, refusal
from rotator.cloud import Cloud
from rotator.errors import Conflict, NotFound, Unexpected
from rotator.ports import Issued
from rotator.state import Credential, Home, Identity, Principal, Secret

SERVICE = "Microsoft Graph"
COLLECTION = {Home.APPLICATION: "applications", Home.SERVICE_PRINCIPAL: "servicePrincipals"}
WRITE = "Application.ReadWrite.OwnedBy, as an owner of {} (or Application.ReadWrite.All)"
READ = "Application.ReadWrite.OwnedBy (or Application.Read.All)"
MOST_IN_ONE_FILTER = 15
"""Values that ``in`` may have ("Use the $filter query parameter" of Microsoft Graph): fewer than a page, so that there is no next one."""
MAKE = "Application.ReadWrite.OwnedBy (or Application.ReadWrite.All)"
_SHORT = "id,appId,displayName"
_SELECT = "id,appId,displayName,passwordCredentials"
_APPLICATION = f"{_SELECT},signInAudience,servicePrincipalLockConfiguration"
_PERSONAL = ("AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")


class _Authentication(AuthenticationProvider):
    """Puts our token on a request of the adapter."""

    def __init__(self, token: Token, scope: str) -> None:
        self._token, self._scope = token, scope

    async def authenticate_request(self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None) -> None:
        """Add the header that says who asks; a tenant that isn't ours stands in the context of the request."""
        tenant = request.path_parameters.pop("tenant", None)
        request.headers.add("Authorization", f"Bearer {await self._token.text(self._scope, tenant)}")


class Graph:
    """Microsoft Graph for one signed-in identity."""

    def __init__(self, line: Line, cloud: Cloud, token: Token, http: httpx.AsyncClient) -> None:
        self._line, self._url = line, f"{cloud.graph}/v1.0"
        self._adapter = BaseGraphRequestAdapter(_Authentication(token, cloud.graph_scope), http_client=http)
        self._tenants: dict[str, str] = {}
        """The tenant of an object, where it isn't the one that rotator signs in to."""

    async def principal(self, app_id: str, tenant: str, foreign: bool = False) -> tuple[Principal, tuple[Credential, ...]]:
        """The application and service principal of `app_id` with the credentials of both, read at once. Raises NotFound."""
        elsewhere = tenant if foreign else None
        async with at_once() as tasks:
            finding = tasks.create_task(self._find(Home.APPLICATION, app_id, _APPLICATION, elsewhere))
            also = tasks.create_task(self._find(Home.SERVICE_PRINCIPAL, app_id, f"{_SELECT},accountEnabled", elsewhere))
        application, principal = finding.result(), also.result()
        if application is None and principal is None:
            raise _unknown(app_id, tenant)
        return await ask(Asked(SERVICE, f"read principal {app_id}"), _read(app_id, application, principal))

    async def _find(self, home: Home, app_id: str, select: str, tenant: str | None) -> dict[str, Any] | None:
        """By its alternate key: one object, and a 404 where there is none."""
        what = home.value.replace("_", " ")
        asked = Asked(SERVICE, f"read the {what} of {app_id}", READ)
        try:
            found = await self._send(asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')?$select={select}", tenant=tenant)
        except NotFound:
            return None
        if tenant:
            self._tenants[found["id"]] = tenant
        return found

    async def holder(self, home: Home, app_id: str, select: str, tenant: str | None) -> dict[str, Any] | None:
        """What Graph shows of the application or service principal; None where it isn't found. Raises Forbidden."""
        return await self._find(home, app_id, select, tenant)

    async def federated(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """The federated identity credentials of an object: 20 at most, so that they are one page. Raises Forbidden, NotFound, Unexpected."""
        asked = Asked(SERVICE, f"list the federated credentials of {app_id}", READ)
        page = await self._send(asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')/federatedIdentityCredentials", tenant=tenant)
        if page.get("@odata.nextLink"):
            raise Unexpected(f"{app_id} has more federated credentials than one page", service=SERVICE, code="UnreadableAnswer")
        return await ask(asked, _listed(page))

    async def group_name(self, group: str) -> str:
        """What people call a group, by its object id. Raises Forbidden, NotFound."""
        asked = Asked(SERVICE, f"read group {group}", "GroupMember.Read.All")
        return str((await self._send(asked, Method.GET, f"groups/{group}?$select=displayName"))["displayName"])

    async def names(self, app_ids: Sequence[str]) -> dict[str, str]:
        """The display names of the service principals of these app ids that the tenant has, by app id in lower case."""
        asked, found = Asked(SERVICE, "read the names of service principals", READ), dict[str, str]()
        for start in range(0, len(app_ids), MOST_IN_ONE_FILTER):
            wanted = ",".join(f"'{each}'" for each in app_ids[start : start + MOST_IN_ONE_FILTER])
            answer = await self._send(
                asked, Method.GET, f"servicePrincipals?$filter=appId in ({wanted})&$select=appId,displayName".replace(" ", "%20")
            )
            found |= await ask(asked, _names(answer))
        return found

    async def owners(self, home: Home, app_id: str, tenant: str | None = None) -> tuple[str, ...]:
        """The object ids of who owns the application or service principal; `tenant` where it is another's. Raises NotFound."""
        asked = Asked(SERVICE, f"list the owners of the {home.value.replace('_', ' ')} of {app_id}", READ)
        shown = await self._send(asked, Method.GET, f"{COLLECTION[home]}(appId='{app_id}')/owners?$select=id", tenant=tenant)
        return await ask(asked, _ids(shown))

    async def identities(self, me: str, app_id: str | None, display_name: str | None) -> tuple[Identity, ...]:
        """By app id, or every application of a name; each with what `me`, an object id, owns of it."""
        if app_id:
            application = await self._find(Home.APPLICATION, app_id, _SHORT, None)
            found = await self._identity(me, application, app_id)
            return (found,) if found else ()
        quoted = quote((display_name or "").replace("'", "''"))
        asked = Asked(SERVICE, f"look for applications called {display_name}", READ)
        page = await self._send(asked, Method.GET, f"applications?$filter=displayName eq '{quoted}'&$select={_SHORT}".replace(" ", "%20"))
        each = await together(*(self._identity(me, one, one["appId"]) for one in page["value"]))
        return tuple(sorted((one for one in each if one), key=lambda one: one.app_id))

    async def _identity(self, me: str, application: Mapping[str, Any] | None, app_id: str) -> Identity | None:
        principal = await self._find(Home.SERVICE_PRINCIPAL, app_id, _SHORT, None)
        shown = application or principal
        if shown is None:
            return None
        there = [home for home, what in ((Home.APPLICATION, application), (Home.SERVICE_PRINCIPAL, principal)) if what]
        owners = await together(*(self.owners(home, app_id) for home in there))
        owned = tuple(home for home, who in zip(there, owners, strict=True) if me.lower() in who)
        at_home, here = (str(each["id"]) if each else None for each in (application, principal))
        return Identity(app_id.lower(), shown["displayName"] or "", at_home, here, owned)

    async def create_application(self, display_name: str, key: str) -> Identity:
        """Make it, or find the one that has the alternate key: then the answer is empty, and it is read by the key.

        Graph itself keeps a second one from coming into being, however often the request is sent (v1.0, "Upsert application": ``uniqueName``
        with ``Prefer: create-if-missing``). What an app-only caller makes is owned by it.
        """
        asked, by_key = Asked(SERVICE, f"make application {display_name}", MAKE), f"applications(uniqueName='{key}')"
        made = await self._send(asked, Method.PATCH, by_key, {"displayName": display_name}, prefer="create-if-missing")
        shown = made or await self._send(asked, Method.GET, f"{by_key}?$select={_SHORT}")
        return await ask(asked, _made(shown))

    async def create_service_principal(self, app_id: str) -> str:
        """Its object id; where there is one already, Graph refuses to make another, and it is found."""
        asked = Asked(SERVICE, f"make a service principal of {app_id}", MAKE)
        try:
            made = await self._send(asked, Method.POST, "servicePrincipals", {"appId": app_id})
        except Conflict:
            found = await self._find(Home.SERVICE_PRINCIPAL, app_id, _SHORT, None)
            if found is None:
                raise
            made = found
        return str(made["id"])

    async def own(self, me: str, home: Home, object_id: str) -> None:
        """Make `me` an owner of an object that it doesn't own."""
        asked = Asked(SERVICE, f"add an owner to {home.value.replace('_', ' ')} {object_id}", WRITE.format(object_id))
        body = {"@odata.id": f"{self._url}/directoryObjects/{me}"}
        await self._send(asked, Method.POST, f"{COLLECTION[home]}/{object_id}/owners/$ref", body)

    async def policies(self, home: Home, app_id: str, tenant: str | None) -> list[dict[str, Any]]:
        """The app management policies that are assigned to an object. Raises Forbidden."""
        asked = Asked(SERVICE, f"list the app management policies of {app_id}", "Policy.Read.All")
        path = f"{COLLECTION[home]}(appId='{app_id}')/appManagementPolicies"
        return list((await self._send(asked, Method.GET, path, tenant=tenant))["value"])

    async def created(self, app_id: str, tenant: str | None) -> datetime | None:
        """When an application was made; None where another tenant has it."""
        shown = await self._find(Home.APPLICATION, app_id, "id,createdDateTime", tenant)
        return datetime.fromisoformat(shown["createdDateTime"]) if shown and shown.get("createdDateTime") else None

    async def default_policy(self, tenant: str | None) -> dict[str, Any]:
        """The tenant's default app management policy. Raises Forbidden."""
        asked = Asked(SERVICE, "read the tenant's app management policy", "Policy.Read.All")
        return await self._send(asked, Method.GET, "policies/defaultAppManagementPolicy", tenant=tenant)

    async def add_password(self, principal: Principal, home: Home, display_name: str, end: datetime) -> Issued:
        """Add a password credential; sent once."""
        owner = _owner(principal, home)
        doing = f"add a password to {home.value.replace('_', ' ')} {owner}"
        asked = Asked(SERVICE, doing, WRITE.format(owner), once=True)
        credential = {"displayName": display_name, "endDateTime": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        added = await self._send(asked, Method.POST, f"{COLLECTION[home]}/{owner}/addPassword", {"passwordCredential": credential}, once=True)
        return await ask(asked, _issued(added, home))

    async def remove_password(self, principal: Principal, home: Home, key_id: str) -> None:
        """Remove a password credential; sent once, since each removal is a decision of its own."""
        owner = _owner(principal, home)
        asked = Asked(SERVICE, f"remove password {key_id} from {home.value.replace('_', ' ')} {owner}", WRITE.format(owner), once=True)
        await self._send(asked, Method.POST, f"{COLLECTION[home]}/{owner}/removePassword", {"keyId": key_id}, once=True)

    async def _send(
        self,
        asked: Asked,
        method: Method,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        tenant: str | None = None,
        once: bool = False,
        prefer: str = "",
    ) -> dict[str, Any]:
        """One request and its JSON. Raises an AzureError of ours."""
        tenant = tenant or next((self._tenants[part] for part in path.split("/") if part in self._tenants), None)

        async def attempt() -> httpx.Response:
            response: Any = await self._adapter.send_primitive_async(_request(method, f"{self._url}/{path}", body, tenant, prefer), "bytes", {})
            self._line.time.hear(response.headers, host(self._url))
            return response  # type: ignore[no-any-return]

        response = await ask(asked, attempt() if once else retrying(self._line.clock, also=_disturbed)(attempt))
        if response.is_error:
            raise answered(asked, refusal(response.status_code, response.headers, response.text))
        return await ask(asked, _content(response))


async def _listed(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(shown["value"])


async def _ids(shown: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(each["id"].lower() for each in shown["value"]))


async def _made(shown: Mapping[str, Any]) -> Identity:
    return Identity(shown["appId"].lower(), shown["displayName"], shown["id"], None, (Home.APPLICATION,))


def _request(method: Method, url: str, body: Mapping[str, Any] | None, tenant: str | None, prefer: str = "") -> RequestInformation:
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
    """Graph refuses what meets another write to the same object, and what rests on an object that it doesn't know everywhere yet.

    Sources: Microsoft Graph error responses; "Create servicePrincipal" (an application that was made just now is no backing application).
    """
    concurrent = response.status_code == 409 and b"Directory_ConcurrencyViolation" in response.content
    return concurrent or (response.status_code == 400 and b"NoBackingApplicationObject" in response.content)


async def _content(response: httpx.Response) -> dict[str, Any]:
    return json.loads(response.content) if response.content else {}


async def _read(app_id: str, application: Any, principal: Any) -> tuple[Principal, tuple[Credential, ...]]:
    name = (principal or application)["displayName"] or ""
    enabled = principal is None or principal.get("accountEnabled") is not False
    ids, said = (application and application["id"], principal and principal["id"]), application or {}
    found = Principal(app_id, *ids, name, enabled, said.get("signInAudience") in _PERSONAL, _locked(said.get("servicePrincipalLockConfiguration")))
    homes = ((application, Home.APPLICATION), (principal, Home.SERVICE_PRINCIPAL))
    return found, tuple(sorted(each for owner, home in homes if owner for each in passwords(owner, home)))


def passwords(shown: Mapping[str, Any], home: Home) -> list[Credential]:
    """The password credentials that Graph shows of an object."""
    return [_credential(each, home) for each in shown["passwordCredentials"]]


async def _names(answer: Mapping[str, Any]) -> dict[str, str]:
    return {each["appId"].lower(): each["displayName"] or "" for each in answer["value"]}


def _locked(lock: Mapping[str, Any] | None) -> bool:
    """Whether an application's lock forbids passwords on its service principal ("servicePrincipalLockConfiguration resource type")."""
    return bool(lock and lock.get("isEnabled") and (lock.get("allProperties") or lock.get("credentialsWithUsageVerify")))


async def _issued(added: Mapping[str, Any], home: Home) -> Issued:
    return Issued(_credential(added, home), Secret(added["secretText"]))


def _credential(shown: Mapping[str, Any], home: Home) -> Credential:
    start, end = (datetime.fromisoformat(shown[name]).astimezone(UTC) for name in ("startDateTime", "endDateTime"))
    return Credential(start, shown["keyId"].lower(), end, home, shown.get("displayName") or "", shown.get("hint"))


def _owner(principal: Principal, home: Home) -> str:
    owner = principal.application if home is Home.APPLICATION else principal.service_principal
    if owner is None:
        raise Unexpected(f"principal {principal.app_id} has no {home.value.replace('_', ' ')} in this tenant", service=SERVICE, code="NoSuchHome")
    return owner


def _unknown(app_id: str, tenant: str) -> NotFound:
    remedy = "Correct `principal.app_id` (the application's client ID, not an object ID), or sign in to the tenant that has it."
    happened = f"no application or service principal with app id {app_id} is in tenant {tenant}"
    return NotFound(happened, service=SERVICE, code="NoSuchPrincipal", status=404, remedy=remedy)
