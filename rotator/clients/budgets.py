"""Budgets of one process: Azure's limits on requests, kept by every client, and the permits for redeployments.

Rules for editors of this file:

1. A request whose limit is reached waits here, right before it is sent; a write that has waited too long is refused
   after that (`sending.py`). A write with a permit doesn't wait: its place was held before the reads that it rests on.
2. Azure's word counts for more than the table: what an answer says of the rest, and ``Retry-After`` of a refusal, hold
   for everything that runs in this process, and for later processes on this machine (`pauses`, `heed`). Those on
   other machines hear it from their own answers.
3. A wait that is longer than a request may take, or than the run has time, is refused at once, as Azure would refuse.
"""

import re
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from rotator.clients.buckets import Bucket, Redeployments
from rotator.clients.counted_request import Hosts, Sent, arm_bucket, full_bucket
from rotator.codes import FailureCode
from rotator.errors import Throttled
from rotator.ports import Clock, Write
from rotator.rate_limits import (
    GRAPH_UNITS,
    LONGEST,
    REDEPLOYMENTS,
)

UNSAID = 60.0
"""Seconds for which redeployments stop after a refusal without ``Retry-After``."""
LONGEST_SLEEP = 60.0
"""Seconds after which who waits for a permit looks again: another may have given one back."""
HEEDED = 120.0
"""Seconds for which a later process holds requests back: fewer than a request may wait, so that none fails for it."""
MARGIN = 0.01
"""Seconds that are waited beyond the end of a limit, since clocks are rounded."""
TOO_MANY = 429
_LEFT = "x-ms-ratelimit-remaining-subscription-"
_RESOURCES = f"{_LEFT}resource-requests-"
_LINE = "redeployments "
"""Begin of the name of a subscription's limit on redeployments."""
_UNITS, _SHARE = "x-ms-resource-unit", "x-ms-throttle-limit-percentage"


@dataclass(slots=True)
class Turns:
    """Turns at the redeployments of one subscription, the most urgent first."""

    limits: Redeployments = field(default_factory=lambda: Redeployments(REDEPLOYMENTS))
    waiting: list[tuple[float, int]] = field(default_factory=list)


