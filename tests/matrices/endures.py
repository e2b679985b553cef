"""Outcome of a run to which one fault or change happens, kept in `endures.yaml`: requests, events and exit code.

The invariants don't see a run that fails without need: the next run repairs its world. Runs that go as undisturbed ones
aren't in the table. `python -m tests.matrices.endures` writes the table anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, pairwise, product
from pathlib import Path
from zlib import crc32

from local_azure.app import Served
from local_azure.virtual import VirtualLoop
from ruamel.yaml import YAML

from rotator.events import Event as Told
from rotator.events import Noted, Pausing, StepFailed, StepPostponed, Vetoed
from tests.cases import read
from tests.matrices.digest import digest
from tests.matrices.families import RIVAL, VERB_WORLDS, Call, calls, lasting
from tests.matrices.fast import fast
from tests.matrices.judge import Judge
from tests.matrices.operations import PROOFS, WRITING
from tests.matrices.process import Point, named
from tests.matrices.story import Act, Command, Condition, Event, Pause, Play, Story
from tests.matrices.told import CONDITIONS
from tests.matrices.worlds import WORLDS
from tests.stage import Stage, play, watched

TABLE = Path(__file__).with_name("endures.yaml")
READING = ("entra.", "acr.")
"""Requests of proofs, which change nothing by any method."""
SHORT = {
    "graph.applications.addPassword": "add",
    "graph.applications.removePassword": "remove",
    "keyvault.secrets.set": "publish",
    "keyvault.secrets.update": "tag",
    "mark.secrets.set": "mark",
    "mark.secrets.update": "enable",
    "aci.containerGroups.createOrUpdate": "put",
    "rbac.roleAssignments.create": "assign",
    "rbac.roleAssignments.delete": "unassign",
}
"""Names of writes in the table."""
LONG = 130.0
"""Seconds after which no reading is fresh."""
Row = Story
"""One command, or two of which the first dies, with one disturbance."""

PLAYED = (*VERB_WORLDS, ("grant", "revoked"))
"""Verbs, each with its world."""
FAILED_PULL = ("aci.containerGroups.createOrUpdate", "failed_pull", 1, "3")
"""A pull that fails three times, so that the group has to go back."""

UNSEEN = ("grant", Command("declare compromised"))
"""Change that the verb no longer sees: a grant has looked for compromised passwords earlier; the next run
reports it.
"""

BEFORE: dict[str, tuple[Event, ...]] = {
    "graph.applications.get": (
        *(Act(each) for each in ("reset passwords", "remove the published password", "remove the first password")),
        Command(RIVAL),
    ),
    "mark.secrets.get": (Command("revoke"), Command("declare compromised"), Command("grant")),
    "keyvault.secrets.versions": (
        Act("overwrite the secret"),
        Act("overwrite the secret with garbage"),
        Command(RIVAL),
        Command("adopt"),
    ),
    "aci.containerGroups.get": (
        *(Act(f"{what} a group") for what in ("tag", "edit", "recreate", "stop", "delete")),
        Act("strip tags"),
    ),
    "rbac.roleAssignments.list": (Act("take the pull role"), Command("grant")),
}
"""Changes just before a read that would show them."""


@dataclass
class Heard(Play):
    """Play that records the end of each command."""

    ends: list[str] = field(default_factory=list)

    def _heed(self, verb: str, ended: str, *, blind: bool = False) -> None:
        self.ends.append(ended.partition("(")[0])
        super()._heed(verb, ended, blind=blind)


def rows() -> Iterator[Row]:
    """Yield the rows of the table: each write with each effect, with a death and a suspension; a share of the reads;
    changes before the last reads of their kind; and lasting conditions.
    """
    for verb, world in (*PLAYED, *(("rotate early", world) for world in ("first", "waiting"))):
        yield Story(world, (Command(verb),))
    for verb, world in PLAYED:
        yield from _of_calls(verb, world)
    for verb, world, point, seconds, each in before_reads():
        yield from _share(2, Story(world, (Command(verb, pause=Pause(point, seconds, (each,))),)))
    for world, (operation, kind, argument) in product(("first", "waiting", "at rest"), CONDITIONS):
        yield Story(world, (Command("rotate early", conditions=(Condition(operation, kind, 1, argument),)),))
    for nth, change in product(range(3, 9), ("reset passwords", "remove the first password")):
        pause = Pause(Point("entra.token", nth), 0.0, (Act(change),))
        yield Story("at rest", (Command("rotate early", conditions=(Condition(*FAILED_PULL),), pause=pause),))


def _of_calls(verb: str, world: str) -> Iterator[Row]:
    for call in calls(verb, world):
        yield from _of_write(verb, world, call) if call.writes else _of_read(verb, world, call)
    for last, call in pairwise(calls(verb, world, every=True)):
        if call.writes and not last.writes:
            yield Story(world, (Command(verb, pause=Pause(Point(last.operation, last.nth, "after"), LONG)),))
    for strike in lasting(verb, world):
        yield from _share(
            1 if strike.operation in (*WRITING, *PROOFS) else 6, Story(world, (Command(verb, (strike,)),))
        )


def _of_write(verb: str, world: str, call: Call) -> Iterator[Row]:
    yield from (Story(world, (Command(verb, (strike,)),)) for strike in call.strikes())
    for point in (Point(call.operation, call.nth, "before"), Point(call.operation, call.nth, "after")):
        yield Story(world, (Command(verb, pause=Pause(point, LONG)),))
        yield Story(world, (Command(verb, death=point), Command("rotate")))
    for other in ("revoke", RIVAL):
        yield Story(world, (Command(verb, pause=Pause(Point(call.operation, call.nth), LONG, (Command(other),))),))


def _of_read(verb: str, world: str, call: Call) -> Iterator[Row]:
    for strike in call.strikes():
        yield from _share(4, Story(world, (Command(verb, (strike,)),)))
    pause = Pause(Point(call.operation, call.nth, "after"), LONG)
    yield from _share(4, Story(world, (Command(verb, pause=pause),)))


def _share(many: int, row: Row) -> Iterator[Row]:
    """Yield the row, or nothing: one in `many`, by the row's own checksum."""
    if crc32(str(row).encode()) % many == 0:
        yield row


