"""Microsoft.Authorization on ``management.azure.com``: role assignments, role definitions, permissions.

Shapes of api-version 2022-04-01 from recorded traffic: the ``properties`` come first, a PUT answers 201 for an update
too and shows ``createdBy`` as null, and a DELETE answers 200 with the deleted assignment or 204 if there was none.
"""

import re
from dataclasses import dataclass, replace

from local_azure.arm.paging import paged
from local_azure.clock import iso
from local_azure.rbac.behaviour import Assignment, Authorization
from local_azure.rbac.definition_wire import definition_routes
from local_azure.rbac.filters import assignment_filter
from local_azure.rbac.scopes import PROVIDER, scope_of
from local_azure.wire import Call, Json, Response, Route, ServiceError

_ROLE = re.compile(rf"(?:/.+)?{re.escape(PROVIDER)}/roleDefinitions/[^/]+", re.IGNORECASE)
ADMINISTRATORS = (
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
)
"""Owner, User Access Administrator, Role Based Access Control Administrator."""


def routes(authorization: Authorization) -> tuple[Route, ...]:
    """The operations of role-based access control, for Arm's table."""
    rbac = _Rbac(authorization)
    assignments = f"{PROVIDER}/roleAssignments"
    made: list[Route] = []
    for scope in ("/{scope*}", ""):
        made += [
            Route("rbac.roleAssignments.list", "GET", scope + assignments, rbac.list_assignments),
            Route("rbac.roleAssignments.get", "GET", scope + assignments + "/{name}", rbac.get_assignment),
            Route("rbac.roleAssignments.create", "PUT", scope + assignments + "/{name}", rbac.put_assignment),
            Route("rbac.roleAssignments.delete", "DELETE", scope + assignments + "/{name}", rbac.delete_assignment),
            *definition_routes(authorization, scope),
        ]
    return tuple(made)


@dataclass(frozen=True, slots=True)
class _Rbac:
    authorization: Authorization

    def list_assignments(self, call: Call) -> Response:
        self._require(call, "roleAssignments/read")
        wanted = assignment_filter(call.request.query.get("$filter", ""))
        principals = None
        if wanted.principal:
            principals = {wanted.principal}
        if wanted.assigned_to:
            holders = {wanted.assigned_to, *self.authorization.directory.groups_of(wanted.assigned_to)}
            principals = holders if principals is None else holders & principals
        found = self.authorization.assignments(scope_of(call), above_only=wanted.above_only, principals=principals)
        return paged(call, [assignment_json(a) for a in found])

    def get_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/read")
        assignment = self.authorization.get(_id(call))
        if assignment is None:
            raise ServiceError(404, "RoleAssignmentNotFound", f"The role assignment '{call['name']}' is not found.")
        return Response.json(200, assignment_json(assignment))

    def put_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/write")
        if "/providers/microsoft.management/" in scope_of(call).lower():
            raise ServiceError(
                501, "NotImplemented", "The emulator does not implement role assignments at management groups."
            )
        body = assignment_json(self.authorization.put(self._wanted(call), call.who.oid))
        body["properties"] |= {"createdBy": None}
        return Response.json(201, body)

    def _wanted(self, call: Call) -> Assignment:
        """Return the assignment requested by a PUT.

        A role is named by full id, a condition is of version 2.0 (both reported, the latter without its code).
        """
        body = call.request.json()
        given = body.get("properties") if isinstance(body.get("properties"), dict) else {}
        role, principal = given.get("roleDefinitionId"), given.get("principalId")
        if not isinstance(role, str) or not isinstance(principal, str) or not _ROLE.fullmatch(role):
            raise ServiceError(400, "BadRequestFormat", "The request was incorrectly formatted.")
        now, kind = self.authorization.clock.now(), given.get("principalType") or ""
        condition, version = given.get("condition"), given.get("conditionVersion")
        if condition is not None and version not in (None, "2.0"):
            raise ServiceError(400, "InvalidCondition", "The given role assignment condition is invalid.")
        found = Assignment(
            "",
            call["name"],
            scope_of(call),
            role,
            principal,
            now,
            now,
            now,
            kind,
            condition,
            version,
            given.get("description"),
        )
        return replace(found, delegated_identity=given.get("delegatedManagedIdentityResourceId"))

    def delete_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/delete")
        self._leave_an_administrator(_id(call))
        deleted = self.authorization.delete(_id(call))
        return Response(204) if deleted is None else Response.json(200, assignment_json(deleted))

    def _leave_an_administrator(self, assignment_id: str) -> None:
        """Refuse to delete a subscription's last assignment able to give roles.

        Source: "Troubleshoot Azure RBAC"; the code could not be looked up.
        """
        last = self.authorization.get(assignment_id)
        if last is None or last.role not in ADMINISTRATORS or len(last.scope.strip("/").split("/")) != 2:
            return
        others = (
            a
            for a in self.authorization.assignments(last.scope, above_only=True)
            if a.id != last.id and a.role in ADMINISTRATORS
        )
        if next(others, None) is None:
            raise ServiceError(400, "LastRbacAdminAssignment", "Cannot delete the last RBAC admin assignment.")

    def _require(self, call: Call, action: str) -> None:
        self.authorization.require(call.who, f"Microsoft.Authorization/{action}", scope_of(call))


def assignment_json(assignment: Assignment) -> Json:
    """Return a role assignment as shown in the list."""
    return {
        "properties": {
            "roleDefinitionId": assignment.role_definition_id,
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": iso(assignment.created_on),
            "updatedOn": iso(assignment.updated_on),
            "createdBy": assignment.created_by,
            "updatedBy": assignment.updated_by,
            "delegatedManagedIdentityResourceId": assignment.delegated_identity,
            "description": assignment.description,
        },
        "id": assignment.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
    }


def _id(call: Call) -> str:
    return f"{scope_of(call).rstrip('/')}{PROVIDER}/roleAssignments/{call['name']}"
