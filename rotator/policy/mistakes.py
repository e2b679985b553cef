"""Translate pydantic's errors for a policy's author: position, value found, and remedy.

Rules for editors of the module: show a value only in places without possible secrets (`_PRIVATE`, and never under an
unknown key); remedies come from the schema for editors, so that every field has one description.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

from pydantic_core import ErrorDetails

from rotator.errors import Mistake
from rotator.policy.jsonschema import schema
from rotator.policy.located import Located, Path, dotted, plain
from rotator.secret import ENTRA_SECRET

MOST = 100
"""Mistakes of one file that are reported: a longer list helps no reader."""
_PRIVATE = {"secrets", "password_secret", "username_secret"}
"""Below these, people paste secrets where the name of one is meant."""
_SHARED = {"base", "common", "default", "defaults", "global", "shared"}
"""Names that people give to a file of defaults."""
_EXTENDING = {
    "base",
    "default",
    "defaults",
    "extend",
    "extends",
    "from",
    "import",
    "imports",
    "include",
    "includes",
    "inherit",
    "inherits",
}
"""Keys by which other programs' files name what they extend."""

_STEPS = ("[key]", "$key_vault", "$credential", "$value")

_Wording = Callable[[Mapping[str, Any], object], tuple[str, str]]
"""The problem and the remedy, from what the schema says of a field and what was found."""


def described(found: Located, errors: Sequence[ErrorDetails]) -> Iterator[Mistake]:
    """Yield the mistakes found by pydantic, without consequences of other mistakes.

    The number of mistakes put into words is limited.
    """
    known = {mistake.path for mistake in found.mistakes}
    for number, error in enumerate(errors):
        path = _path(found, error["loc"])
        follows = error["type"] == "default_factory_not_called" or (error["type"] == "too_short" and found.at(path))
        if number >= MOST:
            yield found.mistake(path, "one more mistake", "Correct those that are named first.")
        elif not (follows or dotted(path) in known):
            yield _mistake(found, error)


def _mistake(found: Located, error: ErrorDetails) -> Mistake:
    context = error.get("ctx", {})
    path = (*_path(found, error["loc"]), *context.get("at", ()))
    if error["type"] == "missing":
        return _missing(found, path)
    if error["type"] == "extra_forbidden":
        return _unknown(found, path)
    kind: _Wording = _KINDS.get(error["type"], _other)
    problem, remedy = (error["msg"], context["remedy"]) if "remedy" in context else kind(_field(path), found.at(path))
    return found.mistake(path, problem, remedy, value=_shown(found, path), key="[key]" in error["loc"])


def _shown(found: Located, path: Path) -> str:
    """Return a value for a mistake: empty for a possible secret, or for more than one line."""
    value = found.at(path)
    if (
        _PRIVATE & set(path)
        or path not in found.values
        or isinstance(value, dict | list)
        or ENTRA_SECRET.search(str(value))
    ):
        return ""
    return plain(json.dumps(value, ensure_ascii=False, default=str), 300)


def _path(found: Located, loc: tuple[int | str, ...]) -> Path:
    """Return the position of the error in the document.

    Pydantic's own steps (``[key]``, the tag of a union) are no positions, unless a key has the same name.
    """
    path: Path = ()
    for part in loc:
        around = found.at(path)
        if part not in _STEPS or (isinstance(around, dict) and part in around):
            path = (*path, part)
    return path


def _missing(found: Located, path: Path) -> Mistake:
    field, name = _field(path), path[-1]
    example = field.get("examples", [None])[0]
    inner = (
        field.get("required")
        or field.get("then", {}).get("required")
        or _resolve(field.get("items", {})).get("required")
    )
    line = f"`{name}: {example}`" if example is not None else f"`{name}:`, and below it {', '.join(inner or ())}"
    misnamed = path == ("principal",) and PurePath(found.file).stem.strip("_").lower() in _SHARED
    rename = "If its keys are for all policies of the directory, call the file `_defaults.yaml`. " if misnamed else ""
    remedy = f"{rename}Add {line}. {field.get('description', '')}".strip()
    return found.mistake(path[:-1], f"{name} is missing", remedy, own=True)


