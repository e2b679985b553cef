"""Judge of an answer of Resource Manager, by resource types (as in the repository Azure/bicep-types-az).

The types exist for further versions than the descriptions of ``operations.py``, and mark secrets; they describe bodies
of resources and of actions, not status codes or errors. Requests in an older version than the oldest described one
aren't judged.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_azure.wire import Request, Response

from descriptions.judge import Finding

REQUIRED, WRITE_ONLY = 1, 4
"""Flags of a property."""
_RESOURCE = re.compile(r"(?P<type>[\w.]+(?:/\w+)+)@(?P<version>\d{4}-\d\d-\d\d[\w-]*)")
_PROVIDERS = re.compile(r".*/providers/(?P<space>[\w.]+)/(?P<rest>[^/]+(?:/[^/]+)*)", re.IGNORECASE)


@dataclass(frozen=True)
class Described:
    """Body of a resource, or answer of an action, in one version, by its place in the file."""

    version: str
    types: list[Any]
    body: int


class TypesJudge:
    """Judge of one answer, by the types in a directory."""

    def __init__(self, directory: Path) -> None:
        self._known: dict[str, list[Described]] = {}
        for file in sorted((*directory.glob("**/bicep-types-*.json"), *directory.glob("**/types.json"))):
            content = json.loads(file.read_text())
            for name, version, body in _bodies(content) if isinstance(content, list) else ():
                self._known.setdefault(name.lower(), []).append(Described(version, content, body))

    def judge(self, request: Request, response: Response) -> list[Finding] | None:
        """Return the differences from the types; None for an answer without a description."""
        if not request.host.startswith("management.") or response.status >= 300 or not response.body:
            return None
        name, listed = _kind(request)
        fits = [
            each for each in self._known.get(name.lower(), ()) if each.version <= request.query.get("api-version", "")
        ]
        if not fits:
            return None
        read = _Reading(max(fits, key=lambda each: each.version), secrets=request.method != "POST")
        content = json.loads(response.body)
        said = read.page(content) if listed else read.value(read.described.body, content, "")
        named = f"{request.method} {name}@{read.described.version}"
        return sorted({Finding(named, response.status, where or ".", what) for where, what in said})


def _bodies(types: list[Any]) -> Iterator[tuple[str, str, int]]:
    for each in types:
        found = _RESOURCE.fullmatch(each.get("name", "")) if each.get("$type") == "ResourceType" else None
        if found:
            yield found["type"], found["version"], _place(each["body"])
        elif each.get("$type") == "ResourceFunctionType":
            yield f"{each['resourceType']}/{each['name']}()", each["apiVersion"], _place(each["output"])


def _place(reference: Any) -> int:
    return int(reference["$ref"].rsplit("/", 1)[-1])


def _kind(request: Request) -> tuple[str, bool]:
    """Return the type of a path, and true for a list; an action is written like a function."""
    found = _PROVIDERS.fullmatch(re.sub(r"/{2,}", "/", request.path).rstrip("/"))
    if not found:
        return "", False
    parts = found["rest"].split("/")
    kinds = "/".join([found["space"], *parts[::2]])
    listed = len(parts) % 2 == 1
    return (f"{kinds}()", False) if listed and request.method == "POST" else (kinds, listed)


@dataclass(frozen=True)
class _Reading:
    """One answer, read by one description.

    `secrets`: values marked as secret must not be in the answer; the answers of actions may have them.
    """

    described: Described
    secrets: bool

    def page(self, content: Any) -> Iterator[tuple[str, str]]:
        """Yield the differences of a list of resources."""
        if not isinstance(content, dict) or not isinstance(content.get("value"), list):
            yield "", "is no page of a list"
            return
        for item in content["value"]:
            yield from self.value(self.described.body, item, ".value[]")

    def value(self, place: int, value: Any, where: str) -> Iterator[tuple[str, str]]:
        """Yield the differences of a value from the type at `place`."""
        kind = self.described.types[place]
        if kind.get("sensitive") and self.secrets and value not in ({}, None):
            yield where, "is returned, and a secret"
        elif kind["$type"] == "UnionType":
            if all(any(True for _ in self.value(_place(each), value, where)) for each in kind["elements"]):
                yield where, "is none of these"
        elif kind["$type"] == "ArrayType" and isinstance(value, list):
            for item in value:
                yield from self.value(_place(kind["itemType"]), item, f"{where}[]")
        elif kind["$type"] == "ObjectType" and isinstance(value, dict):
            yield from self._object(kind, value, where)
        elif not _plain(kind, value):
            yield where, f"is no {kind['$type']}" + (", is null" if value is None else "")

    def _object(self, kind: Any, value: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
        properties, others = kind["properties"], kind.get("additionalProperties")
        for name, inner in value.items():
            place = properties[name]["type"] if name in properties else others
            if name in properties and properties[name]["flags"] & WRITE_ONLY:
                yield f"{where}.{name}", "is returned, and only written"
            elif place is not None:
                yield from self.value(_place(place), inner, f"{where}.{name}")
        for name, described in properties.items():
            hidden = described["flags"] & WRITE_ONLY or self.described.types[_place(described["type"])].get("sensitive")
            if described["flags"] & REQUIRED and not hidden and name not in value:
                yield where, f"without {name}"


def _plain(kind: Any, value: Any) -> bool:
    """Tell if a value is of a type without parts.

    Every number is called an integer there: the types' language has no other.
    """
    checks: dict[str, bool] = {
        "StringType": isinstance(value, str) and re.search(kind.get("pattern", ""), value) is not None,
        "StringLiteralType": bool(value == kind.get("value")),
        "IntegerType": isinstance(value, int | float) and not isinstance(value, bool),
        "BooleanType": isinstance(value, bool),
        "AnyType": True,
    }
    return bool(checks.get(kind["$type"], False))
