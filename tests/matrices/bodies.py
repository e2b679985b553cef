"""Tests as plain calls, to try mutants that no story can notice.

A test gets the fixtures of pytest's own, of its module, and of the conftest in its folder, if they are plain functions.
Tests with other fixtures are left to pytest, and so are tests of `make soak` alone.
"""

import importlib
import inspect
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GIVEN = frozenset({"monkeypatch", "record_property", "tmp_path"})
"""Fixtures that bodies get here, too."""
Fixtures = Mapping[str, Callable[..., Any]]
Case = tuple[str, dict[str, Any]]


def bodies(module: ModuleType) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield every test of a module with each of its cases, by name."""
    fixtures = _fixtures(module)
    for name, test in vars(module).items():
        if not (name.startswith("test_") and inspect.isfunction(test)):
            continue
        marks = getattr(test, "pytestmark", [])
        if any(mark.name != "parametrize" for mark in marks):
            continue
        for case in product(*(_cases(mark) for mark in marks)):
            given = {key: value for _, values in case for key, value in values.items()}
            wanted = frozenset(inspect.signature(test).parameters) - set(given)
            if all(map(partial(_can, fixtures), wanted)):
                label = "".join(f"[{told}]" for told, _ in case)
                yield f"{module.__name__}.{name}{label}", partial(_run, test, given, wanted, fixtures)


def _cases(mark: pytest.Mark) -> Iterator[Case]:
    names, cases = mark.args[0], mark.args[1]
    keys = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    for at, case in enumerate(cases):
        if getattr(case, "marks", ()):
            continue
        values = (
            case.values if hasattr(case, "values") and hasattr(case, "marks") else (case,) if len(keys) == 1 else case
        )
        yield f"{at}", dict(zip(keys, values, strict=True))


def _fixtures(module: ModuleType) -> Fixtures:
    """Return the fixtures of the module, and of the conftest in its folder."""
    file = Path(module.__file__ or "").with_name("conftest.py")
    beside = vars(importlib.import_module(f"{module.__package__}.conftest")) if file.exists() else {}
    made = [(name, each) for name, each in {**beside, **vars(module)}.items() if hasattr(each, "_get_wrapped_function")]
    return {each.name or name: each._get_wrapped_function() for name, each in made}


def _can(fixtures: Fixtures, name: str) -> bool:
    if name in GIVEN or name not in fixtures:
        return name in GIVEN
    make = fixtures[name]
    return not inspect.isgeneratorfunction(make) and all(
        _can(fixtures, each) for each in inspect.signature(make).parameters
    )


def _run(test: Callable[..., object], given: dict[str, Any], wanted: frozenset[str], fixtures: Fixtures) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        known: dict[str, Any] = {"monkeypatch": patch, "record_property": _nothing, "tmp_path": Path(directory)}
        test(**given, **{name: _given(name, known, fixtures) for name in wanted})


def _given(name: str, known: dict[str, Any], fixtures: Fixtures) -> Any:
    if name not in known:
        make = fixtures[name]
        known[name] = make(**{each: _given(each, known, fixtures) for each in inspect.signature(make).parameters})
    return known[name]


def _nothing(name: str, value: object) -> None:
    del name, value
