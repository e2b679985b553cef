"""Reader of Graph's metadata (CSDL): the properties of its types, with their types and nullability."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
SPACE = re.compile(r"(microsoft\.)?graph\.(?=\w+\)?$)")
BASES = {
    "entity": {"id": "Edm.String"},
    "directoryObject": {"id": "Edm.String", "deletedDateTime": "Edm.DateTimeOffset"},
    "policyBase": {
        "id": "Edm.String",
        "deletedDateTime": "Edm.DateTimeOffset",
        "description": "Edm.String",
        "displayName": "Edm.String",
    },
}
"""Base types that an extract of the metadata may lack, by Graph's reference."""


@dataclass(frozen=True)
class Kind:
    """Type with properties, each with its type and true if it may be null; `navigation` leads to other objects.

    `open`: a tenant may add properties.
    """

    name: str
    open: bool
    properties: Mapping[str, tuple[str, bool]]
    navigation: Mapping[str, str]


@dataclass(frozen=True)
class Action:
    """Parameters of an action, by name, and the type of its answer."""

    takes: Mapping[str, tuple[str, bool]]
    answers: str | None


@dataclass
class Metadata:
    """Metadata of one or more files."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    enums: dict[str, frozenset[str]] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)

    @classmethod
    def of(cls, directory: Path) -> "Metadata":
        """Return the metadata of the files below a directory; empty without a file."""
        found = cls()
        for file in sorted(directory.glob("**/*metadata*.xml")):
            found.read(ElementTree.parse(file).getroot())
        return found

    def read(self, root: ElementTree.Element) -> None:
        """Add the content of a file; derived types have the properties of their base types, too."""
        types = {each.get("Name", ""): each for tag in ("EntityType", "ComplexType") for each in root.iter(EDM + tag)}
        self.kinds |= {name: _kind(name, types) for name in types}
        self.enums |= {
            each.get("Name", ""): frozenset(m.get("Name", "") for m in each.iter(EDM + "Member"))
            for each in root.iter(EDM + "EnumType")
        }
        for action in root.iter(EDM + "Action"):
            takes = {
                p.get("Name", ""): _typed(p)
                for p in action.iter(EDM + "Parameter")
                if p.get("Name") != "bindingParameter"
            }
            answers = action.find(EDM + "ReturnType")
            self.actions[action.get("Name", "")] = Action(takes, answers.get("Type") if answers is not None else None)

    def wrong(self, kind: str, value: Any, where: str, *, nullable: bool = True) -> Iterator[tuple[str, str]]:
        """Yield the differences of a value from a type, as place and fault."""
        if value is None:
            if not nullable:
                yield where, f"{kind} is null"
        elif kind.startswith("Collection("):
            yield from self._collection(kind, value, where)
        elif kind in PLAIN:
            if not _passes(PLAIN[kind], value):
                yield where, f"is no {kind}"
        else:
            yield from self._named(SPACE.sub("", kind), value, where)

    def _collection(self, kind: str, value: Any, where: str) -> Iterator[tuple[str, str]]:
        if not isinstance(value, list):
            yield where, f"is no {kind}"
            return
        for item in value:
            yield from self.wrong(kind[11:-1], item, f"{where}[]", nullable=False)

    def _named(self, name: str, value: Any, where: str) -> Iterator[tuple[str, str]]:
        if name in self.enums and value not in self.enums[name]:
            yield where, f"is no member of {name}"
        if name not in self.kinds:
            return
        if not isinstance(value, dict):
            yield where, f"is no {name}"
            return
        yield from self.members(self.kinds[name], value, where)

    def members(self, kind: Kind, value: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
        """Yield the differences in the members of an object; annotations are no members."""
        for name, inner in value.items():
            if "@" in name or name in kind.navigation:
                continue
            if name in kind.properties:
                of, nullable = kind.properties[name]
                yield from self.wrong(of, inner, f"{where}.{name}", nullable=nullable)
            elif not (kind.open and name.startswith("extension_")):
                yield f"{where}.{name}", f"is no property of {kind.name}"


def _kind(name: str, types: Mapping[str, ElementTree.Element]) -> Kind:
    properties: dict[str, tuple[str, bool]] = {}
    navigation: dict[str, str] = {}
    base, is_open = name, False
    while base in types:
        element = types[base]
        properties = {each.get("Name", ""): _typed(each) for each in element.iter(EDM + "Property")} | properties
        navigation = {
            each.get("Name", ""): each.get("Type", "") for each in element.iter(EDM + "NavigationProperty")
        } | navigation
        is_open = is_open or element.get("OpenType") == "true"
        base = SPACE.sub("", element.get("BaseType", ""))
    known = {name: (of, True) for name, of in BASES.get(base, {}).items()}
    return Kind(name, is_open, known | properties, navigation)


def _typed(element: ElementTree.Element) -> tuple[str, bool]:
    return element.get("Type", ""), element.get("Nullable") != "false"


def _passes(check: Callable[[Any], object], value: Any) -> bool:
    try:
        return bool(check(value))
    except (ValueError, TypeError, AttributeError):
        return False


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


PLAIN: dict[str, Callable[[Any], object]] = {
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Guid": lambda value: str(UUID(value)) == value.lower(),
    "Edm.DateTimeOffset": lambda value: datetime.fromisoformat(value).tzinfo,
    "Edm.Duration": lambda value: re.fullmatch(r"-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", value),
    "Edm.Int32": _number,
    "Edm.Int64": _number,
    "Edm.Binary": lambda value: base64.b64decode(value, validate=True) is not None,
}
"""Form of each plain type's values in JSON; types that no judged type has are left out, and not judged."""
