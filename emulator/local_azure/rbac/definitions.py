"""Custom roles: the checks of a definition, and the conditions for a change or deletion.

Codes from the troubleshooting pages of role-based access control and reports of users; the code for a malformed body
could not be looked up.
"""

from dataclasses import replace
from datetime import datetime

from local_azure.rbac.roles import Permission, RoleDefinition, built_in
from local_azure.rbac.scopes import is_guid
from local_azure.wire import Json, ServiceError

Roles = dict[str, RoleDefinition]


def read(name: str, body: Json) -> RoleDefinition:
    """The custom role that a PUT describes, under the GUID `name`; raises 400 InvalidRoleDefinition."""
    given = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(given, dict) or not is_guid(name):
        raise _invalid("The role definition ID must be a GUID, and the body must have properties.")
    role_name, scopes, permissions = given.get("roleName"), given.get("assignableScopes"), given.get("permissions")
    if not isinstance(role_name, str) or not role_name.strip():
        raise _invalid("A role definition needs a roleName.")
    if (
        not isinstance(scopes, list)
        or not scopes
        or not all(isinstance(scope, str) and scope.startswith("/") for scope in scopes)
    ):
        raise _invalid("A role definition needs assignableScopes: at least one.")
    if not isinstance(permissions, list) or not permissions or not all(isinstance(each, dict) for each in permissions):
        raise _invalid("A role definition needs permissions: at least one.")
    found = [_permission(each) for each in permissions]
    return RoleDefinition(name.lower(), role_name, given.get("description"), found, "CustomRole", list(scopes))


def put(roles: Roles, wanted: RoleDefinition, now: datetime, by: str) -> RoleDefinition:
    """Make a custom role or replace it; raises 400 for a built-in one, 409 RoleDefinitionWithSameNameExists."""
    if wanted.name in built_in():
        raise ServiceError(400, "RoleDefinitionUpdateNotPermitted", "Built-in role definitions cannot be updated.")
    for other in (*built_in().values(), *roles.values()):
        if other.name != wanted.name and other.role_name.lower() == wanted.role_name.lower():
            message = "A custom role with the same name already exists in this directory. Use a different name"
            raise ServiceError(409, "RoleDefinitionWithSameNameExists", message)
    old = roles.get(wanted.name)
    made, author = (old.created_on, old.created_by) if old else (now, by)
    roles[wanted.name] = replace(wanted, created_on=made, created_by=author, updated_on=now, updated_by=by)
    return roles[wanted.name]


def delete(roles: Roles, name: str, *, assigned: bool) -> RoleDefinition | None:
    """Delete a custom role; return None if absent.

    Raises 400 for a built-in role, or an assigned role.
    """
    if name.lower() in built_in():
        raise ServiceError(400, "RoleDefinitionUpdateNotPermitted", "Built-in role definitions cannot be deleted.")
    if name.lower() in roles and assigned:
        message = "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments)."
        raise ServiceError(400, "RoleDefinitionHasAssignments", message)
    return roles.pop(name.lower(), None)


def _permission(given: dict[str, Json]) -> Permission:
    lists = [given.get(name) or [] for name in ("actions", "notActions", "dataActions", "notDataActions")]
    if not all(isinstance(actions, list) and all(isinstance(action, str) for action in actions) for actions in lists):
        raise _invalid("The actions of a permission are lists of texts.")
    return Permission(*lists)


def _invalid(message: str) -> ServiceError:
    """A definition that makes no sense; code and words could not be looked up."""
    return ServiceError(400, "InvalidRoleDefinition", message)
