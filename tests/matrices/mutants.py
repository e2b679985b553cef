"""Plays the mutants of the engine and of container groups: a story, or a test of the engine, must notice each.

A mutant is killed by the first story that reaches it and ends otherwise than every story ends, or else by a test that fails. What it can't be told
from after all of them has survived.

`python -m tests.matrices.mutants rotator.engine.issue …` plays those of some modules, and tells of each what killed it.
"""

import importlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import chain, product
from types import FrameType
from typing import Any
from zlib import crc32

import pytest

from tests import mutation, stage
from tests.matrices import acting, endures, families, story
from tests.matrices.bodies import bodies
from tests.matrices.fast import fast
from tests.matrices.operations import WRITING
from tests.matrices.process import Point, Process
from tests.matrices.remembering import Site, remembering
from tests.matrices.story import Act, Command, Condition, Event, Pause, Story, Wait, played
from tests.matrices.test_stories import SHARED
from tests.matrices.told import CONDITIONS
from tests.matrices.worlds import WORLDS
from tests.mutation import Mutant
from tests.stage import real

ENDLESS = 5.0
"""Seconds of CPU after which a mutant goes round for ever; a story takes a tenth of one."""

MOST, FAR = 20, 99
"""Stories that are played on one mutant: so many in which something happens next to its function, as many further away, and of the others."""

TESTS = ("test_marks", "test_pauses", "test_access_twice", "test_outcomes", "test_absence")
UNSUITED = frozenset({"tests.test_marks.test_a_read_that_is_too_old_is_read_again_and_nothing_leaves"})
"""Tests that run a loop of their own while they are collected."""


@dataclass(frozen=True)
class Killer:
    """A story or a test body: the functions that it reaches, those in which something happens to a process, the innermost with 0, and the reads that
    could be answered from memory in it.
    """

    name: str
    play: Callable[[], object]
    reaches: frozenset[str]
    midst: Mapping[str, int] = field(default_factory=dict)
    sites: frozenset[Site] = frozenset()


class Endless(BaseException):
    """A mutant that doesn't come to an end."""


def _one_in(many: int, stories: Iterator[Story]) -> Iterator[Story]:
    return (each for each in stories if crc32(str(each).encode()) % many == 0)


def _first(each: Story) -> Command:
    found = each.events[0]
    assert isinstance(found, Command)
    return found


BEFORE: dict[str, tuple[Event, ...]] = {
    "graph.applications.get": (Act("reset passwords"), Act("remove the published password"), Act("remove the first password")),
    "mark.secrets.get": (Command("revoke"), Command("declare compromised")),
    "keyvault.secrets.versions": (Act("overwrite the secret"), Act("overwrite the secret with garbage"), Command("rotate early without overlap")),
    "aci.containerGroups.get": (*(Act(f"{what} a group") for what in ("tag", "edit", "recreate", "stop", "delete")), Act("strip tags")),
    "rbac.roleAssignments.list": (Act("take the pull role"), Command("grant")),
}
"""What happens just before a read that would show it."""


def glimpses() -> Iterator[Story]:
    """Something happens just before the last read of its kind that a write rests on: after the call before, which is made without that read, too."""
    for verb, world in families.VERB_WORLDS:
        last, before = dict[str, families.Call](), None
        for call in families.calls(verb, world, every=True):
            if not call.writes:
                last |= {call.operation: before} if before else {}
            else:
                for (read, at), seconds in product(last.items(), (0.0, 100.0)):
                    point = Point(at.operation, at.nth, "after")
                    yield from (Story(world, (Command(verb, pause=Pause(point, seconds, (each,))), Wait(0.03))) for each in BEFORE.get(read, ()))
                last.clear()
            before = call


def _told() -> Iterator[Story]:
    """The stories that kill, each family dense around writes."""
    yield from SHARED
    for verb, world in families.VERB_WORLDS:
        yield Story(world, (Command(verb), Wait(0.03), Command(verb)))
        for call in (each for each in families.calls(verb, world) if each.writes):
            for seconds, other in ((0.0, "revoke"), (130.0, families.RIVAL)):
                yield Story(world, (Command(verb, pause=Pause(Point(call.operation, call.nth), seconds, (Command(other),))), Wait(0.03)))
    for world, (operation, kind, argument) in product(("first", "waiting", "at rest"), CONDITIONS):
        if (world, argument) == ("first", "0"):
            continue  # a group that said nothing of what it held before has no way back, and needs a person
        yield Story(world, (Command("rotate early", conditions=(Condition(operation, kind, 1, argument),)), Wait(1.0), Command("rotate")))
    deaths = (each for each in families.cells("points of death") if (death := _first(each).death) and death.operation in WRITING)
    yield from _one_in(60, deaths)
    yield from _one_in(8, (each for each in families.cells("effects") if _first(each).strikes[0].operation in WRITING))
    yield from _one_in(200, (each for each in families.cells("effects") if _first(each).strikes[0].operation not in WRITING))
    yield from _one_in(60, iter(families.cells("interventions")))
    yield from _one_in(1500, iter(families.cells("suspensions")))
    yield from _one_in(4, glimpses())


@cache
def stories() -> tuple[Story, ...]:
    """Each once."""
    return tuple(dict.fromkeys(_told()))


@cache
def killers() -> tuple[Killer, ...]:
    """Every run that meets one effect, and every story, with what it reaches; the worlds are played before, so that no mutant is in them."""
    for world in WORLDS.values():
        stage.play(world)
    told = [_killer(str(each), partial(played, each)) for each in stories()]
    return (*told, *(_killer(f"{row} ends as it did", partial(endures.agree, row)) for row in endures.rows()))


