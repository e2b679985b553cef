"""Parser of ``$filter``: the subset of OData accepted by Graph for directory objects, and the test of an object.

Grammar: comparisons (``eq ne gt ge lt le in``), ``startswith``, ``endswith``, ``any``, ``all``, ``/$count``, ``not``,
``and``, ``or``, brackets. Text compares without case, as in Graph. Text outside the grammar is refused in Graph's
words, never ignored.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.wire import ServiceError

Body = Mapping[str, Any]
Test = Callable[[Any], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<when>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)|(?P<word>[\w$./@-]+)|(?P<mark>[(),:]))",
    re.ASCII,
)
MOST_VALUES = 15
"""Values that ``in`` takes without an advanced query (azure-facts C11)."""
TOO_MANY = "in: "
"""First part of the name of an ``in`` with more values; the rest is their number."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a is not None and a > b,
    "ge": lambda a, b: a is not None and a >= b,
    "lt": lambda a, b: a is not None and a < b,
    "le": lambda a, b: a is not None and a <= b,
}
_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {"startswith": str.startswith, "endswith": str.endswith}
_LITERALS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed filter.

    `advanced` names the first operator in the filter in need of an advanced query, `names` the properties read by the
    filter.

    `keys` are the application or object ids of which one must match; None where any object could match.
    """

    holds: Callable[[Body], bool]
    names: frozenset[str] = frozenset()
    advanced: str | None = None
    keys: frozenset[str] | None = None


EVERYTHING = Expression(lambda body: True)
"""No filter at all."""


def parse(text: str | None) -> Expression:
    """Parse a ``$filter``. Raises ServiceError 400 for text outside the grammar."""
    if text is None:
        return EVERYTHING
    return _Reader(text).whole()


def invalid(why: str) -> ServiceError:
    """Return Graph's refusal of an unreadable filter."""
    return ServiceError(400, "BadRequest", f"Invalid filter clause: {why}")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise invalid(f"Syntax error at position {at} in '{text}'.")
        yield found[found.lastgroup or 0]
        at = found.end()


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a filter: its test, applied to an object or, below a lambda, to an element."""

    test: Test
    names: frozenset[str] = frozenset()
    advanced: str | None = None
    keys: frozenset[str] | None = None


class _Reader:
    """Parser of one filter's tokens, by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._at, self._variable = text, tuple(_tokens(text)), 0, ""

    def whole(self) -> Expression:
        part = self._either()
        if self._peek() is not None:
            raise self._wrong()
        return Expression(part.test, part.names, part.advanced, part.keys)

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise self._wrong()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next().lower() != token:
            raise self._wrong()

    def _is(self, token: str) -> bool:
        return (self._peek() or "").lower() == token

    def _wrong(self) -> ServiceError:
        return invalid(f"Syntax error at position {self._at} of the terms in '{self._text}'.")

    def _either(self) -> _Part:
        part = self._both()
        while self._is("or"):
            self._next()
            part = _or(part, self._both())
        return part

    def _both(self) -> _Part:
        part = self._term()
        while self._is("and"):
            self._next()
            part = _and(part, self._term())
        return part

    def _term(self) -> _Part:
        if self._is("not"):
            self._next()
            part = self._term()
            return _Part(lambda it: not part.test(it), part.names, part.advanced or "not")
        if self._is("("):
            self._next()
            part = self._either()
            self._expect(")")
            return part
        return self._call() if (self._peek() or "").lower() in _FUNCTIONS else self._about(self._next())

    def _call(self) -> _Part:
        name = self._next().lower()
        self._expect("(")
        path = self._next()
        self._expect(",")
        value = self._literal()
        self._expect(")")
        if not isinstance(value, str):
            raise self._wrong()
        get, holds = self._getter(path), _FUNCTIONS[name]
        return _Part(
            lambda it: holds(str(get(it) or "").lower(), value),
            self._name(path),
            "endsWith" if name == "endswith" else None,
        )

    def _about(self, path: str) -> _Part:
        """Parse the rest after a path: a lambda, a comparison, a list of values."""
        for quantifier in ("any", "all"):
            if path.lower().endswith(f"/{quantifier}"):
                return self._lambda(path[: -len(quantifier) - 1], quantifier)
        operator = self._next().lower()
        if operator == "in":
            return self._among(path)
        if operator not in _COMPARISONS:
            raise self._wrong()
        value, get, compare = self._literal(), self._getter(path), _COMPARISONS[operator]
        advanced = "NotEqualsMatch" if operator == "ne" else "$count" if path.endswith("/$count") else None
        keys = self._keys(path, (value,)) if operator == "eq" else None
        return _Part(lambda it: compare(_plain(get(it)), value), self._name(path), advanced, keys)

    def _among(self, path: str) -> _Part:
        self._expect("(")
        values = [self._literal()]
        while self._is(","):
            self._next()
            values.append(self._literal())
        self._expect(")")
        get, wide = self._getter(path), f"{TOO_MANY}{len(values)}" if len(values) > MOST_VALUES else None
        return _Part(lambda it: _plain(get(it)) in values, self._name(path), wide, self._keys(path, values))

    def _lambda(self, path: str, quantifier: str) -> _Part:
        get, name = self._getter(path), self._name(path)
        self._expect("(")
        if quantifier == "any" and self._is(")"):
            self._next()
            return _Part(lambda it: bool(get(it)), name)
        outer, self._variable = self._variable, self._next()
        self._expect(":")
        inner = self._either()
        self._expect(")")
        self._variable = outer
        quantify = any if quantifier == "any" else all
        keys = inner.keys if quantifier == "any" and path == "servicePrincipalNames" else None
        return _Part(lambda it: quantify(inner.test(each) for each in get(it) or ()), name, inner.advanced, keys)

    def _literal(self) -> Any:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'").lower()
        if token.lower() in _LITERALS:
            return _LITERALS[token.lower()]
        if token in ("(", ")", ",", ":"):
            raise self._wrong()
        return int(token) if token.lstrip("-").isdecimal() else token.lower()

    def _getter(self, path: str) -> Callable[[Any], Any]:
        steps = path.split("/")
        if self._variable:
            if steps[0] != self._variable:
                raise self._wrong()
            steps = steps[1:]
        return lambda it: _walk(it, steps)

    def _name(self, path: str) -> frozenset[str]:
        return frozenset() if self._variable else frozenset({path.partition("/")[0]})

    def _keys(self, path: str, values: "tuple[Any, ...] | list[Any]") -> frozenset[str] | None:
        """Return ids for an index lookup: the object's own id, or the id of a lambda's element.

        A lambda may also go over names with ids as values.
        """
        indexed = path == self._variable if self._variable else path in ("appId", "id")
        if not indexed or not all(isinstance(value, str) for value in values):
            return None
        return frozenset(values) if not self._variable or all(_ID.fullmatch(value) for value in values) else None


def _walk(it: Any, steps: list[str]) -> Any:
    for step in steps:
        if step == "$count":
            return len(it or ())
        it = it.get(step) if isinstance(it, Mapping) else None
    return it


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _or(a: _Part, b: _Part) -> _Part:
    keys = a.keys | b.keys if a.keys is not None and b.keys is not None else None
    return _Part(lambda it: a.test(it) or b.test(it), a.names | b.names, a.advanced or b.advanced, keys)


def _and(a: _Part, b: _Part) -> _Part:
    return _Part(
        lambda it: a.test(it) and b.test(it),
        a.names | b.names,
        a.advanced or b.advanced,
        a.keys if a.keys is not None else b.keys,
    )
