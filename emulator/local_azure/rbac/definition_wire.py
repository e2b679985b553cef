"""The routes of role definitions, deny assignments and permissions."""

from dataclasses import dataclass
from datetime import datetime

from local_azure.clock import iso
from local_azure.rbac import definitions
from local_azure.rbac.behaviour import Authorization
from local_azure.rbac.filters import definition_filter
from local_azure.rbac.roles import Permission, RoleDefinition
from local_azure.rbac.scopes import PROVIDER, scope_of
from local_azure.wire import Call, Json, Response, Route, ServiceError

BUILT_IN_SINCE = "2018-10-29T06:02:24.7195110Z"
"""Creation time that the built-in roles show: a constant, since no decision depends on it."""


def definition_routes(authorization: Authorization, scope: str) -> tuple[Route, ...]:
    """The operations below one form of scope."""
    rbac, path = _Definitions(authorization), f"{scope}{PROVIDER}/roleDefinitions"
    denied = f"{scope}{PROVIDER}/denyAssignments"
    return (
        Route("rbac.roleDefinitions.list", "GET", path, rbac.list),
        Route("rbac.roleDefinitions.get", "GET", path + "/{name}", rbac.get),
        Route("rbac.roleDefinitions.createOrUpdate", "PUT", path + "/{name}", rbac.put),
        Route("rbac.roleDefinitions.delete", "DELETE", path + "/{name}", rbac.delete),
        Route("rbac.permissions.list", "GET", f"{scope}{PROVIDER}/permissions", rbac.permissions),
        Route("rbac.denyAssignments.list", "GET", denied, rbac.list_denied),
        Route("rbac.denyAssignments.get", "GET", denied + "/{name}", rbac.get_denied),
        Route("rbac.classicAdministrators.list", "GET", f"{scope}{PROVIDER}/classicAdministrators", rbac.list_classic),
    )


@dataclass(frozen=True, slots=True)
class _Definitions:
    authorization: Authorization

    def list(self, call: Call) -> Response:
        self._require(call, "roleDefinitions/read")
        wanted = definition_filter(call.request.query.get("$filter", ""))
        found = [
            role
            for role in self.authorization.roles_at(scope_of(call))
            if wanted.role_name in (None, role.role_name.lower()) and wanted.role_type in (None, role.role_type.lower())
        ]
        return Response.json(200, {"value": [definition_json(role, scope_of(call)) for role in found]})

    def get(self, call: Call) -> Response:
        self._require(call, "roleDefinitions/read")
        role = next((r for r in self.authorization.roles() if r.name == call["name"].lower()), None)
        if role is None:
            message = f"The specified role definition with ID '{call['name'].lower()}' does not exist."
            raise ServiceError(404, "RoleDefinitionDoesNotExist", message)
        return Response.json(200, definition_json(role, scope_of(call)))

    def put(self, call: Call) -> Response:
        """201, also for an update; the answer names no maker and only the moment of the change (recorded).

        A caller that makes a role assignable at a scope needs the right to write roles there.
        """
        self._require(call, "roleDefinitions/write")
        action = "Microsoft.Authorization/roleDefinitions/write"
        wanted = definitions.read(call["name"], call.request.json())
        for scope in wanted.assignable_scopes:
            self.authorization.require_linked(call.who, action, scope_of(call), action, scope)
        made = definitions.put(self.authorization.state.roles, wanted, self.authorization.clock.now(), call.who.oid)
        answer = definition_json(made, scope_of(call))
        answer["properties"] |= {"createdOn": answer["properties"]["updatedOn"], "createdBy": None}
        return Response.json(201, answer)

    def delete(self, call: Call) -> Response:
        self._require(call, "roleDefinitions/delete")
        assigned = any(
            assignment.role == call["name"].lower() for assignment in self.authorization.state.assignments.values()
        )
        deleted = definitions.delete(self.authorization.state.roles, call["name"], assigned=assigned)
        return Response(204) if deleted is None else Response.json(200, definition_json(deleted, scope_of(call)))

    def permissions(self, call: Call) -> Response:
        found = self.authorization.permissions(call.who.oid, scope_of(call))
        return Response.json(
            200, {"value": [permission_json(p) | {"condition": None, "conditionVersion": None} for p in found]}
        )

    def list_denied(self, call: Call) -> Response:
        """List no deny assignments: only Azure makes deny assignments, and the emulator makes none."""
        self._require(call, "denyAssignments/read")
        return Response.json(200, {"value": []})

    def get_denied(self, call: Call) -> Response:
        self._require(call, "denyAssignments/read")
        raise ServiceError(404, "DenyAssignmentNotFound", f"The deny assignment '{call['name']}' is not found.")

    def list_classic(self, call: Call) -> Response:
        """List no classic administrators: they were retired in August 2024."""
        self._require(call, "classicAdministrators/read")
        return Response.json(200, {"value": []})

    def _require(self, call: Call, action: str) -> None:
        self.authorization.require(call.who, f"Microsoft.Authorization/{action}", scope_of(call))


def definition_json(role: RoleDefinition, scope: str) -> Json:
    """Return a role definition as shown at a scope."""
    parts = scope.split("/")
    prefix = "/".join(parts[:3]) if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""
    return {
        "properties": {
            "roleName": role.role_name,
            "type": role.role_type,
            "description": role.description,
            "assignableScopes": role.assignable_scopes,
            "permissions": [permission_json(p) for p in role.permissions],
            "createdOn": _instant(role.created_on),
            "updatedOn": _instant(role.updated_on),
            "createdBy": role.created_by,
            "updatedBy": role.updated_by,
        },
        "id": f"{prefix}{PROVIDER}/roleDefinitions/{role.name}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.name,
    }


def permission_json(permission: Permission) -> Json:
    """Return a permission as shown in role definitions."""
    return {
        "actions": permission.actions,
        "notActions": permission.not_actions,
        "dataActions": permission.data_actions,
        "notDataActions": permission.not_data_actions,
    }


def _instant(at: datetime | None) -> str:
    return iso(at) if at else BUILT_IN_SINCE