@cache
def tests() -> tuple[Killer, ...]:
    """The tests that see of the engine what no story does."""
    made = chain.from_iterable(bodies(importlib.import_module(f"tests.{name}")) for name in TESTS)
    return tuple(_killer(name, body) for name, body in made if name not in UNSUITED)


def _killer(name: str, play: Callable[[], object]) -> Killer:
    met, midst = set[Site](), dict[str, int]()
    with forgetful(None, met), _noting(midst):
        reaches = mutation.called(play)
    return Killer(name, play, frozenset(each for each in reaches if "/rotator/" in each), midst, frozenset(met))


@contextmanager
def _noting(midst: dict[str, int]) -> Iterator[None]:
    """Note which functions are under way when something happens to a process, and at its next call."""
    happens, pending = Process._at, set[int]()

    async def at(self: Process, point: Point) -> None:
        struck = any((each.operation, each.nth, "before") == (point.operation, point.nth, point.moment) for each in self.strikes)
        now = struck or self.death == point or bool(self.stop and self.stop.at == point)
        if now or id(self) in pending:
            for depth, mark in enumerate(_under_way(sys._getframe())):
                midst[mark] = min(depth, midst.get(mark, depth))
        pending.discard(id(self))
        if now:
            pending.add(id(self))
        await happens(self, point)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "_at", at)
        yield


def _under_way(frame: FrameType | None) -> Iterator[str]:
    """The functions of the engine, from the innermost."""
    while frame:
        if "/rotator/engine/" in frame.f_code.co_filename:
            yield f"{frame.f_code.co_filename}:{frame.f_code.co_qualname.partition('.<locals>')[0]}"
        frame = frame.f_back


@contextmanager
def forgetful(site: Site | None, met: set[Site]) -> Iterator[None]:
    """Let every process, on either adapter, answer `site` from memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "fast", remembering(fast, site, met))
        patch.setattr(stage, "real", remembering(real, site, met))
        yield


def killed(among: list[Killer]) -> str | None:
    """The name of the first that notices, and how; it is asked first the next time, since a function's mutants resemble each other."""
    for at, killer in enumerate(among):
        try:
            with _bounded():
                killer.play()
        except BaseException as noticed:
            if isinstance(noticed, KeyboardInterrupt | SystemExit):
                raise
            among.insert(0, among.pop(at))
            return f"{killer.name} ({type(noticed).__name__}: {str(noticed).splitlines()[:1]})"
    return None


@contextmanager
def _bounded() -> Iterator[None]:
    def over(*_: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, ENDLESS, ENDLESS / 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Let a mutant stand in the place of its function."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.install(patch)
        yield


Tests = Callable[[], Sequence[Killer]]
"""What is asked where no story notices."""


def of_function(mutants: Sequence[Mutant], among: Sequence[Killer], tests: Tests = tuple) -> Iterator[tuple[str, str | None]]:
    """Each mutant of one function by its id, and what killed it."""
    mark = mutation.mark(mutants[0].module, mutants[0].function)
    reaching = _nearest((killer for killer in among if mark in killer.reaches), mark)
    others: list[Killer] | None = None
    for mutant in mutants:
        with installed(mutant):
            by = killed(reaching)
        if by is None:
            others = [each for each in tests() if mark in each.reaches][:MOST] if others is None else others
            with installed(mutant):
                by = killed(others)
        yield mutant.id, by


def of_site(site: Site, among: Sequence[Killer], tests: Tests = tuple) -> str | None:
    """What notices that a site isn't asked."""
    with forgetful(site, set()):
        by = killed(_nearest((killer for killer in among if site in killer.sites), site.function))
    others = [each for each in tests() if site in each.sites][:MOST] if by is None else []
    with forgetful(site, set()):
        return by or killed(others)


def _nearest(among: Iterable[Killer], mark: str) -> list[Killer]:
    """Those first in which something happens next to the function, and of these at most so many as tell something new."""
    found = sorted(among, key=lambda killer: killer.midst.get(mark, FAR))
    near = [killer for killer in found if mark in killer.midst]
    far = found[len(near) :]
    return [*near[:MOST], *_few(near[MOST:]), *far[:MOST], *_few(far[MOST:])]


def _few(among: list[Killer]) -> list[Killer]:
    return among[:: max(1, len(among) // MOST)]


def sites(among: Sequence[Killer]) -> tuple[Site, ...]:
    """Every site that a killer comes to."""
    return tuple(sorted(set(chain.from_iterable(killer.sites for killer in among))))


def by_function(names: Sequence[str]) -> Iterator[list[Mutant]]:
    """The mutants of some modules, dealt out by function."""
    for name in names:
        found: dict[str, list[Mutant]] = {}
        for mutant in mutation.mutants(importlib.import_module(name), lambda each: not each.endswith("__init__"), acting.changes):
            found.setdefault(mutant.function, []).append(mutant)
        yield from found.values()


def main(names: Sequence[str]) -> None:
    """Play the mutants of modules, or of `sites`."""

    def say(*words: Any) -> None:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()

    t = time.process_time()
    among = killers()
    say(len(among), "stories", time.process_time() - t)
    for mutants in by_function([n for n in names if n != "sites"]):
        for name, by in of_function(mutants, among):
            say("killed" if by else "LIVES", name, "<-", by)
        say(mutants[0].function, time.process_time() - t)
    if "sites" in names:
        for site in sites(among):
            if "engine" in site.function:
                by = of_site(site, among)
                say("killed" if by else "LIVES", site, "<-", by)


if __name__ == "__main__":
    main(sys.argv[1:])
