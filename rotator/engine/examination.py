"""Input of `rotator doctor` for one policy: all permitted reads, and one try of the current value; no writes."""

from dataclasses import replace

from rotator import container_group
from rotator.engine.preparation import linked, proven
from rotator.engine.run import Run
from rotator.preflight import Examined
from rotator.state import Observed, Registry


async def examine(run: Run) -> Examined:
    """Read one policy's world, as far as it is visible."""
    found = await run.world.examine(run.policy, container_group.needed(run.policy))
    observed = found.observed
    if observed is None:
        return found
    found = replace(found, rights=(*found.rights, *await run.world.rights(linked(run.policy, observed))))
    return replace(found, known=await proven(run, observed, None)) if _triable(found, observed) else found


def _triable(found: Examined, observed: Observed) -> bool:
    """Tell if there is a value to try, and every registry is known; after a revocation the try shows what remains."""
    if found.principal or found.vault_silent:
        return False
    return bool(observed.versions) and all(isinstance(each.shown, Registry) for each in found.registries)
