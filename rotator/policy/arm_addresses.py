"""Functions of ARM's template expressions that make URIs, ranges of IP addresses and times of their arguments alone.

Source: "String functions", "CIDR functions" and "Date functions for ARM templates" (azure-facts A14). What the examples
there don't settle is refused: .NET, which evaluates them for Azure, has rules of its own for odd URIs and ranges.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import quote, unquote

_BASE = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?!80\b|443\b)[1-9]\d{1,4})?((?:/[\w~-][\w.~-]*)*/?)", re.ASCII
)
_RELATIVE = re.compile(r"(?:[\w~-][\w.~-]*)(?:/[\w~-][\w.~-]*)*/?", re.ASCII)
_COMPONENT = re.compile(r"(?:[\w.~-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_DATA = re.compile(r"data:text/plain;charset=utf-?8;base64,([0-9A-Za-z+/]*={0,2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_USABLE = {4: 30, 6: 126}
"""Longest prefixes of ranges in which the first and the last address are no hosts, by the version of IP."""


def _uri(start: str, rest: str) -> str:
    """Return a URI: `rest` below a base that ends with a slash, else in place of the base's last part."""
    path = _BASE.fullmatch(start)
    below = start.endswith("/") and bool(path)
    rest = rest.removeprefix("/") if below else rest
    if not (path and _RELATIVE.fullmatch(rest)):
        raise ValueError
    if below or not path[1]:
        return f"{start.removesuffix('/')}/{rest}"
    return f"{start.rpartition('/')[0]}/{rest}"


def _component(text: str) -> str:
    if re.search(r"[!*'()]", text):
        raise ValueError
    return quote(text, safe="")


def _from_component(text: str) -> str:
    if not _COMPONENT.fullmatch(text):
        raise ValueError
    return unquote(text, errors="strict")


def _data_uri(text: str) -> str:
    return f"data:text/plain;charset=utf8;base64,{base64.b64encode(text.encode()).decode()}"


def _from_data_uri(text: str) -> str:
    found = _DATA.fullmatch(text)
    if not found:
        raise ValueError
    return base64.b64decode(found[1], validate=True).decode()


def _range(text: str) -> IPv4Network | IPv6Network:
    """Return a range of addresses.

    Raises ValueError for one without a prefix, for an address that isn't the first of its range, and for an address of
    IPv6 that .NET may write with an address of IPv4 inside.
    """
    found = ip_network(text)
    mixed = found.version == 6 and found.network_address.packed[:10] == bytes(10)
    if mixed or not re.fullmatch(r"[^/]+/\d{1,3}", text, re.ASCII) or found.prefixlen > MOST_USABLE[found.version]:
        raise ValueError
    return found


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _parse_cidr(text: str) -> dict[str, Any]:
    found = _range(text)
    first, last, version = found.network_address, found.broadcast_address, found.version
    hosts = (first + 1, last - 1) if version == 4 else (first, last)
    return {
        "network": str(first),
        "netmask": str(found.netmask),
        **({"broadcast": str(last)} if version == 4 else {}),
        "firstUsable": str(hosts[0]),
        "lastUsable": str(hosts[1]),
        "cidr": found.prefixlen,
    }


def _subnet(text: str, prefix: int, index: int) -> str:
    found = _range(text)
    step = _whole(prefix) - found.prefixlen
    if step < 0 or prefix > found.max_prefixlen or _whole(index) >= 1 << step:
        raise ValueError
    start = found.network_address + (index << (found.max_prefixlen - prefix))
    return f"{start}/{prefix}"


def _host(text: str, index: int) -> str:
    found = _range(text)
    if _whole(index) > found.num_addresses - 3:
        raise ValueError
    return str(found.network_address + 1 + index)


def _of_epoch(seconds: int) -> str:
    return f"{_EPOCH + timedelta(seconds=_whole(seconds)):%Y-%m-%dT%H:%M:%SZ}"


def _to_epoch(text: str) -> int:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII):
        raise ValueError
    return int((datetime.fromisoformat(text) - _EPOCH).total_seconds())


ADDRESSES: dict[str, Callable[..., Any]] = {
    "cidrhost": _host,
    "cidrsubnet": _subnet,
    "datauri": _data_uri,
    "datauritostring": _from_data_uri,
    "datetimefromepoch": _of_epoch,
    "datetimetoepoch": _to_epoch,
    "parsecidr": _parse_cidr,
    "uri": _uri,
    "uricomponent": _component,
    "uricomponenttostring": _from_component,
}
"""Functions by their names in small letters."""
