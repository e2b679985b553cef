"""Query options of a request: filter, order, page size and properties; unknown options are refused.

Source of the need for ``ConsistencyLevel: eventual``, and of the refusals: Microsoft's "Advanced query capabilities on
Microsoft Entra ID objects".
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.graph.expressions import EVERYTHING, MOST_VALUES, TOO_MANY, Body, Expression, parse
from local_azure.wire import Request, ServiceError

DEFAULT_PAGE, LARGEST_PAGE = 100, 999
"""Documented page sizes of directory objects."""

_EXPANSION = re.compile(r"(?P<name>\w+)(?:\(\s*\$select=(?P<select>[\w,\s]+)\))?")
_SORTABLE = ("displayName", "createdDateTime", "deletedDateTime", "userPrincipalName")
_SORTED_PLAINLY = {"Group": ("displayName",), "User": ("displayName", "userPrincipalName")}
_UNFILTERABLE = frozenset(
    {
        "passwordCredentials",
        "info",
        "web",
        "spa",
        "publicClient",
        "api",
        "optionalClaims",
        "requiredResourceAccess",
        "addIns",
    }
)


SELECTED = ("isDisabled",)
"""Properties that recorded answers have only where they are selected."""


@dataclass(frozen=True, slots=True)
class Kindred:
    """Type of a collection's objects, with the properties and the relations open to ``$expand``."""

    type: str
    properties: Collection[str]
    relations: Collection[str] = ()
    shown: tuple[str, ...] | None = None
    """Properties that a read shows without ``$select``; None: all."""

    @property
    def resource(self) -> str:
        """The type in error messages: ``Application``."""
        name = self.type.rpartition(".")[2]
        return name[0].upper() + name[1:]


@dataclass(frozen=True, slots=True)
class Expansion:
    """One ``$expand``: a relation, and the properties wanted of its objects (None: all)."""

    name: str
    select: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Query:
    """Parsed options of a list request.

    `select` None: all properties; `after`: the id of the last object on the page before.
    """

    filter: Expression = EVERYTHING
    select: tuple[str, ...] | None = None
    top: int = DEFAULT_PAGE
    after: str | None = None
    order: tuple[str, bool] | None = None
    """The property to sort by, and whether downwards."""
    search: Callable[[Body], bool] | None = None
    count: bool = False
    expand: tuple[Expansion, ...] = ()
    usual: tuple[str, ...] | None = None
    """The properties to show where none are selected; None: all."""

    @property
    def shown(self) -> tuple[str, ...] | None:
        """The properties to show."""
        return self.usual if self.select is None else self.select

    def holds(self, body: Body) -> bool:
        """Tell if an object's JSON passes the filter and the search."""
        return self.filter.holds(body) and (self.search is None or self.search(body))


def query(request: Request, of: Kindred) -> Query:
    """Read the options of a list request.

    Raises ServiceError 400 for invalid options, 501 for options outside the emulator's subset.
    """
    options = request.query
    _refuse_others(options, {"$filter", "$select", "$top", "$skiptoken", "$orderby", "$search", "$count", "$expand"})
    eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    counted = eventual and options.get("$count", "").lower() == "true"
    found = parse(options.get("$filter"))
    _check_names(found, of)
    order = _order(options.get("$orderby"), of)
    if not counted:
        _only_plain(found, order, of)
    return Query(
        found,
        select(options, of),
        _top(options.get("$top")),
        _after(options.get("$skiptoken")),
        order,
        _search(options.get("$search"), eventual=eventual),
        counted,
        expansions(options, of),
        of.shown,
    )


def require_eventual(request: Request) -> None:
    """``/$count`` needs an advanced query. Raises ServiceError 400."""
    if request.headers.get("consistencylevel", "").lower() != "eventual":
        raise ServiceError(400, "Request_BadRequest", "$count is not currently supported.")


def counting(request: Request, of: Kindred) -> Query:
    """Return the query of a ``/$count``. Raises ServiceError 400 without ``ConsistencyLevel: eventual``."""
    require_eventual(request)
    _refuse_others(request.query, {"$filter", "$search"})
    found = parse(request.query.get("$filter"))
    _check_names(found, of)
    return Query(found, search=_search(request.query.get("$search"), eventual=True))


def _check_names(found: Expression, of: Kindred) -> None:
    for name in sorted(found.names):
        if name not in of.properties and name not in of.relations:
            raise ServiceError(
                400,
                "BadRequest",
                f"Invalid filter clause: Could not find a property named '{name}' on type '{of.type}'.",
            )
        if name in _UNFILTERABLE:
            raise _unsupported(
                f"Unsupported or invalid query filter clause specified for property '{name}' of resource"
                f" '{of.resource}'."
            )


def _only_plain(found: Expression, order: tuple[str, bool] | None, of: Kindred) -> None:
    """Without ``ConsistencyLevel: eventual`` and ``$count=true``, some operators are refused.

    Raises ServiceError 400.
    """
    if found.advanced and found.advanced.startswith(TOO_MANY):
        many = found.advanced.removeprefix(TOO_MANY)
        raise _unsupported(
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {many}. Max"
            f" allowed: {MOST_VALUES}."
        )
    if found.advanced == "NotEqualsMatch":
        raise _unsupported("Filter operator 'NotEqualsMatch' is not supported.")
    if found.advanced:
        missing = "Try adding $count=true query parameter and ConsistencyLevel:eventual header."
        more = "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
        raise _unsupported(
            f"Operator '{found.advanced}' is not supported because the required parameters might be missing. {missing}"
            f" {more}"
        )
    if order and (found is not EVERYTHING or order[0] not in _SORTED_PLAINLY.get(of.resource, ())):
        raise _unsupported("Sorting not supported for current query.")


