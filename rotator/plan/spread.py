"""Moment from which a credential is renewed: the credentials of a fleet are spread over the days for it.

Rules for editors of this file:

1. Pure: the moment depends on the policy, its lineage and the credential's end, never on the time or on other policies.
   So every machine and every verb finds the same moment.
2. What is urgent isn't spread: a credential that is gone or compromised, a request for an early rotation.
3. A spread never comes close to an end: after the latest moment the deploy window opens at least once, before the
   warning and before the last week.
"""

from datetime import datetime, timedelta

from rotator.policy import Policy, longest_gap

LAST_WEEK = timedelta(days=7)
"""Last week of a credential: no step waits for a window, and drift no longer stops a rotation."""
LINEAGES = 16**12
"""Number of lineages: they are digests, and so they are spread evenly."""


def renewal(policy: Policy, lineage: str, end: datetime) -> datetime:
    """Return the moment from which a credential that ends at `end` is renewed."""
    earliest = end - policy.rotation.renew_before
    return earliest + spread_over(policy) * (int(lineage, 16) / LINEAGES)


def spread_over(policy: Policy) -> timedelta:
    """Return the time over which renewals are spread; zero if the policy leaves no room or wants none."""
    rotation = policy.rotation
    window = rotation.deploy_window
    kept = max(rotation.warn_before, LAST_WEEK) + (longest_gap(window.cron) if window else timedelta())
    return max(rotation.renew_before - kept, timedelta()) if rotation.spread else timedelta()
