"""Matrices as stories: kills, pairs, suspensions, interventions and repetitions, made from the real calls of each verb.

A cell is a story with one or two disturbances, and the runs until the world is at rest. Equal reads between two writes
see equal worlds: the first read of each operation stands for the others. `make soak` plays every cell, `make test` a
fixed sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise, product, takewhile
from zlib import crc32

from local_azure.virtual import VirtualLoop

from rotator.engine.run import FRESH
from tests.matrices.effects import READS, WRITES, Effect
from tests.matrices.fast import fast
from tests.matrices.operations import PROOFS, READING, WRITING
from tests.matrices.people import CHANGES
from tests.matrices.process import ALWAYS, SLEEPING, Point, Process, Strike
from tests.matrices.story import VERBS, Act, Command, Condition, Event, Pause, Story, Wait
from tests.matrices.worlds import WORLDS
from tests.stage import play

SPANS = (5.0, 130.0, 700.0, 3700.0, 90_000.0, 260_000.0)
"""Seconds of a suspension: from a hiccup to beyond overlap and reclaim_after."""


SLEEPERS = (
    ("rotate", "first", "rotate", "revoke"),
    ("rotate", "waiting", "rotate", "revoke", "roll the secret back to the first value", "stop a group"),
    ("rotate early without overlap", "quick", "rotate early without overlap", "revoke"),
    ("declare compromised", "at rest", "declare compromised", "revoke"),
    ("adopt", "hand-made", "adopt", "rotate"),
    ("declare compromised", "waiting", "declare compromised", "rotate", "adopt"),
    ("revoke", "at rest", "rotate early", "grant"),
)
"""Suspended verbs with their world, and the commands or changes meanwhile."""
GRAVE = (
    "reset passwords",
    "remove the published password",
    "remove the first password",
    "delete the secret",
    "overwrite the secret",
    "strip tags",
)
"""Changes after every call, not only around writes."""


@dataclass(frozen=True)
class Call:
    """Call of a verb; it stands for equal calls until the next write."""

    operation: str
    nth: int
    writes: bool

    def effects(self) -> tuple[Effect, ...]:
        """Return the effects that the call can meet."""
        if self.operation == SLEEPING:
            return ()
        return WRITES if self.writes else READS

    def strikes(self) -> Iterator[Strike]:
        """Yield each effect on the call alone."""
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
"""Verbs with their world, for the matrices; a grant follows each revocation in the end."""
LOCKED = ("rotate early without overlap", "revoked, and locked")
"""Verb and world of a revocation in which only the mark stops rotations, since the principal still pulls."""


@cache
def calls(verb: str, world: str, *, every: bool = False, strikes: tuple[Strike, ...] = ()) -> tuple[Call, ...]:
    """Return the calls of a verb in a world: all, or only the first read of each operation between two writes, and the
    writes.
    """

    async def scene(loop: VirtualLoop) -> tuple[Call, ...]:
        made = await WORLDS[world](loop)
        made.adapter = fast
        process = Process(made.app, made=made, strikes=strikes)
        act, intent = VERBS[verb]
        await made.with_world(act, intent(made), hop=process, clock=process.clock)
        return tuple(Call(*each) for each in process.calls)

    made = play(scene)
    return made if every else tuple(_standing(made))


def lasting(verb: str, world: str) -> Iterator[Strike]:
    """Yield effects that every call of an operation meets, during a whole run."""
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
    """Yield deaths before and after each call, and some recoveries that meet a fault."""
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
    """Yield each call with each of its effects."""
    for verb, world in (*VERB_WORLDS, LOCKED):
        for call in calls(verb, world, every=True):
            for strike in call.strikes():
                yield Story(world, (Command(verb, (strike,)), Wait(0.03)))


def lasting_effects() -> Iterator[Story]:
    """Yield two whole runs in which all calls of an operation meet one effect."""
    for verb, world in (*VERB_WORLDS, LOCKED):
        for strike in lasting(verb, world):
            yield Story(world, (Command(verb, (strike,)), Wait(25.0), Command(verb, (strike,))))


def blind() -> Iterator[Story]:
    """Yield two whole runs in which all reads of a service meet one effect.

    Stale reads are left out: if all replicas lag alike for a day, no reading shows the truth.
    """
    for verb, world in (*VERB_WORLDS, LOCKED):
        reads = sorted({call.operation for call in calls(verb, world) if call.operation in READING})
        for service, effect in product(dict.fromkeys(each.partition(".")[0] for each in reads), READS):
            strikes = tuple(Strike(each, ALWAYS, effect) for each in reads if each.startswith(f"{service}."))
            if effect not in (Effect.HANG, Effect.STALE):
                yield Story(world, (Command(verb, strikes), Wait(25.0), Command(verb, strikes)))


def pairs() -> Iterator[Story]:
    """Yield pairs of effects of which one strikes a write, a proof or the recovery: all pairs of a rotation, a tenth of
    other verbs'.
    """
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
    """Yield suspensions at each call or wait, while another run or a change happens; with and without a lease, and with
    a stopped clock.
    """
    for verb, world, *others in SLEEPERS:
        for call, span in product(calls(verb, world), SPANS):
            for moment, other, still, lease in product(("before", "after"), others, (False, True), (False, True)):
                if ((still or lease) and other != verb) or (other in CHANGES and span < FRESH):
                    continue  # reads before a shorter stop are still fresh, so that a change can't be seen
                meanwhile = Act(other) if other in CHANGES else Command(other, lease=lease)
                pause = Pause(Point(call.operation, call.nth, moment), span, (meanwhile,), still)  # type: ignore[arg-type]
                yield Story(world, (Command(verb, pause=pause, lease=lease), Wait(0.03)))


TROUBLED = (
    ("rotate", "first", "revoke"),
    ("rotate early", "at rest", "rotate early without overlap"),
    ("revoke", "at rest", "grant"),
    ("revoke with credentials", "at rest", "grant"),
)
"""Verbs with their world, which wait after a failed write, and the command meanwhile."""


def troubled() -> Iterator[Story]:
    """Yield suspensions in waits that exist only because a write met an effect."""
    for verb, world, other in TROUBLED:
        writes = (call for call in calls(verb, world) if call.writes)
        for call, effect, nth, span in product(writes, WRITES, (1, 2, 3), (130.0, 700.0, 90_000.0)):
            pause = Pause(Point(SLEEPING, nth, "after"), span, (Command(other),))
            yield Story(world, (Command(verb, (Strike(call.operation, call.nth, effect),), pause=pause), Wait(0.03)))
    for proof in PROOFS:
        yield from _after_a_slow(Strike(proof, 1, Effect.HANG))


ROLLED_BACK = ("roll the secret back", "roll the secret back to the first value")


def _after_a_slow(proof: Strike) -> Iterator[Story]:
    """Yield suspensions in the look that a removal makes again after a slow proof, while a person gives readers the old value.

    Two checks refuse a removal on what was read then: the age of the look, and the age of the proof.
    """
    made = calls("rotate", "waiting", every=True, strikes=(proof,))
    slow = next((at for at, call in enumerate(made) if (call.operation, call.nth) == (proof.operation, 1)), len(made))
    for call in takewhile(lambda each: not each.writes, made[slow:]):
        for span, change in product((130.0, 700.0), ROLLED_BACK):
            pause = Pause(Point(call.operation, call.nth, "after"), span, (Act(change),))
            yield Story("waiting", (Command("rotate", (proof,), pause=pause), Wait(0.03)))


def interventions() -> Iterator[Story]:
    """Yield changes by people just before and just after each write, and grave changes after each read."""
    for verb, world in VERB_WORLDS:
        for call, change, moment in product((c for c in calls(verb, world) if c.writes), CHANGES, ("before", "after")):
            pause = Pause(Point(call.operation, call.nth, moment), 0.0, (Act(change),))  # type: ignore[arg-type]
            yield Story(world, (Command(verb, pause=pause), Wait(0.03)))
        for call, change in product((c for c in calls(verb, world, every=True) if not c.writes), GRAVE):
            pause = Pause(Point(call.operation, call.nth, "after"), 0.0, (Act(change),))
            yield Story(world, (Command(verb, pause=pause), Wait(0.03)))


def worlds_of_revocations() -> Iterator[Story]:
    """Yield obstacles to a complete revocation, alone and in pairs, each also with an unreadable list."""
    kept = (
        "lock the registry",
        "add a certificate",
        "trust another issuer",
        "give another role",
        "add a password to the service principal",
    )
    unread = (Strike("graph.applications.federatedIdentityCredentials.list", ALWAYS, Effect.NO),)
    for one, other, verb, strikes in product(
        (None, *kept), (None, *kept), [verb for verb in VERBS if verb.startswith("revoke")], ((), unread)
    ):
        changes = tuple(Act(change) for change in dict.fromkeys((one, other)) if change)
        asked = Command(verb, strikes)
        yield Story("at rest", (*changes, asked, Wait(1.0), asked, Wait(1.0), Command("rotate early")))


READ, LISTED = "keyvault.secrets.get", "keyvault.secrets.versions"


def behind() -> Iterator[Story]:
    """Yield runs, a day apart, for which Key Vault's list of versions lacks the newest ones, and its GET fewer of them.

    Where list and GET lack equally many for days, no reading shows the truth.
    """
    for (verb, world), early, (listed, read) in product(
        (*VERB_WORLDS, LOCKED), ("", "rotate early", RIVAL), ((1, 0), (2, 0), (2, 1), (3, 1))
    ):
        late = (
            Condition(LISTED, "stale", argument=f"{listed}", times=0),
            *([Condition(READ, "stale", argument=f"{read}", times=0)] if read else []),
        )
        before: tuple[Event, ...] = (Command(early), Wait(25.0)) if early else ()
        asked = Command(verb, conditions=late)
        yield Story(world, (*before, asked, Wait(25.0), asked))


def deletions() -> Iterator[Story]:
    """Yield two runs while the published secret is deleted, and its recovery by a person."""
    for (world, verb), hours in product(product(WORLDS, VERBS), (0.1, 25.0)):
        gone, back = Act("delete the secret"), Act("recover the secret")
        yield Story(world, (gone, Wait(hours), Command(verb), Wait(hours), Command(verb), back, Wait(1.0)))


PUBLISHED = Point("keyvault.secrets.set", 1, "after")


def rollbacks() -> Iterator[Story]:
    """Yield rollbacks of the secret by a person at any stage of a rotation, accepted at once or after the overlap."""
    changes = [change for change in CHANGES if "secret" in change]
    firsts = (Command("rotate"), Command("rotate early"), Command("declare compromised", death=PUBLISHED))
    for world, change, first, verb, hours in product(WORLDS, changes, firsts, VERBS, (1.0, 25.0)):
        if verb.startswith("rotate") or verb == "declare compromised":
            yield Story(
                world, (first, Wait(hours), Act(change), Wait(hours), Command(verb), Wait(hours), Command(verb))
            )


def repetitions() -> Iterator[Story]:
    """Yield every verb twice after one run of every other verb, in every world, beside changes by people."""
    for world, first, second in product(WORLDS, VERBS, VERBS):
        for change in ("add a password to the service principal", "move a host"):
            yield Story(
                world,
                (Act(change), Command(first), Wait(1.0), Command(second), Command(second), Wait(25.0), Command(second)),
            )


RIVAL = "rotate early without overlap"
RIVALRIES: tuple[tuple[str, str, tuple[str, ...], tuple[Act, ...]], ...] = (
    ("rotate", "first", (RIVAL,), ()),
    ("rotate early", "at rest", (RIVAL,), ()),
    ("declare compromised", "at rest", (RIVAL,), ()),
    ("deploy", "at rest", (RIVAL,), ()),
    ("adopt", "hand-made", ("adopt", RIVAL), (Act("add a password to the service principal"),)),
)
"""Verbs with their world, the commands of others meanwhile, and a person's earlier change."""


