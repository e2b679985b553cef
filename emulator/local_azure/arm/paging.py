"""Pages of a list: ``$top`` items, and a link that leads to the others by ``$skipToken``.

The refusals of a bad one could not be looked up.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote, urlencode

from local_azure.wire import Call, Json, Response, ServiceError

PAGE = 1000
"""Items on a page where ``$top`` doesn't ask for fewer."""


def only(call: Call, known: set[str]) -> None:
    """Refuse query parameters for filters or pages without emulation."""
    unknown = sorted(name for name in call.request.query if name.startswith("$") and name not in known)
    if unknown:
        raise ServiceError(501, "NotImplemented", f"The emulator does not implement {unknown[0]} of {call.operation}.")


def paged(call: Call, items: Sequence[Json], page: int = PAGE, *, eager: bool = False) -> Response:
    """One page, with a link to the next if there is one.

    `eager`: every page with an item has a link, so that the last page is empty (recorded of all lists of vaults).
    """
    query = call.request.query
    size, start = _size(query.get("$top"), page), _start(query.get("$skiptoken"))
    body: dict[str, Json] = {"value": list(items[start : start + size])}
    if start + size < len(items) or (eager and body["value"]):
        token = token_for(start + size)
        kept = urlencode({**query, "$skiptoken": token}, quote_via=quote, safe="$")
        body["nextLink"] = f"https://{call.request.host}{quote(call.request.path)}?{kept}"
    return Response.json(200, body)


def _size(text: str | None, page: int) -> int:
    if text is None:
        return page
    if not text.isdigit() or int(text) < 1:
        raise ServiceError(400, "InvalidTopQueryParameter", f"The top query parameter value '{text}' is not valid.")
    return min(int(text), page)


def token_for(start: int) -> str:
    """Return the mark of a page; its digest keeps clients from inventing one."""
    text = f"{start}!{sha256(f'page {start}'.encode()).hexdigest()[:12]}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def start_of(token: str) -> int | None:
    """Return where the page of a mark starts; None for a mark that was never given."""
    try:
        start = int(base64.urlsafe_b64decode(f"{token}{'=' * (-len(token) % 4)}").decode().partition("!")[0])
    except ValueError:
        return None
    return start if start >= 0 and token_for(start) == token.rstrip("=") else None


def _start(token: str | None) -> int:
    found = start_of(token) if token else 0
    if found is None:
        raise ServiceError(400, "InvalidSkipToken", "The skip token is not valid.")
    return found
