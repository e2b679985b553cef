"""Limit the requests per minute to a registry (azure-facts G9: "Container registry service limits").

Each minute begins with the first request after the end of the last minute. Container groups' own pulls are not counted.
"""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

from local_azure.acr.refusal import Refused
from local_azure.acr.state import Minute, RegistryState
from local_azure.arm.behaviour import Resource
from local_azure.clock import Clock

MINUTE = timedelta(minutes=1)
READS = {"Premium": (20_000, 10_000)}
"""Data-plane requests per minute and registry, and of one identity; any other tier: 10,000 and 5,000."""
TOKENS = {"Premium": 20_000}
"""Requests to the token endpoints per minute and registry; any other tier: 10,000."""


class TooMany(Refused):
    """429; `seconds` until the minute is over."""

    def __init__(self, seconds: int) -> None:
        super().__init__("TOOMANYREQUESTS", "too many requests to registry")
        self.seconds = seconds


class Limits:
    """Counts requests, and refuses those above a tier's limit."""

    def __init__(self, clock: Clock, state: Callable[[], RegistryState]) -> None:
        self._clock, self._state = clock, state

    def count_token(self, registry: Resource) -> None:
        """One request to a token endpoint. Raises TooMany."""
        self._count(f"token {registry.id.lower()}", TOKENS.get(_tier(registry), 10_000))

    def count_request(self, registry: Resource, who: str) -> None:
        """Count one request to the registry by `who`. Raises TooMany."""
        whole, each = READS.get(_tier(registry), (10_000, 5_000))
        self._count(f"registry {registry.id.lower()}", whole)
        self._count(f"{who} {registry.id.lower()}", each)

    def _count(self, key: str, limit: int) -> None:
        now, asked = self._clock.now(), self._state().asked
        minute = asked.get(key)
        if minute is None or now >= minute.since + MINUTE:
            minute = asked[key] = Minute(now)
        if minute.asked >= limit:
            raise TooMany(ceil((minute.since + MINUTE - now).total_seconds()))
        minute.asked += 1


def _tier(registry: Resource) -> str:
    return str((registry.sku or {}).get("name", "Basic"))
