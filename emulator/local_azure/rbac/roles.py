"""Role definitions: the built-in ones with Azure's ids and permissions, and how a wildcard grants an action.

Source of the built-in roles: the list of all role definitions, as Azure was recorded to answer it in 2026; their dates
from lists of 2025, as far as those have them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions allowed by a role on the management plane and on the data plane, each minus exceptions."""

    actions: list[str] = field(default_factory=list)
    not_actions: list[str] = field(default_factory=list)
    data_actions: list[str] = field(default_factory=list)
    not_data_actions: list[str] = field(default_factory=list)

    def allows(self, action: str, *, data: bool) -> bool:
        """Tell if the permission alone grants `action`."""
        granted, denied = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return any(matches(p, action) for p in granted) and not any(matches(p, action) for p in denied)


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A named set of permissions; `name` is the GUID used in assignments."""

    name: str
    role_name: str
    description: str | None
    permissions: list[Permission]
    role_type: str = "BuiltInRole"
    assignable_scopes: list[str] = field(default_factory=lambda: ["/"])
    created_on: datetime | None = None
    created_by: str | None = None
    updated_on: datetime | None = None
    updated_by: str | None = None

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if the role grants `action`, on the data plane if `data`."""
        return any(permission.allows(action, data=data) for permission in self.permissions)


@lru_cache(maxsize=4096)
def matches(pattern: str, action: str) -> bool:
    """Tell if `pattern` covers `action`; case is ignored, and ``*`` matches any text, slashes included.

    Between two slashes ``*`` may match an empty text: Managed Identity Operator's
    ``userAssignedIdentities/*/assign/action`` is documented as allowing ``userAssignedIdentities/assign/action``, the
    action named by LinkedAuthorizationFailed.
    """
    expression = ".*".join(map(re.escape, pattern.split("*"))).replace("/.*/", "/(.*/)?")
    return re.fullmatch(expression, action, re.IGNORECASE) is not None


@cache
def built_in() -> Mapping[str, RoleDefinition]:
    """Return Azure's built-in roles in the order of its list, by GUID in lower case; read once in a process."""
    text = (files("local_azure.rbac") / "built_in_roles.json").read_text("utf-8")
    return MappingProxyType({role["name"]: _built_in(role) for role in json.loads(text)})


def _built_in(role: dict[str, Any]) -> RoleDefinition:
    made, changed = (
        datetime.fromisoformat(role[name]) if name in role else None for name in ("createdOn", "updatedOn")
    )
    return RoleDefinition(
        role["name"],
        role["roleName"],
        role["description"],
        [_permission(each) for each in role["permissions"]],
        assignable_scopes=role.get("assignableScopes", ["/"]),
        created_on=made,
        updated_on=changed,
    )


def _permission(given: dict[str, list[str]]) -> Permission:
    return Permission(*(given.get(name, []) for name in ("actions", "notActions", "dataActions", "notDataActions")))
