"""YAML with the position of every key and value, to show mistakes by line and column.

Rules for editors of the module: no mistake quotes a value of the text, because a secret may stand in the wrong place;
all mistakes of a parseable text are found at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ruamel.yaml import YAML, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError

from rotator.errors import Mistake, PolicyError
from rotator.visible import one_line

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a place in it."""
_TAG = "tag:yaml.org,2002:"
_READ = {_TAG + "null", _TAG + "bool", _TAG + "int", _TAG + "float"}
_TEXT = {_TAG + "str", _TAG + "timestamp", _TAG + "value"}
"""A date is a text here, as it is in JSON: an unquoted ``apiVersion: 2025-09-01`` means its letters."""

_NUMBER = 64
"""Characters of the longest number that is read: a longer one costs the square of its length."""
_UNSAYABLE = re.compile("[\0\ud800-\udfff]")
"""What no text that is sent to Azure can have: NUL, and halves of a character in UTF-16."""
_NO_TEXT = "a character that no text can have: NUL, or half of one"
DEEPEST = 64
"""Levels of a document; a policy has six, and a container group's manifest a dozen."""
MOST_NODES = 50_000
"""Keys, values and lists of a document, and their anchors and tags; a thousand container groups with ten secrets each
have fewer.
"""
MOST_REPEATED = 20_000
"""Nodes that aliases may repeat in one document, of which a policy of thousands of container groups needs fewer."""
MOST_REPEATED_TEXT = 1 << 20
"""Characters that aliases may repeat."""


def dotted(path: Path) -> str:
    """A path as a person reads it: ``container_groups[0].secrets.containers/app/env/DB``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{plain(part)}" for part in path).removeprefix(".")


def plain(text: str, most: int = 160) -> str:
    """Return a text as one line for a mistake: cut to `most` characters, control characters escaped."""
    return one_line(text if len(text) <= most else text[: most - 3] + "...")


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
            inside = (
                part in found
                if isinstance(found, dict)
                else isinstance(found, list) and isinstance(part, int) and part < len(found)
            )
            if not inside:
                return None
            found = found[part]
        return found

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the position of a value (or with `key` of its key); for an absent one, of the nearest parent."""
        for length in range(len(path), -1, -1):
            places = self.keys if key and length == len(path) else self.values
            if found := places.get(path[:length]):
                return found
        return Place(1, 1)

    def mistake(self, path: Path, problem: str, remedy: str, *, value: str = "", key: bool = False) -> Mistake:
        """A mistake at `path`."""
        place = self.place(path, key=key)
        return Mistake(
            self.file, place.line, place.column, dotted(path), value, plain(problem, 1000), plain(remedy, 1000)
        )


def parse(text: str, file: str, *, version: tuple[int, int] = (1, 2)) -> Located:
    """Read one YAML document.

    Raises PolicyError where the text is no YAML; what can be read with mistakes has them in `mistakes`.

    `version` is YAML's: az reads manifests by 1.1, where ``yes`` is true.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version, yaml.max_depth, yaml.Composer = version, DEEPEST, _Counted
    document = Located(file)
    try:
        root = yaml.compose(text)
        document.data = None if root is None else _Reader(document, yaml).read(root, (), ())
    except YAMLError as error:
        raise PolicyError((_syntax(error, text, file),)) from None
    return document


class _TooMany(MarkedYAMLError):
    """The document has more nodes than are read."""


class _Counted(Composer):
    """Builds the tree of a document node by node, of which there may be many but not any number."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors, self.nodes = False, 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose the next node with all of its children."""
        event = self.parser.peek_event()
        self.nodes += 1 + bool(getattr(event, "anchor", None)) + bool(getattr(event, "tag", None))
        if self.nodes > MOST_NODES:
            raise _TooMany(None, None, "", event.start_mark)
        return super().compose_node(parent, index)


