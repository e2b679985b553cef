"""Delegated permissions of a client, for all users or for one user: oauth2PermissionGrants.

The emulator has no sign-in of users, so a grant changes no token: a grant is stored, shown and removed. Source:
Microsoft Graph v1.0, "oAuth2PermissionGrant"; an id is made of the ids of client, resource and user, as documented
examples show.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.graph.objects import DelegatedGrant
from local_azure.graph.queries import Kindred
from local_azure.graph.records import Records
from local_azure.graph.refusals import bad_value, missing, required, unknown_property
from local_azure.wire import ServiceError

GRANT = Kindred(
    "microsoft.graph.oAuth2PermissionGrant", ("clientId", "consentType", "id", "principalId", "resourceId", "scope")
)
EVERYBODY, ONE = "AllPrincipals", "Principal"
"""Values of ``consentType``: a grant for all users, or for one."""


@dataclass(frozen=True, slots=True)
class DelegatedGrants:
    """The delegated permission grants of a directory."""

    records: Records

    def create(self, asked: Mapping[str, Any]) -> DelegatedGrant:
        """Grant permissions. Raises ServiceError 400, 404 or 409."""
        for name in asked:
            if name not in GRANT.properties:
                raise unknown_property(name, GRANT.type)
        for name in ("clientId", "consentType", "resourceId"):
            if not isinstance(asked.get(name), str):
                raise required(name, "OAuth2PermissionGrant")
        if asked["consentType"] not in (EVERYBODY, ONE) or (asked["consentType"] == ONE) != bool(
            asked.get("principalId")
        ):
            raise bad_value(
                "principalId" if asked["consentType"] in (EVERYBODY, ONE) else "consentType", "OAuth2PermissionGrant"
            )
        client, resource = (self._principal(asked[name]) for name in ("clientId", "resourceId"))
        user = self._user(asked.get("principalId"))
        made = DelegatedGrant(_id(client, resource, user), client, resource, user, _scope(asked.get("scope")))
        if made.id in self.records.state.delegated:
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
        self.records.state.delegated[made.id] = made
        return made

    def _principal(self, oid: str) -> str:
        found = self.records.principal_by_id(oid)
        if found is None:
            raise missing(oid)
        return found.id

    def _user(self, oid: str | None) -> str | None:
        if not oid:
            return None
        if self.records.known("users", oid) is None:
            raise missing(oid)
        return oid.lower()

    def update(self, grant: DelegatedGrant, changes: Mapping[str, Any]) -> None:
        """Change the scope, the only property open to change. Raises ServiceError 400."""
        for name in changes:
            if name != "scope":
                raise (
                    bad_value(name, "OAuth2PermissionGrant")
                    if name in GRANT.properties
                    else unknown_property(name, GRANT.type)
                )
        grant.scope = _scope(changes.get("scope", grant.scope))

    def find(self, grant_id: str) -> DelegatedGrant:
        """Raises ServiceError 404."""
        found = self.records.state.delegated.get(grant_id)
        if found is None:
            raise missing(grant_id)
        return found

    def every(self) -> list[DelegatedGrant]:
        """Return the grants with an existing client and an existing resource."""
        there = self.records.principal_by_id
        return [
            each for each in self.records.state.delegated.values() if there(each.client_id) and there(each.resource_id)
        ]


def body(of: DelegatedGrant) -> dict[str, Any]:
    """A grant's JSON."""
    return {
        "clientId": of.client_id,
        "consentType": ONE if of.principal_id else EVERYBODY,
        "id": of.id,
        "principalId": of.principal_id,
        "resourceId": of.resource_id,
        "scope": of.scope,
    }


def _scope(text: Any) -> str | None:
    if text is not None and not isinstance(text, str):
        raise bad_value("scope", "OAuth2PermissionGrant")
    return text


def _id(*ids: str | None) -> str:
    raw = b"".join(uuid.UUID(each).bytes_le for each in ids if each)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
