"""The routes of Microsoft.Authorization on ``management.azure.com``: role assignments, role definitions, permissions.

Shapes of api-version 2022-04-01 from recorded traffic: the ``properties`` come first, a PUT answers 201 for an update too and shows
``createdBy`` as null, and a DELETE answers 200 with what was deleted or 204 where nothing was.
"""

from dataclasses import dataclass

from rotator.emulator.clock import iso
from rotator.emulator.rbac.behaviour import Assignment, Authorization
from rotator.emulator.rbac.filters import assignment_filter, definition_filter
from rotator.emulator.rbac.roles import Permission, RoleDefinition
from rotator.emulator.rbac.scopes import PROVIDER
from rotator.emulator.wire import Call, Json, Response, Route, ServiceError

BUILT_IN_SINCE = "2018-10-29T06:02:24.7195110Z"
"""When the built-in roles say that they were made: a constant, for nobody decides by it."""


def routes(authorization: Authorization) -> tuple[Route, ...]:
    """The operations of role-based access control, for Arm's table."""
    rbac = _Rbac(authorization)
    assignments, definitions = f"{PROVIDER}/roleAssignments", f"{PROVIDER}/roleDefinitions"
    made: list[Route] = []
    for scope in ("/{scope*}", ""):
        made += [
            Route("rbac.roleAssignments.list", "GET", scope + assignments, rbac.list_assignments),
            Route("rbac.roleAssignments.get", "GET", scope + assignments + "/{name}", rbac.get_assignment),
            Route("rbac.roleAssignments.create", "PUT", scope + assignments + "/{name}", rbac.put_assignment),
            Route("rbac.roleAssignments.delete", "DELETE", scope + assignments + "/{name}", rbac.delete_assignment),
            Route("rbac.roleDefinitions.list", "GET", scope + definitions, rbac.list_definitions),
            Route("rbac.roleDefinitions.get", "GET", scope + definitions + "/{name}", rbac.get_definition),
            Route("rbac.permissions.list", "GET", scope + PROVIDER + "/permissions", rbac.list_permissions),
        ]
    return tuple(made)


def scope_of(call: Call) -> str:
    """The scope in front of ``/providers/Microsoft.Authorization``; the root is ``/``."""
    return "/" + call.params.get("scope", "").strip("/")


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
        return Response.json(200, {"value": [assignment_json(a) for a in found]})

    def get_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/read")
        assignment = self.authorization.get(_id(call))
        if assignment is None:
            raise ServiceError(404, "RoleAssignmentNotFound", f"The role assignment '{call['name']}' is not found.")
        return Response.json(200, assignment_json(assignment))

    def put_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/write")
        body = assignment_json(self.authorization.put(self._wanted(call), call.who.oid))
        body["properties"] |= {"createdBy": None}
        return Response.json(201, body)

    def _wanted(self, call: Call) -> Assignment:
        body = call.request.json()
        given = body.get("properties") if isinstance(body.get("properties"), dict) else {}
        role, principal = given.get("roleDefinitionId"), given.get("principalId")
        if not isinstance(role, str) or not isinstance(principal, str):
            raise ServiceError(400, "InvalidCreateRoleAssignmentRequest", "The request to create role assignment is not valid.")
        now, kind = self.authorization.clock.now(), given.get("principalType") or ""
        condition, version = given.get("condition"), given.get("conditionVersion")
        text = given.get("description")
        return Assignment("", call["name"], scope_of(call), role, principal, now, now, now, kind, condition, version, text)

    def delete_assignment(self, call: Call) -> Response:
        self._require(call, "roleAssignments/delete")
        deleted = self.authorization.delete(_id(call))
        return Response(204) if deleted is None else Response.json(200, assignment_json(deleted))

    def list_definitions(self, call: Call) -> Response:
        self._require(call, "roleDefinitions/read")
        wanted = definition_filter(call.request.query.get("$filter", ""))
        found = [
            role
            for role in self.authorization.roles_at(scope_of(call))
            if wanted.role_name in (None, role.role_name.lower()) and wanted.role_type in (None, role.role_type.lower())
        ]
        return Response.json(200, {"value": [self._definition_json(role, scope_of(call)) for role in found]})

    def get_definition(self, call: Call) -> Response:
        self._require(call, "roleDefinitions/read")
        role = next((r for r in self.authorization.roles() if r.name == call["name"].lower()), None)
        if role is None:
            message = f"The specified role definition with ID '{call['name'].lower()}' does not exist."
            raise ServiceError(404, "RoleDefinitionDoesNotExist", message)
        return Response.json(200, self._definition_json(role, scope_of(call)))

    def list_permissions(self, call: Call) -> Response:
        found = self.authorization.permissions(call.who.oid, scope_of(call))
        return Response.json(200, {"value": [permission_json(p) | {"condition": None, "conditionVersion": None} for p in found]})

    def _require(self, call: Call, action: str) -> None:
        self.authorization.require(call.who, f"Microsoft.Authorization/{action}", scope_of(call))

    def _definition_json(self, role: RoleDefinition, scope: str) -> Json:
        parts = scope.split("/")
        prefix = "/".join(parts[:3]) if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
        return {
            "properties": {
                "roleName": role.role_name,
                "type": role.role_type,
                "description": role.description,
                "assignableScopes": role.assignable_scopes,
                "permissions": [permission_json(p) for p in role.permissions],
                "createdOn": BUILT_IN_SINCE,
                "updatedOn": BUILT_IN_SINCE,
                "createdBy": None,
                "updatedBy": None,
            },
            "id": f"{prefix}{PROVIDER}/roleDefinitions/{role.name}",
            "type": "Microsoft.Authorization/roleDefinitions",
            "name": role.name,
        }


def assignment_json(assignment: Assignment) -> Json:
    """A role assignment as the list shows it."""
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
            "delegatedManagedIdentityResourceId": None,
            "description": assignment.description,
        },
        "id": assignment.id,
        "type": "Microsoft.Authorization/roleAssignments",
        "name": assignment.name,
    }


def permission_json(permission: Permission) -> Json:
    """A permission as role definitions list it."""
    return {
        "actions": permission.actions,
        "notActions": permission.not_actions,
        "dataActions": permission.data_actions,
        "notDataActions": permission.not_data_actions,
    }


def _id(call: Call) -> str:
    return f"{scope_of(call).rstrip('/')}{PROVIDER}/roleAssignments/{call['name']}"
