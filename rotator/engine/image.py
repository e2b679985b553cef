"""Proof of new images: before a group gets one, the registry serves it for the current credential."""

from collections.abc import Mapping

from rotator import container_group
from rotator.container_group import Document
from rotator.engine.run import Run
from rotator.engine.trial import try_value
from rotator.errors import UnsafeStep
from rotator.state import ContainerGroup, Version

NOTHING = "Nothing was deployed."


async def ensure_served(run: Run, seen: ContainerGroup, version: Version, images: Mapping[str, str]) -> None:
    """Prove those new images that the group pulls with the credential of `version`.

    Raises UnsafeStep for an absent group, a change that isn't allowed, or an image that the registry doesn't serve.
    """
    if seen.document is None:
        raise UnsafeStep(
            f"container group {seen.id} does not exist, so its image can't be changed",
            state=NOTHING,
            remedy="Deploy it without --image first.",
        )
    wanted = container_group.provable(container_group.with_images(Document.seen(run.policy, seen), images), images)
    if not wanted:
        return
    proof = await try_value(run, await run.world.value(run.policy, version.id), wanted)
    if proof.missing:
        raise UnsafeStep(
            "; ".join(map(proof.absence, proof.missing)),
            state=NOTHING,
            remedy="Push it, or correct the reference, and run again.",
        )
    if not proof.ok:
        raise UnsafeStep(
            f"the registry doesn't serve {', '.join(wanted)} for the current credential: {proof.outcome}"
            f" {proof.detail}".rstrip(),
            state=NOTHING,
            remedy="Look at the registry, and run again.",
        )
