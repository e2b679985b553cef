"""The matrices as stories: kills, pairs, suspensions, interventions and repetitions, generated from what each verb really calls.

A cell is a story with one or two things that go wrong, and what follows until the world is at rest. Equal reads between
two writes see equal worlds: of each operation the first one of such a stretch stands for all. `make soak` plays every
cell, `make test` a sample that rests on nothing but the cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from zlib import crc32

from local_azure.virtual import VirtualLoop

from tests.matrices.effects import READS, WRITES, Effect
from tests.matrices.fast import fast
from tests.matrices.operations import PROOFS, READING, WRITING
from tests.matrices.people import CHANGES
from tests.matrices.process import ALWAYS, SLEEPING, Point, Process, Strike
from tests.matrices.story import VERBS, Act, Command, Pause, Story, Wait
from tests.matrices.worlds import WORLDS
from tests.stage import play

SPANS = (5.0, 130.0, 700.0, 3700.0, 90_000.0, 260_000.0)
"""Seconds for which a process is stopped: from a hiccup to beyond overlap and reclaim_after."""


SLEEPERS = (
    ("rotate", "first", "rotate", "revoke"),
    ("rotate", "waiting", "rotate", "revoke"),
    ("rotate early without overlap", "quick", "rotate early without overlap", "revoke"),
    ("declare compromised", "at rest", "declare compromised", "revoke"),
    ("adopt", "hand-made", "adopt", "rotate"),
    ("declare compromised", "waiting", "declare compromised", "rotate", "adopt"),
    ("revoke", "at rest", "rotate early", "grant"),
)
"""Which verb is stopped in which world, and what is done meanwhile."""
GRAVE = (
    "reset passwords",
    "remove the published password",
    "remove the first password",
    "delete the secret",
    "overwrite the secret",
    "strip tags",
)
"""Changes that are made after every call, and not only around writes."""


@dataclass(frozen=True)
class Call:
    """One call of a verb, which stands for its like until the next write."""

    operation: str
    nth: int
    writes: bool

    def effects(self) -> tuple[Effect, ...]:
        """Return the faults that it can meet."""
        if self.operation == SLEEPING:
            return ()
        return WRITES if self.writes else READS

    def strikes(self) -> Iterator[Strike]:
        """Return the faults that it can meet, each once."""
        return (Strike(self.operation, self.nth, effect) for effect in self.effects())


VERB_WORLDS: tuple[tuple[str, str], ...] = (
    ("rotate", "first"),
    ("rotate", "waiting"),
    ("rotate early without overlap", "quick"),
    ("rotate early", "at rest"),
    ("declare compromised", "at rest"),
    ("adopt", "hand-made"),
    ("deploy", "at rest"),
    ("revoke", "at rest"),
    ("revoke with credentials", "at rest"),
    ("rotate early without overlap", "revoked"),
    ("rotate", "unattended"),
)
"""What is done in which world, for the matrices; a grant follows each revocation in the end."""


@cache
def calls(verb: str, world: str, *, every: bool = False) -> tuple[Call, ...]:
    """Return what a verb calls in a world: all, or of the reads between two writes the first of each operation."""

    async def scene(loop: VirtualLoop) -> tuple[Call, ...]:
        made = await WORLDS[world](loop)
        made.adapter = fast
        process = Process(made.app, made=made)
        act, intent = VERBS[verb]
        await made.with_world(act, intent(made), hop=process, clock=process.clock)
        return tuple(Call(*each) for each in process.calls)

    made = play(scene)
    return made if every else tuple(_standing(made))


def lasting(verb: str, world: str) -> Iterator[Strike]:
    """Effects that every call of an operation meets, in one whole run."""
    for call in {each.operation: each for each in calls(verb, world)}.values():
        yield from (Strike(call.operation, ALWAYS, effect) for effect in call.effects() if effect is not Effect.HANG)


def _standing(made: tuple[Call, ...]) -> Iterator[Call]:
    known = set[str]()
    for call in made:
        if call.writes:
            known.clear()
            yield call
        elif call.operation not in known:
            yield call
        known.add(call.operation)


def kills() -> Iterator[Story]:
    """A process that dies before or after each of its calls, and some recoveries that meet a fault."""
    for verb, world in VERB_WORLDS:
        for call, moment in product(calls(verb, world, every=True), ("before", "after")):
            death = Command(verb, death=Point(call.operation, call.nth, moment))  # type: ignore[arg-type]
            yield Story(world, (death, Wait(0.03)))
        for call, strike in product((c for c in calls(verb, world) if c.writes), _sampled_strikes(verb, world)):
            death = Command(verb, death=Point(call.operation, call.nth, "after"))
            yield Story(world, (death, Wait(0.03), Command(verb, (strike,))))


def _sampled_strikes(verb: str, world: str) -> list[Strike]:
    return [strike for call in calls(verb, world) for strike in call.strikes() if crc32(str(strike).encode()) % 6 == 0]


def singles() -> Iterator[Story]:
    """Each call meets each of its effects."""
    for verb, world in VERB_WORLDS:
        for call in calls(verb, world, every=True):
            for strike in call.strikes():
                yield Story(world, (Command(verb, (strike,)), Wait(0.03)))


def lasting_effects() -> Iterator[Story]:
    """All calls of an operation meet an effect, in two whole runs."""
    for verb, world in VERB_WORLDS:
        for strike in lasting(verb, world):
            yield Story(world, (Command(verb, (strike,)), Wait(25.0), Command(verb, (strike,))))


def pairs() -> Iterator[Story]:
    """Two effects, of which one strikes a write, a proof, or the recovery: all of a rotation, of the other verbs a tenth."""
    for verb, world in VERB_WORLDS:
        whole = verb == "rotate"
        strikes = [*lasting(verb, world), *(strike for call in calls(verb, world) for strike in call.strikes())]
        grave = [s for c in calls(verb, world) if c.writes or c.operation in PROOFS for s in c.strikes()]
        for one, other in product(strikes, grave):
            if (one.operation, one.nth) not in ((other.operation, other.nth), (other.operation, ALWAYS)) and (
                whole or _tenth(one, other)
            ):
                yield Story(world, (Command(verb, (one, other)), Wait(0.03)))
        for one, other in product(grave, strikes):
            if whole or _tenth(other, one):
                yield Story(world, (Command(verb, (one,)), Wait(2.0), Command(verb, (other,))))


def _tenth(*strikes: Strike) -> bool:
    return crc32(" ".join(map(str, strikes)).encode()) % 10 == 0


def sleepers() -> Iterator[Story]:
    """A process that is stopped at a call or in a wait while another one runs; with a lease, without, and with a clock that stands still."""
    for verb, world, *others in SLEEPERS:
        for call, span in product(calls(verb, world), SPANS):
            for moment, other, still, lease in product(("before", "after"), others, (False, True), (False, True)):
                if (still or lease) and other != verb:
                    continue
                pause = Pause(Point(call.operation, call.nth, moment), span, (Command(other, lease=lease),), still)  # type: ignore[arg-type]
                yield Story(world, (Command(verb, pause=pause, lease=lease), Wait(0.03)))


def interventions() -> Iterator[Story]:
    """A person who changes something just before and just after each write."""
    for verb, world in VERB_WORLDS:
        for call, change, moment in product((c for c in calls(verb, world) if c.writes), CHANGES, ("before", "after")):
            pause = Pause(Point(call.operation, call.nth, moment), 0.0, (Act(change),))  # type: ignore[arg-type]
            yield Story(world, (Command(verb, pause=pause), Wait(0.03)))
        for call, change in product((c for c in calls(verb, world, every=True) if not c.writes), GRAVE):
            pause = Pause(Point(call.operation, call.nth, "after"), 0.0, (Act(change),))
            yield Story(world, (Command(verb, pause=pause), Wait(0.03)))


def worlds_of_revocations() -> Iterator[Story]:
    """Yield what keeps a revocation from ending all access, alone and by twos."""
    kept = (
        "lock the registry",
        "add a certificate",
        "trust another issuer",
        "give another role",
        "add a password to the service principal",
    )
    for one, other, verb in product((None, *kept), (None, *kept), ("revoke", "revoke with credentials")):
        changes = tuple(Act(change) for change in dict.fromkeys((one, other)) if change)
        yield Story("at rest", (*changes, Command(verb), Wait(1.0), Command(verb), Wait(1.0), Command("rotate early")))


PUBLISHED = Point("keyvault.secrets.set", 1, "after")


def rollbacks() -> Iterator[Story]:
    """Somebody rolls the secret back at any stage of a rotation, and it is accepted, at once or after the overlap."""
    changes = [change for change in CHANGES if "secret" in change]
    firsts = (Command("rotate"), Command("rotate early"), Command("declare compromised", death=PUBLISHED))
    for world, change, first, verb, hours in product(WORLDS, changes, firsts, VERBS, (1.0, 25.0)):
        if verb.startswith("rotate") or verb == "declare compromised":
            yield Story(
                world, (first, Wait(hours), Act(change), Wait(hours), Command(verb), Wait(hours), Command(verb))
            )


def repetitions() -> Iterator[Story]:
    """Every verb twice in every world that one run of another leaves, beside a password of somebody."""
    for world, first, second in product(WORLDS, VERBS, VERBS):
        for change in ("add a password to the service principal", "move a host"):
            yield Story(
                world,
                (Act(change), Command(first), Wait(1.0), Command(second), Command(second), Wait(25.0), Command(second)),
            )


RIVAL = "rotate early without overlap"


def rivals() -> Iterator[Story]:
    """A whole rotation without overlap, by somebody else, between two calls: what was read before it shows a credential that is gone since."""
    for verb, world in (
        ("rotate", "first"),
        ("rotate early", "at rest"),
        ("declare compromised", "at rest"),
        ("deploy", "at rest"),
    ):
        for call, following in pairwise(calls(verb, world, every=True)):
            if not following.writes:  # nothing can be looked at between the last read and a write
                pause = Pause(Point(call.operation, call.nth, "after"), 0.0, (Command(RIVAL),))
                yield Story(world, (Command(verb, pause=pause), Wait(0.03)))


FAMILIES = {
    "points of death": kills,
    "effects": singles,
    "lasting effects": lasting_effects,
    "pairs": pairs,
    "suspensions": sleepers,
    "interventions": interventions,
    "rivals": rivals,
    "worlds of a revocation": worlds_of_revocations,
    "repetitions": repetitions,
    "rollbacks": rollbacks,
}
"""Every matrix, by the name of its cells in the counts."""

STRIDES = {
    "points of death": 223,
    "effects": 211,
    "lasting effects": 79,
    "pairs": 7507,
    "suspensions": 1801,
    "interventions": 547,
    "worlds of a revocation": 7,
    "repetitions": 251,
    "rollbacks": 227,
    "rivals": 61,
}
"""Of so many cells `make test` plays one."""


@cache
def cells(family: str) -> tuple[Story, ...]:
    """Every cell of a matrix."""
    return tuple(dict.fromkeys(FAMILIES[family]()))


def sampled(family: str) -> tuple[Story, ...]:
    """The cells that `make test` plays: of each stretch the first."""
    return cells(family)[:: STRIDES[family]]


__all__ = ["FAMILIES", "READING", "STRIDES", "VERB_WORLDS", "WRITING", "calls", "cells", "sampled"]
