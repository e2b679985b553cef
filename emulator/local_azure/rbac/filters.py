"""``$filter`` expressions for lists of role assignments and role definitions; other filters answer 501.

Source: "List role assignments using the REST API"; recorded traffic has the GUID of ``principalId eq`` with or without
quotes.
"""

import re
from dataclasses import dataclass

from local_azure.wire import ServiceError

_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
_AT_SCOPE = re.compile(r"atScope\(\)", re.IGNORECASE)
_BELOW = re.compile(r"atScopeAndBelow\(\)", re.IGNORECASE)
_PRINCIPAL = re.compile(r"principalId\s+eq\s+'?([0-9a-f-]{36})'?", re.IGNORECASE)
_ASSIGNED_TO = re.compile(r"assignedTo\('?([0-9a-f-]{36})'?\)", re.IGNORECASE)
_ROLE_NAME = re.compile(r"roleName\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
_ROLE_TYPE = re.compile(r"type\s+eq\s+'(\w+)'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AssignmentFilter:
    """Filter of a list of assignments: the scope and above, one principal, or one principal and its groups."""

    above_only: bool = False
    principal: str | None = None
    assigned_to: str | None = None


@dataclass(frozen=True, slots=True)
class DefinitionFilter:
    """Filter of a list of role definitions."""

    role_name: str | None = None
    role_type: str | None = None


def assignment_filter(text: str) -> AssignmentFilter:
    """Read the ``$filter`` of roleAssignments; raises ServiceError 501."""
    above, principal, assigned = False, None, None
    for clause in clauses(text):
        if _AT_SCOPE.fullmatch(clause):
            above = True
        elif match := _PRINCIPAL.fullmatch(clause):
            principal = match[1]
        elif match := _ASSIGNED_TO.fullmatch(clause):
            assigned = match[1]
        else:
            raise unsupported(text)
    return AssignmentFilter(above, principal, assigned)


def definition_filter(text: str) -> DefinitionFilter:
    """Read the ``$filter`` of roleDefinitions; raises ServiceError 501."""
    name, kind = None, None
    for clause in clauses(text):
        if match := _ROLE_NAME.fullmatch(clause):
            name = match[1].replace("''", "'").lower()
        elif match := _ROLE_TYPE.fullmatch(clause):
            kind = match[1].lower()
        elif not _BELOW.fullmatch(clause) and not _AT_SCOPE.fullmatch(clause):
            raise unsupported(text)
    return DefinitionFilter(name, kind)


def clauses(text: str) -> list[str]:
    """Return the parts of a filter joined by ``and``; one within quotes is part of a name."""
    return [part.strip() for part in _AND.split(text.strip())] if text.strip() else []


def unsupported(text: str) -> ServiceError:
    """Return the 501 for a filter not supported by the emulator."""
    return ServiceError(501, "NotImplemented", f"The emulator does not implement the filter {text!r}.")
