"""Compare two documents of one group, property by property and without secrets: for people, and for invariant I4."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.arm_json import Json, Value, drop, get, plain, text
from rotator.container_group.document import Document
from rotator.container_group.hidden_values import places
from rotator.container_group.put_properties import writable
from rotator.container_group.tags import OURS
from rotator.container_group.value_sources import Recipes

HIDDEN = "***"
_SECRET = (
    "password",
    "securevalue",
    "storageaccountkey",
    "workspacekey",
    "workspaceresourceid",
    "secret",
    "value",
    "command",
    "ccepolicy",
)
"""Properties whose values are never shown, with all below them.

Plain variables and commands often hold secrets, too.
"""
_IN_ADDRESS = re.compile(r"//[^/@\s]+@")
"""User and password in front of a host, as addresses of Git repositories have them."""
_OPAQUE = ("protectedsettings",)
"""Properties whose very structure comes out of a secret."""
DATA = ("secret", "keyvaluepairs", "metadata", "settings")
"""Objects whose keys are data and have a case."""


@dataclass(frozen=True, slots=True)
class Change:
    """One differing property. None: the property is absent.

    Values which may be secret read ``***``; where only their kinds differ, these are named.
    """

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.path}: {self.before or 'nothing'} -> {self.after or 'nothing'}"


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """Return all differences by path, except in properties written by the service alone.

    Null equals absence; order in arrays counts.
    """
    one, other = (writable(document) if document is not None else None for document in (before, after))
    return tuple(sorted(_changes("", one, other, secret=False, exact=False), key=lambda change: change.path))


def unasked(before: Document, after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the differences that a rotation must not make (I4): all but the principal's password and our tags."""
    return difference(*(_neutral(body, before.recipes) for body in (before.body, after)))


def _neutral(document: Mapping[str, Any], known: Recipes) -> Json:
    body: Json = plain(document)
    for place in places(body):
        if known.password(place):
            place.write("")
    tags = get(body, "tags")
    drop(tags, *OURS)
    if not tags:
        drop(body, "tags")
    return body


def _changes(path: str, one: Value, other: Value, *, secret: bool, exact: bool) -> Iterator[Change]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        yield from _members(path, one, other, secret, exact)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _items(path, one, other, secret, exact)
    elif not _equal(one, other):
        yield from _whole(path, one, other, secret, exact)


def _members(
    path: str, one: Mapping[str, Any], other: Mapping[str, Any], secret: bool, exact: bool
) -> Iterator[Change]:
    names = {(name if exact else name.lower()): name for name in (*other, *one)}
    sides = [{(name if exact else name.lower()): value for name, value in side.items()} for side in (one, other)]
    for key, name in names.items():
        below, pair = f"{path}.{name}" if path else name, (sides[0].get(key), sides[1].get(key))
        if name.lower() in _OPAQUE:
            yield from [] if _equal(*pair) else [Change(below, *(_rendered(value, secret=True) for value in pair))]
        else:
            yield from _changes(
                below, *pair, secret=secret or name.lower() in _SECRET, exact=exact or name.lower() in DATA
            )


def _items(path: str, one: list[Value], other: list[Value], secret: bool, exact: bool) -> Iterator[Change]:
    names = [[_called(item) for item in side] for side in (one, other)]
    if all(all(side) and len(set(side)) == len(side) for side in names):
        yield from _named(
            path, dict(zip(names[0], one, strict=True)), dict(zip(names[1], other, strict=True)), secret, exact
        )
        return
    for index in range(max(len(one), len(other))):
        sides = [side[index] if index < len(side) else None for side in (one, other)]
        yield from _changes(f"{path}[{_label(sides, index)}]", *sides, secret=secret, exact=exact)


def _named(
    path: str, one: Mapping[str, Value], other: Mapping[str, Value], secret: bool, exact: bool
) -> Iterator[Change]:
    """Compare items by name if all of them have names: an inserted item changes no other.

    A different order is reported as a change of its own.
    """
    for name in dict.fromkeys((*one, *other)):
        yield from _changes(f"{path}[{name}]", one.get(name), other.get(name), secret=secret, exact=exact)
    orders = [[name for name in side if name in one and name in other] for side in (one, other)]
    if orders[0] != orders[1]:
        yield Change(f"{path} (order)", *(", ".join(order) for order in orders))


def _called(item: Value) -> str:
    return text(item, "name") or text(item, "server")


def _label(sides: list[Value], index: int) -> str:
    """Return the label of an array item: the name or server, else the index.

    The name counts if both sides agree or only one side has the item.
    """
    called = {_called(side) for side in sides if side is not None}
    return (called.pop() or str(index)) if len(called) == 1 else str(index)


def _equal(one: Value, other: Value) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _whole(path: str, one: Value, other: Value, secret: bool, exact: bool) -> Iterator[Change]:
    """Report a value absent on one side or of another kind, part by part, so that secrets inside stay hidden."""
    for side, (value, opposite) in enumerate(((one, other), (other, one))):
        if isinstance(value, (Mapping, list)) and value and opposite is None:
            empty: Value = {} if isinstance(value, Mapping) else []
            yield from _changes(path, *((value, empty) if side == 0 else (empty, value)), secret=secret, exact=exact)
            return
    sides = [_rendered(value, secret=secret) for value in (one, other)]
    if sides == [HIDDEN, HIDDEN] and _written(one) == _written(other):
        sides = [f"{HIDDEN} as {_kind(value)}" for value in (one, other)]
    yield Change(path, *sides)


def _written(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind(value: Value) -> str:
    kinds = {str: "text", bool: "truth value", int: "number", float: "number"}
    return kinds.get(type(value), "JSON")


def _rendered(value: Value, *, secret: bool) -> str | None:
    if value is None:
        return None
    if secret or (isinstance(value, (Mapping, list)) and value):
        return HIDDEN
    return _IN_ADDRESS.sub(f"//{HIDDEN}@", json.dumps(value, ensure_ascii=False))
