"""Tests as plain calls: what a mutant is tried on where no story can see it.

A test that wants more than `monkeypatch` is left to pytest, and so is one that only `make soak` tries.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType
from typing import Any

import pytest

GIVEN = frozenset({"monkeypatch", "record_property"})
"""Fixtures that a body gets here, too."""
Case = tuple[str, dict[str, Any]]


def bodies(module: ModuleType) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every test of a module with each of its cases, by a name."""
    for name, test in vars(module).items():
        if not (name.startswith("test_") and inspect.isfunction(test)):
            continue
        marks = getattr(test, "pytestmark", [])
        if any(mark.name != "parametrize" for mark in marks):
            continue
        for case in product(*(_cases(mark) for mark in marks)):
            given = {key: value for _, values in case for key, value in values.items()}
            wanted = frozenset(inspect.signature(test).parameters) - set(given)
            if wanted <= GIVEN:
                label = "".join(f"[{told}]" for told, _ in case)
                yield f"{module.__name__}.{name}{label}", partial(_run, test, given, wanted)


def _cases(mark: pytest.Mark) -> Iterator[Case]:
    names, cases = mark.args[0], mark.args[1]
    keys = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    for at, case in enumerate(cases):
        if getattr(case, "marks", ()):
            continue
        values = case.values if hasattr(case, "values") and hasattr(case, "marks") else (case,) if len(keys) == 1 else case
        yield f"{at}", dict(zip(keys, values, strict=True))


def _run(test: Callable[..., object], given: dict[str, Any], wanted: frozenset[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fixtures = {"monkeypatch": patch, "record_property": _nothing}
        test(**given, **{name: fixtures[name] for name in wanted})


def _nothing(name: str, value: object) -> None:
    del name, value