def _unsupported(message: str) -> ServiceError:
    return ServiceError(400, "Request_UnsupportedQuery", message)


def select(options: Mapping[str, str], of: Kindred) -> tuple[str, ...] | None:
    """Return the properties in ``$select``, in any letter case. Raises ServiceError 400 for an unknown property."""
    return _selected(options["$select"], of) if "$select" in options else None


def _selected(text: str, of: Kindred) -> tuple[str, ...]:
    known = {name.lower(): name for name in of.properties}
    given = tuple(name.strip() for name in text.split(",") if name.strip())
    names = tuple(known.get(name.lower(), name) for name in given)
    for name in names:
        if name not in of.properties:
            message = (
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{of.type}'."
            )
            raise ServiceError(400, "BadRequest", message)
    return names


def expansions(options: Mapping[str, str], of: Kindred) -> tuple[Expansion, ...]:
    """Return the relations in ``$expand``.

    Raises ServiceError 400 for a relation unknown to the type, 501 for options outside the emulator's subset.
    """
    text = options.get("$expand", "").strip()
    if not text:
        return ()
    found = []
    for part in re.split(r",(?![^(]*\))", text):
        match = _EXPANSION.fullmatch(part.strip())
        if match is None:
            raise ServiceError(
                501, "NotImplemented", f"The emulator does not implement the query option $expand={text} of graph."
            )
        if match["name"] not in of.relations:
            message = (
                f"Parsing OData Select and Expand failed: Could not find a property named '{match['name']}' on type"
                f" '{of.type}'."
            )
            raise ServiceError(400, "BadRequest", message)
        wanted = tuple(name.strip() for name in match["select"].split(",")) if match["select"] else None
        found.append(Expansion(match["name"], wanted))
    return tuple(found)


def of_one(options: Mapping[str, str], of: Kindred) -> Query:
    """Return the query of a read of one object. Raises ServiceError 400 or 501."""
    _refuse_others(options, {"$select", "$expand"})
    return Query(select=select(options, of), expand=expansions(options, of), usual=of.shown)


def _refuse_others(options: Mapping[str, str], honoured: Collection[str]) -> None:
    for name, value in options.items():
        if name.startswith("$") and name not in honoured and not (name == "$count" and value == "false"):
            raise ServiceError(
                501, "NotImplemented", f"The emulator does not implement the query option {name}={value} of graph."
            )


def _order(text: str | None, of: Kindred) -> tuple[str, bool] | None:
    if text is None:
        return None
    name, _, direction = text.strip().partition(" ")
    if name not in of.properties:
        message = f"Could not find a property named '{name}' on type '{of.type}'."
        raise ServiceError(400, "BadRequest", message)
    if name not in _SORTABLE or direction.strip().lower() not in ("", "asc", "desc"):
        raise _unsupported("Sorting not supported for current query.")
    return name, direction.strip().lower() == "desc"


def _search(text: str | None, *, eventual: bool) -> Callable[[Body], bool] | None:
    """Terms like ``"displayName:web"``, joined by AND or OR. Raises ServiceError 400."""
    if text is None:
        return None
    if not eventual:
        message = (
            "Request with $search query parameter only works through MSGraph with a special request header:"
            " 'ConsistencyLevel: eventual'"
        )
        raise _unsupported(message)
    joined = " AND " if " AND " in text else " OR "
    terms = [_term(part.strip()) for part in text.split(joined)]
    combine = all if joined == " AND " else any
    return lambda body: combine(term(body) for term in terms)


def _term(text: str) -> Callable[[Body], bool]:
    match = re.fullmatch(
        r'"(displayName|description|mail|mailNickname|userPrincipalName|givenName|surname):([^"]*)"', text
    )
    if match is None:
        raise ServiceError(
            400,
            "Request_BadRequest",
            f"Unrecognized query argument specified: '{text}'. Write $search=\"displayName:text\".",
        )
    name, words = match[1], _words(match[2])
    return lambda body: all(any(one.startswith(word) for one in _words(str(body.get(name) or ""))) for word in words)


def _words(text: str) -> list[str]:
    """Split text into the tokens of Graph's search.

    Splits are at blanks, marks, between letters and digits, and at a change of case.
    """
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", text)]


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        message = f"Invalid page size specified: '{text}'. Must be between 1 and {LARGEST_PAGE} inclusive."
        raise _unsupported(message)
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
        raise expired_page()
    return plain.removeprefix("RFNwdA:")


def expired_page() -> ServiceError:
    """Return the refusal of a page token without a page."""
    message = "The specified page token value has expired and can no longer be included in your request."
    return ServiceError(400, "Directory_ExpiredPageToken", message)


def shown(body: Mapping[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the selected part of an object's JSON; a property that shows nothing by itself is null."""
    if names is None:
        return dict(body)
    return {name: body.get(name) for name in names if name in body or name in SELECTED}
