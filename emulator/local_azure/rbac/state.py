"""Saved state of role assignments: plain values to be saved as JSON, and an unsaved index of the values."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from local_azure.rbac.roles import RoleDefinition


@dataclass(slots=True)
class Assignment:
    """A role given to a principal at a scope; in effect from `active_from` until `gone_at` (UTC)."""

    id: str
    name: str
    scope: str
    role_definition_id: str
    principal_id: str
    active_from: datetime
    created_on: datetime
    updated_on: datetime
    principal_type: str = "ServicePrincipal"
    condition: str | None = None
    condition_version: str | None = None
    description: str | None = None
    created_by: str | None = None
    updated_by: str | None = None
    gone_at: datetime | None = None
    delegated_identity: str | None = None

    @property
    def role(self) -> str:
        """Return the role's GUID in lower case: the only identifying part of `role_definition_id`."""
        return self.role_definition_id.rsplit("/", 1)[-1].lower()


@dataclass(slots=True)
class RoleState:
    """Changing state: assignments by lower-cased id, deleted ones still in effect, and custom roles by GUID."""

    assignments: dict[str, Assignment] = field(default_factory=dict)
    leaving: list[Assignment] = field(default_factory=list)
    roles: dict[str, RoleDefinition] = field(default_factory=dict)
    revision: int = 0


@dataclass(slots=True)
class Index:
    """Assignments by holder and, unless they are deleted, by name; right for one revision of one state."""

    of: tuple[int, int]
    held: dict[str, list[Assignment]] = field(default_factory=lambda: defaultdict(list))
    listed: dict[str, Assignment] = field(default_factory=dict)

    def add(self, assignment: Assignment) -> None:
        """One more of either."""
        self.held[assignment.principal_id.lower()].append(assignment)
        if assignment.gone_at is None:
            self.listed[assignment.name.lower()] = assignment
