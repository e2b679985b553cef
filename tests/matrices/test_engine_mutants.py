"""Every step, check, ordering, take-back and fresh read of the engine, changed in one place at a time: a story or a test must notice each.

`make soak` plays those of the functions that `living.yaml` names; who survives is listed there with the argument why. `make test` plays those of
`killed.yaml`, each with the story that notices it.
"""

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.matrices import endures, mutants
from tests.matrices.remembering import Site
from tests.matrices.story import STORIES, played

HERE = Path(__file__).parent
MODULES = ("issue", "retire", "reconcile", "deploy", "revoke", "run")
"""Modules of the engine whose mutants are played."""
PARTS = 4
"""Tests among which the reads are dealt out."""
COUNTED = "cells: mutants of engine and groups"
Record = Callable[[str, object], None]


def _data(name: str) -> list[dict[str, Any]]:
    return list(YAML(typ="safe", pure=True).load((HERE / name).read_text()))


LIVING: dict[str, dict[str, str]] = {entry["function"]: entry["lives"] for entry in _data("living.yaml")}
KILLED = _data("killed.yaml")
BY_FUNCTION = {made[0].id.partition(":")[0]: made for made in mutants.by_function([f"rotator.engine.{name}" for name in MODULES])}
MADE = {mutant.id: mutant for made in BY_FUNCTION.values() for mutant in made}
READS = "reads"


@pytest.mark.soak
@pytest.mark.parametrize("function", [each for each in LIVING if each != READS])
def test_a_change_of_a_step_is_noticed(function: str, record_property: Record) -> None:
    made = BY_FUNCTION[function]
    survived = [name for name, by in mutants.of_function(made, mutants.killers(), mutants.tests) if by is None]
    record_property(COUNTED, len(made))
    record_property("cells: mutants that live", len(survived))
    assert set(survived) <= set(LIVING[function])


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_an_answer_from_memory_is_noticed(part: int, record_property: Record) -> None:
    sites = mutants.sites([*mutants.killers(), *mutants.tests()])[part::PARTS]
    survived = [str(site) for site in sites if mutants.of_site(site, mutants.killers(), mutants.tests) is None]
    record_property(COUNTED, len(sites))
    record_property("cells: mutants that live", len(survived))
    assert set(survived) <= set(LIVING[READS])


@pytest.mark.parametrize("part", range(PARTS))
def test_the_story_that_kills_a_mutant_notices_it(part: int, record_property: Record) -> None:
    chosen = KILLED[part::PARTS]
    for entry in chosen:
        story = STORIES.validate_json(entry["story"])
        plays = [mutants.Killer(entry["story"], partial(played, story), frozenset())]
        assert mutants.killed(plays) is None
        with _changed(entry):
            assert mutants.killed(plays), entry
    record_property(COUNTED, len(chosen))


@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_whose_write_meets_one_effect_ends_as_it_did(part: int, record_property: Record) -> None:
    rows = tuple(endures.rows())[part::PARTS]
    other = {str(row): ends for row in rows if (ends := endures.ends(row)) != endures.kept()[f"{row[0]}, {row[1]}"][str(row[2])]}
    record_property("cells: runs that one effect meets", len(rows))
    assert not other, "where that is meant: python -m tests.matrices.endures"


def _changed(entry: dict[str, Any]) -> Any:
    """The mutant of an entry, as long as the block lasts."""
    if "read" in entry:
        module = importlib.import_module(f"rotator.{entry['module']}")
        return mutants.forgetful(Site(f"{module.__file__}:{entry['function']}", entry["read"]), set())
    return mutants.installed(MADE[entry["mutant"]])


def test_whoever_lives_is_a_mutant_and_has_a_reason() -> None:
    for function, lives in LIVING.items():
        assert all(lives.values()), function
        assert function == READS or set(lives) <= {mutant.id for mutant in BY_FUNCTION[function]}
