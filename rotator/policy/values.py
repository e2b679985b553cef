"""Values of a document's nodes, by the language that the document is written in.

Rules for editors of the module: no mistake quotes a value of the text, because a secret may stand in the wrong place;
all mistakes of a parseable text are found at once.
"""

import json
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml.constructor import ConstructorError, SafeConstructor

from rotator.errors import Mistake
from rotator.policy.located import Located, Path, Position, dotted
from rotator.policy.nodes import DEEPEST, FROM_SHELL, TAG, Bounded, Core, Json, OfAz, compose

_STR, _MERGE, _VALUE, _DATE = (f"{TAG}{kind}" for kind in ("str", "merge", "value", "timestamp"))
_NUMBERS = {f"{TAG}{kind}" for kind in ("null", "bool", "int", "float")}
_COLLECTIONS = {f"{TAG}map", f"{TAG}seq"}
_NUMBER = 64
"""Characters of the longest number that is read: a longer one costs the square of its length."""
_UNSAYABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no text sent to Azure can have: NUL, and single UTF-16 surrogates."""
MOST_REPEATED = 20_000
"""Nodes that aliases may repeat in one document, of which a policy of thousands of container groups needs fewer."""
MOST_REPEATED_TEXT = 1 << 20
"""Characters that aliases may repeat."""
_SAFE = SafeConstructor()


class _Unread(ValueError):
    """A node that has no value in its language."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


@dataclass(frozen=True, slots=True)
class Language:
    """Rules by which nodes become values.

    `key` gives a key as it is compared with others, `scalar` a value. `lenient`: of a repeated key the last value
    counts, and `<<` merges; else both are mistakes.
    """

    syntax: type[Bounded]
    scalar: Callable[[ScalarNode], Any]
    key: Callable[[ScalarNode], Hashable]
    lenient: bool


def parse(text: str, file: str, language: Language | None = None) -> Located:
    """Read one document; by default in the language of policies, YAML 1.2.

    Raises PolicyError where the text isn't of the language; what can be read with mistakes has them in `mistakes`.
    """
    language = language or POLICY
    document = Located(file)
    root = compose(text, file, language.syntax)
    document.data = None if root is None else _Reader(document, language).read(root, (), ())
    return document


