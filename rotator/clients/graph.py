"""Microsoft Graph: the application, its service principal and their password credentials.

Source of routes, codes and permissions: Microsoft Graph v1.0, "application: addPassword" and its neighbours.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from kiota_abstractions.method import Method

from rotator.clients.directory import (
    DEACTIVATED,
    Named,
    PasswordHolder,
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
from rotator.clients.graph_requests import COLLECTION, READ, SERVICE, GraphRequests
from rotator.clients.pipeline import together
from rotator.clients.refusal import Asked
from rotator.clients.typed import items, record, text
from rotator.codes import FailureCode
from rotator.errors import AzureError, Conflict, NotFound, OutcomeUnknown, Unexpected
from rotator.ports import Issued
from rotator.state import Home, Identity, Principal

WRITE = "Application.ReadWrite.OwnedBy, as an owner of {} (or Application.ReadWrite.All)"
MOST_IN_ONE_FILTER = 15
"""Largest number of values for ``in`` ("Use the $filter query parameter" of Microsoft Graph): always a single page."""
ATTRIBUTES = "CustomSecAttributeAssignment.Read.All"
MAKE = "Application.ReadWrite.OwnedBy (or Application.ReadWrite.All)"
_SHORT = "id,appId,displayName"
_SELECT = "id,appId,displayName,passwordCredentials"
PROPERTIES = {
    Home.APPLICATION: f"{_SELECT},signInAudience,servicePrincipalLockConfiguration",
    Home.SERVICE_PRINCIPAL: f"{_SELECT},accountEnabled",
}
"""Properties read of an application, and of a service principal, beside the one of deactivation."""


class Graph(GraphRequests):
    """Microsoft Graph client of one signed-in identity."""

    _shows_deactivated = True

    async def password_holder(self, home: Home, app_id: str, tenant: str | None) -> PasswordHolder | None:
        """Return the application or service principal with its passwords; None where it isn't found.

        `tenant` is given for another tenant's object.
        """
        read = application_of if home is Home.APPLICATION else service_principal_of
        try:
            return await self._find(home, app_id, self.selected(home), tenant, read)
        except AzureError as error:
            if not self.unlearned(error):
                raise
        return await self._find(home, app_id, self.selected(home), tenant, read)

    def selected(self, home: Home) -> str:
        """Return the properties to select of an object with passwords."""
        return f"{PROPERTIES[home]},{DEACTIVATED}" if self._shows_deactivated else PROPERTIES[home]

    def unlearned(self, error: AzureError) -> bool:
        """Tell if Graph doesn't know the property of deactivation, which is then no longer selected.

        Requests under way at the same time are refused for the same reason, and each is sent once more (azure-facts
        C13).
        """
        if error.status != 400 or f"named '{DEACTIVATED}'" not in error.happened:
            return False
        self._shows_deactivated = False
        return True

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
        asked = Asked(SERVICE, f"create a service principal of {app_id}", MAKE)
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

    async def attributes(self, object_id: str) -> dict[str, Any]:
        """Return the custom security attributes of a service principal. Raises Forbidden, NotFound."""
        asked = Asked(SERVICE, f"read the custom security attributes of {object_id}", ATTRIBUTES)
        path = f"servicePrincipals/{object_id}?$select=id,customSecurityAttributes"
        return await self._send(asked, Method.GET, path, lambda shown: record(shown["customSecurityAttributes"] or {}))

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
        " has it. If the application was deleted, `rotator doctor` has the commands that restore it, for 30 days."
    )
    happened = f"no application or service principal with app id {app_id} is in tenant {tenant}"
    return NotFound(happened, service=SERVICE, code=FailureCode.NO_SUCH_PRINCIPAL, status=404, remedy=remedy)
