"""Script of one run of a command: damage and disturbances by request and by write."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from tests.soak.emulated import LOGIN

Moment = Literal["before", "after"]
"""Moment before Azure gets the request, or after its answer and before the command gets it."""

DAMAGE = (
    *(
        "reset",
        "lost",
        "cut",
        "short",
        "html200",
        "empty200",
        "page502",
        "page502 after",
        "page403",
        "page404",
        "date ahead",
        "date behind",
    ),
    *("date far", "date of another", "drip", "delay", "drop", "redirect", "no type", "next elsewhere"),
)
"""Kinds of damage to an answer between Azure and the command."""
LENGTH = 110
"""Approximate number of requests in a whole rotation."""


@dataclass(frozen=True)
class Seen:
    """One request to Azure."""

    number: int
    method: str
    host: str
    path: str

    @property
    def writes(self) -> bool:
        """Tell if the request changes Azure; requests for tokens and to the registry don't."""
        return self.method not in ("GET", "HEAD") and self.host != LOGIN and not self.host.endswith(".azurecr.io")

    def __str__(self) -> str:
        return f"{self.number} {self.method} {self.host}{self.path}"


Event = Callable[[Seen], bool]
"""Function called at a request; returns true if the request, or its answer, is lost."""


@dataclass
class Script:
    """Plan of a run, and record of its requests.

    `look` is called after the answer to each write, before the command gets the answer.
    """

    damage: dict[int, str] = field(default_factory=dict)
    """Damage by the number of a request, or of a write if negative."""
    events: dict[tuple[str, int, Moment], Event] = field(default_factory=dict)
    look: Callable[[Seen], None] = lambda seen: None
    seen: list[Seen] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    asleep: float = 0.0
    """Seconds of a jump of Azure's time, as yet unknown to the command."""
    hosts: set[str] = field(default_factory=set)
    """Every requested host."""
    blind: list[tuple[float, Seen]] = field(default_factory=list)
    """Writes checked before such a jump and arrived after it."""

    def arrives(self, method: str, host: str, path: str) -> Seen:
        """Number a request."""
        seen = Seen(len(self.seen) + 1, method, host, path)
        self.seen.append(seen)
        return seen

    def damages(self, seen: Seen) -> str:
        """Return the damage to the answer of a request; "" for none."""
        kind = self.damage.get(seen.number) or (
            self.damage.get(-sum(1 for _ in self.writes())) if seen.writes else None
        )
        if kind:
            self.struck.append(f"{kind} at {seen}")
        return kind or ""

    def happens(self, seen: Seen, moment: Moment) -> bool:
        """Run the events due at a request; return true if the request, or its answer, is lost."""
        due = [("request", seen.number, moment)]
        if seen.writes:
            due.append(("write", sum(1 for _ in self.writes()), moment))
        lost = [self.events.pop(key)(seen) for key in due if key in self.events]
        return any(lost)

    def forwarded(self, seen: Seen) -> None:
        """Record a request sent to Azure; a write after a sleep is blind."""
        if self.asleep and seen.writes:
            self.blind.append((self.asleep, seen))

    def answered(self, seen: Seen) -> None:
        """Record an answer of Azure: from its date the command knows Azure's time."""
        if seen.host != LOGIN:
            self.asleep = 0.0
        if seen.writes:
            self.look(seen)

    def writes(self) -> Iterator[Seen]:
        return (seen for seen in self.seen if seen.writes)


def damaged(rng: random.Random) -> dict[int, str]:
    """Return random damage: none, one or a few answers, sometimes many; sometimes the answer to a write."""
    many = rng.choice((0, 0, 1, 1, 2, 4, 12))
    writes = {-rng.randint(1, 5): rng.choice(DAMAGE)} if rng.random() < 0.4 else {}
    return writes | {rng.randint(1, rng.choice((20, 70, LENGTH))): rng.choice(DAMAGE) for _ in range(many)}
