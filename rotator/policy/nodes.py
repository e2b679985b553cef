"""YAML and JSON as a tree of nodes, each with its mark: read by PyYAML, which is what az reads with, within limits.

Three languages share the grammar and differ in what a plain text without quotes is: `Core` is YAML 1.2, in which
policies are written (``yes`` is a text, ``1e3`` a number); `OfAz` is PyYAML's own reading, a part of YAML 1.1, by which
``az container create --file`` reads (``yes`` is true, ``1e-4`` and ``y`` are texts, ``012`` is ten); `Json` knows
nothing but JSON's numbers, truths and null.
"""

import re
from typing import Any

from yaml import Node
from yaml.composer import Composer
from yaml.error import MarkedYAMLError, YAMLError
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver, Resolver
from yaml.scanner import Scanner

from rotator.errors import Mistake, PolicyError
from rotator.policy.located import plain

TAG = "tag:yaml.org,2002:"
DEEPEST = 64
"""Levels of a document; a policy has six, and a container group's manifest a dozen."""
MOST_NODES = 50_000
"""Keys, values and lists of a document, and their anchors and tags; a thousand container groups with ten secrets each
have fewer.
"""


class _TooDeep(MarkedYAMLError):
    """The document is nested more deeply than is read."""


class _TooMany(MarkedYAMLError):
    """The document has more nodes than are read."""


class Bounded(Reader, Scanner, Parser, Composer, BaseResolver):
    """Builds the tree of one document, up to a limit on its nodes."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self.nodes, self.depth = 0, 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose the next node with all of its children."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        self.nodes += 1 + bool(getattr(event, "anchor", None)) + bool(getattr(event, "tag", None))
        self.depth += 1
        for refused, error in ((self.nodes > MOST_NODES, _TooMany), (self.depth > DEEPEST, _TooDeep)):
            if refused:
                raise error(None, None, "", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class Core(Bounded):
    """YAML 1.2, by its core schema; a plain text between braces may have a question mark, as in the URL of a hook."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._stand_in = next((char for char in map(chr, range(0xE000, 0xF8FF)) if char not in text), "?")
        self._plain = self.buffer.replace("?", self._stand_in)

    def scan_plain(self) -> Any:
        """Scan a plain text with another character in place of each question mark, at which PyYAML would end it."""
        kept, self.buffer = self.buffer, self._plain
        try:
            token: Any = super().scan_plain()
        finally:
            self.buffer = kept
        token.value = token.value.replace(self._stand_in, "?")
        return token


class OfAz(Bounded, Resolver):
    """YAML as PyYAML resolves it, which is neither 1.1 nor 1.2; az adds a kind of its own (azure-facts A15)."""


FROM_SHELL = "!env_var"
"""Tag of a plain scalar with `${NAME}` in it, which az takes from its environment."""
SHELL_NAME = re.compile(r".*\$\{([^}^{]+)\}")
OfAz.add_implicit_resolver(FROM_SHELL, SHELL_NAME, None)


class Json(Bounded):
    """JSON, a part of YAML's grammar; a scalar without quotes is left to the reader of values."""


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", "<<", ["<"]),
):
    Core.add_implicit_resolver(f"{TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), _first)


def compose(text: str, file: str, language: type[Bounded]) -> Node | None:
    """Return the root of the document's tree; None for an empty document. Raises PolicyError."""
    try:
        found: Node | None = language(text).get_single_node()
    except YAMLError as error:
        raise PolicyError((_syntax(error, text, file, "JSON" if language is Json else "YAML"),)) from None
    return found


def _syntax(error: YAMLError, text: str, file: str, language: str) -> Mistake:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    position = getattr(error, "position", 0)
    line, column = (
        (mark.line, mark.column)
        if mark
        else (text.count("\n", 0, position), position - text.rfind("\n", 0, position) - 1)
    )
    problem, remedy = _said(error, language)
    return Mistake(file, line + 1, column + 1, "", "", problem, remedy)


def _said(error: YAMLError, language: str) -> tuple[str, str]:
    if isinstance(error, _TooDeep):
        return "nested too deeply", "Use fewer levels; a policy has at most six."
    if isinstance(error, _TooMany):
        return f"more than {MOST_NODES} keys and values", "Split it: a policy is about one principal."
    if getattr(error, "problem", "") == "second occurrence":
        return "an anchor name that is used twice", "Give each anchor its own name."
    if getattr(error, "problem", "") == "but found another document":
        return "a second document", "Put it into a file of its own: from `---` on nothing else may follow."
    problem = str(getattr(error, "problem", None) or f"a character that {language} forbids")
    problem = re.sub(r"(alias|anchor|tag handle|tag) ['\"].*['\"]", r"\1", problem)
    remedy = (
        "Look at this line and the one before it: indentation in spaces, a space after each colon, quotes around texts"
        " with special characters."
        if language == "YAML"
        else "Look at this line and the one before it: a comma between entries, quotes around texts, closed brackets."
    )
    return f"not {language}: {plain(problem)}", remedy
