"""Grammar of ARM's template expressions: from a text to a tree of calls and members. No problem quotes a value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rotator.errors import Mistake

DEEPEST = 40
"""Levels of calls in calls."""
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d{1,18})|(?P<name>[A-Za-z_]\w*)|(?P<sign>[()\[\],.]))"
)
WRITE = "Write its value, or make it a parameter with a value."


class Unevaluated(Exception):
    """An expression, or a part of it, that has no value here; `mistake` is set where its place is known."""

    def __init__(self, problem: str, remedy: str = WRITE, mistake: Mistake | None = None) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.mistake = problem, remedy, mistake


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A property or an element of a value."""

    of: Any
    name: Any


class Parser:
    """Parses one expression by its grammar: a text, a number or a call, each with members behind it."""

    def __init__(self, text: str) -> None:
        self.tokens, self.at, self.depth = list(_tokens(text)), 0, 0

    def whole(self) -> Any:
        """Return the tree of the whole expression."""
        found = self._expression()
        if self.at < len(self.tokens):
            raise _malformed()
        return found

    def _expression(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unevaluated("an expression with too many nested calls", "Write a shorter one.")
        found = self._first()
        while (sign := self._peek()) in {".", "["}:
            self.at += 1
            found = Member(found, self._take("name") if sign == "." else self._expression())
            if sign == "[":
                self._sign("]")
        self.depth -= 1
        return found

    def _first(self) -> Any:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return int(text)
        if kind != "name":
            raise _malformed()
        while self._peek() == ".":
            self.at += 1
            text = f"{text}.{self._take('name')}"
        self._sign("(")
        return Call(text, tuple(self._arguments()))

    def _arguments(self) -> Iterator[Any]:
        while self._peek() != ")":
            yield self._expression()
            if self._peek() != ")":
                self._sign(",")
        self._sign(")")

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _sign(self, sign: str) -> None:
        if self._peek() != sign:
            raise _malformed()
        self.at += 1

    def _take(self, kind: str) -> str:
        found, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if found != kind:
            raise _malformed()
        self.at += 1
        return text


def _malformed() -> Unevaluated:
    return Unevaluated("not a valid ARM expression", "Write a function, or [[ for a text that begins with [.")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _malformed()
        at = found.end()
        yield found.lastgroup or "", found[found.lastgroup or 0]
