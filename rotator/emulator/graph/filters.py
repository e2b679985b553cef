"""What a query of Graph means: the forms of ``$filter`` that az and the SDKs send, ``$select`` and ``$top``; all else is refused, never ignored."""

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rotator.emulator.wire import ServiceError

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
"""Documented page sizes of applications and servicePrincipals."""

_TEXT = r"'(?:[^']|'')*'"
_SINGLE = ("appId", "displayName", "id", "servicePrincipalType", "signInAudience")
_MANY = ("servicePrincipalNames", "identifierUris", "tags")
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("eq", re.compile(rf"(?P<name>{'|'.join(_SINGLE)})\s+eq\s+(?P<values>{_TEXT})")),
    ("eq", re.compile(rf"(?P<name>{'|'.join(_SINGLE)})\s+in\s*\((?P<values>\s*{_TEXT}(?:\s*,\s*{_TEXT})*\s*)\)")),
    ("startswith", re.compile(rf"startswith\(\s*(?P<name>displayName)\s*,\s*(?P<values>{_TEXT})\s*\)", re.IGNORECASE)),
    ("any", re.compile(rf"(?P<name>{'|'.join(_MANY)})/any\(\s*(?P<x>\w+)\s*:\s*(?P=x)\s+eq\s+(?P<values>{_TEXT})\s*\)")),
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: the property, how, and the values of which one must match, in lower case (Graph ignores case here)."""

    name: str
    how: Literal["eq", "startswith", "any"]
    values: frozenset[str]

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether an object's JSON satisfies it."""
        value = body.get(self.name)
        if self.how == "any":
            return any(str(each).lower() in self.values for each in value or ())
        text = str(value or "").lower()
        return text in self.values if self.how == "eq" else any(text.startswith(each) for each in self.values)


@dataclass(frozen=True, slots=True)
class Filter:
    """Comparisons of which one must hold (`or`); none at all lets everything pass."""

    conditions: tuple[Condition, ...] = ()

    def holds(self, body: Mapping[str, Any]) -> bool:
        """Whether an object's JSON passes."""
        return not self.conditions or any(condition.holds(body) for condition in self.conditions)

    def keys(self) -> frozenset[str] | None:
        """The application or object ids that can match at all; None where any object could, so that all must be looked at."""
        names = {"appId", "id", "servicePrincipalNames"}
        if not self.conditions or any(condition.name not in names for condition in self.conditions):
            return None
        return frozenset().union(*(condition.values for condition in self.conditions))


def parse(text: str | None) -> Filter:
    """Read a ``$filter``. Raises ServiceError 501 with its text for a form that the emulator doesn't know."""
    if text is None:
        return Filter()
    conditions, rest = [], text.strip()
    while True:
        condition, rest = _condition(rest, text)
        conditions.append(condition)
        if not rest:
            return Filter(tuple(conditions))
        joined = re.match(r"\s+or\s+", rest)
        if not joined:
            raise _unknown(text)
        rest = rest[joined.end() :]


def _condition(rest: str, whole: str) -> tuple[Condition, str]:
    for how, form in _FORMS:
        if found := form.match(rest):
            values = re.findall(_TEXT, found["values"])
            plain = frozenset(value[1:-1].replace("''", "'").lower() for value in values)
            return Condition(found["name"], how, plain), rest[found.end() :]  # type: ignore[arg-type]
    raise _unknown(whole)


def _unknown(text: str) -> ServiceError:
    return ServiceError(501, "NotImplemented", f"The emulator does not implement this $filter of graph: {text}")


@dataclass(frozen=True, slots=True)
class Query:
    """What a list request asks for: which objects, which properties (None: all), how many, after which id."""

    filter: Filter
    select: tuple[str, ...] | None
    top: int
    after: str | None


def query(options: Mapping[str, str], known: Collection[str], of: str) -> Query:
    """Read the options of a list request. Raises ServiceError 400 for bad ones, 501 for those that are not implemented."""
    _refuse_others(options, {"$filter", "$select", "$top", "$skiptoken"})
    return Query(parse(options.get("$filter")), select(options, known, of), _top(options.get("$top")), _after(options.get("$skiptoken")))


def select(options: Mapping[str, str], known: Collection[str], of: str) -> tuple[str, ...] | None:
    """The properties that ``$select`` names. Raises ServiceError 400 for one that the type doesn't have."""
    if "$select" not in options:
        return None
    names = tuple(name.strip() for name in options["$select"].split(",") if name.strip())
    for name in names:
        if name not in known:
            raise ServiceError(400, "BadRequest", f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{of}'.")
    return names


def only_select(options: Mapping[str, str]) -> None:
    """Refuse what a read of one object can't honour. Raises ServiceError 501."""
    _refuse_others(options, {"$select"})


def _refuse_others(options: Mapping[str, str], honoured: Collection[str]) -> None:
    for name, value in options.items():
        if name.startswith("$") and name not in honoured and not (name == "$count" and value == "false"):
            raise ServiceError(501, "NotImplemented", f"The emulator does not implement the query option {name}={value} of graph.")


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive."
        raise ServiceError(400, "Request_UnsupportedQuery", message)
    return int(text)


def skiptoken(last: str) -> str:
    """The opaque mark of a page that ended with the object `last`."""
    return base64.urlsafe_b64encode(f"RFNwdA:{last}".encode()).decode().rstrip("=")


def _after(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        plain = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        plain = ""
    if not plain.startswith("RFNwdA:"):
        raise ServiceError(
            400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request."
        )
    return plain.removeprefix("RFNwdA:")
