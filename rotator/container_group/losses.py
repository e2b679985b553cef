"""Values of a container group that a redeployment would lose, and whose loss the policy doesn't accept."""

from collections.abc import Sequence

from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import NewerValue


def unaccepted_losses(policy: Policy, newer: Sequence[NewerValue], group: ResourceId) -> tuple[str, ...]:
    """Return the paths of values that a redeployment would lose, and whose loss the policy doesn't accept."""
    declared = policy.group(group)
    accepted = {path.lower() for path in declared.accept_loss} if declared else set()
    own = (each.path for each in newer if each.group == group and not each.common)
    return tuple(path for path in own if path.lower() not in accepted)
