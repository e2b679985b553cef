"""Looks at many policies for what is due: each as :func:`observe` would, a few at a time and in their order."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from rotator.clients.observe import observe
from rotator.clients.pipeline import together
from rotator.policy import Policy
from rotator.state import Observed

if TYPE_CHECKING:
    from rotator.clients.world import AzureWorld

AT_ONCE = 8
"""Policies that are looked at together: each takes about ten requests."""


async def survey(world: "AzureWorld", policies: Sequence[Policy]) -> AsyncIterator[tuple[Policy, Observed]]:
    """Every policy with its world. Raises the first AzureError."""
    for start in range(0, len(policies), AT_ONCE):
        batch = policies[start : start + AT_ONCE]
        for policy, observed in zip(batch, await together(*(observe(world, each) for each in batch)), strict=True):
            yield policy, observed