def rivals() -> Iterator[Story]:
    """Yield a whole rotation without overlap between two calls of another run, which has read a credential removed
    meanwhile.
    """
    for verb, world, others, before in RIVALRIES:
        for call, following in pairwise(calls(verb, world, every=True)):
            if not following.writes:  # no look is possible between the last read and a write
                pause = Pause(Point(call.operation, call.nth, "after"), 0.0, tuple(map(Command, others)))
                yield Story(world, (*before, Command(verb, pause=pause), Wait(0.03)))


ADD, REMOVE = "graph.applications.addPassword", "graph.applications.removePassword"
IN_A_ROW = 5


def in_a_row() -> Iterator[Story]:
    """Yield five runs in a row with the same disturbance: a death at a write, or an add of unknown outcome without a
    way to remove it.
    """
    doubtful = (Strike(ADD, ALWAYS, Effect.UNKNOWN_DONE), Strike(REMOVE, ALWAYS, Effect.NO))
    for verb, world in (*VERB_WORLDS, LOCKED, ("rotate", "first, without hints")):
        points = (Point(c.operation, c.nth, "after") for c in calls(verb, world) if c.writes)
        disturbed = (*(Command(verb, death=point) for point in points), Command(verb, doubtful))
        for each, hours in product(disturbed, (0.03, 2.0)):
            yield Story(world, (each, Wait(hours)) * IN_A_ROW)


