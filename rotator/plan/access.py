"""Which role assignments a revoke deletes and a grant creates."""

from collections.abc import Sequence

from rotator.plan.step import Grant, Reason, Revoke
from rotator.policy import Policy
from rotator.state import Assignment


def revoke_steps(policy: Policy, found: Sequence[Assignment], roles: dict[str, str]) -> tuple[Revoke, ...]:
    """The assignments that are this policy's: its roles, exactly at its registries. `roles` maps a role's name to its GUID."""
    declared = {(r.id.lower(), roles[r.role].lower()) for r in policy.registries}
    mine = (a for a in found if (a.scope.lower(), a.role.lower()) in declared)
    return tuple(Revoke(a, Reason("revoke", f"{_name(a, roles)} on {a.scope}")) for a in sorted(mine))


def grant_steps(policy: Policy, found: Sequence[Assignment], recorded: Sequence[Assignment], declared: Sequence[Assignment]) -> tuple[Grant, ...]:
    """What was recorded by a revoke, or else what the policy declares, as far as it isn't there."""
    there = {(a.scope.lower(), a.role.lower()) for a in found}
    wanted = recorded or declared
    why = "recorded by the revocation" if recorded else f"declared by {policy.name}"
    missing = (a for a in wanted if (a.scope.lower(), a.role.lower()) not in there)
    return tuple(Grant(a, Reason("grant", f"{why}: role {a.role} on {a.scope}")) for a in sorted(missing))


def _name(assignment: Assignment, roles: dict[str, str]) -> str:
    return next((name for name, guid in roles.items() if guid.lower() == assignment.role.lower()), assignment.role)
