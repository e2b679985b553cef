"""Expressions of ARM templates, ``[concat('a', parameters('x'))]``: parsed whole, evaluated where that is exact.

Evaluated are the functions whose value follows from the template, its parameters and the id of the container group.
Every other is refused by its name. A placeholder is no value yet: a function that would look into it is refused, too.

Rules for editors of the module: a function is added only with the exact result that Resource Manager has; no problem
quotes a value, because a secret may stand there.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rotator.errors import Mistake
from rotator.policy.manifest import has_placeholder

LONGEST = 24_576
"""Characters of an expression, as Resource Manager allows (azure-facts A14)."""
DEEPEST = 40
"""Levels of calls in calls."""
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d{1,18})|(?P<name>[A-Za-z_]\w*)|(?P<sign>[()\[\],.]))"
)
_COPIED = re.compile(
    r"\[\s*(parameters|variables|resourceGroup|subscription|resourceId|reference|concat|format|listKeys|uniqueString)\s*\(",
    re.IGNORECASE,
)
_WRITE = "Write the value that it has, or make it a parameter with a value."
_HANDED_OUT = "Store the secret in Key Vault, and write ${{ keyvault:NAME }} in its place."
_REMEDIES = {
    "reference": _WRITE,
    "uniquestring": "Write the text that the last deployment made, or make it a parameter with a value.",
    "newguid": "Write a value that stays, or ${{ keyvault:NAME }} for a secret.",
    "utcnow": "Write a value that stays.",
    "copyindex": "Write each entry of the loop.",
}


class Unevaluated(Exception):
    """An expression, or a part of it, that has no value here; `mistake` is set where its place is known."""

    def __init__(self, problem: str, remedy: str = _WRITE, mistake: Mistake | None = None) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.mistake = problem, remedy, mistake


class Scope(Protocol):
    """Names that an expression refers to."""

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter. Raises Unevaluated."""

    def variable(self, name: str) -> Any:
        """Return the value of a variable. Raises Unevaluated."""

    def group(self) -> tuple[str, str]:
        """Return subscription and resource group of the container group."""


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


class _Shown(dict[str, str]):
    """Object of which only some properties are known without Azure."""

    def __init__(self, of: str, **known: str) -> None:
        super().__init__(known)
        self.of = of


def looks_like_one(text: str) -> bool:
    """Tell if a text is an expression that somebody copied out of a template."""
    return is_expression(text) and bool(_COPIED.match(text))


def is_expression(text: str) -> bool:
    """Tell if ARM evaluates a text (azure-facts A14)."""
    return text.startswith("[") and not text.startswith("[[") and text.endswith("]")


def literal(text: str) -> str:
    """Return the text that ARM makes of one which isn't an expression: `[[a]` is `[a]`."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def evaluated(text: str, scope: Scope) -> Any:
    """Return the value of an expression. Raises Unevaluated."""
    if len(text) > LONGEST:
        raise Unevaluated(f"an expression of more than {LONGEST} characters", "Write a shorter one.")
    return _value(_Parser(text[1:-1]).whole(), scope)


class _Parser:
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
            raise Unevaluated("an expression with too many calls in calls", "Write a shorter one.")
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
    return Unevaluated(
        "not an expression that ARM could read", "Write a function, or [[ for a text that begins with [."
    )


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _malformed()
        at = found.end()
        yield found.lastgroup or "", found[found.lastgroup or 0]


def _value(node: Any, scope: Scope) -> Any:
    if isinstance(node, Member):
        return _member(_value(node.of, scope), node.name if isinstance(node.name, str) else _value(node.name, scope))
    if not isinstance(node, Call):
        return node
    name = node.name.lower()
    if name == "if" and len(node.arguments) == 3:
        chosen = _value(node.arguments[0], scope)
        if not isinstance(chosen, bool):
            raise _unfit(node.name)
        return _value(node.arguments[1 if chosen else 2], scope)
    if name not in EVALUATED:
        remedy = _HANDED_OUT if name.startswith("list") or name == "getsecret" else _REMEDIES.get(name, _WRITE)
        raise Unevaluated(f"{node.name}(), which only ARM can evaluate", remedy)
    return _called(node.name, [_value(each, scope) for each in node.arguments], scope)


def _called(shown: str, given: list[Any], scope: Scope) -> Any:
    name = shown.lower()
    if name not in _PASSING and any(map(has_placeholder, given)):
        raise Unevaluated(f"{shown}() of a placeholder, whose value isn't known yet", "Write the placeholder alone.")
    try:
        return _SCOPED[name](scope, *given) if name in _SCOPED else _PURE[name](*given)
    except (TypeError, ValueError, AttributeError, LookupError):
        raise _unfit(shown) from None


def _unfit(name: str) -> Unevaluated:
    return Unevaluated(f"{name}() of values that aren't evaluated here")


def _member(value: Any, name: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(name, str):
        for key, item in value.items():
            if key.lower() == name.lower():
                return item
        if isinstance(value, _Shown):
            remedy = "Write the region, or give the parameter that has it a value." if name == "location" else _WRITE
            raise Unevaluated(f"{value.of}().{name}, which only ARM knows", remedy)
    if isinstance(value, list) and isinstance(name, int) and 0 <= name < len(value):
        return value[name]
    raise Unevaluated("a property or element that isn't there")


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return "".join(map(_shown, parts))


def _shown(value: Any) -> str:
    """Return a text or whole number as a text; others have spellings of ARM's own."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError
    return str(value)