class Budgets:
    """Rest of Azure's limits, as far as known in this process."""

    def __init__(self, clock: Clock, hosts: Hosts) -> None:
        self._clock, self._hosts = clock, hosts
        self._buckets: dict[str, Bucket] = {}
        self._blocked: dict[str, float] = {}
        self._lines: dict[str, Turns] = {}
        self._tickets = count()
        self._held: dict[Sent, tuple[str, ...]] = {}
        self._promised = Tally[str]()
        """Places held in each bucket."""

    # permits

    async def permit(self, write: Write, *, urgency: float, patience: float) -> float:
        """Hold a place for a write within all its limits; return 0.0, or the seconds until one is free: none is held.

        Waits for at most `patience` seconds. Of all who wait for a redeployment, the one with the smallest `urgency` is
        first.
        """
        sent, until = self._hosts.sent(write), self._clock.elapsed() + patience
        wait = await self._redeployment(sent.group, urgency, until) if sent.group else 0.0
        if wait := wait or await self._place(sent, until):
            self.waive(write)
        return wait

    async def _redeployment(self, group: str, urgency: float, until: float) -> float:
        line, ticket = self._line(group), (urgency, next(self._tickets))
        line.waiting.append(ticket)
        try:
            while not line.limits.holds(group):
                now = self._clock.elapsed()
                wait = line.limits.wait(now, sum(other < ticket for other in line.waiting))
                if wait <= 0:
                    line.limits.hold(group)
                elif now + wait > until:
                    return wait
                else:
                    await self._clock.sleep(min(wait + MARGIN, LONGEST_SLEEP))
        finally:
            line.waiting.remove(ticket)
        return 0.0

    async def _place(self, sent: Sent, until: float) -> float:
        """Hold a place in each bucket of a request."""
        keys = tuple(self._hosts.buckets(sent))
        while sent not in self._held:
            now, wait = self._clock.elapsed(), self._longest(keys)
            if wait <= 0:
                self._held[sent] = keys
                self._promised.update(keys)
            elif now + wait > until:
                return wait
            else:
                await self._clock.sleep(min(wait + MARGIN, LONGEST_SLEEP))
        return 0.0

    def waive(self, write: Write) -> None:
        """Give back what is held for a write, if it wasn't sent."""
        sent = self._hosts.sent(write)
        self._give_back(sent)
        if sent.group:
            self._line(sent.group).limits.waive(sent.group)

    def _give_back(self, sent: Sent) -> None:
        self._promised.subtract(self._held.pop(sent, ()))

    def _line(self, group: str) -> Turns:
        return self._lines.setdefault(Sent("PUT", "", group).subscription, Turns())

    # requests

    async def admit(self, sent: Sent, patience: float) -> None:
        """Wait until the request fits, and count it. Raises Throttled where that takes longer than `patience`."""
        self._give_back(sent)
        keys, until = tuple(self._hosts.buckets(sent)), self._clock.elapsed() + patience
        while (wait := self._longest(keys)) > 0:
            if self._clock.elapsed() + wait > until:
                raise _held_back(sent, wait)
            await self._clock.sleep(wait + MARGIN)
        for key in keys:
            self._bucket(key).spend(self._clock.elapsed())

    def hear(self, sent: Sent, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Learn from an answer: a refusal, the rest of a limit, and the price of a request."""
        self._give_back(sent)
        if status == TOO_MANY:
            self._block(sent, headers, retry_after)
        if sent.host == self._hosts.graph:
            self._hear_graph(sent, headers)
        elif sent.host == self._hosts.resource_manager and sent.subscription:
            if (left := _number(headers.get(f"{_LEFT}{sent.kind}"))) is not None:
                self._bucket(arm_bucket(sent)).learn(self._clock.elapsed(), left)
            self._hear_container_instances(sent, status, headers)

    def hear_within(self, sent: Sent, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Count a request that was sent inside a batch, and learn from its own answer (azure-facts C11)."""
        for key in self._hosts.buckets(sent):
            self._bucket(key).spend(self._clock.elapsed())
        self.hear(sent, status, headers, retry_after)

    def unheard(self, sent: Sent) -> None:
        """Count a redeployment that got no answer."""
        self._give_back(sent)
        if sent.group:
            self._line(sent.group).limits.sent(self._clock.elapsed(), sent.group)

    # pauses that outlast a process

    def pauses(self) -> dict[str, float]:
        """Return the seconds that are left of the pauses that Azure's refusals asked for, by limit."""
        now = self._clock.elapsed()
        left = {key: until - now for key, until in self._blocked.items()}
        left |= {f"{_LINE}{name}": turns.limits.blocked(now) for name, turns in self._lines.items()}
        return {key: seconds for key, seconds in left.items() if seconds > 0}

    def heed(self, pauses: Mapping[str, float]) -> None:
        """Send nothing within these limits for so many seconds, as Azure has asked another process.

        Other requests than redeployments wait for no longer than `HEEDED`: a longer wait would be a failed command.
        """
        now = self._clock.elapsed()
        for key, seconds in pauses.items():
            if key.startswith(_LINE):
                self._lines.setdefault(key.removeprefix(_LINE), Turns()).limits.block(now + min(seconds, LONGEST))
            else:
                self._blocked[key] = max(self._blocked.get(key, now), now + min(seconds, HEEDED))

    def _longest(self, keys: Iterable[str]) -> float:
        return max(map(self._wait, keys), default=0.0)

    def _wait(self, key: str) -> float:
        now = self._clock.elapsed()
        return max(self._bucket(key).wait(now, self._promised[key]), self._blocked.get(key, now) - now)

    def _bucket(self, key: str) -> Bucket:
        if key not in self._buckets:
            self._buckets[key] = full_bucket(key)
        return self._buckets[key]

    def _block(self, sent: Sent, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Believe a refusal; one of a redeployment is Container Instances' own unless Resource Manager names itself."""
        now, seconds = self._clock.elapsed(), min(retry_after or 0.0, LONGEST)
        if sent.group:
            self._line(sent.group).limits.block(now + (UNSAID if retry_after is None else seconds))
        if not sent.group or f"{_LEFT}{sent.kind}" in headers:
            blocked = [*self._hosts.buckets(sent)][-1:]
            self._blocked |= {key: max(self._blocked.get(key, now), now + seconds) for key in blocked}

    def _hear_graph(self, sent: Sent, headers: Mapping[str, str]) -> None:
        now, bucket = self._clock.elapsed(), self._bucket("graph units")
        if (units := _number(headers.get(_UNITS))) is not None and units > 1:
            bucket.spend(now, units - 1)
        try:
            used = float(headers.get(_SHARE, ""))
        except ValueError:
            return
        bucket.learn(now, max(int(GRAPH_UNITS.amount * (1 - used)), 0))

    def _hear_container_instances(self, sent: Sent, status: int, headers: Mapping[str, str]) -> None:
        """Learn the rest; where a refusal tells that none is left, its pause says for how long."""
        if not sent.group:
            return
        now, limits = self._clock.elapsed(), self._line(sent.group).limits
        if status == TOO_MANY:
            limits.waive(sent.group)
        else:
            limits.sent(now, sent.group)
        said = {name: _number(headers.get(f"{_RESOURCES}{name}")) for name in REDEPLOYMENTS}
        known = {name: left for name, left in said.items() if left is not None}
        limits.learn(now, {name: left for name, left in known.items() if left or status != TOO_MANY})


def _held_back(sent: Sent, seconds: float) -> Throttled:
    """Return the refusal of a request on this machine, in place of Azure's."""
    error = Throttled(
        f"a {sent.method} to {sent.host} was held back: Azure's limit on requests is reached for {seconds:.0f} s",
        service=sent.host,
        code=FailureCode.HELD_BACK,
        status=TOO_MANY,
    )
    error.seconds = seconds
    return error


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else None
