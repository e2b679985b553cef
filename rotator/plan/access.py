"""Select role assignments for revoke and grant, and list the remaining ways to pull.

The roles a registry heeds depend on its mode (azure-facts F6, G5): with the legacy permissions any role whose *actions*
include the pull, with repository permissions (ABAC) only *data actions* on the content of repositories.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from rotator.codes import NoteCode, ReasonCode
from rotator.errors import UnsafeStep
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.remedy import (
    delete_role_assignment,
    disable_admin_user,
    disable_anonymous_pull,
    disable_token,
    remove_group_member,
)
from rotator.resource_id import ArmId, ResourceId
from rotator.rights import REPOSITORY_READER, TWINS, WRITE_ASSIGNMENT
from rotator.state import Assignment, Registry, RegistryAccess, Role
from rotator.steps import Disable, Grant, Reason, Retire, Revoke

PULL, CONTENT = (
    "Microsoft.ContainerRegistry/registries/pull/read",
    "Microsoft.ContainerRegistry/registries/repositories/content/read",
)
"""Rights to pull: the action with legacy permissions, the data action with repository permissions."""
OWNER = "Owner"
REGAIN = (
    WRITE_ASSIGNMENT,
    "Microsoft.ContainerRegistry/registries/write",
    "Microsoft.ContainerRegistry/registries/generateCredentials/action",
)
"""Actions by which a principal without the right to pull can regain access.

They assign a role, change the registry's mode or admin user, or make a token's password.
"""
LIST = "Microsoft.ContainerRegistry/registries/listCredentials/action"
"""Action to show the admin user's passwords."""


class Effect(StrEnum):
    """Effect of a way on a revocation."""

    PULLS = "pulls"
    """The principal pulls, with any key that signs in, or the public does."""
    REGAINS = "regains"
    """The principal can't pull, and can give itself the right."""
    OTHERS = "others"
    """Holders of another credential pull; the principal's own doesn't help."""
    UNKNOWN = "unknown"
    """The way can't be read, so its effect is unknown."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One way to pull images of a registry, certain or possible.

    `own`: the way is the policy's assignment, deleted by a revoke.
    """

    code: NoteCode
    registry: str
    subject: str
    text: str
    effect: Effect
    own: bool = False


def fitting(role: str, *, abac: bool) -> str:
    """Return the role meant by a policy's `role` on a registry of this mode; a role without a twin stays the same."""
    backwards = {twin: name for name, twin in TWINS.items()}
    return TWINS.get(role, role) if abac else backwards.get(role, role)


def declared_role(role: str, registry_id: ResourceId, seen: Registry | None) -> str:
    """Return the role to be given on a registry, according to the mode in which Azure shows it.

    Raises UnsafeStep for a role that allows no pull from a registry of this mode (azure-facts G5).
    """
    abac = seen is not None and seen.abac
    if abac and role == OWNER:
        raise UnsafeStep(
            f"{registry_id} has repository permissions (ABAC), with which the role Owner allows no pull",
            remedy=f"Declare `role: {REPOSITORY_READER}` for it.",
        )
    return fitting(role, abac=abac)


def own_roles(role: str) -> tuple[str, ...]:
    """Return the policy's own roles on a registry: the declared role, and its counterpart in either mode.

    Both modes count, since the mode may have changed.
    """
    return tuple(sorted({role, fitting(role, abac=False), fitting(role, abac=True)}))


def revoke_steps(
    policy: Policy, found: Sequence[Assignment], roles: dict[str, str], recorded: Sequence[Assignment] = ()
) -> tuple[Revoke, ...]:
    """Return the revocation of this policy's assignments: its roles, exactly at its registries, and the recorded ones.

    `roles` maps a role's name to its GUID.
    """
    declared = {(r.id, roles[name].lower()) for r in policy.registries for name in own_roles(r.role) if name in roles}
    known = {a.id for a in recorded}
    mine = (a for a in found if (a.scope, a.role.lower()) in declared or a.id in known)
    return tuple(Revoke(a, Reason(ReasonCode.REVOKE, f"{_name(a, roles)} on {a.scope}")) for a in sorted(mine))


def grant_steps(
    policy: Policy,
    found: Sequence[Assignment],
    recorded: Sequence[Assignment],
    declared: Sequence[Assignment],
    roles: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Grant, ...]:
    """Return the grants of absent assignments: those recorded by a revoke, or else those declared by the policy.

    `roles` maps a role's name to its GUID. A role that was revoked twice at a scope is granted once, as Azure allows:
    with a condition, if either had one.
    """
    there = {(a.scope, a.role.lower()) for a in found}
    why = "recorded by the revocation" if recorded else f"declared by {policy.name}"
    wanted: dict[tuple[ArmId, str], Assignment] = {}
    for each in sorted(recorded or declared, key=lambda a: (a.condition is None, a)):
        wanted.setdefault((each.scope, each.role.lower()), each)
    missing = (a for key, a in wanted.items() if key not in there)
    return tuple(Grant(a, Reason(ReasonCode.GRANT, f"{why}: {_name(a, roles)} on {a.scope}")) for a in sorted(missing))


def credential_steps(view: View) -> tuple[Retire | Disable, ...]:
    """Return the steps to revoke the credentials: retire all of ours on either home, and disable their versions.

    A version known to hold a credential is disabled even if the credential is gone.
    """
    retired = (
        Retire(c.key_id, c.home, Reason(ReasonCode.REVOKE, "access is revoked with its credentials")) for c in view.ours
    )
    held = (v for v in view.versions if v.enabled and v.key_id)
    return (
        *retired,
        *(Disable(v.id, Reason(ReasonCode.REVOKE, "access is revoked with its credentials")) for v in held),
    )


