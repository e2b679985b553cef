"""Azure's rules about role assignments: inheritance, groups, and the delay between list and effect.

Lists show a change at once; the effect begins `role_active` seconds after an assignment and ends `role_gone` seconds
after a deletion (documented: each up to 10 minutes). A condition on an assignment is kept and shown, but not evaluated:
the assignment grants as if the condition held.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from local_azure.rbac.rights import PrincipalRights
from local_azure.rbac.scopes import PROVIDER, encloses, is_guid, role_id, scope_key
from local_azure.rbac.state import Assignment, RoleState
from local_azure.wire import ServiceError

LIMIT = 4000
"""Role assignments in a subscription ("Azure RBAC limits")."""


class Authorization(PrincipalRights):
    """Rights of all principals: the one place asked by every service."""

    def assign(
        self,
        scope: str,
        principal_id: str,
        role: str,
        condition: str | None = None,
        at_once: bool = False,
        *,
        principal_type: str = "ServicePrincipal",
    ) -> Assignment:
        """Give `role` (name or id) to a principal, under a name of ours; in effect now if `at_once`.

        Errors as :meth:`put`.
        """
        now = self.clock.now()
        wanted = Assignment(
            "", self.ids.guid(), scope, self.role(role).name, principal_id, now, now, now, principal_type, condition
        )
        assignment = self.put(wanted)
        if at_once:
            assignment.active_from = self.clock.now()
        return assignment

    def put(self, wanted: Assignment, by: str | None = None) -> Assignment:
        """Create, or update the description and condition of, the assignment `wanted` names by scope and name.

        Raises ServiceError: 400 InvalidRoleAssignmentId, PrincipalNotFound (unless its type is given),
        UnmatchedPrincipalType, RoleAssignmentUpdateNotPermitted, RoleAssignmentScopeNotAssignableToRoleDefinition,
        RoleAssignmentLimitExceeded; 404 RoleDefinitionDoesNotExist; 409 RoleAssignmentExists, ScopeLocked.
        """
        self._check(wanted)
        self.locked(wanted.scope, "write")
        now, role = self.clock.now(), self._assignable(wanted)
        scope = "/" + wanted.scope.strip("/")
        path = "" if scope == "/" else scope
        wanted = replace(
            wanted,
            id=f"{path}{PROVIDER}/roleAssignments/{wanted.name}",
            scope=scope,
            role_definition_id=role_id(scope, role),
        )
        existing = self._conflict(wanted)
        if existing:
            existing.condition, existing.condition_version = wanted.condition, wanted.condition_version
            existing.description, existing.updated_on, existing.updated_by = wanted.description, now, by
            return existing
        return self._add(wanted, now, by)

    def _add(self, wanted: Assignment, now: datetime, by: str | None) -> Assignment:
        self._require_room(wanted.scope)
        active = now + timedelta(seconds=self.timing.role_active)
        kind = wanted.principal_type or self._kind(wanted.principal_id) or "ServicePrincipal"
        new = replace(
            wanted,
            principal_type=kind,
            active_from=active,
            created_on=now,
            updated_on=now,
            created_by=by,
            updated_by=by,
        )
        index = self._index()
        self.state.assignments[new.id.lower()] = new
        self.state.revision += 1
        index.add(new)
        index.of = self._revision()
        return new

    def _check(self, wanted: Assignment) -> None:
        if not is_guid(wanted.name):
            message = f"The role assignment ID '{wanted.name}' is not valid. The role assignment ID must be a GUID."
            raise ServiceError(400, "InvalidRoleAssignmentId", message)
        if not is_guid(wanted.principal_id):
            message = f"The Principal ID '{wanted.principal_id}' is not valid. Principal ID must be a GUID."
            raise ServiceError(400, "InvalidPrincipalId", message)
        kind = None if self.faults.active("stale") else self._kind(wanted.principal_id)
        if kind is None and not wanted.principal_type:
            raise _principal_not_found(wanted.principal_id, self.directory.tenant)
        if kind is not None and wanted.principal_type.lower() not in ("", kind.lower()):
            who = wanted.principal_id.replace("-", "")
            message = f"The PrincipalId '{who}' has type '{kind}' , which is different from specified PrinciaplType"
            raise ServiceError(400, "UnmatchedPrincipalType", f"{message} '{wanted.principal_type}'.")

    def _kind(self, principal_id: str) -> str | None:
        """Return the kind of the directory's principal with the id."""
        if self.directory.principal_by_id(principal_id):
            return "ServicePrincipal"
        if self.directory.records.known("users", principal_id):
            return "User"
        return "Group" if principal_id in self.directory.state.groups else None

    def _assignable(self, wanted: Assignment) -> str:
        """The GUID of the role, if its assignable scopes reach the scope."""
        role = self.role(wanted.role_definition_id)
        if not any(encloses(where, wanted.scope) for where in role.assignable_scopes):
            message = f"The role definition '{role.name}' is not assignable at scope '{wanted.scope}'."
            raise ServiceError(400, "RoleAssignmentScopeNotAssignableToRoleDefinition", message)
        return role.name

    def _require_room(self, scope: str) -> None:
        """A subscription has room for so many assignments."""
        subscription = "/".join(scope.split("/")[:3])
        if len(self.state.assignments) < LIMIT or not subscription.lower().startswith("/subscriptions/"):
            return
        if sum(encloses(subscription, a.scope) for a in self.state.assignments.values()) >= LIMIT:
            raise ServiceError(
                400,
                "RoleAssignmentLimitExceeded",
                "No more role assignments can be created (code: RoleAssignmentLimitExceeded)",
            )

    def _conflict(self, wanted: Assignment) -> Assignment | None:
        """The assignment that a PUT of `wanted` updates, if any; raises where Azure sees a conflict."""
        same = (scope_key(wanted.scope), wanted.role, wanted.principal_id.lower())
        index = self._index()
        named = index.listed.get(wanted.name.lower())
        if named:
            if (scope_key(named.scope), named.role, named.principal_id.lower()) == same:
                return named
            message = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
            raise ServiceError(400, "RoleAssignmentUpdateNotPermitted", message)
        for other in index.held.get(wanted.principal_id.lower(), ()):
            if other.gone_at is None and (scope_key(other.scope), other.role, other.principal_id.lower()) == same:
                raise ServiceError(409, "RoleAssignmentExists", "The role assignment already exists.")
        return None

    def get(self, assignment_id: str) -> Assignment | None:
        """Return the assignment with the id, if listed."""
        return self.state.assignments.get(scope_key(assignment_id))

    def delete(self, assignment_id: str) -> Assignment | None:
        """Take an assignment away, as the list shows at once; None if there was none. Raises 409 ScopeLocked."""
        assignment = self.get(assignment_id)
        if assignment is None:
            return None
        self.locked(assignment.scope, "delete")
        now = self.clock.now()
        del self.state.assignments[assignment.id.lower()]
        self.state.leaving = [a for a in self.state.leaving if a.gone_at and a.gone_at > now]
        if assignment.active_from <= now:
            assignment.gone_at = now + timedelta(seconds=self.timing.role_gone)
            self.state.leaving.append(assignment)
        self.state.revision += 1
        return assignment

    def forget(self, scope: str) -> None:
        """Remove every assignment at or below a deleted `scope`."""
        for path, assignment in list(self.state.assignments.items()):
            if encloses(scope, assignment.scope):
                del self.state.assignments[path]
                self.state.revision += 1

    def assignments(
        self, scope: str = "/", *, above_only: bool = False, principals: Iterable[str] | None = None
    ) -> list[Assignment]:
        """Return the assignments listed at `scope`: at and above, and below unless `above_only`.

        If principals are given, return the assignments of these principals only.
        """
        wanted = None if principals is None else {p.lower() for p in principals}
        return [
            a
            for a in self._listed()
            if (encloses(a.scope, scope) or (not above_only and encloses(scope, a.scope)))
            and (wanted is None or a.principal_id.lower() in wanted)
        ]

    def _listed(self) -> list[Assignment]:
        """Return the current list.

        Under the fault ``stale``, return the list without the changes not yet in effect.
        """
        if self.faults.active("stale") is None:
            return list(self.state.assignments.values())
        now = self.clock.now()
        known = [a for a in self.state.assignments.values() if a.active_from <= now]
        return known + [a for a in self.state.leaving if a.gone_at and a.gone_at > now]


def _principal_not_found(principal_id: str, tenant: str) -> ServiceError:
    message = (
        f"Principal {principal_id.replace('-', '')} does not exist in the directory {tenant}. Check that you have the"
        " correct principal ID. If you are creating this principal and then immediately assigning a role, this error"
        " might be related to a replication delay. In this case, set the role assignment principalType property to a"
        " value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype"
    )
    return ServiceError(400, "PrincipalNotFound", message)


__all__ = ["LIMIT", "Assignment", "Authorization", "RoleState"]
