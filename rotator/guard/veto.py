"""Return the first objection to a step as a veto with problem and fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rotator.codes import VetoCode
from rotator.errors import UnsafeStep
from rotator.guard.deploy import anothers, deployable, elsewhere, newer, restorable
from rotator.guard.issue import (
    addable,
    drifted,
    groups_ready,
    one_lineage,
    secret_usable,
    tags_fit,
    unresolved,
)
from rotator.guard.links import linkable
from rotator.guard.objection import Objection
from rotator.guard.proof import may_pull, value_proves
from rotator.guard.retire import alone, complete, disposable, early, held, readable, retirable
from rotator.policy import Policy
from rotator.remedy import rotator
from rotator.state import Access, Observed
from rotator.steps import NOTHING_KNOWN, Deploy, Disable, Intent, Issue, Known, Restore, Retire, Step, kind, target

ALWAYS = (VetoCode.ITSELF, VetoCode.ANOTHER_LINEAGE, VetoCode.DRIFT, VetoCode.NEWER_VALUE)
"""Objections that hold for a deployment asked for by a person or a script, too."""

PASSING = (VetoCode.UNPROVEN, VetoCode.EARLY, VetoCode.VERSIONS_LAG, VetoCode.JOB_RUNNING)
"""Objections that pass by themselves, or with the proof that a run makes: a look without a try says nothing of them."""


@dataclass(frozen=True, slots=True)
class Veto:
    """Reason against a step, and the fix."""

    step: Step
    code: VetoCode
    happened: str
    remedy: str

    def error(self) -> UnsafeStep:
        """Return the veto as an exception, for a caller that must stop."""
        return UnsafeStep(f"{kind(self.step)} {target(self.step)}: {self.happened}", remedy=self.remedy)


def check(
    step: Step, policy: Policy, observed: Observed, intent: Intent | None = None, known: Known = NOTHING_KNOWN
) -> Veto | None:
    """Return the first objection to a step, or None. Pure; `observed` must be fresh."""
    if isinstance(step, Issue | Deploy | Restore | Retire | Disable) and observed.access is Access.REVOKED:
        return Veto(step, VetoCode.REVOKED, "access is revoked", f"`{rotator('grant', policy.name)}` restores it.")
    for objection in _objections(step, policy, observed, intent or Intent(), known):
        return Veto(step, *objection)
    return None


def check_asked(step: Deploy, policy: Policy, observed: Observed, known: Known = NOTHING_KNOWN) -> Veto | None:
    """Return the first objection that holds for a deployment asked for by a person or a script, or None."""
    objections = _objections(step, policy, observed, Intent(), known)
    return next((Veto(step, *objection) for objection in objections if objection[0] in ALWAYS), None)


def itself(policy: Policy, observed: Observed) -> Objection | None:
    """Return the objection to any change of rotator's own identity, for verbs with steps outside of a rotation."""
    return next(own_identity(policy, observed), None)


def _objections(step: Step, policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    yield from own_identity(policy, observed)
    match step:
        case Issue():
            for rule in (
                secret_usable,
                addable,
                drifted,
                one_lineage,
                tags_fit,
                unresolved,
                groups_ready,
                linkable,
                value_proves,
                may_pull,
            ):
                yield from rule(policy, observed, intent, known)
        case Deploy(group=group_id, key_id=key_id):
            yield from deployable(policy, observed, known, group_id, key_id)
        case Restore(group=group_id, key_id=key_id):
            yield from restorable(policy, observed, known, group_id, key_id)
        case Retire(key_id=key_id):
            yield from drifted(policy, observed, intent, known)
            yield from retirable(policy, observed, intent, known, key_id)
        case Disable(version=version):
            yield from disposable(observed, version)


def own_identity(policy: Policy, observed: Observed) -> Iterator[Objection]:
    """Refuse to change the identity with which rotator is signed in."""
    if observed.signed_in.lower() == policy.principal.app_id.lower():
        remedy = "Sign in as another identity: an identity that rotates its own credential can lock itself out."
        yield (
            VetoCode.ITSELF,
            f"rotator is signed in as {policy.principal.app_id}, the principal of this policy",
            remedy,
        )


RULES: tuple[Callable[..., Iterator[Objection]], ...] = (
    *(own_identity, secret_usable, addable, drifted, one_lineage, tags_fit),
    *(unresolved, groups_ready, linkable, value_proves, may_pull),
    *(
        deployable,
        elsewhere,
        newer,
        anothers,
        restorable,
        retirable,
        complete,
        readable,
        alone,
        early,
        held,
        disposable,
    ),
)
"""All checks, for a test that removes each and expects a failure."""
