"""Veto a new credential that would fix nothing: the current value works, was not tried, or no password may pull."""

from collections.abc import Iterator

from rotator import container_group
from rotator.causes import Cause, Grounds
from rotator.cloud import of_vault
from rotator.codes import VetoCode
from rotator.guard import seen
from rotator.guard.objection import Objection
from rotator.policy import Policy, RegistryProof
from rotator.remedy import advise, advise_pull, rotator
from rotator.state import Observed, Outcome, Proof, RegistryAccess
from rotator.steps import Intent, Known


def value_proves(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require that a new credential would fix the problem."""
    newest, proof = seen.newest(observed), known.proof
    if newest is None or not newest.enabled:
        return
    if proof is None or not seen.fresh(observed, known):
        why = f" ({known.unproven})" if known.unproven else ""
        yield (
            VetoCode.UNPROVEN,
            f"the current value of {policy.key_vault.password_secret} has not been tried{why}",
            str(advise(known.unproven.grounds)) if known.unproven else "Run again.",
        )
        return
    if proof.outcome is Outcome.REFUSED and not any(v.ours for v in observed.versions):
        what = f"the value of {policy.key_vault.password_secret} doesn't authenticate as {policy.principal.app_id}"
        remedy = "Correct `key_vault.password_secret`; it must name the secret that holds this principal's password."
        bare = f"Set the secret again without the extra characters; `{rotator('doctor', policy.name)}` has the command."
        yield (
            VetoCode.WRONG_SECRET,
            f"{what}: {proof.detail}" if proof.around else what,
            bare if proof.around else remedy,
        )
    if proof.ok and newest.ours and seen.current(observed) is None:
        what = f"Graph does not show credential {newest.key_id}, but it still authenticates"
        yield VetoCode.STILL_WORKS, what, "Run again; Graph's reads may lag far behind."
    yield from _pull_objection(policy, proof)


def may_pull(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require a role to pull, where no value of the secret could be tried: a new password would fail its proof.

    Only what was read as a whole counts. A registry from which no container group pulls isn't part of a proof.
    """
    cloud, images = of_vault(policy.key_vault.host), container_group.images(policy, observed)
    wanted = {cloud.login_server(image.partition("/")[0]) for image in images}
    for access in known.access:
        registry = access.registry
        if registry.login_server in wanted and not (access.unread or registry.anonymous_pull or _pulls(access)):
            names = ", ".join(sorted({role.name for role in access.roles}))
            found = f"its roles there ({names}) don't include that right" if names else "it has no role there"
            what = f"the principal may not pull from {registry.login_server}: {found}"
            remedy = f"`{rotator('grant', policy.name)}` gives the declared role; a new password would not."
            yield VetoCode.NO_PULL, what, remedy


def _pulls(access: RegistryAccess) -> bool:
    """Tell if a role may allow the pull; one whose permissions can't be read may."""
    roles = {role.id: role for role in access.roles}
    action = "repositories/content/read" if access.registry.abac else "pull/read"
    return any(
        (role := roles.get(assignment.role.lower())) is None
        or role.allows(f"Microsoft.ContainerRegistry/registries/{action}", data=access.registry.abac)
        for assignment in access.assignments
    )


def _pull_objection(policy: Policy, proof: Proof) -> Iterator[Objection]:
    outcome, detail = proof.outcome, proof.detail
    if outcome is Outcome.NO_PULL:
        remedy = f"`{rotator('grant', policy.name)}` gives the declared role; a new password would not."
        yield VetoCode.NO_PULL, f"the principal may not pull: {detail}", remedy
    if outcome is Outcome.DISABLED:
        remedy = advise_pull(proof.grounds or Grounds(Cause.DISABLED), policy.principal.app_id)
        yield VetoCode.DISABLED, f"every sign-in as {policy.principal.app_id} is refused: {detail}", remedy
    if outcome is Outcome.UNREACHABLE and policy.proof.registry is RegistryProof.REQUIRED:
        remedy = (
            f"Let rotator reach the registry; `{rotator('doctor', policy.name)}` says if the registry's own firewall is"
            " closed: that keeps container groups out, too. Where only rotator is kept out, set"
            " `proof: {registry: optional}`, and accept that pulls are not proven."
        )
        yield VetoCode.UNREACHABLE, f"a pull can't be tried: {detail}", remedy
