"""Rights of principals: roles, and the assignments in effect for a principal or its groups.

Lists show a change of assignments at once; its effect begins and ends later (see `local_azure.rbac.behaviour`).
"""

from collections.abc import Callable, Iterable, Iterator

from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.graph.behaviour import Directory
from local_azure.ids import Ids
from local_azure.rbac.roles import Permission, RoleDefinition, built_in
from local_azure.rbac.scopes import encloses
from local_azure.rbac.state import Assignment, Index, RoleState
from local_azure.timing import Timing
from local_azure.wire import Caller, ServiceError


class PrincipalRights:
    """Roles, and decisions on rights: what every service asks."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, directory: Directory) -> None:
        self.clock, self.ids, self.timing, self.faults, self.directory = clock, ids, timing, faults, directory
        self.state = RoleState()
        self.locked: Callable[[str, str], None] = lambda scope, operation: None
        """Raises ScopeLocked where a lock forbids ``write`` or ``delete`` at a scope; Resources puts its own here."""
        self._built = Index((0, -1))

    def define(
        self,
        role_name: str,
        *,
        actions: Iterable[str] = (),
        data_actions: Iterable[str] = (),
        scopes: Iterable[str] = ("/",),
        description: str = "",
    ) -> RoleDefinition:
        """Make a custom role, for the rights that no built-in role has alone."""
        permission = Permission(list(actions), [], list(data_actions), [])
        role = RoleDefinition(self.ids.guid(), role_name, description, [permission], "CustomRole", list(scopes))
        self.state.roles[role.name] = role
        return role

    def roles(self) -> list[RoleDefinition]:
        """Every role there is, built-in ones first."""
        return [*built_in().values(), *self.state.roles.values()]

    def roles_at(self, scope: str) -> list[RoleDefinition]:
        """The roles that can be assigned at `scope`: custom ones only where their assignable scopes reach."""
        return [
            role
            for role in self.roles()
            if any(encloses(where, scope) or encloses(scope, where) for where in role.assignable_scopes)
        ]

    def role(self, name_or_id: str) -> RoleDefinition:
        """Find by role name (in any case), GUID or full id; 404 RoleDefinitionDoesNotExist."""
        wanted = name_or_id.rsplit("/", 1)[-1].lower()
        if found := built_in().get(wanted) or self.state.roles.get(wanted):
            return found
        for role in self.roles():
            if wanted == role.role_name.lower():
                return role
        raise ServiceError(
            404, "RoleDefinitionDoesNotExist", f"The specified role definition with ID '{wanted}' does not exist."
        )

    def granted(self, oid: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Tell if assignments in effect now let `oid` do `action` at `scope`: the oracle, unaffected by faults."""
        return any(encloses(a.scope, scope) and self._allows(a, action, data) for a in self.effective(oid))

    def allowed(self, oid: str, action: str, scope: str, *, data: bool = False) -> bool:
        """Return the decision of the asked service: :meth:`granted`, unless the fault ``rbac_lag`` strikes the call.

        The fault's argument names the late changes: ``deleted`` (deleted assignments still count) or, by default, any
        grant.
        """
        lag = self.faults.active("rbac_lag")
        if lag is None:
            return self.granted(oid, action, scope, data=data)
        return lag.argument == "deleted" and any(
            encloses(a.scope, scope) and self._allows(a, action, data)
            for a in self._of(oid)
            if a.active_from <= self.clock.now()
        )

    def require(self, caller: Caller, action: str, scope: str) -> None:
        """Let a management operation pass; raises ServiceError 403 AuthorizationFailed."""
        if not self.allowed(caller.oid, action, scope):
            message = (
                f"The client '{caller.app_id}' with object id '{caller.oid}' does not have authorization to perform"
                f" action '{action}'"
            )
            scope = "/" + scope.strip("/")
            message += (
                f" over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your"
                " credentials."
            )
            raise ServiceError(403, "AuthorizationFailed", message)

    def require_linked(self, caller: Caller, action: str, scope: str, linked: str, linked_scope: str) -> None:
        """Allow an operation also touching `linked_scope`, if the caller has `linked` there.

        Raises 403 LinkedAuthorizationFailed.
        """
        if self.allowed(caller.oid, linked, linked_scope):
            return
        message = (
            f"The client '{caller.app_id}' with object id '{caller.oid}' has permission to perform action '{action}' on"
            f" scope '{scope}';"
        )
        message += (
            f" however, it does not have permission to perform action(s) '{linked}' on the linked scope(s)"
            f" '{linked_scope}'"
        )
        message += " (respectively) or the linked scope(s) are invalid."
        raise ServiceError(403, "LinkedAuthorizationFailed", message)

    def permissions(self, oid: str, scope: str) -> list[Permission]:
        """Return the caller's own permissions, as listed at `scope`."""
        return [p for a in self.effective(oid) if encloses(a.scope, scope) for p in self.role(a.role).permissions]

    def effective(self, oid: str) -> Iterator[Assignment]:
        """Yield the assignments in effect for `oid` now, own or by group.

        Deleted assignments are included while still in effect.
        """
        now = self.clock.now()
        return (a for a in self._of(oid) if a.active_from <= now and (a.gone_at is None or a.gone_at > now))

    def _of(self, oid: str) -> Iterator[Assignment]:
        held = self._index().held
        for principal in (oid, *self.directory.groups_of(oid)):
            yield from held.get(principal.lower(), ())

    def _revision(self) -> tuple[int, int]:
        return id(self.state), self.state.revision

    def _index(self) -> Index:
        """Return the index of the present state, rebuilt after any change other than an addition."""
        if self._built.of != self._revision():
            self._built = Index(self._revision())
            for assignment in (*self.state.leaving, *self.state.assignments.values()):
                self._built.add(assignment)
        return self._built

    def _allows(self, assignment: Assignment, action: str, data: bool) -> bool:
        role = built_in().get(assignment.role) or self.state.roles.get(assignment.role)
        return role is not None and role.allows(action, data=data)
