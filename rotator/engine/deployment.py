"""Deploy and restore: one PUT of one container group (`group_put`), then a watch until evidence (`settling`)."""

from functools import partial

from rotator import container_group
from rotator.container_group import Phase
from rotator.engine.group_put import PutTarget, replace
from rotator.engine.run import Changed, Run
from rotator.engine.settling import ensure_well, settled, watch
from rotator.errors import (
    NotFound,
    ProofFailed,
    UnsafeStep,
)
from rotator.plan import View
from rotator.remedy import rotator
from rotator.resource_id import ResourceId
from rotator.state import ContainerGroup, Observed
from rotator.steps import Deploy, Restore


async def deploy(run: Run, observed: Observed, step: Deploy) -> str:
    """Redeploy the group with the current credential; return the group's condition afterwards.

    Raises if the group is in a worse condition, or its condition is unknown.
    """
    version = View(run.policy, observed, run.intent).current_version
    if version is None or version.key_id != step.key_id.lower():
        raise UnsafeStep(f"credential {step.key_id} isn't the current one any more", remedy="Run again.")
    change = PutTarget(step.group, step.key_id, version.id)
    before = await replace(run, seen := _seen(observed, step.group), change, partial(_fresh, run, seen))
    verdict, after = await watch(run, before, step.group, step.key_id, version.id)
    settled(run, before, after, step.key_id, verdict)
    ensure_well(run, step.group, verdict, step.key_id)
    name = before.id.name
    stopped = container_group.phase(after) is Phase.STOPPED
    return (
        f"{name} has the new credential, and was stopped by others meanwhile"
        if stopped
        else f"{name} runs with the new credential"
    )


async def restore(run: Run, observed: Observed, step: Restore) -> str:
    """Return the group to its previous credential, proven once more; return the group's condition afterwards."""
    value = await run.world.value(run.policy, step.version)
    proof = await run.world.prove(run.policy, value, container_group.images(run.policy, observed))
    if not proof.ok:
        raise ProofFailed(
            f"credential {step.key_id}, the previous one of {step.group}, failed its proof: {proof.outcome}"
            f" {proof.detail}".rstrip(),
            state=f"The group stays on credential {step.failed}, with which a pull failed.",
            remedy="Look at the group's events and at the registry.",
        )
    change = PutTarget(step.group, step.key_id, step.version, (step.failed, step.count))
    before = await replace(run, seen := _seen(observed, step.group), change, partial(_fresh, run, seen))
    verdict, after = await watch(run, before, step.group, step.key_id, step.version)
    settled(run, before, after, step.key_id, verdict)
    ensure_well(run, step.group, verdict, step.key_id)
    raise ProofFailed(
        f"a pull with credential {step.failed} failed in {step.group}",
        state=(
            f"The group is back on credential {step.key_id}; its state is {verdict.value}. No other group was"
            " redeployed after it."
        ),
        remedy=(
            "Look at the group's events. rotator tries the group again after five hours, then after two days, then"
            " after a week; earlier if its credential ends soon. When the cause is fixed,"
            f" `{rotator('rotate', run.policy.name, retry=True)}` tries at once."
        ),
    )


async def _fresh(run: Run, seen: ContainerGroup) -> ContainerGroup:
    """Read the group now. Raises Changed where it isn't what was decided on."""
    now = await run.world.group(seen.id)
    if now.document is None:
        gone = NotFound(
            f"container group {seen.id} does not exist any more",
            service="aci",
            remedy="Nothing to do: a group that does not exist holds no credential.",
        )
        raise (
            gone
            if now.unreadable is None
            else UnsafeStep(f"{seen.id} can't be read: {now.unreadable}", remedy="Run again.")
        )
    if moved(seen, now):
        raise Changed(f"{seen.id} was redeployed by others meanwhile")
    if container_group.phase(now) is Phase.STOPPED and container_group.phase(seen) is not Phase.STOPPED:
        raise Changed(f"{seen.id} was stopped by others meanwhile, and a redeployment would start it")
    return now


def _seen(observed: Observed, group_id: ResourceId) -> ContainerGroup:
    return next(g for g in observed.groups if g.id == group_id)


def moved(seen: ContainerGroup, now: ContainerGroup) -> bool:
    """Tell if a group now shows another credential than at its observation."""
    return container_group.shows(seen.document).key_id != container_group.shows(now.document).key_id
