"""Remaining creations and deletions of container groups in a subscription (azure-facts A10 and H)."""

from datetime import timedelta
from math import ceil

from local_azure.aci.state import ContainerState
from local_azure.clock import Clock
from local_azure.wire import ServiceError

WINDOWS = {"pt1h": (timedelta(hours=1), 300), "pt5m": (timedelta(minutes=5), 100)}
"""Length and budget of each window, PUTs and DELETEs apart, as the response headers name them."""


class ContainerBudget:
    """Counts requests over sliding windows. Azure's own windows may be fixed; sliding ones never allow more."""

    def __init__(self, clock: Clock, state: ContainerState) -> None:
        self._clock, self._state = clock, state

    def spend(self, kind: str, subscription: str) -> None:
        """Count one request. Raises ServiceError 429 TooManyRequests with the seconds after which one is free again."""
        now, spent = self._clock.now(), self._state.spent.setdefault(_key(kind, subscription), [])
        spent[:] = [at for at in spent if at > now - WINDOWS["pt1h"][0]]
        for length, limit in WINDOWS.values():
            inside = [at for at in spent if at > now - length]
            if len(inside) >= limit:
                wait = ceil((inside[-limit] + length - now).total_seconds())
                message = (
                    f"The limit of {limit} {kind} requests of container groups in {length} is reached for subscription"
                    f" '{subscription}'."
                )
                raise ServiceError(
                    429,
                    "TooManyRequests",
                    message,
                    headers={"Retry-After": str(max(wait, 1)), **self.headers(kind, subscription)},
                )
        spent.append(now)

    def headers(self, kind: str, subscription: str) -> dict[str, str]:
        """Return the headers with the remaining requests, sent with the answer to every PUT and DELETE."""
        now, spent = self._clock.now(), self._state.spent.get(_key(kind, subscription), [])
        left = {name: limit - sum(at > now - length for at in spent) for name, (length, limit) in WINDOWS.items()}
        return {
            f"x-ms-ratelimit-remaining-subscription-resource-requests-{name}": str(count)
            for name, count in left.items()
        }


def _key(kind: str, subscription: str) -> str:
    return f"{kind} {subscription.lower()}"
