"""Worlds at the beginning of stories and matrices, each played once in a process."""

from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, revoke
from rotator.steps import Intent
from tests.snapshot import World, kept
from tests.stage import GROUPS, HASTY, Stage, stage

PROOF = {"times": 2, "over": "0s", "deadline": "5m"}


@kept
async def hand_made(loop: VirtualLoop) -> Stage:
    """Return a world before rotator: made by hand, with no password adopted."""
    made = stage(loop)
    made.with_policy(proof=PROOF)
    return made


@kept
async def first(loop: VirtualLoop) -> Stage:
    """Return a world with the hand-made password adopted, and the first rotation due."""
    made = await hand_made(loop)
    await made.with_world(lambda run: adopt(run, None))
    made.events.clear()
    return made


@kept
async def waiting(loop: VirtualLoop) -> Stage:
    """Return a world a day after the first rotation: the adopted password is to be retired."""
    made = await first(loop)
    await made.rotate()
    made.pass_(hours=25)
    made.events.clear()
    return made


@kept
async def at_rest(loop: VirtualLoop) -> Stage:
    """Return a world after a rotation: one password of rotator's, held by every group."""
    made = await waiting(loop)
    await made.rotate()
    made.pass_(hours=25)
    made.events.clear()
    return made


@kept
async def due(loop: VirtualLoop) -> Stage:
    """Return the world of `at_rest` two months later: the next rotation is due."""
    made = await at_rest(loop)
    made.pass_(days=62)
    await made.rotate(Intent())
    made.pass_(hours=1)
    made.events.clear()
    return made


@kept
async def quick(loop: VirtualLoop) -> Stage:
    """Return a world with the hand-made password adopted, in an Azure quick enough for a whole rotation while a read is
    fresh.
    """
    made = stage(loop, timing=HASTY)
    made.with_policy(proof=PROOF)
    await made.with_world(lambda run: adopt(run, None))
    made.events.clear()
    return made


@kept
async def unattended(loop: VirtualLoop) -> Stage:
    """Return a world a day after a rotation without groups: only readers of the secret are left, and no tag names a
    credential.
    """
    made = await at_rest(loop)
    for name in GROUPS:
        made.azure.container_groups.delete(made.group_id(name))
    made.pass_(hours=1)
    await made.rotate(Intent(force_before=made.azure.clock.now()))
    made.pass_(hours=25)
    made.events.clear()
    return made


@kept
async def revoked(loop: VirtualLoop) -> Stage:
    """Return a world a day after a revocation."""
    made = await at_rest(loop)
    await made.with_world(lambda run: revoke(run, wait=False))
    made.pass_(hours=25)
    made.events.clear()
    return made


@kept
async def locked(loop: VirtualLoop) -> Stage:
    """Return a world a day after a revocation under a lock on the registry: the role stays, and pulls succeed."""
    made = await at_rest(loop)
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete")
    await made.with_world(lambda run: revoke(run, wait=False))
    made.pass_(hours=25)
    made.events.clear()
    return made


@kept
async def hintless(loop: VirtualLoop) -> Stage:
    """Return a world whose first rotation is due, and adds to the service principal, whose passwords have no hint."""
    made = await first(loop)
    made.with_policy(principal={**made.policy.principal.model_dump(exclude_unset=True), "home": "service_principal"})
    return made


WORLDS: dict[str, World] = {
    "hand-made": hand_made,
    "first": first,
    "waiting": waiting,
    "at rest": at_rest,
    "due": due,
    "quick": quick,
    "revoked": revoked,
    "revoked, and locked": locked,
    "unattended": unattended,
    "first, without hints": hintless,
}
"""Worlds by their name in stories."""