@dataclass(slots=True)
class _Reader:
    document: Located
    language: Language
    known: dict[int, Path] = field(default_factory=dict)
    """Path at which each node was read first."""
    merged: set[int] = field(default_factory=set)
    """Nodes that a merge key repeats, some before they are read in their own place."""
    again: int = 0
    """Number of nodes read again through an alias: aliases of aliases may be more than a machine can hold."""
    text: int = 0
    """Number of their characters."""
    full: bool = False
    weights: dict[int, int] = field(default_factory=dict)
    """Pairs of each mapping that merges, with those that it merges."""

    def read(self, node: Node, path: Path, above: tuple[Node, ...]) -> Any:
        if self.full:
            return None
        self.document.values[path] = _place(node)
        self._repeated(node, path)
        if self.again >= MOST_REPEATED or self.text > MOST_REPEATED_TEXT:
            self.full = True
            return self._refuse(path, "aliases that repeat too many values", "Write it out.")
        if any(node is one for one in above):
            return self._refuse(path, "an alias that contains itself", "Write it out.")
        if not isinstance(node, ScalarNode) and node.tag not in _COLLECTIONS:
            return self._refuse(path, "a YAML tag", "Write it without the tag.")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, (*above, node))
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index), (*above, node)) for index, item in enumerate(node.value)]
        return self._value(self.language.scalar, node, path)

    def _repeated(self, node: Node, path: Path) -> None:
        first = self.known.setdefault(id(node), path)
        if id(node) in self.merged:
            self.document.shared.add(first)
        if first is not path:
            self.again, self.text = self.again + 1, self.text + (len(node.value) if isinstance(node, ScalarNode) else 0)
            self.document.shared.add(first)

    def _mapping(self, node: MappingNode, path: Path, above: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, (written, value) in self._pairs(node, path).items():
            here = (*path, str(key))
            self.document.keys[here] = _place(written)
            found[str(key)] = self.read(value, here, above)
        return found

    def _pairs(self, node: MappingNode, path: Path) -> dict[Hashable, tuple[ScalarNode, Node]]:
        """Return the pairs of a mapping by their keys, merged ones included."""
        found = dict[Hashable, tuple[ScalarNode, Node]]()
        for key, value in self._merged(node, path) if self.language.lenient else node.value:
            if not isinstance(key, ScalarNode) or key.tag == _MERGE:
                remedy = (
                    "Write plain keys; << and ? aren't used here, and a variable in braces has to be filled in before."
                )
                self._refuse(path, "a key that isn't a text", remedy, key)
            elif (name := self._value(self.language.key, key, path, key)) is not None or key.tag == f"{TAG}null":
                if name in found and not self.language.lenient:
                    self._twice(path, name, key, found[name][0])
                else:
                    found[name] = key, value
        return found

    def _merged(self, node: MappingNode, path: Path) -> list[tuple[Node, Node]]:
        """Return the pairs of a mapping with those behind its merge keys, in the order that PyYAML gives them."""
        merges = [value for key, value in node.value if key.tag == _MERGE]
        for value in merges:
            for one in value.value if isinstance(value, SequenceNode) else [value]:
                self.document.shared.update({self.known[id(one)]} if id(one) in self.known else ())
                self.merged.add(id(one))
        if merges:
            try:
                self.again += self._weight(node, 0) - len(node.value)
                _SAFE.flatten_mapping(node)
            except ConstructorError:
                self._refuse(path, "a merge (<<) of a value that is not a mapping", "Write <<: *name.", merges[0])
                return []
            except _Unread as error:
                self._refuse(path, error.problem, error.remedy, merges[0])
                return []
        return list(node.value)

    def _weight(self, node: MappingNode, depth: int) -> int:
        """Return how many pairs a mapping has with all that it merges, found before they are made."""
        if depth > DEEPEST:
            raise _Unread("merges (<<) that contain themselves, or are nested too deeply", "Write them out.")
        if id(node) not in self.weights:
            weight = len(node.value)
            for key, value in node.value:
                for one in value.value if isinstance(value, SequenceNode) else [value]:
                    if key.tag == _MERGE and isinstance(one, MappingNode):
                        weight += self._weight(one, depth + 1)
            self.weights[id(node)] = weight
        if self.again + self.weights[id(node)] > MOST_REPEATED:
            raise _Unread("merges (<<) that repeat too many values", "Write them out.")
        return self.weights[id(node)]

    def _twice(self, path: Path, name: Hashable, key: Node, first: Node) -> None:
        place = _place(first)
        problem = f"the same key as in line {place.line}, column {place.column}"
        self._refuse((*path, str(name)), problem, "Remove one of them.", key)

    def _value(self, read: Callable[[ScalarNode], Any], node: Node, path: Path, at: Node | None = None) -> Any:
        try:
            value = read(node) if isinstance(node, ScalarNode) else None
        except _Unread as error:
            return self._refuse(path, error.problem, error.remedy, at)
        return value

    def _refuse(self, path: Path, problem: str, remedy: str, node: Node | None = None) -> None:
        place = _place(node) if node else self.document.place(path)
        self.document.mistakes.append(
            Mistake(self.document.file, place.line, place.column, dotted(path), "", problem, remedy)
        )


def _place(node: Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _text(node: ScalarNode) -> str:
    """A text as it was meant: JSON writes a character beyond the first 65,536 as two halves."""
    text: str = node.value
    if _UNSAYABLE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if _UNSAYABLE.search(text):
        raise _Unread("a character that is not allowed: NUL, or half of a surrogate pair", "Remove it.")
    return text


def _number(node: ScalarNode, read: Callable[[ScalarNode], Any]) -> Any:
    """A number, a truth or nothing; infinite ones are none, since JSON has no word for them."""
    try:
        value = read(node) if len(node.value) <= _NUMBER else ""
    except (ValueError, LookupError, OverflowError):
        value = ""
    if value == "" or (isinstance(value, float) and not isfinite(value)):
        raise _Unread("not a valid number", "Write a smaller one, or a text in quotes.")
    return value


def _core(node: ScalarNode) -> Any:
    """A value of a policy: a date is a text, as it is in JSON."""
    if node.tag in _NUMBERS:
        return _number(node, _core_number)
    if node.tag not in {_STR, _DATE}:
        raise _Unread("a YAML tag", "Put the text in quotes.")
    return _text(node)


def _core_number(node: ScalarNode) -> Any:
    text: str = node.value.lower()
    match node.tag.removeprefix(TAG):
        case "null":
            return None
        case "bool":
            return {"true": True, "false": False}[text]
        case "int":
            return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _az(node: ScalarNode) -> Any:
    """A value as PyYAML's safe_load constructs it; a date stays a date; the sender converts it."""
    if node.tag == _STR:
        return _text(node)
    if node.tag in _NUMBERS:
        return _number(node, _constructed)
    if node.tag in {_VALUE, _MERGE}:
        raise _Unread("a character with a special meaning in YAML", "Put it in quotes.")
    if node.tag == FROM_SHELL:
        remedy = "Write the value, a secret as ${{ keyvault:NAME }}; in quotes the text is sent as it is."
        raise _Unread("${NAME} without quotes, in whose place az puts an environment variable of its shell", remedy)
    if node.tag != _DATE:
        raise _Unread("a YAML tag", "Put the text in quotes.")
    try:
        return _constructed(node)
    except (ValueError, LookupError, OverflowError, AttributeError):
        raise _Unread("not a valid date", "Put it in quotes.") from None


def _az_key(node: ScalarNode) -> Hashable:
    return "=" if node.tag == _VALUE else _az(node)


def _constructed(node: ScalarNode) -> Any:
    """Return the value that PyYAML constructs, without its cache of nodes."""
    return SafeConstructor.yaml_constructors[node.tag](_SAFE, node)


def _json(node: ScalarNode) -> Any:
    if node.style is not None and node.tag == _STR:
        return _text(node)
    try:
        return _number(node, lambda plain: json.loads(plain.value))
    except _Unread:
        raise _Unread("neither a valid number nor a text in quotes", "Put texts in double quotes.") from None


POLICY = Language(Core, _core, _text, lenient=False)
"""Policies: YAML 1.2, in which a key that stands twice is a mistake."""
AZ = Language(OfAz, _az, _az_key, lenient=True)
"""Files of `az container create --file`: what PyYAML's safe_load makes of them."""
JSON = Language(Json, _json, _text, lenient=True)
"""ARM templates: JSON."""
