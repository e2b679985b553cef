"""Api-versions that a provider stops to serve on a day: Key Vault's control plane, from 2027-02-27.

Source: "Prepare for Key Vault API version 2026-02-01" (azure-facts E8). What a retired version answers could not be
looked up; the words are Resource Manager's for a version that was never there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from local_azure.wire import ServiceError

RETIRED: dict[str, tuple[datetime, str]] = {"Microsoft.KeyVault": (datetime(2027, 2, 27, tzinfo=UTC), "2026-02-01")}
"""Retirements by provider: the day, and the oldest api-version that is served from then on."""


def offered(provider: str, versions: Sequence[str], now: datetime) -> list[str]:
    """Return the versions that a provider serves at an instant."""
    day, oldest = RETIRED.get(provider, (now, ""))
    return [version for version in versions if now < day or version >= oldest]


def require_served(
    provider: str, kind: str, version: str, location: str, versions: Sequence[str], now: datetime
) -> None:
    """Refuse a retired api-version. Raises ServiceError 400 NoRegisteredProviderFound."""
    if offered(provider, [version], now):
        return
    served = ", ".join(offered(provider, versions, now))
    message = (
        f"No registered resource provider found for location '{location}' and API version '{version}' for type"
        f" '{kind}'. The supported api-versions are '{served}'. The supported locations are '{location}'."
    )
    raise ServiceError(400, "NoRegisteredProviderFound", message)
