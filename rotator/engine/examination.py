"""Input of `rotator doctor` for one policy: all permitted reads, and one try of the current value; no writes."""

from collections.abc import Iterator
from dataclasses import replace

from rotator import container_group
from rotator.engine.preparation import linked, proven
from rotator.engine.run import Run
from rotator.policy import Policy
from rotator.preflight import Examined
from rotator.resource_id import ResourceId
from rotator.state import Observed, Registry


async def examine(run: Run) -> Examined:
    """Read one policy's world, as far as it is visible."""
    found = await run.world.examine(run.policy, container_group.needed(run.policy))
    observed = found.observed
    if observed is not None:
        wanted = sorted({*linked(run.policy, observed), *_by_manifests(run.policy, observed)})
        found = replace(found, rights=(*found.rights, *await run.world.rights(wanted)))
    if observed is None or found.principal or found.vault_silent or not _triable(found):
        return found
    return replace(found, known=await proven(run, observed, None))


def _by_manifests(policy: Policy, observed: Observed) -> Iterator[tuple[str, ResourceId]]:
    """Yield the permissions needed beside those on groups that their manifests are still to make."""
    for each in container_group.dependents(policy, observed):
        if each.phase is container_group.Phase.ABSENT:
            yield from each.links


def _triable(found: Examined) -> bool:
    """Tell if there is a value to try, and every registry is known; after a revocation the try shows what remains."""
    known = all(isinstance(each.shown, Registry) for each in found.registries)
    return bool(found.observed and found.observed.versions and known)
