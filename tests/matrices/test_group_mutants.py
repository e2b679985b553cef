"""Every decision of `rotator/container_group`, changed in one place at a time: a test or a case must notice each.

The net is the package's tests and the cases of `plan` and `guard`, those with the least reach first. `make soak` plays
all mutants; the tests that notice them are in `make test`.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

from rotator import container_group
from tests import mutation
from tests.matrices import test_mutants
from tests.matrices.bodies import bodies
from tests.mutation import Mutant

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("mutants")]  # they share the net

TESTS = Path(__file__).parents[1] / "container_group"
MODULES = [
    importlib.import_module(f"{container_group.__name__}.{each.name}")
    for each in pkgutil.iter_modules(container_group.__path__)
]
IMPLIED = "what else is asked there implies it"
IMPORTED = "it is evaluated while its module is imported"
STRICT = "both are equally long"
EQUIVALENT = {
    "container_group.differences._items: True for its opposite": STRICT,
    "container_group.differences._items: True for its opposite (2)": STRICT,
    "container_group.evidence._ran: `since` left out of `at or shown.latest or since`": (
        "a container that crashed and recovered shows times"
    ),
    "container_group.missing_values.hidden: `place.name == 'password'` left out of `app_id and place.name == 'password' and belongs(place.owner,`": (
        "only a registry entry has a user name"
    ),
    "container_group.value_sources.Recipes.entry: `place.name == 'password'` left out of `place.name == 'password' and belongs(place.owner, self.polic`": (
        "only a registry entry has a user name"
    ),
    "container_group.newer_properties._only: `newer` left out of `isinstance(newer, list) and newer and all((isinstance(each,`": (
        "an empty list is one of the empty values, too"
    ),
    "container_group.normalise._default: `found is not None` left out of `found is not None and (same or (found == value and isinstanc`": (
        "no default is None"
    ),
    "container_group.normalise._default: `same` left out of `same or (found == value and isinstance(found, bool) == isins`": (
        "words are in Azure's spelling already"
    ),
    "container_group.policy_lines.lines_to_add: `path != WORKSPACE_ID` left out of `path not in password and path != WORKSPACE_ID`": (
        "the lines for a workspace have no name of a secret"
    ),
    "container_group.policy_lines.lines_to_add: True for its opposite": STRICT,
    "container_group.policy_lines._otherwise: `'/env/' in path` left out of `name and '/env/' in path and CLIENT_SECRET.search(path.rpart`": (
        "no other place is called like a client secret"
    ),
    "container_group.interpretation._manifest: `group` left out of `group and group.manifest`": (
        "it is asked of declared groups"
    ),
    "container_group.manifest_draft.drafted: True for its opposite": STRICT,
    "container_group.manifest_draft._held: `recipe is not None` left out of `recipe is not None and _harmless(recipe)`": IMPLIED,
    "container_group.manifest_draft._recipe: `parts` left out of `parts and all(map(_harmless, parts))`": (
        "a volume without files has no recipe"
    ),
    "container_group.tags._failed: `match` left out of `match and at`": IMPLIED,
    "container_group.value_sources.Recipes.writes: `place.referenced` left out of `recipe in (None, Said.NOTHING) or place.referenced or self.e`": (
        IMPLIED
    ),
    "container_group.spelling._readers: `yield from ((path, partial(_word, words)) for path, words in` not told": IMPORTED,
    "container_group.spelling._readers: `yield from ((path, read) for path in paths)` not told": IMPORTED,
    "container_group.value_sources.Recipes.for_place: `place.holds is not Holds.FILES` left out of `place.holds is not Holds.FILES or path in self.by_path`": (
        "no path continues that of another place than a volume"
    ),
}
"""Mutants that no test can notice, each with its reason."""
MOST = 0.03


@cache
def net() -> tuple[test_mutants.Test, ...]:
    """Return the tests of the package as plain calls, and the cases of `plan` and `guard`."""
    own = (
        test_mutants.Test(name, body, mutation.called(body))
        for file in sorted(TESTS.glob("test_*.py"))
        for name, body in bodies(importlib.import_module(f"tests.container_group.{file.stem}"))
    )
    return tuple(sorted((*own, *test_mutants.net()), key=lambda test: len(test.reaches)))


@cache
def made(module: ModuleType) -> tuple[Mutant, ...]:
    """Return the mutants of a module."""
    return tuple(mutation.mutants(module))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.removeprefix("rotator."))
def test_a_change_of_a_decision_is_noticed(module: ModuleType, record_property: Callable[[str, object], None]) -> None:
    survived = list[str]()
    for _, of_one in groupby(made(module), attrgetter("function")):
        mutants = list(of_one)
        judged = [each for each in mutants if each.id not in EQUIVALENT]
        survived += test_mutants.unnoticed(mutants, judged, net(), record_property)
    assert survived == []


def test_few_live_and_each_is_a_mutant() -> None:
    names = [mutant.id for module in MODULES for mutant in made(module)]
    assert len(names) == len(set(names)) > 900
    assert set(EQUIVALENT) <= set(names)
    assert len(EQUIVALENT) <= MOST * len(names)