def _syntax(error: YAMLError, text: str, file: str) -> Mistake:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    position = getattr(error, "position", 0)
    line, column = (
        (mark.line, mark.column)
        if mark
        else (text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1)
    )
    if isinstance(error, MaxDepthExceededError):
        return Mistake(
            file,
            line + 1,
            column + 1,
            "",
            "",
            "nested too deeply",
            "Write it flatter; a policy is at most six levels deep.",
        )
    if isinstance(error, _TooMany):
        return Mistake(
            file,
            line + 1,
            column + 1,
            "",
            "",
            f"more than {MOST_NODES} keys and values",
            "Split it: a policy is about one principal.",
        )
    problem = re.sub(
        r"(alias|anchor|tag handle|tag) ['\"].*['\"]",
        r"\1",
        str(getattr(error, "problem", None) or "a character that YAML forbids"),
    )
    remedy = (
        "Look at this line and the one before it: indentation in spaces, a space after each colon, quotes around texts"
        " with special characters."
    )
    return Mistake(file, line + 1, column + 1, "", "", f"not YAML: {plain(problem)}", remedy)


@dataclass(slots=True)
class _Reader:
    document: Located
    yaml: YAML
    known: set[int] = field(default_factory=set)
    again: int = 0
    """How many nodes were read once more, by an alias: aliases of aliases may be more than a machine can hold."""
    text: int = 0
    """How many characters these had."""
    full: bool = False

    def read(self, node: Node, path: Path, above: tuple[Node, ...]) -> Any:
        if self.full:
            return None
        self.document.values[path] = _place(node)
        if id(node) in self.known:
            self.again, self.text = self.again + 1, self.text + (len(node.value) if isinstance(node, ScalarNode) else 0)
        self.known.add(id(node))
        if self.again >= MOST_REPEATED or self.text > MOST_REPEATED_TEXT:
            self.full = True
            return self._refuse(path, "aliases that repeat too much", "Write it out.")
        if any(node is one for one in above):
            return self._refuse(path, "an alias of something that it is part of", "Write it out.")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*above, node))
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index), (*above, node)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path, above: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = _joined(key.value) if isinstance(key, ScalarNode) else ""
            here = (*path, name)
            if not isinstance(key, ScalarNode) or key.tag == _TAG + "merge":
                self._refuse(path, "a key that isn't a text", "Write plain keys; << and ? aren't used here.", key)
            elif _UNSAYABLE.search(name):
                self._refuse(here, _NO_TEXT, "Remove it.", key)
            elif name in found:
                first = self.document.keys[here]
                self._refuse(
                    here, f"the same key as in line {first.line}, column {first.column}", "Remove one of them.", key
                )
            else:
                self.document.keys[here] = _place(key)
                found[name] = self.read(value, here, above)
        return found

    def _scalar(self, node: Node, path: Path) -> Any:
        if node.tag in _READ:
            return self._number(node, path)
        if node.tag not in _TEXT:
            return self._refuse(path, "a YAML tag", "Put the text in quotes.")
        text = _joined(node.value)
        if _UNSAYABLE.search(text):
            return self._refuse(path, _NO_TEXT, "Remove it.")
        return text

    def _number(self, node: Node, path: Path) -> Any:
        """A number, a truth or nothing; infinite ones are none, since JSON has no word for them."""
        try:
            value = self._constructed(node) if len(node.value) <= _NUMBER else None
        except (ValueError, LookupError, OverflowError):
            value = None
        unread = value is None and node.tag != _TAG + "null"
        if unread or (isinstance(value, float) and not isfinite(value)):
            return self._refuse(path, "not a number that can be read", "Write a smaller one, or a text in quotes.")
        return value

    def _constructed(self, node: Node) -> Any:
        """Return the value of the node.

        ``1e3`` is a number in YAML 1.2 and in JSON; for a number of YAML 1.1 the library would warn on stderr.
        """
        if node.tag == _TAG + "float" and "e" in node.value.lower():
            return float(node.value.replace("_", ""))
        return self.yaml.constructor.construct_object(node)

    def _refuse(self, path: Path, problem: str, remedy: str, node: Node | None = None) -> None:
        place = _place(node) if node else self.document.place(path)
        self.document.mistakes.append(
            Mistake(self.document.file, place.line, place.column, dotted(path), "", problem, remedy)
        )


def _place(node: Node) -> Place:
    mark: StringMark = node.start_mark
    return Place(mark.line + 1, mark.column + 1)


def texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text in a document, with its path."""
    if isinstance(value, str):
        yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in inside:
        yield from texts(item, (*path, part))


def _joined(text: str) -> str:
    """A text as it was meant: JSON writes a character beyond the first 65,536 as two halves."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if _UNSAYABLE.search(text) else text
