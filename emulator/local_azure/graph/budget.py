"""Throttling limits of Graph per client: resource units, writes, and the refusal above a limit.

Source: "Microsoft Graph service-specific throttling limits", identity and access: a client in a small tenant has 3,500
units in ten seconds and 3,000 writes in two and a half minutes. Windows are fixed ones, on the emulator's clock.
"""

from dataclasses import dataclass
from datetime import timedelta

from local_azure.clock import Clock
from local_azure.graph.objects import DirectoryState, Spent
from local_azure.wire import ServiceError

UNITS, UNITS_IN = 3500, timedelta(seconds=10)
WRITES, WRITES_IN = 3000, timedelta(seconds=150)
TOLD_FROM = 0.8
"""From this share of its units on, a client is told how much it has used."""


@dataclass(frozen=True, slots=True)
class DirectoryBudget:
    """Count each client's resource units and writes; the counts are part of the directory's state."""

    clock: Clock
    tenant: str

    def open(self, state: DirectoryState, app_id: str, *, writes: bool) -> Spent:
        """Return a client's use of the current windows. Raises ServiceError 429 if a window is full."""
        now = self.clock.now()
        spent = state.spent.get(app_id) or Spent(now, now)
        state.spent[app_id] = spent
        if now >= spent.began + UNITS_IN:
            spent.began, spent.units = now, 0
        if now >= spent.writing + WRITES_IN:
            spent.writing, spent.writes = now, 0
        if spent.units >= UNITS:
            raise self._full(app_id, spent.began + UNITS_IN - now, "ReadWrite", "ResourceUnitLimitExceeded", spent)
        if writes and spent.writes >= WRITES:
            raise self._full(app_id, spent.writing + WRITES_IN - now, "Write", "WriteLimitExceeded", spent)
        return spent

    def charge(self, spent: Spent, units: int, *, writes: bool) -> dict[str, str]:
        """Count an answer; return the throttling headers of the answer."""
        spent.units += units
        spent.writes += writes
        share = spent.units / UNITS
        return {"x-ms-throttle-limit-percentage": f"{min(share, 1.8):.1f}"} if share >= TOLD_FROM else {}

    def _full(self, app_id: str, left: timedelta, what: str, why: str, spent: Spent) -> ServiceError:
        headers = {
            "Retry-After": str(max(1, -int(-left.total_seconds() // 1))),
            "x-ms-throttle-scope": f"Tenant_Application/{what}/{app_id}/{self.tenant}",
            "x-ms-throttle-information": why,
            "x-ms-throttle-limit-percentage": f"{max(1.0, min(spent.units / UNITS, 1.8)):.1f}",
        }
        return ServiceError(429, "TooManyRequests", "Too many requests. Please wait and retry.", headers=headers)


def is_write(method: str) -> bool:
    """Tell if a method counts as a write."""
    return method not in ("GET", "HEAD")
