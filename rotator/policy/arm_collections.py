"""Functions of ARM's template expressions on arrays, objects and numbers, with the exact result of Resource Manager.

Source: "Array functions for ARM templates", "Object functions", "Numeric functions" (azure-facts A14).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rotator.policy.manifest import has_placeholder

LONGEST_RANGE = 10_000


def number(value: Any) -> int:
    """Return a whole number. Raises TypeError for any other value."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def same(one: Any, other: Any) -> bool:
    """Tell if two values are equal in value and kind, objects in any order of their names."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def array(value: Any) -> list[Any]:
    """Return a value as an array."""
    if value is None:
        raise TypeError
    return value if isinstance(value, list) else [value]


def contains(value: Any, item: Any) -> bool:
    """Tell if a text has a part, an array an element, an object a name in any letter case."""
    if isinstance(value, str):
        return item in value
    if isinstance(value, dict):
        return item.lower() in {name.lower() for name in value}
    if not isinstance(value, list) or isinstance(item, float | list | dict) or has_placeholder(value):
        raise TypeError
    return any(same(each, item) for each in value)


def union(*parts: Any) -> Any:
    """Return the elements of arrays, each once; or objects merged with the objects in them, of which the last wins."""
    if parts and all(isinstance(part, list) for part in parts):
        return _every(*parts)
    if not all(isinstance(part, dict) for part in parts):
        raise TypeError
    found = dict[str, Any]()
    for part in parts:
        found = _merged(found, part)
    return found


def _every(*parts: list[Any]) -> list[Any]:
    """Return each element once; a placeholder may have the value of another element, so it has to stand alone."""
    found = list[Any]()
    for item in (one for part in parts for one in part):
        if has_placeholder(item) or isinstance(item, float):
            raise TypeError
        if not any(same(item, each) for each in found):
            found.append(item)
    return found


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two objects as one. Raises TypeError for names that differ in letter case alone, and for nulls."""
    found, spelled = dict(one), {name.lower(): name for name in one}
    for name, value in other.items():
        before = found.get(name)
        if spelled.setdefault(name.lower(), name) != name or (name in found and None in (before, value)):
            raise TypeError
        both = isinstance(before, dict) and isinstance(value, dict)
        found[name] = _merged(before, value) if isinstance(before, dict) and both else value
    return found


def try_get(value: Any, *names: Any) -> Any:
    """Return a property or element; None if any part of the path is missing, or the value itself."""
    for name in names:
        if value is None:
            break
        if isinstance(value, dict) and isinstance(name, str):
            value = next((item for key, item in value.items() if key.lower() == name.lower()), None)
        elif isinstance(value, list) and not isinstance(name, str):
            value = value[number(name)] if 0 <= number(name) < len(value) else None
        else:
            raise TypeError
    return value


def items(value: Any) -> list[dict[str, Any]]:
    """Return names and values of an object by name, where every order of texts is the same."""
    names = sorted(value)
    if not isinstance(value, dict) or names != sorted(value, key=str.lower) or not all(map(str.isascii, names)):
        raise TypeError
    return [{"key": name, "value": value[name]} for name in names]


def take(value: Any, count: Any) -> Any:
    """Return the first elements of an array, or characters of a text."""
    return _sequence(value)[: max(0, number(count))]


def skip(value: Any, count: Any) -> Any:
    """Return all but the first elements of an array, or characters of a text."""
    return _sequence(value)[max(0, number(count)) :]


def _sequence(value: Any) -> Any:
    if not isinstance(value, str | list):
        raise TypeError
    return value


def counted(start: Any, count: Any) -> list[int]:
    """Return `count` whole numbers from `start` on."""
    if not 0 <= number(count) <= LONGEST_RANGE:
        raise ValueError
    return list(range(number(start), number(start) + count))


def divided(one: Any, other: Any) -> int:
    """Return a quotient without its fraction. Raises ValueError for a division by zero."""
    if number(other) == 0:
        raise ValueError
    quotient: int = abs(number(one)) // abs(number(other))
    return quotient if (one < 0) == (other < 0) else -quotient


def least_or_most(choose: Callable[[list[int]], int]) -> Callable[..., int]:
    """Return the function for the least or the largest of several whole numbers, or of an array of them."""

    def chosen(*values: Any) -> int:
        listed = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return choose([number(value) for value in listed])

    return chosen


def flattened(values: Any) -> list[Any]:
    """Return the elements of the arrays in an array."""
    return [item for each in whole_array(values) for item in whole_array(each)]


def from_end(values: Any, place: Any) -> Any:
    """Return an element, counted from 1 at the end. Raises LookupError for one that doesn't exist."""
    if not 1 <= number(place) <= len(whole_array(values)):
        raise LookupError
    return values[-place]


def intersection(*parts: Any) -> list[Any]:
    """Return the elements of the first array that all others have, each once."""
    first, *others = map(whole_array, parts)
    return [one for one in _every(first) if all(any(same(one, each) for each in _every(part)) for part in others)]


def shallow_merge(parts: Any) -> dict[str, Any]:
    """Return objects as one, of which the last wins. Raises TypeError for names that differ in letter case alone."""
    found = dict[str, Any]()
    for part in whole_array(parts):
        found |= object_(part)
    if len({name.lower() for name in found}) < len(found):
        raise TypeError
    return found


def object_(value: Any) -> dict[str, Any]:
    """Return an object. Raises TypeError for any other value."""
    if not isinstance(value, dict):
        raise TypeError
    return value


def whole_array(value: Any) -> list[Any]:
    """Return an array. Raises TypeError for any other value."""
    if not isinstance(value, list):
        raise TypeError
    return value


COLLECTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: number(one) + number(other),
    "array": array,
    "contains": contains,
    "div": divided,
    "greater": lambda one, other: number(one) > number(other),
    "greaterorequals": lambda one, other: number(one) >= number(other),
    "flatten": flattened,
    "indexfromend": from_end,
    "intersection": intersection,
    "items": items,
    "less": lambda one, other: number(one) < number(other),
    "lessorequals": lambda one, other: number(one) <= number(other),
    "max": least_or_most(max),
    "min": least_or_most(min),
    "mod": lambda one, other: number(one) - divided(one, other) * other,
    "mul": lambda one, other: number(one) * number(other),
    "objectkeys": lambda value: [each["key"] for each in items(value)],
    "range": counted,
    "shallowmerge": shallow_merge,
    "skip": skip,
    "sub": lambda one, other: number(one) - number(other),
    "take": take,
    "tryget": try_get,
    "tryindexfromend": lambda values, place: from_end(values, place) if 1 <= place <= len(values) else None,
    "union": union,
}
"""Functions of arrays, objects and numbers, by their names in small letters."""
