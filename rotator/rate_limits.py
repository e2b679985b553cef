"""Azure's documented limits on requests: one table, with its sources in docs/azure-facts.md.

Where a limit depends on the size of a tenant or the kind of a vault, the smallest stands here. Quotas of what may exist
(container groups and cores of a region, credentials of an application) are no limits on requests: a request that
reaches one fails, however long it waits.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """At most `amount` in any `seconds`."""

    amount: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Refill:
    """A store of `amount`, to which `per_second` come back."""

    amount: int
    per_second: float


REDEPLOYMENTS = {"pt5m": Window(100, 300.0), "pt1h": Window(300, 3600.0)}
"""PUTs of container groups in a subscription, by the ends of the headers with the rest (azure-facts A10)."""
GRAPH_UNITS = Window(3500, 10.0)
"""Resource units of Microsoft Graph for an application in a tenant (azure-facts C9, H)."""
GRAPH_WRITES = Window(3000, 150.0)
"""Writes of Microsoft Graph for an application in a tenant (azure-facts H)."""
VAULT_CREATIONS, VAULT_CALLS = Window(300, 10.0), Window(4000, 10.0)
"""New versions of secrets in a vault, and all other requests to it (azure-facts E6)."""
ALL_CREATIONS, ALL_CALLS = Window(1500, 10.0), Window(20_000, 10.0)
"""The same for all vaults of a subscription in a region (azure-facts E6), counted as if all vaults were in one."""
LONGEST = 3600.0
"""Seconds after which a request is tried again, whatever ``Retry-After`` says: the longest window above."""
RESOURCE_MANAGER = {"reads": Refill(250, 25.0), "writes": Refill(200, 10.0), "deletes": Refill(200, 10.0)}
"""Requests to Resource Manager by one identity in one subscription (azure-facts H)."""
