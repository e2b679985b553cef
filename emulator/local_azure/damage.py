"""Wrong answers, as sent by proxies, gateways and broken servers: replaced or damaged in transit.

A kind of :data:`INSTEAD` replaces the answer, before or after the effect. A kind of :data:`SPOILED` needs the answer,
and so always comes after the effect.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local_azure.faults import Fault, Faults, When
from local_azure.wire import Response

JSON = {"Content-Type": "application/json; charset=utf-8"}
PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please sign in to"
    b" continue.</body></html>"
)
DEPTH = 100_000
"""Lists inside one another, more than any parser takes."""


def _page(fault: Fault) -> Response:
    return Response(fault.status, PAGE, {"Content-Type": "text/html"})


def _page_as_json(fault: Fault) -> Response:
    return Response(200, PAGE, dict(JSON))


def _said(fault: Fault) -> Response:
    return Response(200, (fault.argument or "[]").encode(), dict(JSON))


def _empty(fault: Fault) -> Response:
    return Response(200, b"", dict(JSON))


def _packed(fault: Fault) -> Response:
    return Response(200, b"\x1f\x8b\x08\x00 this is not gzip", {**JSON, "Content-Encoding": "gzip"})


def _deep(fault: Fault) -> Response:
    return Response(200, b"[" * DEPTH + b"]" * DEPTH, dict(JSON))


def _not_text(fault: Fault) -> Response:
    return Response(200, b'{"value": "\xff\xfe\xf0"}', dict(JSON))


def _redirect(fault: Fault) -> Response:
    return Response(
        fault.status if 300 <= fault.status < 400 else 307,
        b"",
        {"Location": fault.argument or "https://elsewhere.example/"},
    )


INSTEAD: Mapping[str, Callable[[Fault], Response]] = {
    "page": _page,
    "html200": _page_as_json,
    "wrong_type": _said,
    "empty": _empty,
    "gzip": _packed,
    "deep": _deep,
    "not_text": _not_text,
    "redirect": _redirect,
}
"""Answers that take the place of the service's own, by kind."""


def _cut(fault: Fault, response: Response) -> None:
    response.body = response.body[: len(response.body) // 2]


def _changed(fault: Fault, response: Response) -> None:
    """Replace or remove a value in the body.

    `argument` is ``place=JSON``: names and numbers with dots between; without a JSON text, the value is removed.
    """
    place, _, value = fault.argument.partition("=")
    try:
        content = json.loads(response.body)
        _put(content, place.split(".") if place else [], value)
    except (ValueError, LookupError, TypeError):
        return
    response.body = json.dumps(content).encode()


def _put(content: Any, place: list[str], value: str) -> None:
    *above, last = (int(part) if part.isdecimal() else part for part in place)
    for part in above:
        content = content[part]
    if value:
        content[last] = json.loads(value)
    else:
        del content[last]


def _date(fault: Fault, response: Response) -> None:
    response.headers["Date"] = fault.argument or "Fri, 31 Dec 9999 23:59:59 GMT"


def _header(fault: Fault, response: Response) -> None:
    """`argument` is ``Name: value``."""
    name, _, value = fault.argument.partition(":")
    response.headers[name.strip()] = value.strip()


def _drip(fault: Fault, response: Response) -> None:
    response.pace = float(fault.argument) if re.fullmatch(r"\d{1,4}(\.\d+)?", fault.argument) else 1.0


def _endless(fault: Fault, response: Response) -> None:
    response.endless = True


SPOILED: Mapping[str, Callable[[Fault, Response], None]] = {
    "cut": _cut,
    "changed": _changed,
    "date": _date,
    "header": _header,
    "drip": _drip,
    "endless": _endless,
}
"""Damage to the service's own answer on its way, by kind."""


def instead(faults: Faults, when: When) -> Response | None:
    """Return the replacement of the service's answer, if planned for the present call and moment."""
    for kind, make in INSTEAD.items():
        if faults.planned_now(kind, when) and (fault := faults.active(kind)):
            made = make(fault)
            made.foreign = True
            return made
    return None


def spoiled(faults: Faults, response: Response) -> Response:
    """Return the answer as received."""
    for kind, spoil in SPOILED.items():
        if fault := faults.active(kind):
            spoil(fault, response)
    return response
