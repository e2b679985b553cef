"""Budgets of one process: Azure's limits on requests, kept by every client, and the permits for redeployments.

Rules for editors of this file:

1. A request whose limit is reached waits here, right before it is sent; a write that has waited too long is refused
   after that (`sending.py`). Redeployments don't wait here: a permit is held for each before the reads that its PUT
   rests on.
2. Azure's word counts for more than the table: what an answer says of the rest, and ``Retry-After`` of a refusal, hold
   for everything that runs in this process. Other processes hear it from their own answers.
3. A wait that is longer than a request may take, or than the run has time, is refused at once, as Azure would refuse.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from rotator.clients.buckets import Bucket, Counter, Redeployments, Store
from rotator.codes import FailureCode
from rotator.errors import Throttled
from rotator.ports import Clock
from rotator.rate_limits import (
    GRAPH_UNITS,
    GRAPH_WRITES,
    REDEPLOYMENTS,
    RESOURCE_MANAGER,
    VAULT_CALLS,
    VAULT_CREATIONS,
)

LONGEST_BLOCK = 3600.0
"""Seconds after which a bucket is tried again, whatever ``Retry-After`` says: the longest of Azure's own windows."""
UNSAID = 60.0
"""Seconds for which redeployments stop after a refusal without ``Retry-After``."""
LONGEST_SLEEP = 60.0
"""Seconds after which who waits for a permit looks again: another may have given one back."""
MARGIN = 0.01
"""Seconds that are waited beyond the end of a limit, since clocks are rounded."""
TOO_MANY = 429
_READS = ("GET", "HEAD")
_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"^/subscriptions/([^/]+)/.*/containergroups/[^/]+$", re.IGNORECASE)
_LEFT = "x-ms-ratelimit-remaining-subscription-"
_RESOURCES = f"{_LEFT}resource-requests-"
_UNITS, _SHARE = "x-ms-resource-unit", "x-ms-throttle-limit-percentage"


@dataclass(frozen=True, slots=True)
class Sent:
    """Request, as far as limits ask: its method, its host and its path."""

    method: str
    host: str
    path: str

    @classmethod
    def of(cls, method: str, url: str) -> "Sent":
        """Read a request's address."""
        parts = urlsplit(url)
        return cls(method.upper(), (parts.hostname or "").lower(), parts.path)

    @property
    def group(self) -> str | None:
        """The container group that the request redeploys, in lower case."""
        return self.path.lower() if self.method == "PUT" and _GROUP.match(self.path) else None

    @property
    def subscription(self) -> str:
        """The subscription, in lower case; empty where the path names none."""
        found = _SUBSCRIPTION.match(self.path)
        return found[1].lower() if found else ""

    @property
    def kind(self) -> str:
        """The kind of request that Resource Manager counts."""
        return "reads" if self.method in _READS else "deletes" if self.method == "DELETE" else "writes"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Hosts whose limits are known: those of one cloud."""

    graph: str
    resource_manager: str
    vaults: str
    """End of the names of all vaults."""


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
        self.until = float("inf")
        """The end of the run in elapsed seconds: nothing waits for longer."""

    # permits

    async def permit(self, group: str, *, urgency: float, patience: float) -> float:
        """Hold a redeployment of `group`, its id in lower case; return 0.0, or the seconds until one is free.

        Waits for at most `patience` seconds. Of all who wait, the one with the smallest `urgency` is first.
        """
        line, ticket = self._line(group), (urgency, next(self._tickets))
        until = self._clock.elapsed() + patience
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

    def waive(self, group: str) -> None:
        """Give back what is held for `group`, if its PUT wasn't sent."""
        self._line(group).limits.waive(group)

    def _line(self, group: str) -> Turns:
        return self._lines.setdefault(Sent("PUT", "", group).subscription, Turns())

    # requests

    async def admit(self, sent: Sent, patience: float) -> None:
        """Wait until the request fits, and count it. Raises Throttled where that takes longer than `patience`."""
        keys = tuple(self._keys(sent))
        until = min(self._clock.elapsed() + patience, self.until)
        while (wait := max((self._wait(key) for key in keys), default=0.0)) > 0:
            if self._clock.elapsed() + wait > until:
                raise _held_back(sent, wait)
            await self._clock.sleep(wait + MARGIN)
        for key in keys:
            self._bucket(key).spend(self._clock.elapsed())

    def hear(self, sent: Sent, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Learn from an answer: a refusal, the rest of a limit, and the price of a request."""
        if status == TOO_MANY:
            self._block(sent, headers, retry_after)
        if sent.host == self._hosts.graph:
            self._hear_graph(sent, headers)
        elif sent.host == self._hosts.resource_manager and sent.subscription:
            if (left := _number(headers.get(f"{_LEFT}{sent.kind}"))) is not None:
                self._bucket(_arm(sent)).learn(self._clock.elapsed(), left)
            self._hear_container_instances(sent, status, headers)

    def hear_within(self, sent: Sent, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Count a request that was sent inside a batch, and learn from its own answer (azure-facts C11)."""
        for key in self._keys(sent):
            self._bucket(key).spend(self._clock.elapsed())
        self.hear(sent, status, headers, retry_after)

    def unheard(self, sent: Sent) -> None:
        """Count a redeployment that got no answer."""
        if sent.group:
            self._line(sent.group).limits.sent(self._clock.elapsed(), sent.group)

    def _wait(self, key: str) -> float:
        now = self._clock.elapsed()
        return max(self._bucket(key).wait(now), self._blocked.get(key, now) - now)

    def _bucket(self, key: str) -> Bucket:
        if key not in self._buckets:
            self._buckets[key] = _made(key)
        return self._buckets[key]

    def _keys(self, sent: Sent) -> Iterator[str]:
        """Yield the names of the buckets that a request takes from."""
        if sent.host == self._hosts.graph:
            yield from ("graph units",) if sent.method in _READS else ("graph units", "graph writes")
        elif sent.host == self._hosts.resource_manager and sent.subscription:
            yield _arm(sent)
        elif sent.host.endswith(self._hosts.vaults):
            creates = sent.method == "PUT" and sent.path.startswith("/secrets/")
            yield f"{'vault creations' if creates else 'vault calls'} {sent.host}"

    def _block(self, sent: Sent, headers: Mapping[str, str], retry_after: float | None) -> None:
        """Believe a refusal; one of a redeployment is Container Instances' own unless Resource Manager names itself."""
        now, seconds = self._clock.elapsed(), min(retry_after or 0.0, LONGEST_BLOCK)
        if sent.group:
            self._line(sent.group).limits.block(now + (UNSAID if retry_after is None else seconds))
        if not sent.group or f"{_LEFT}{sent.kind}" in headers:
            blocked = [*self._keys(sent)][-1:] if sent.method not in _READS else self._keys(sent)
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


def _arm(sent: Sent) -> str:
    return f"arm {sent.kind} {sent.subscription}"


def _made(key: str) -> Bucket:
    """Return the full bucket of a name made by `Budgets._keys`."""
    if key.startswith("arm "):
        return Store(RESOURCE_MANAGER[key.split()[1]])
    windows = {"graph units": GRAPH_UNITS, "graph writes": GRAPH_WRITES, "vault creations": VAULT_CREATIONS}
    return Counter(windows.get(" ".join(key.split()[:2]), VAULT_CALLS))


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
