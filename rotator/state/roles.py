"""Access to registries: roles, their permissions and assignments."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rotator.resource_id import ArmId, ResourceId


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry of the policy as ARM showed it. `abac`: roles with data actions count, AcrPull doesn't."""

    id: ResourceId
    login_server: str
    abac: bool = False
    admin_user: bool = False
    anonymous_pull: bool = False

    @property
    def name(self) -> str:
        """Name of the registry, as used by people and az."""
        return self.id.name


class Access(StrEnum):
    """The access mark of a policy."""

    UNMARKED = "unmarked"
    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """A role assignment. `role` is the role definition's GUID, `id` the full resource id."""

    scope: ArmId
    role: str
    id: ArmId
    principal_id: str
    condition: str | None = None
    condition_version: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Permission of a role: actions of management and of data, each less its exceptions.

    Source: "Understand Azure role definitions".
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if the permission grants `action` without excepting the action again.

        ``*`` matches any text; letter case is ignored.
        """
        granted, excepted = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return _covers(granted, action) and not _covers(excepted, action)


def _covers(patterns: tuple[str, ...], action: str) -> bool:
    return any(re.fullmatch(_expression(pattern), action, re.IGNORECASE) for pattern in patterns)


def _expression(pattern: str) -> str:
    """Return a regular expression for a pattern; a ``*`` between slashes may match an empty text.

    Managed Identity Operator allows the assignment of an identity by such a pattern.
    """
    return re.escape(pattern).replace(r"/\*/", "/(.*/)?").replace(r"\*", ".*")


@dataclass(frozen=True, slots=True)
class Role:
    """Role definition: its GUID in lower case, display name, and permissions.

    Roles add up; an exception is no denial.
    """

    id: str
    name: str
    permissions: tuple[Permission, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if any permission of the role allows `action`."""
        return any(permission.allows(action, data=data) for permission in self.permissions)


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """Access of a principal, and of others, to pull from one registry, as far as readable.

    `assignments` are at the registry or above, the principal's own and those of its groups; `groups` pairs a group's
    object id with its name; `tokens` are the enabled repository-scoped ones; `unread` names the unreadable parts.
    """

    registry: Registry
    assignments: tuple[Assignment, ...] = ()
    roles: tuple[Role, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
