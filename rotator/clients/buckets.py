"""Buckets: the rest of each limit on requests. Pure: every method is given the time, in elapsed seconds.

A bucket never lets more through than its limit, however Azure counts: a sliding window allows no more than a fixed one.
What other processes use is known from Azure's answers alone: the rest that it tells, and its refusals.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, repeat
from typing import Protocol

from rotator.rate_limits import Refill, Window


class Bucket(Protocol):
    """Rest of one limit."""

    def wait(self, now: float, held: int = 0) -> float:
        """Return the seconds until one more request fits beside those held; 0 or less: it fits now."""
        ...

    def spend(self, now: float, units: int = 1) -> None:
        """Count a request, or what it has cost beyond one unit."""
        ...

    def learn(self, now: float, left: int) -> None:
        """Believe Azure that no more than `left` is left."""
        ...


class Store:
    """Bucket of tokens that come back at a steady rate."""

    def __init__(self, limit: Refill) -> None:
        self._limit, self._tokens, self._at = limit, float(limit.amount), float("-inf")

    def _left(self, now: float) -> float:
        back = self._limit.per_second * max(now - self._at, 0.0)
        return min(float(self._limit.amount), self._tokens + back)

    def wait(self, now: float, held: int = 0) -> float:
        """Return the seconds until there is a whole token beside those held."""
        return (1.0 + held - self._left(now)) / self._limit.per_second

    def spend(self, now: float, units: int = 1) -> None:
        """Take tokens."""
        self._tokens, self._at = self._left(now) - units, now

    def learn(self, now: float, left: int) -> None:
        """Believe Azure that no more than `left` tokens are left."""
        self._tokens, self._at = min(self._left(now), float(left)), now


class Counter:
    """Bucket of requests in a sliding window."""

    def __init__(self, limit: Window) -> None:
        self.limit = limit
        self._own: deque[float] = deque()
        self._others: deque[float] = deque()

    def _count(self, now: float) -> int:
        """Forget the requests that no longer count, and return the number of the others."""
        for times in (self._own, self._others):
            while times and times[0] <= now - self.limit.seconds:
                times.popleft()
        return len(self._own) + len(self._others)

    def wait(self, now: float, held: int = 0) -> float:
        """Return the seconds until one more request fits beside those held."""
        return next(self.free(now, held)) - now if self._count(now) + held >= self.limit.amount else 0.0

    def free(self, now: float, held: int = 0) -> Iterator[float]:
        """Yield the times at which one more request after the other fits; `held` ones are about to be sent."""
        self._count(now)
        times = deque((*sorted((*self._own, *self._others)), *repeat(now, held)), self.limit.amount)
        while True:
            at = times[0] + self.limit.seconds if len(times) == self.limit.amount else now
            yield max(at, now)
            times.append(max(at, now))

    def spend(self, now: float, units: int = 1) -> None:
        """Count requests."""
        self._own.extend(repeat(now, units))

    def learn(self, now: float, left: int) -> None:
        """Take over the rest that Azure tells: other callers used the difference, at an unknown time."""
        self._count(now)
        others = self.limit.amount - left - len(self._own)
        while len(self._others) > max(others, 0):
            self._others.popleft()
        self._others.extend(repeat(now, max(others - len(self._others), 0)))


PROBE = 5.0
"""Seconds after which others ask again while the first redeployment after a refusal is on its way."""


class Redeployments:
    """Redeployments of one subscription: those sent, and those that are held for a group until its PUT.

    After a refusal one is let through alone: the answer to it tells how many more there are.
    """

    def __init__(self, limits: Mapping[str, Window]) -> None:
        self._counters = {name: Counter(limit) for name, limit in limits.items()}
        self._held: set[str] = set()
        self._blocked, self._refused = float("-inf"), False

    def hold(self, group: str) -> None:
        """Hold one redeployment for the group; once, however often it is asked for."""
        self._held.add(group)

    def holds(self, group: str) -> bool:
        """Tell if one is held for the group."""
        return group in self._held

    def waive(self, group: str) -> None:
        """Give back what is held for the group."""
        self._held.discard(group)

    def sent(self, now: float, group: str) -> None:
        """Count a PUT that was accepted, or that got no answer: by now Azure has counted it."""
        self._held.discard(group)
        self._refused = False
        for counter in self._counters.values():
            counter.spend(now)

    def wait(self, now: float, ahead: int = 0) -> float:
        """Return the seconds until one more is free, after those of `ahead` others."""
        found = (_nth(counter.free(now, len(self._held)), ahead) for counter in self._counters.values())
        alone = now + PROBE if self._refused and (self._held or ahead) else now
        return max(self._blocked, alone, *found) - now

    def learn(self, now: float, left: Mapping[str, int]) -> None:
        """Believe Azure about the rest in each window."""
        for name in left.keys() & self._counters.keys():
            self._counters[name].learn(now, left[name])

    def block(self, until: float) -> None:
        """Let nothing through before `until`, and then one alone."""
        self._blocked, self._refused = max(self._blocked, until), True

    def blocked(self, now: float) -> float:
        """Return the seconds for which nothing is let through after a refusal; 0 or less: it is over."""
        return self._blocked - now


def _nth(times: Iterable[float], number: int) -> float:
    return next(islice(times, number, None))
