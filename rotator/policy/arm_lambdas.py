"""Functions of ARM's template expressions that take a lambda: `map`, `filter`, `reduce` and their like.

Source: "Lambda functions for ARM templates" (azure-facts A14). Elements are handed on as they are, placeholders too; a
function inside of a lambda refuses a placeholder as it does elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from rotator.policy.arm_collections import object_, same, whole_array
from rotator.policy.manifest import has_placeholder

Lambda = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Given:
    """Lambda of an expression: the names of its parameters, and its value for given ones."""

    names: tuple[str, ...]
    value: Lambda

    def __call__(self, *given: Any) -> Any:
        """Return the value; of `given`, a lambda may leave out what stands last."""
        if len(self.names) > len(given):
            raise TypeError
        return self.value(dict(zip(self.names, given, strict=False)))


def _true(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _map(values: Any, made: Given) -> list[Any]:
    return [made(value, index) for index, value in enumerate(whole_array(values))]


def _filter(values: Any, kept: Given) -> list[Any]:
    return [value for index, value in enumerate(whole_array(values)) if _true(kept(value, index))]


def _reduce(values: Any, start: Any, made: Given) -> Any:
    found = start
    for index, value in enumerate(whole_array(values)):
        found = made(found, value, index)
    return found


def _sort(values: Any, before: Given) -> list[Any]:
    """Return the elements in order. Raises TypeError for two without an order, unless they are equal."""

    def compared(one: Any, other: Any) -> int:
        first, last = _true(before(one, other)), _true(before(other, one))
        if first is last and not same(one, other):
            raise TypeError
        return 0 if first is last else -1 if first else 1

    return sorted(whole_array(values), key=cmp_to_key(compared))


def _to_object(values: Any, key: Given, made: Given | None = None) -> dict[str, Any]:
    found = dict[str, Any]()
    for value in whole_array(values):
        name = key(value)
        if not isinstance(name, str) or has_placeholder(name) or name.lower() in {each.lower() for each in found}:
            raise TypeError
        found[name] = made(value) if made else value
    return found


def _group_by(values: Any, key: Given) -> dict[str, list[Any]]:
    found = dict[str, list[Any]]()
    for index, value in enumerate(whole_array(values)):
        name = key(value, index)
        if not isinstance(name, str) or has_placeholder(name):
            raise TypeError
        found.setdefault(name, []).append(value)
    if len({name.lower() for name in found}) < len(found):
        raise TypeError
    return found


def _map_values(values: Any, made: Given) -> dict[str, Any]:
    return {name: made(value) for name, value in object_(values).items()}


LAMBDAS: dict[str, Callable[..., Any]] = {
    "filter": _filter,
    "groupby": _group_by,
    "map": _map,
    "mapvalues": _map_values,
    "reduce": _reduce,
    "sort": _sort,
    "toobject": _to_object,
}
"""Functions by their names in small letters; a lambda among their arguments is a `Given`."""
