"""OData in Graph's answers and requests: headers, annotations, references to other objects in a body."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from local_azure.graph import queries, user_shape
from local_azure.graph.queries import Query
from local_azure.graph.refusals import bad_value
from local_azure.wire import Call, Json, Request, Response, Route, ServiceError, Table

CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
"""As recorded, to the letter."""

UNITS = "x-ms-resource-unit"
"""The header that says what an answer took from the client's budget."""

_QUALIFIED = re.compile(r"/microsoft\.graph\.(?=\w+/?$)", re.IGNORECASE)
_REFERENCE = re.compile(
    r"(?:.*/)?(?:directoryObjects|servicePrincipals|applications|groups|users)[/(]'?(?P<id>[^/')]+)'?\)?/?",
    re.IGNORECASE,
)


class Actions(Table):
    """Routes, whose actions may also be called by their qualified names: ``microsoft.graph.addPassword`` (recorded)."""

    def find(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        """The first route that fits the path as it is, or without the namespace of an action."""
        found = super().find(request)
        if found or request.method != "POST":
            return found
        return super().find(replace(request, path=_QUALIFIED.sub("/", request.path)))


def answer(status: int, content: Json, headers: Mapping[str, str] | None = None, *, cost: int = 1) -> Response:
    """Return a JSON answer with OData's headers.

    `cost` is the answer's price from the client's budget, in resource units.
    """
    common = {"Content-Type": CONTENT_TYPE, "OData-Version": "4.0", "Vary": "Accept-Encoding", UNITS: str(cost)}
    return Response.json(status, content, {**common, **(headers or {})})


def entity(
    call: Call, of: str, content: Mapping[str, Json], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer with one object; `of` is the object's collection in the context."""
    return answer(status, {"@odata.context": f"{metadata(call)}#{of}/$entity", **content}, headers)


def collection(call: Call, of: str, value: Iterable[Json], *, cost: int = 1) -> Response:
    """Return the answer with a whole list.

    The answer to a POST has a ``Location`` without a page behind the address, as recorded.
    """
    headers = {"Location": f"https://{call.request.host}"} if call.request.method == "POST" else {}
    return answer(200, {"@odata.context": f"{metadata(call)}#{of}", "value": list(value)}, headers, cost=cost)


def done() -> Response:
    """Return 204 without content."""
    return Response(204, headers={UNITS: "1"})


def number(value: int) -> Response:
    """Return the answer of ``/$count``: a number as text."""
    return Response(200, str(value).encode(), {"Content-Type": "text/plain", "OData-Version": "4.0", UNITS: "1"})


def metadata(call: Call) -> str:
    """Return the address of this API's description."""
    return f"https://{call.request.host}/v1.0/$metadata"


def selection(select: tuple[str, ...] | None) -> str:
    """Return the part of a context for a selection."""
    return "" if select is None else f"({','.join(select)})"


def next_link(call: Call, last: str) -> str:
    """The address of the page behind the object `last`."""
    options = {**call.request.query, "$skiptoken": queries.skiptoken(last)}
    query = urlencode(options, safe="$,", quote_via=quote)
    return f"https://{call.request.host}{call.request.path.replace('//', '/')}?{query}"


def page(
    call: Call,
    of: str,
    bodies: list[Json],
    wanted: Query,
    *,
    more: bool = False,
    total: int | None = None,
    cost: int = 1,
) -> Response:
    """A page of a list, as the query wants it; `bodies` are whole objects."""
    content: dict[str, Json] = {"@odata.context": f"{metadata(call)}#{of}{selection(wanted.select)}"}
    if total is not None:
        content["@odata.count"] = total
    if more:
        content["@odata.nextLink"] = next_link(call, bodies[-1]["id"])
    return answer(200, {**content, "value": [_shown(body, wanted) for body in bodies]}, cost=cost)


def _shown(body: Mapping[str, Any], wanted: Query) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in body.items()
        if name.startswith("@odata.") or name in (each.name for each in wanted.expand)
    }
    if wanted.shown is None and body.get("@odata.type") == f"#{user_shape.TYPE}":
        return user_shape.first_id(body)
    return {**kept, **queries.shown(body, wanted.shown)}


def slice_of(call: Call, of: str, bodies: list[dict[str, Any]], wanted: Query, *, cost: int = 1) -> Response:
    """Return one page of a complete list, filtered by the query."""
    matching = [body for body in bodies if wanted.holds(body)]
    ids = [body["id"] for body in matching]
    begin = ids.index(wanted.after) + 1 if wanted.after in ids else 0
    found = matching[begin : begin + wanted.top]
    more, total = begin + wanted.top < len(matching), len(matching) if wanted.count else None
    return page(call, of, list(found), wanted, more=more, total=total, cost=cost)


def body_of(call: Call) -> dict[str, Json]:
    """The request's JSON object. Raises ServiceError 400."""
    try:
        asked = call.request.json()
    except ServiceError as error:
        message = (
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON"
            " format."
        )
        raise ServiceError(400, "BadRequest", f"{message} {error.message}") from error
    if not isinstance(asked, dict):
        raise ServiceError(400, "Request_BadRequest", "The request body must be a JSON object.")
    return asked


def members(call: Call) -> dict[str, Json]:
    """The properties in the request's body, without OData's annotations. Raises ServiceError 400."""
    return {name: value for name, value in body_of(call).items() if "@odata." not in name}


def bound(call: Call, relation: str) -> list[str]:
    """The ids of the objects that a body binds to a relation (``owners@odata.bind``). Raises ServiceError 400."""
    references = body_of(call).get(f"{relation}@odata.bind") or []
    if not isinstance(references, str | list):
        raise bad_value(relation, "directoryObject")
    return [reference(each, relation) for each in ([references] if isinstance(references, str) else references)]


def referred(call: Call) -> str:
    """The id of the object in a body like ``{"@odata.id": "…/directoryObjects/ID"}``. Raises ServiceError 400."""
    return reference(body_of(call).get("@odata.id"), "@odata.id")


def reference(text: Json, of: str) -> str:
    """The id in an object's address. Raises ServiceError 400."""
    found = _REFERENCE.fullmatch(str(text or ""))
    if found is None:
        raise bad_value(of, "directoryObject")
    return found["id"].lower()
