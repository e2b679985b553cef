"""Every step, check, ordering, take-back and fresh read of the engine, changed in one place at a time: a run, a story
or a test must notice each.

`make soak` plays all of them, but for the survivors in `living.yaml`, each with its reason. `make test` plays those of
`killed.yaml`, each with the story that notices it.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from rotator import engine
from tests import mutation
from tests.cases import read
from tests.matrices import endures, mutants
from tests.matrices.remembering import Site
from tests.matrices.story import STORIES, played
from tests.mutation import Mutant

HERE = Path(__file__).parent
MODULES = sorted(f"rotator.engine.{each.name}" for each in pkgutil.iter_modules(engine.__path__))
PARTS, SHARE = 4, 80
"""Number of tests that share runs and reads, and number of rows of which `make test` plays one."""
MOST = 0.03
"""Largest permitted share of living mutants."""
COUNTED, LIVE = "cells: mutants of the engine", "cells: mutants that live"
Record = Callable[[str, object], None]


def _data(name: str) -> list[dict[str, Any]]:
    return list(read(HERE / name))


LIVING: dict[str, str] = {name: entry["why"] for entry in _data("living.yaml") for name in entry["lives"]}
KILLED = _data("killed.yaml")
NOT_ASKED = "not asked again"
"""Name of the mutants without a fresh read."""


@cache
def by_function(module: str) -> tuple[tuple[Mutant, ...], ...]:
    """Return the mutants of a module, in groups by function."""
    return tuple(tuple(each) for each in mutants.by_function([module]))


@cache
def made() -> dict[str, Mutant]:
    """Return every mutant of the engine by its id."""
    return {mutant.id: mutant for name in MODULES for each in by_function(name) for mutant in each}


@pytest.mark.soak
@pytest.mark.parametrize("name", MODULES)
def test_a_change_of_a_step_is_noticed(name: str, record_property: Record) -> None:
    survived, lives = list[str](), 0
    for each in by_function(name):
        judged = [mutant for mutant in each if mutant.id not in LIVING]
        lives += len(each) - len(judged)
        if judged:
            found = mutants.of_function(judged, mutants.killers(), mutants.tests)
            survived += [mutant for mutant, by in found if by is None]
    record_property(COUNTED, sum(map(len, by_function(name))))
    record_property(LIVE, lives + len(survived))
    assert survived == []


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_an_answer_from_memory_is_noticed(part: int, record_property: Record) -> None:
    met = mutants.sites([*mutants.killers(), *mutants.tests()])
    assert {name for name in LIVING if name.endswith(NOT_ASKED)} <= set(map(str, met))
    sites = met[part::PARTS]
    judged = [site for site in sites if str(site) not in LIVING]
    survived = [str(site) for site in judged if mutants.of_site(site, mutants.killers(), mutants.tests) is None]
    record_property(COUNTED, len(sites))
    record_property(LIVE, len(sites) - len(judged) + len(survived))
    assert survived == []


@pytest.mark.parametrize("name", MODULES)
def test_a_mutant_is_looked_for_by_the_lines_of_its_function(name: str) -> None:
    for one, *_ in by_function(name):
        lines, first = inspect.getsourcelines(mutation.found(one.module, one.function))
        told = {line for _, line in mutants.changed(one)}
        assert told and told <= set(range(first, first + len(lines))), one.function


@pytest.mark.share(2)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_story_that_kills_a_mutant_notices_it(part: int, record_property: Record) -> None:
    chosen = KILLED[part::PARTS]
    for entry in chosen:
        story = STORIES.validate_json(entry["story"])
        plays = [mutants.Killer(entry["story"], partial(played, story))]
        assert mutants.killed(plays) is None
        with _changed(entry):
            assert mutants.killed(plays), entry
    record_property(COUNTED, len(chosen))


@pytest.mark.share(2)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_to_which_one_thing_happens_goes_as_it_did(part: int, record_property: Record) -> None:
    _agree(tuple(endures.rows())[part * 2 :: PARTS * SHARE], record_property)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_every_run_to_which_one_thing_happens_goes_as_it_did(part: int, record_property: Record) -> None:
    _agree(tuple(endures.rows())[part::PARTS], record_property)


def _agree(rows: Sequence[endures.Row], record_property: Record) -> None:
    other = {str(row): how for row in rows if (how := endures.ends(row)) != endures.expected(row)}
    record_property("cells: runs to which one thing happens", len(rows))
    assert not other, "where that is meant: python -m tests.matrices.endures"


def _changed(entry: dict[str, Any]) -> Any:
    """Install the mutant of an entry for the duration of the block."""
    if "read" in entry:
        module = importlib.import_module(f"rotator.{entry['module']}")
        return mutants.forgetful(Site(f"{module.__file__}:{entry['function']}", entry["read"]), set())
    return mutation.installed(made()[entry["mutant"]])


def test_who_lives_is_a_mutant_and_has_a_reason() -> None:
    assert {name for name in LIVING if not name.endswith(NOT_ASKED)} <= set(made())
    assert all(LIVING.values())
    assert len(LIVING) <= MOST * len(made())
