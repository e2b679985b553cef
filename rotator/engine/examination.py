"""Input of `rotator doctor` for one policy: all permitted reads, and one try of the current value; no writes."""

from dataclasses import replace

from rotator import container_group
from rotator.engine.observation import linked, proven
from rotator.engine.run import Run
from rotator.preflight import Examined
from rotator.state import Registry


async def examine(run: Run) -> Examined:
    """Read one policy's world, as far as it is visible."""
    found = await run.world.examine(run.policy, container_group.needed(run.policy))
    observed = found.observed
    if observed is not None:
        found = replace(found, rights=(*found.rights, *await run.world.rights(linked(run.policy, observed))))
    if observed is None or found.principal or found.vault_silent or not _triable(found):
        return found
    return replace(found, known=await proven(run, observed, None))


def _triable(found: Examined) -> bool:
    """Tell if there is a value to try, and every registry is known; after a revocation the try shows what remains."""
    known = all(isinstance(each.shown, Registry) for each in found.registries)
    return bool(found.observed and found.observed.versions and known)
