"""App role assignments (appRoleAssignments): roles of an application given to principals.

Graph's application permissions are the best known roles. A permission of Graph counts at once, and is in the next
token.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_azure.graph import shape
from local_azure.graph.objects import Grant, ServicePrincipal
from local_azure.graph.records import Records
from local_azure.graph.refusals import missing
from local_azure.wire import ServiceError

ANY_ROLE = "00000000-0000-0000-0000-000000000000"
"""Stands for access to an application that declares no roles."""


@dataclass(frozen=True, slots=True)
class Grants:
    """The app role assignments of a directory."""

    records: Records

    def give(self, principal: ServicePrincipal, role: str, resource_app_id: str) -> Grant:
        """Give a role, without regard to the roles that the resource declares."""
        digest = hashlib.sha256(f"{principal.id}/{resource_app_id}/{role}".encode()).digest()
        made = Grant(
            base64.urlsafe_b64encode(digest).decode().rstrip("="), role, resource_app_id, self.records.clock.now()
        )
        principal.grants.append(made)
        return made

    def assign(self, principal_id: str, resource_id: str, role: str) -> tuple[ServicePrincipal, Grant]:
        """Give a role of a resource to a service principal.

        Raises ServiceError 404, or 400 for a role unknown to the resource or assigned already.
        """
        principal, resource = self._principal(principal_id), self._principal(resource_id)
        declared = {each.get("id", "").lower() for each in self.records.body(resource)["appRoles"]}
        if role.lower() not in declared | ({ANY_ROLE} if not declared else set()):
            message = "Permission being assigned was not found on application"
            raise ServiceError(400, "Request_BadRequest", f"{message} '{resource.app_id}'.")
        if any(
            grant.app_role_id == role.lower() and grant.resource_app_id == resource.app_id for grant in principal.grants
        ):
            raise ServiceError(400, "Request_BadRequest", "Permission being assigned already exists on the object")
        return principal, self.give(principal, role.lower(), resource.app_id)

    def _principal(self, oid: str) -> ServicePrincipal:
        found = self.records.principal_by_id(oid)
        if found is None:
            raise missing(oid)
        return found

    def to(self, resource: ServicePrincipal) -> Iterator[tuple[ServicePrincipal, Grant]]:
        """Yield the principals with roles of a resource, with each grant."""
        for principal in self.records.state.principals.values():
            if principal.deleted is None:
                yield from (
                    (principal, grant) for grant in principal.grants if grant.resource_app_id == resource.app_id
                )

    def take(self, grant_id: str, holders: "list[tuple[ServicePrincipal, Grant]]") -> None:
        """Take one of these grants away. Raises ServiceError 404."""
        for principal, grant in holders:
            if grant.id == grant_id:
                principal.grants.remove(grant)
                return
        raise missing(grant_id)

    def body(self, principal: ServicePrincipal, grant: Grant) -> dict[str, Any]:
        """An appRoleAssignment's JSON."""
        resource = self.records.principal(grant.resource_app_id)
        return {
            "id": grant.id,
            "deletedDateTime": None,
            "appRoleId": grant.app_role_id,
            "createdDateTime": shape.date(grant.created),
            "principalDisplayName": principal.display_name,
            "principalId": principal.id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": resource.display_name if resource else None,
            "resourceId": resource.id if resource else None,
        }
