"""Read the conditions confining a role assignment to some repositories, on registries in ABAC mode.

Supported are the conditions written by Azure's portal for repositories: ``ActionMatches{'…'}``,
``@Request[…/repositories:name]`` with StringEquals, StringStartsWith and similar operators, one value or a list,
combined by ``!``, ``AND``, ``OR`` and brackets ("Azure attribute-based repository permissions"). A condition with any
other content grants no rights.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from local_azure.rbac.roles import matches

NAME = "Microsoft.ContainerRegistry/registries/repositories:name"
"""The only attribute that a registry knows of a request."""

Test = Callable[[str, str], bool]
"""Tell if a condition holds for an action on a repository."""

_TOKEN = re.compile(r"\s*(?:(&&|\|\||[!(){},])|'((?:[^']|'')*)'|(@\w+\[[^]]*\])|([A-Za-z]+(?::[A-Za-z]+)?))")


class NotUnderstood(ValueError):
    """A condition on an attribute without a value in a registry."""


def holds(condition: str | None, action: str, repository: str) -> bool:
    """Tell if an assignment with the condition counts for `action` on `repository`.

    An assignment without a condition always counts.
    """
    if not condition or not condition.strip():
        return True
    try:
        return _read(condition)(action, repository)
    except NotUnderstood:
        return False


@lru_cache(maxsize=256)
def _read(condition: str) -> Test:
    return _Reader(_words(condition)).whole()


def _words(condition: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, condition.rstrip()
    kinds = ("mark", "value", "attribute", "word")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotUnderstood(text[at:])
        found.append(
            next((kind, value) for kind, value in zip(kinds, match.groups(), strict=True) if value is not None)
        )
        at = match.end()
    return found


class _Reader:
    """A recursive descent: any of all of one."""

    def __init__(self, words: list[tuple[str, str]]) -> None:
        self._words, self._at = words, 0

    def whole(self) -> Test:
        test = self._any()
        if self._at != len(self._words):
            raise NotUnderstood(str(self._words[self._at]))
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._next("OR", "||"):
            tests.append(self._all())
        return lambda action, repository: any(test(action, repository) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._next("AND", "&&"):
            tests.append(self._one())
        return lambda action, repository: all(test(action, repository) for test in tests)

    def _one(self) -> Test:
        if self._next("!", "NOT"):
            inner = self._one()
            return lambda action, repository: not inner(action, repository)
        if self._next("("):
            inner = self._any()
            self._expect(")")
            return inner
        if self._next("ActionMatches"):
            patterns = self._values()
            return lambda action, _: any(matches(pattern, action) for pattern in patterns)
        return self._comparison()

    def _comparison(self) -> Test:
        kind, attribute = self._take()
        if kind != "attribute" or attribute.partition("[")[2].rstrip("]").lower() != NAME.lower():
            raise NotUnderstood(attribute)
        compare = _comparer(self._take()[1].rpartition(":")[2])
        values = self._values()
        return lambda _, repository: any(compare(repository, value) for value in values)

    def _values(self) -> list[str]:
        if not self._next("{"):
            return [self._value()]
        found = [self._value()]
        while self._next(","):
            found.append(self._value())
        self._expect("}")
        return found

    def _value(self) -> str:
        kind, value = self._take()
        if kind != "value":
            raise NotUnderstood(value)
        return value.replace("''", "'")

    def _next(self, *texts: str) -> bool:
        here = self._words[self._at] if self._at < len(self._words) else ("", "")
        if here[0] in ("mark", "word") and here[1].lower() in {text.lower() for text in texts}:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._next(text):
            raise NotUnderstood(f"{text} is missing")

    def _take(self) -> tuple[str, str]:
        if self._at >= len(self._words):
            raise NotUnderstood("the condition ends too early")
        self._at += 1
        return self._words[self._at - 1]


def _comparer(name: str) -> Callable[[str, str], bool]:
    plain = name.removesuffix("IgnoreCase")
    found: dict[str, Callable[[str, str], bool]] = {
        "StringEquals": lambda left, right: left == right,
        "StringNotEquals": lambda left, right: left != right,
        "StringStartsWith": str.startswith,
        "StringNotStartsWith": lambda left, right: not left.startswith(right),
    }
    compare = found.get(plain)
    if compare is None:
        raise NotUnderstood(name)
    return (lambda left, right: compare(left.lower(), right.lower())) if plain != name else compare
