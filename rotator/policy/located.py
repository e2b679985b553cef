"""YAML whose every key and value remembers where it stood, so that a mistake can be shown where it is.

Rules for whoever edits this file: nothing here quotes a value of the text in a mistake, because it may be a secret in the wrong place;
all mistakes of a text that can be parsed are found at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError

from rotator.errors import Mistake, PolicyError

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a place in it."""
_TAG = "tag:yaml.org,2002:"
_READ = {_TAG + "null", _TAG + "bool", _TAG + "int", _TAG + "float"}
_TEXT = {_TAG + "str", _TAG + "timestamp", _TAG + "value"}
"""A date is a text here, as it is in JSON: an unquoted ``apiVersion: 2025-09-01`` means its letters."""

MOST_REPEATED = 20_000
"""Nodes that aliases may repeat in one document, of which a policy of thousands of container groups needs fewer."""


def dotted(path: Path) -> str:
    """A path as a person reads it: ``container_groups[0].secrets.containers/app/env/DB``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Located:
    """A document, and where each of its keys and values stands. `data` is made of dict, list and plain values only."""

    file: str
    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def at(self, path: Path) -> Any:
        """The value at `path`; None where there is none."""
        found = self.data
        for part in path:
            inside = part in found if isinstance(found, dict) else isinstance(found, list) and isinstance(part, int) and part < len(found)
            if not inside:
                return None
            found = found[part]
        return found

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value (or with `key` its key) stands; for what is absent, where the nearest thing around it does."""
        for length in range(len(path), -1, -1):
            places = self.keys if key and length == len(path) else self.values
            if found := places.get(path[:length]):
                return found
        return Place(1, 1)

    def mistake(self, path: Path, problem: str, remedy: str, *, value: str = "", key: bool = False) -> Mistake:
        """A mistake at `path`."""
        place = self.place(path, key=key)
        return Mistake(self.file, place.line, place.column, dotted(path), value, problem, remedy)


def parse(text: str, file: str, *, version: tuple[int, int] = (1, 2)) -> Located:
    """Read one YAML document. Raises PolicyError where the text is no YAML; what can be read with mistakes has them in `mistakes`.

    `version` is YAML's: az reads manifests by 1.1, where ``yes`` is true.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    document = Located(file)
    try:
        root = yaml.compose(text)
        document.data = None if root is None else _Reader(document, yaml).read(root, (), ())
    except YAMLError as error:
        raise PolicyError((_syntax(error, text, file),)) from None
    except RecursionError:
        raise PolicyError((Mistake(file, 1, 1, "", "", "nested too deeply", "Write it flatter; a policy is at most six levels deep."),)) from None
    return document


def _syntax(error: YAMLError, text: str, file: str) -> Mistake:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    position = getattr(error, "position", 0)
    line, column = (mark.line, mark.column) if mark else (text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1)
    problem = re.sub(r"(alias|anchor|tag handle|tag) ['\"].*['\"]", r"\1", str(getattr(error, "problem", None) or "a character that YAML forbids"))
    remedy = "Look at this line and the one before it: indentation in spaces, a space after each colon, quotes around texts with special characters."
    return Mistake(file, line + 1, column + 1, "", "", f"not YAML: {problem}", remedy)


@dataclass(slots=True)
class _Reader:
    document: Located
    yaml: YAML
    known: set[int] = field(default_factory=set)
    again: int = 0
    """How many nodes were read once more, by an alias: aliases of aliases may be more than a machine can hold."""

    def read(self, node: Node, path: Path, above: tuple[Node, ...]) -> Any:
        self.document.values[path] = _place(node)
        self.again += id(node) in self.known
        self.known.add(id(node))
        if self.again >= MOST_REPEATED:
            return self._refuse(path, "aliases that repeat too much", "Write it out.") if self.again == MOST_REPEATED else None
        if node in above:
            return self._refuse(path, "an alias of something that it is part of", "Write it out.")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*above, node))
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index), (*above, node)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path, above: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            here = (*path, str(key.value))
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                self._refuse(path, "a key that isn't a text", "Write plain keys; << and ? aren't used here.", key)
            elif key.value in found:
                first = self.document.keys[here]
                self._refuse(here, f"the same key as in line {first.line}, column {first.column}", "Remove one of them.", key)
            else:
                self.document.keys[here] = _place(key)
                found[key.value] = self.read(value, here, above)
        return found

    def _scalar(self, node: Node, path: Path) -> Any:
        if node.tag in _READ:
            try:
                return self.yaml.constructor.construct_object(node)
            except ValueError:
                return self._refuse(path, "not a number that can be read", "Write a smaller one, or a text in quotes.")
        if node.tag not in _TEXT:
            return self._refuse(path, "a YAML tag", "Put the text in quotes.")
        return node.value

    def _refuse(self, path: Path, problem: str, remedy: str, node: Node | None = None) -> None:
        place = _place(node) if node else self.document.place(path)
        self.document.mistakes.append(Mistake(self.document.file, place.line, place.column, dotted(path), "", problem, remedy))


def _place(node: Node) -> Place:
    mark: StringMark = node.start_mark
    return Place(mark.line + 1, mark.column + 1)


def texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a document, with its path."""
    if isinstance(value, str):
        yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in inside:
        yield from texts(item, (*path, part))
