"""Resource Manager's rate limits: a bucket of tokens for each subscription, caller and kind of request.

Source: "Understand how Azure Resource Manager throttles requests" (the numbers of migrated regions).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from local_azure.clock import Clock
from local_azure.wire import Caller, ServiceError

SIZES = {"reads": (250, 25.0), "writes": (200, 10.0), "deletes": (200, 10.0)}
"""Tokens in a full bucket, and how many come back in a second."""

KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
"""Kind of a request by its method; any other method writes."""

WORDS = {"reads": "read", "writes": "write", "deletes": "delete"}


@dataclass(slots=True)
class Bucket:
    """Count of tokens at an instant."""

    tokens: float
    at: datetime


class Budget:
    """The buckets of all subscriptions and callers, found by `state` by key."""

    def __init__(self, clock: Clock, state: Callable[[], dict[str, Bucket]]) -> None:
        self.clock, self._state = clock, state

    def spend(self, subscription: str, caller: Caller, kind: str) -> int:
        """Take one token of a kind (``reads``, ``writes``, ``deletes``); how many are left.

        Raises 429 SubscriptionRequestsThrottled.
        """
        size, rate = SIZES[kind]
        now, buckets, key = self.clock.now(), self._state(), f"{subscription}/{caller.oid}/{kind}".lower()
        bucket = buckets.setdefault(key, Bucket(size, now))
        bucket.tokens = min(size, bucket.tokens + rate * (now - bucket.at).total_seconds())
        bucket.at = now
        if bucket.tokens < 1:
            raise _empty(subscription, caller, kind, max(1, ceil((1 - bucket.tokens) / rate)))
        bucket.tokens -= 1
        return int(bucket.tokens)


def _empty(subscription: str, caller: Caller, kind: str, seconds: int) -> ServiceError:
    message = f"Number of '{WORDS[kind]}' requests for subscription '{subscription}' actor '{caller.oid}' exceeded."
    advice = f"Please try again after '{seconds}' seconds after additional tokens are available."
    more = "Refer to https://aka.ms/arm-throttling for additional information."
    headers = {"Retry-After": str(seconds), f"x-ms-ratelimit-remaining-subscription-{kind}": "0"}
    return ServiceError(429, "SubscriptionRequestsThrottled", f"{message} {advice} {more}", headers=headers)