def crowded() -> Iterator[Story]:
    """Yield every verb in every world whose secret versions have no room for tags: no emergency may stop for lack of
    room.
    """
    on_top: tuple[tuple[Act, ...], ...] = ((), (Act("overwrite the secret"),))
    for before, (world, verb) in product(on_top, tuple(product(WORLDS, VERBS))):
        filled: tuple[Event, ...] = (*before, Act("fill the secret's tags"), Wait(1.0))
        yield Story(world, (*filled, Command(verb), Wait(1.0), Command(verb)))


FAMILIES = {
    "points of death": kills,
    "effects": singles,
    "lasting effects": lasting_effects,
    "blind services": blind,
    "pairs": pairs,
    "suspensions": sleepers,
    "suspensions after trouble": troubled,
    "interventions": interventions,
    "rivals": rivals,
    "crowded versions": crowded,
    "in a row": in_a_row,
    "lists behind": behind,
    "deletions": deletions,
    "worlds of a revocation": worlds_of_revocations,
    "repetitions": repetitions,
    "rollbacks": rollbacks,
}
"""Every matrix, by the name of its cells in the counts."""

STRIDES = {
    "points of death": 847,
    "effects": 939,
    "lasting effects": 281,
    "blind services": 95,
    "pairs": 28859,
    "suspensions": 6409,
    "suspensions after trouble": 325,
    "interventions": 1861,
    "worlds of a revocation": 59,
    "repetitions": 1077,
    "rollbacks": 939,
    "rivals": 155,
    "crowded versions": 95,
    "in a row": 43,
    "lists behind": 33,
    "deletions": 65,
}
"""Number of cells of which `make test` plays one."""


@cache
def cells(family: str) -> tuple[Story, ...]:
    """Return every cell of a matrix."""
    return tuple(dict.fromkeys(FAMILIES[family]()))


def sampled(family: str) -> tuple[Story, ...]:
    """Return the cells that `make test` plays: every STRIDES-th."""
    return tuple(islice(FAMILIES[family](), 0, None, STRIDES[family]))


__all__ = ["FAMILIES", "READING", "STRIDES", "VERB_WORLDS", "WRITING", "calls", "cells", "sampled"]
