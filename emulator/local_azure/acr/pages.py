"""Page the lists of registries by the last name seen, with a Link to the next page."""

from urllib.parse import quote

from local_azure.acr.refusal import Refused
from local_azure.wire import Call

PAGE = 100


def page(call: Call, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the page of `names` selected by ``n`` and ``last``, in the given order, and the Link header.

    The header leads to the next page, by the path as the client wrote it (recorded). Raises Refused.
    """
    last, size = call.request.query.get("last", ""), call.request.query.get("n", "")
    if size.startswith("-"):
        raise Refused(
            "PAGINATION_NUMBER_INVALID",
            "invalid number of results requested",
            {"n": int(size) if size[1:].isdigit() else size},
        )
    count = int(size) if size.isdigit() and int(size) else PAGE
    rest = names[names.index(last) + 1 :] if last in names else [name for name in names if name > last]
    if len(rest) <= count:
        return rest, {}
    order = quote(call.request.query.get("orderby", ""), safe="")
    path, following = call.request.sent or call.request.path, quote(rest[count - 1], safe="")
    link = f'<{path}?last={following}&n={count}&orderby={order}>; rel="next"'
    return rest[:count], {"Link": link}