def remaining(policy: Policy, principal: str | None, access: RegistryAccess) -> tuple[Way, ...]:
    """Return the present ways to pull one registry's images: by the principal (its object id), by others, or unknown.

    Sorted, the gravest first.
    """
    found = (*_assigned(policy, principal, access), *_flags(access), *_unread(access))
    return tuple(sorted(found, key=lambda way: (tuple(Effect).index(way.effect), way)))


def restorable(recorded: Sequence[Assignment], principal: str | None) -> tuple[Assignment, ...]:
    """Return the recorded assignments a grant restores: those of the present principal.

    An earlier principal with the same app id had another object id.
    """
    return tuple(each for each in recorded if each.principal_id.lower() == (principal or "").lower())


def _assigned(policy: Policy, principal: str | None, access: RegistryAccess) -> Iterator[Way]:
    registry, roles = access.registry, {role.id: role for role in access.roles}
    declared = next((r.role for r in policy.registries if r.id == registry.id), "")
    for assignment in access.assignments:
        role, direct = roles.get(assignment.role.lower()), assignment.principal_id.lower() == (principal or "").lower()
        if role is None:
            text = f"unknown: the permissions of role {assignment.role} at {assignment.scope} cannot be read"
            yield Way(NoteCode.UNKNOWN, registry.id, assignment.id, text, Effect.UNKNOWN)
            continue
        if not (effect := _effect(role, access)):
            continue
        here = assignment.scope == registry.id
        own = direct and here and role.name in own_roles(declared)
        holder = (
            ""
            if direct
            else f" of group {dict(access.groups).get(assignment.principal_id.lower(), assignment.principal_id)}"
        )
        where = f"{role.name}{holder}{' under a condition' if assignment.condition else ''} at {assignment.scope}"
        text = f"{where} {_does(effect, registry.name)}; {_away(assignment, principal or '', direct=direct, own=own)}"
        if effect is Effect.REGAINS:
            yield Way(NoteCode.COULD_REGAIN, registry.id, assignment.id, text, effect, own)
        elif direct:
            yield Way(NoteCode.STILL_GRANTED, registry.id, assignment.id, text, effect, own)
        else:
            yield Way(NoteCode.THROUGH_GROUP, registry.id, assignment.id, text, effect)


def _does(effect: Effect, registry: str) -> str:
    return (
        "lets the principal give itself access again"
        if effect is Effect.REGAINS
        else f"still lets the principal pull from {registry}"
    )


def _away(assignment: Assignment, principal: str, *, direct: bool, own: bool) -> str:
    """Return the owner of an assignment, and the command to remove the assignment."""
    if own:
        return "it is this policy's own"
    delete = f"`{delete_role_assignment(assignment.id)}`"
    if direct:
        return (
            f"the assignment is not this policy's, so revoke does not delete it; {delete} deletes it, also for other"
            " uses of the principal"
        )
    leave = f"`{remove_group_member(assignment.principal_id, principal)}`"
    return (
        f"the group has the role, not the principal itself, so this policy does not delete it; {leave} removes the"
        f" principal from the group, if it is a direct member; {delete} takes the role from all its members, those of"
        " groups in it too"
    )


def _effect(role: Role, access: RegistryAccess) -> Effect | None:
    """Return the effect of a role at or above the registry; None without an effect."""
    if role.allows(CONTENT, data=True) if access.registry.abac else role.allows(PULL):
        return Effect.PULLS
    regains = any(map(role.allows, REGAIN)) or (access.registry.admin_user and role.allows(LIST))
    return Effect.REGAINS if regains else None


def _flags(access: RegistryAccess) -> Iterator[Way]:
    registry = access.registry
    if registry.anonymous_pull:
        off = f"`{disable_anonymous_pull(registry.id)}`"
        text = (
            f"{registry.login_server} allows anonymous pull: everyone can pull, without a credential; {off} ends that"
        )
        yield Way(NoteCode.ANONYMOUS_PULL, registry.id, registry.id, text, Effect.PULLS)
    if registry.admin_user:
        off = f"`{disable_admin_user(registry.id)}`"
        text = (
            f"the admin user of {registry.login_server} is enabled: everyone with its password can pull; {off} ends"
            " that"
        )
        yield Way(NoteCode.ADMIN_USER, registry.id, registry.id, text, Effect.OTHERS)
    for token in access.tokens:
        off = f"`{disable_token(registry.id, token)}`"
        text = (
            f"token {token} of {registry.login_server} is enabled: everyone with its password has the rights of its"
            f" scope map; {off} ends that"
        )
        yield Way(NoteCode.REGISTRY_TOKEN, registry.id, f"{registry.id}/tokens/{token}", text, Effect.OTHERS)


def _unread(access: RegistryAccess) -> Iterator[Way]:
    for what in access.unread:
        yield Way(NoteCode.UNKNOWN, access.registry.id, access.registry.id, f"unknown: {what}", Effect.UNKNOWN)


def _name(assignment: Assignment, roles: Mapping[str, str]) -> str:
    return next(
        (name for name, guid in roles.items() if guid.lower() == assignment.role.lower()), f"role {assignment.role}"
    )
