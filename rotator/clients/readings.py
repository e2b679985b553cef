"""Answers of recent reads, for looks that may rest on them.

Rules for editors of this file:

1. A reading is reused only inside `reusing`. A look that seconds another one reuses registries, and lists of container
   groups that were read, for another policy, after the look before; a read just before a write reuses nothing.
2. A write of ours drops the readings of its target, before the request and after the answer: a read under way at the
   same time may show either state, and isn't kept.
3. Only positive readings are kept. An absence, a refusal or an incomplete list is read again each time; the access
   mark is read again before each write anyway.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from rotator.clients.azuretime import AzureTime

T = TypeVar("T")
Key = tuple[str, ...]
"""Kind of a reading, and its target."""
LIFE = 60.0
"""Seconds for which a reading is reused: half of the age at which a write may still rest on it."""
SHARED = 30.0
"""Seconds for which a list of container groups is reused by looks at other policies, too: a fleet of policies in one
subscription would else list all groups for each look at each policy.
"""
TIDIED = 5.0
"""Seconds after which readings that are too old are looked for again: many are kept while many policies are at work."""
CONSTANT = 600.0
"""Seconds for which a reading of a registry is reused: no write rests on it, and its login server never changes.

A list in a newer API version is reused for as long: it says nothing about credentials, and each group is read again
in rotator's own version before its PUT.
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Answer of one read, and the moment before its request."""

    begun: float
    life: float
    value: Any


@dataclass(slots=True)
class Reuse:
    """One look that may reuse readings: all recent ones, or registries and shared ones begun after `since`.

    `oldest` is the moment of the oldest recent reading reused; `asked`: Azure was asked, too.
    """

    recent: bool
    since: float
    oldest: float
    asked: bool = False

    def permits(self, kept: Kept, age: float) -> bool:
        """Tell if the look may rest on a reading of that age."""
        if kept.life == CONSTANT:
            return age <= CONSTANT
        shared = kept.life == SHARED and kept.begun > self.since and age <= SHARED
        return shared or (self.recent and age <= LIFE)


_reuse: ContextVar[Reuse | None] = ContextVar("_reuse", default=None)


class Readings:
    """Readings of one World, by kind and target."""

    def __init__(self, time: AzureTime) -> None:
        self._time = time
        self._kept: dict[Key, Kept] = {}
        self._tidied = float("-inf")
        self._writes: Counter[Key] = Counter()
        """Beginnings and ends of our writes, by target."""

    @contextmanager
    def reusing(self, *, recent: bool, since: float) -> Iterator[Reuse]:
        """Let the reads of the block, and of its tasks, reuse readings; arguments as in `Reuse`."""
        token = _reuse.set(reuse := Reuse(recent, since, self._time.moment()))
        try:
            yield reuse
        finally:
            _reuse.reset(token)

    async def read(
        self,
        key: Key,
        ask: Callable[[], Awaitable[T]],
        keep: Callable[[T], bool] | None = None,
        life: float = LIFE,
    ) -> T:
        """Return a recent reading where one may be reused; else ask, and keep the answer if `keep` accepts it."""
        reuse, begun = _reuse.get(), self._time.moment()
        kept = self._kept.get(key)
        if reuse and kept and reuse.permits(kept, begun - kept.begun):
            reuse.oldest = reuse.oldest if life == CONSTANT else min(reuse.oldest, kept.begun)
            value: T = kept.value
            return value
        if reuse is not None:
            reuse.asked = True
        self._kept.pop(key, None)
        writes = self._writes[key]
        answer = await ask()
        if writes == self._writes[key] and (keep is None or keep(answer)):
            self._forget(begun)
            self._kept[key] = Kept(begun, life, answer)
        return answer

    def all_reused(self) -> bool:
        """Tell if the current look has asked Azure for nothing."""
        reuse = _reuse.get()
        return reuse is not None and not reuse.asked

    @contextmanager
    def writing(self, key: Key) -> Iterator[None]:
        """Drop the readings of the target of a write, before and after the write."""
        self._drop(key)
        try:
            yield
        finally:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        self._writes[key] += 1
        self._kept.pop(key, None)

    def _forget(self, now: float) -> None:
        """Forget readings too old for reuse: what is kept grows with what is in flight, not with the fleet."""
        if now - self._tidied < TIDIED:
            return
        self._tidied = now
        for key in [key for key, kept in self._kept.items() if now - kept.begun > max(kept.life, LIFE)]:
            del self._kept[key]