def _format(pattern: str, *values: Any) -> str:
    if has_placeholder(pattern):
        raise Unevaluated("format() with a placeholder in its pattern, whose braces mean something else there")
    parts = re.split(r"(\{\{|\}\}|\{\d{1,3}\})", pattern)
    if any(brace in part for part in parts[::2] for brace in "{}"):
        raise ValueError
    return "".join(part if index % 2 == 0 else _filled(part, values) for index, part in enumerate(parts))


def _filled(part: str, values: Sequence[Any]) -> str:
    return part[0] if part in {"{{", "}}"} else _shown(values[int(part[1:-1])])


def _equals(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float) or isinstance(one, dict | list):
        raise TypeError
    return type(one) is type(other) and one == other


def _truths(values: Sequence[Any], least: int) -> Sequence[bool]:
    if len(values) < least or not all(isinstance(value, bool) for value in values):
        raise TypeError
    return values


def _object(*parts: Any) -> dict[str, Any]:
    if len(parts) % 2 or not all(isinstance(name, str) for name in parts[::2]):
        raise TypeError
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _number(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise TypeError
    return int(value)


def _resource_id(scope: Scope, *parts: str) -> str:
    """Return the id of a resource: of this resource group, if no other is named."""
    (subscription, group), parts = scope.group(), tuple(parts)
    at = next((index for index, part in enumerate(parts) if "/" in part), len(parts))
    if at > 2 or at == len(parts):
        raise ValueError
    if at == 2:
        subscription, group = parts[:2]
    elif at == 1:
        group = parts[0]
    provider, *kinds = parts[at].split("/")
    if at == 1 and re.fullmatch(r"[0-9a-fA-F-]{36}", group):
        raise ValueError
    names = "".join(f"/{kind}/{name}" for kind, name in zip(kinds, parts[at + 1 :], strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}{names}"


def _of_group(scope: Scope) -> _Shown:
    subscription, group = scope.group()
    return _Shown("resourceGroup", id=f"/subscriptions/{subscription}/resourceGroups/{group}", name=group)


def _of_subscription(scope: Scope) -> _Shown:
    subscription, _ = scope.group()
    return _Shown("subscription", id=f"/subscriptions/{subscription}", subscriptionId=subscription)


def _ascii(text: Any) -> str:
    """A text of which every program makes the same small and capital letters."""
    if not isinstance(text, str) or not text.isascii():
        raise TypeError
    return text


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        raise ValueError
    return text.replace(old, new)


def _json(text: Any) -> Any:
    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    if not isinstance(text, str):
        raise TypeError
    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError from None


def _float(value: Any) -> float:
    if not re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", str(value)):
        raise ValueError
    return float(value)


def _contains(value: Any, item: Any) -> bool:
    if not isinstance(value, str | list):
        raise TypeError
    return item in value if isinstance(value, str) else any(_equals(each, item) for each in value)


def _union(*parts: Any) -> Any:
    """Unite objects without common names; with common ones, and for arrays, ARM has rules of its own."""
    if not all(isinstance(part, dict) for part in parts):
        raise TypeError
    names = [name.lower() for part in parts for name in part]
    if len(names) != len(set(names)):
        raise ValueError
    return {name: value for part in parts for name, value in part.items()}


def _empty(value: Any) -> bool:
    if not (value is None or isinstance(value, str | list | dict)):
        raise TypeError
    return not value


_PURE: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(_truths(values, 2)),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "empty": _empty,
    "equals": _equals,
    "false": lambda: False,
    "first": lambda values: values[0],
    "float": _float,
    "format": _format,
    "int": _number,
    "join": lambda values, separator: separator.join(values),
    "json": _json,
    "last": lambda values: values[-1],
    "length": len,
    "not": lambda value: not _truths([value], 1)[0],
    "null": lambda: None,
    "or": lambda *values: any(_truths(values, 2)),
    "replace": _replace,
    "split": lambda text, separator: text.split(separator),
    "string": _shown,
    "tolower": lambda text: _ascii(text).lower(),
    "toupper": lambda text: _ascii(text).upper(),
    "trim": lambda text: _ascii(text).strip(),
    "true": lambda: True,
    "union": _union,
}
_SCOPED: dict[str, Callable[..., Any]] = {
    "parameters": lambda scope, name: scope.parameter(name),
    "variables": lambda scope, name: scope.variable(name),
    "resourceid": _resource_id,
    "resourcegroup": _of_group,
    "subscription": _of_subscription,
}
_PASSING = {"coalesce", "concat", "createarray", "createobject", "format", "if", "string", "union", *_SCOPED}
"""Functions that hand a placeholder on as it is."""
EVALUATED = frozenset({*_PURE, *_SCOPED, "if"})
"""Functions that are evaluated, in small letters."""
