"""Read the worlds of many policies as :func:`observe` does, a few at a time and in their order."""

from collections.abc import AsyncIterator, Sequence

from rotator.clients.observe import observe
from rotator.clients.pipeline import together
from rotator.clients.services import Services
from rotator.policy import Policy
from rotator.state import Observed

AT_ONCE = 8
"""Number of policies read together: each takes about ten requests."""


async def survey(azure: Services, policies: Sequence[Policy]) -> AsyncIterator[tuple[Policy, Observed]]:
    """Yield every policy with its world. Raises the first AzureError."""
    for start in range(0, len(policies), AT_ONCE):
        batch = policies[start : start + AT_ONCE]
        for policy, observed in zip(batch, await together(*(observe(azure, each) for each in batch)), strict=True):
            yield policy, observed