def before_reads() -> Iterator[tuple[str, str, Point, float, Event]]:
    """Yield changes just before the last read of each kind on which a write rests: they happen after the preceding
    call.
    """
    for verb, world in PLAYED:
        last, before = dict[str, Call](), None
        for call in calls(verb, world, every=True):
            if not call.writes:
                last |= {call.operation: before} if before else {}
            else:
                for (read, at), seconds in product(last.items(), (0.0, 100.0)):
                    happening = (each for each in BEFORE.get(read, ()) if (verb, each) != UNSEEN)
                    yield from (
                        (verb, world, Point(at.operation, at.nth, "after"), seconds, each) for each in happening
                    )
                last.clear()
            before = call


def name(row: Row) -> str:
    """Return the name of the disturbance in the table; empty for an undisturbed run."""
    first = row.events[0]
    assert isinstance(first, Command)
    told = [
        *map(str, first.strikes),
        *(f"{each.operation} meets {each.kind} {each.argument}".rstrip() for each in first.conditions),
    ]
    if first.death:
        told.append(f"dies {first.death}")
    if first.pause:
        meanwhile = ", ".join(each.verb if isinstance(each, Command) else each.change for each in first.pause.meanwhile)  # type: ignore[union-attr]
        told.append(f"{first.pause.at} for {first.pause.seconds:.0f} s" + (f": {meanwhile}" if meanwhile else ""))
    return ", ".join(told)


def ends(row: Row) -> str:
    """Return the requests, events and exit code of a run. Raises Violation."""

    async def scene(loop: VirtualLoop) -> str:
        made = await WORLDS[row.world](loop)
        made.adapter, since, begun = fast, len(made.app.served), loop.time()
        told = Heard(made, Judge(made))
        with watched(made, before=told.judge.before, after=told.judge.after):
            await told.happen(row.events)
        sent, said = _shortly(_sent(made, made.app.served[since:])), _shortly(map(_said, made.events))
        left = crc32(digest(made).encode()) % 0x1000
        return (
            f"{' '.join(told.ends)} in {loop.time() - begun:.0f} s: {sent or 'nothing'}{'; ' if said else ''}{said};"
            f" leaves {left:03x}"
        )

    return play(scene)


def _sent(made: Stage, served: Sequence[Served]) -> Iterator[str]:
    for call in served:
        if call.method not in ("GET", "HEAD") and not call.operation.startswith(READING):
            yield SHORT.get(operation := named(call.operation, call.path, made.policy.access_secret), operation)


def _said(event: Told) -> str:
    match event:
        case Noted(code=code) | Vetoed(code=code):
            return code
        case StepFailed(step=step):
            return f"{step} failed"
        case StepPostponed(step=step):
            return f"{step} postponed"
        case Pausing():
            return "pauses"
    return ""


def _shortly(words: Iterator[str]) -> str:
    told = [(word, len(list(same))) for word, same in groupby(each for each in words if each)]
    return " ".join(word if many == 1 else f"{many}x{word}" for word, many in told)


@cache
def kept() -> dict[str, dict[str, str]]:
    """Return the table: the outcome of each run, by verb and world, and by disturbance. The last word is a checksum of
    the world afterwards.
    """
    found = read(TABLE)
    return {which: {each: how for how, many in outcomes.items() for each in many} for which, outcomes in found.items()}


def which(row: Row) -> str:
    """Return the heading of a row in the table: verb and world."""
    first = row.events[0]
    assert isinstance(first, Command)
    return f"{first.verb}, {row.world}"


def expected(row: Row) -> str:
    """Return how a run is to end."""
    found = kept()[which(row)]
    return found.get(name(row), found[""])


def table() -> dict[str, dict[str, list[str]]]:
    """Return the table of today's outcomes; rows with equal outcomes are together."""
    made: dict[str, dict[str, str]] = {}
    for row in rows():
        made.setdefault(which(row), {})[name(row)] = ends(row)
    return {
        at: _alike({each: how for each, how in found.items() if not each or how != found[""]})
        for at, found in made.items()
    }


def _alike(found: dict[str, str]) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for each, how in found.items():
        made.setdefault(how, []).append(each)
    return made


def agree(row: Row) -> None:
    """Raise AssertionError where a run ends otherwise."""
    assert ends(row) == expected(row), f"{row} ends otherwise"


if __name__ == "__main__":
    with TABLE.open("w") as file:
        writer = YAML()
        writer.width = 150
        writer.dump(table(), file)