def _unknown(found: Located, path: Path) -> Mistake:
    known = sorted(_resolve(_field(path[:-1])).get("properties", ()))
    near = get_close_matches(str(path[-1]).lower(), known, n=1, cutoff=0.6)
    remedy = f"Did you mean {near[0]}? " if near else ""
    if path[:-1] == () and str(path[-1]).lower() in _EXTENDING:
        remedy = "A policy extends the `_defaults.yaml` of its directory and of those above without a key: remove it. "
    return found.mistake(path, "unknown key", f"{remedy}Known here: {', '.join(known)}.", key=True)


def _words(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    words = _resolve(field).get("enum") or [_resolve(field).get("const")]
    near = get_close_matches(str(value), words, n=1, cutoff=0.6)
    return "not one of the allowed values", (f"Did you mean {near[0]}? " if near else "") + f"Write {_either(words)}."


def _mapping(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    keys = list(_resolve(field).get("properties", ()))
    return (
        f"{_noun(value)}, where a mapping (keys with values) is needed",
        f"Write below it: {', '.join(keys)}." if keys else f"Write keys below it. {field.get('description', '')}",
    )


def _list(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    return (
        f"{_noun(value)}, where a list is needed",
        f"Write one entry per line, each after a dash. {field.get('description', '')}",
    )


def _empty(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    return "an empty list", f"Write at least one entry. {field.get('description', '')}"


def _number(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    return (
        "not a whole number in the allowed range",
        f"Write a number from {field.get('minimum')} to {field.get('maximum')}.",
    )


def _truth(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    return "neither true nor false", f"Write true or false. {field.get('description', '')}"


def _other(field: Mapping[str, Any], value: object) -> tuple[str, str]:
    example = "".join(f" For example {example}." for example in field.get("examples", ())[:1])
    return f"{_noun(value)} that is not allowed here", f"{field.get('description', 'Remove it.')}{example}"


_KINDS: dict[str, Callable[[Mapping[str, Any], Any], tuple[str, str]]] = {
    "enum": _words,
    "literal_error": _words,
    "model_type": _mapping,
    "mapping_type": _mapping,
    "dict_type": _mapping,
    "tuple_type": _list,
    "too_short": _empty,
    "int_type": _number,
    "int_from_float": _number,
    "greater_than_equal": _number,
    "less_than_equal": _number,
    "bool_type": _truth,
}


def _noun(value: object) -> str:
    nouns = {
        dict: "keys",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "nothing",
    }
    return nouns.get(type(value), "something")


def _either(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _field(path: Path) -> Mapping[str, Any]:
    """Return the schema of the field at `path`; keep a description beside a reference."""
    found: Mapping[str, Any] = schema()
    for part in path:
        found = _inside(_resolve(found), part)
    return {**_resolve(found), **found}


def _inside(field: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    """Return the schema one level deeper; free keys have one pattern, and one description."""
    free: Mapping[str, Any] = next(iter(field.get("patternProperties", {}).values()), {})
    deeper: Mapping[str, Any] = (
        field.get("items", {}) if isinstance(part, int) else field.get("properties", {}).get(part, free)
    )
    return deeper


def _resolve(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the field with references resolved, without the null variant, and with the keys of all variants."""
    if reference := field.get("$ref"):
        return _resolve(schema()["$defs"][reference.rsplit("/", 1)[-1]])
    if choices := [_resolve(choice) for choice in field.get("anyOf", ()) if choice.get("type") != "null"]:
        return choices[0]
    if variants := [_resolve(variant) for variant in field.get("oneOf", ())]:
        return {"properties": {key: value for variant in variants for key, value in variant["properties"].items()}}
    return field
