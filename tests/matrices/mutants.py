"""Mutants of the engine and of container groups: a story, or a test of the engine, must notice each.

A mutant is killed by the first story that reaches it and ends differently, or by a failing test. A mutant has survived
if all of them end as without it.

`python -m tests.matrices.mutants rotator.engine.issuance …` plays the mutants of modules, and prints the killer of
each.
"""

import importlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, product
from typing import Any
from zlib import crc32

import pytest

from tests import mutation, stage
from tests.matrices import acting, endures, families, reach, story, test_corners
from tests.matrices.bodies import bodies
from tests.matrices.fast import fast
from tests.matrices.operations import WRITING
from tests.matrices.process import Point
from tests.matrices.reach import Line, Reach
from tests.matrices.remembering import Site, remembering
from tests.matrices.story import Command, Condition, Pause, Story, Wait, played
from tests.matrices.test_stories import SHARED
from tests.matrices.told import CONDITIONS
from tests.matrices.worlds import WORLDS
from tests.mutation import Mutant, installed
from tests.stage import real

ENDLESS = 15.0
"""Seconds of CPU after which a mutant counts as endless; a story takes a twentieth of one, the longest test three."""

NEAR, FAR, MOST, RECENT = 24, 99, 400, 4
"""Number of first killers, with a disturbance next to the function; the distance of others; the most of them to play;
and the number of earlier killers to try first.
"""
NARROW, SOME = 200, 12
"""Most lines of the engine that a test of single functions reaches, and the number of such tests before any story."""

TESTS = (
    *("engine.test_marks", "engine.test_pauses", "engine.test_access_twice", "engine.test_outcomes"),
    *("engine.test_absence", "engine.test_revoke", "engine.test_revoke_absent", "engine.test_adopting"),
    *("engine.test_provision", "matrices.test_corners", "engine.test_life", "engine.test_strangers"),
    *("engine.test_watch", "engine.test_redeployment", "engine.test_owners", "engine.test_trial"),
    *("engine.test_revocation_mark", "engine.test_permits", "engine.test_tries", "engine.test_memory"),
    *("engine.test_rate_limits", "engine.test_limited_writes", "engine.test_reconciling", "engine.test_run"),
    *("engine.test_preparation", "engine.test_looking", "engine.test_evidence", "engine.test_journal"),
    *("engine.test_marks_written", "engine.test_exposed", "engine.test_adoption", "engine.test_revoking"),
    *("engine.test_access", "engine.test_asked_once", "engine.test_job", "engine.test_identity"),
    *("engine.test_provisioning", "engine.test_writes", "engine.test_withdrawal"),
)
"""Modules of tests that reach parts of the engine beyond all stories."""
UNSUITED = frozenset({"tests.engine.test_marks.test_a_read_that_is_too_old_is_read_again_and_nothing_leaves"})
"""Tests with a loop of their own during collection."""


NOWHERE = Reach(frozenset())


@dataclass(frozen=True, eq=False)
class Killer:
    """Story or test, with the code that it reaches."""

    name: str
    play: Callable[[], object]
    reach: Reach = NOWHERE
    like: str = ""
    """End of the killer: of killers with equal ends, the one with a disturbance nearest to the function is played."""


class Endless(BaseException):
    """Failure of a mutant that doesn't end."""


def _one_in(many: int, stories: Iterator[Story]) -> Iterator[Story]:
    return (each for each in stories if crc32(str(each).encode()) % many == 0)


def _command(each: Story) -> Command:
    found = each.events[0]
    assert isinstance(found, Command)
    return found


def _told() -> Iterator[Story]:
    """Yield the stories that kill: shared ones, and of each family those around writes."""
    yield from SHARED
    for verb, world in families.VERB_WORLDS:
        yield Story(world, (Command(verb), Wait(0.03), Command(verb)))
        for call in (each for each in families.calls(verb, world) if each.writes):
            for seconds, other in ((0.0, "revoke"), (130.0, families.RIVAL)):
                yield Story(
                    world,
                    (
                        Command(verb, pause=Pause(Point(call.operation, call.nth), seconds, (Command(other),))),
                        Wait(0.03),
                    ),
                )
    for world, (operation, kind, argument) in product(("first", "waiting", "at rest"), CONDITIONS):
        if (world, argument) == ("first", "0"):
            continue  # a group without a record of its earlier credential has no way back, and needs a person
        yield Story(
            world,
            (
                Command("rotate early", conditions=(Condition(operation, kind, 1, argument),)),
                Wait(1.0),
                Command("rotate"),
            ),
        )
    deaths = (
        each
        for each in families.cells("points of death")
        if (death := _command(each).death) and death.operation in WRITING
    )
    yield from _one_in(60, deaths)
    yield from _one_in(
        16, (each for each in families.cells("effects") if _command(each).strikes[0].operation in WRITING)
    )
    yield from _one_in(120, iter(families.cells("interventions")))
    yield from _one_in(3000, iter(families.cells("suspensions")))


@cache
def stories() -> tuple[Story, ...]:
    """Return the stories that kill, without duplicates."""
    return tuple(dict.fromkeys(_told()))


@cache
def killers() -> tuple[Killer, ...]:
    """Return every row of the table and every story; the worlds are played first, so that no mutant affects them."""
    for world in WORLDS.values():
        stage.play(world)
    rows = {f"{row} ends as it did": row for row in endures.rows()}
    made = _made("rows", {name: partial(endures.agree, row) for name, row in rows.items()})
    return (
        *(
            replace(each, like=f"{endures.which(rows[each.name])}: {endures.expected(rows[each.name])}")
            for each in made
        ),
        *_made("stories", {str(each): partial(played, each) for each in stories()}),
    )


@cache
def tests() -> tuple[Killer, ...]:
    """Return the tests that reach parts of the engine beyond all stories."""
    made = chain.from_iterable(bodies(importlib.import_module(f"tests.{name}")) for name in TESTS)
    return _made("tests", {name: body for name, body in made if name not in UNSUITED})


def _made(what: str, plays: Mapping[str, Callable[[], object]]) -> tuple[Killer, ...]:
    reaches = reach.kept(what, plays, _listening)
    return tuple(Killer(name, play, reaches[name]) for name, play in plays.items() if name in reaches)


def _listening(play: Callable[[], object], met: set[Site]) -> None:
    with forgetful(None, met):
        play()


@contextmanager
def forgetful(site: Site | None, met: set[Site]) -> Iterator[None]:
    """Let every process, on either adapter, answer `site` from memory."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (story, endures, test_corners):
            patch.setattr(module, "fast", remembering(fast, site, met))
        patch.setattr(stage, "real", remembering(real, site, met))
        yield


def killed(among: Iterable[Killer]) -> Killer | None:
    """Return the first killer that notices the installed mutant."""
    for killer in among:
        try:
            with _bounded():
                killer.play()
        except BaseException as noticed:
            if isinstance(noticed, KeyboardInterrupt | SystemExit):
                raise
            return killer
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


Tests = Callable[[], Sequence[Killer]]
"""Tests to try if no story notices."""


def of_function(
    mutants: Sequence[Mutant], among: Sequence[Killer], tests: Tests = tuple
) -> Iterator[tuple[str, str | None]]:
    """Yield each mutant of one function by id, with its killer; the last killer is tried first."""
    function, last = mutation.mark(mutants[0].module, mutants[0].function), list[Killer]()
    for mutant in mutants:
        lines = changed(mutant)
        others = sorted((each for each in tests() if lines & each.reach.lines), key=_breadth)
        narrow = [each for each in others if _breadth(each) <= NARROW][:SOME]
        nearest = _nearest((each for each in among if lines & each.reach.lines), function)
        with installed(mutant):
            by = killed(dict.fromkeys([*last, *narrow, *nearest, *_few(others)]))
        _ensure_sound(by)
        last = [by, *(each for each in last if each is not by)][:RECENT] if by else last
        yield mutant.id, by.name if by else None


def _breadth(killer: Killer) -> int:
    return len(killer.reach.lines)


def changed(mutant: Mutant) -> frozenset[Line]:
    """Return the changed lines: to notice a mutant, a killer must run one of them."""
    return frozenset((mutant.module.__file__ or "", line) for line in reach.changed(*mutant.trees))


def of_site(site: Site, among: Sequence[Killer], tests: Tests = tuple) -> str | None:
    """Return the killer that notices a read answered from memory."""
    with forgetful(site, set()):
        by = killed(_nearest((each for each in among if site in each.reach.sites), site.function))
        by = by or killed(_few([each for each in tests() if site in each.reach.sites]))
    _ensure_sound(by)
    return by.name if by else None


def _ensure_sound(by: Killer | None) -> None:
    """Raise AssertionError if a killer fails without the mutant as well."""
    assert not (by and killed([by])), f"{by.name} fails by itself"


def _nearest(among: Iterable[Killer], function: str) -> list[Killer]:
    """Return the killers whose disturbance is next to the function, then some of the others."""
    told = dict[str, Killer]()
    for each in sorted(among, key=lambda killer: (killer.reach.midst.get(function, FAR), crc32(killer.name.encode()))):
        told.setdefault(each.like or each.name, each)
    found = list(told.values())
    return [*found[:NEAR], *_few(found[NEAR:])]


def _few(among: Sequence[Killer]) -> Sequence[Killer]:
    return among[:: -(-len(among) // MOST) or 1]


def sites(among: Sequence[Killer]) -> tuple[Site, ...]:
    """Return every site in the engine that a killer reaches; sites of tests are left out."""
    met = set(chain.from_iterable(killer.reach.sites for killer in among))
    return tuple(sorted(each for each in met if "/rotator/engine/" in each.function))


def by_function(names: Sequence[str]) -> Iterator[list[Mutant]]:
    """Yield the mutants of modules, in lists by function."""
    for name in names:
        found: dict[str, list[Mutant]] = {}
        for mutant in mutation.mutants(
            importlib.import_module(name), lambda each: not each.endswith("__init__"), acting.changes
        ):
            found.setdefault(mutant.function, []).append(mutant)
        yield from found.values()


def main(names: Sequence[str]) -> None:
    """Play the mutants of modules, or of `reads`."""

    def say(*words: Any) -> None:
        sys.stdout.write(" ".join(map(str, words)) + "\n")
        sys.stdout.flush()

    begun = time.process_time()
    for mutants in by_function([name for name in names if name != "reads"]):
        for name, by in of_function(mutants, killers(), tests):
            say("killed" if by else "LIVES", name, "<-", by)
        say(mutants[0].function, f"{time.process_time() - begun:.0f} s")
    for site in sites([*killers(), *tests()]) if "reads" in names else ():
        by = of_site(site, killers(), tests)
        say("killed" if by else "LIVES", site, "<-", by)


if __name__ == "__main__":
    main(sys.argv[1:])
