"""Check a control request before any change: a refused request has changed no state.

Every refusal is 400 InvalidArgument, with a text for the author of the request.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from fnmatch import fnmatchcase
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from local_azure.damage import INSTEAD, SPOILED
from local_azure.faults import Fault
from local_azure.wire import Json, Service, ServiceError

KINDS = (
    *(
        "status",
        "reset",
        "timeout",
        "lost",
        "echo",
        "stale",
        "flip",
        "transitioning",
        "concurrency",
        "app_policy",
        "rbac_lag",
        "ScopeLocked",
    ),
    *("inaccessible", "failed_pull", "quota", "strip_tags", "crash", "failed_lro", "registry_error"),
    *INSTEAD,
    *SPOILED,
)
"""Kinds of faults: those made by `faults.py` itself, the conditions that a service looks for, and the answers of
`damage.py`.
"""


LAGGING = (
    *("aci.containerGroups.get", "aci.containerGroups.list", "aci.containerGroups.listByResourceGroup"),
    *("arm.resources.list", "rbac.roleAssignments.list"),
    *(
        "graph.applications.get",
        "graph.applications.list",
        "graph.servicePrincipals.get",
        "graph.servicePrincipals.list",
    ),
    *("graph.applications.owners.list", "graph.servicePrincipals.owners.list", "graph.groups.owners.list"),
    *(
        "graph.applications.federatedIdentityCredentials.list",
        "graph.servicePrincipals.federatedIdentityCredentials.list",
    ),
    *("keyvault.secrets.get", "keyvault.secrets.list", "keyvault.secrets.versions"),
)
"""Reads that may show what was so before: those that ``stale`` strikes."""


class Shape(NamedTuple):
    """The form of a text, as a pattern in any letter case and in words."""

    pattern: str
    words: str


_BASE = "/subscriptions/{0}/resourceGroups/{0}/providers/Microsoft.ContainerInstance/containerGroups/{0}"
GROUP = Shape(_BASE.replace(".", r"\.").format("[^/]+"), f"the resource id of a container group: {_BASE.format('…')}")
GUID = Shape("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a GUID")
REPOSITORY = Shape(r"[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*", "letters and digits, with . _ - or / between them")
TAG = Shape(r"\w[\w.-]{0,127}", "at most 128 letters, digits, and . _ -")
"""Names that a registry takes (OCI Distribution Specification 1.1, "Pulling manifests")."""
DIGEST = Shape("sha256:[0-9a-f]{64}", "sha256: and 64 hex digits")
FINITE = 10**300
"""No float is larger by much; NaN isn't smaller."""
NUMBER = Shape(r"\d{1,9}(\.\d{1,9})?", "a number of at most nine digits")
ARGUMENTS: Mapping[str, Shape] = {
    **dict.fromkeys(("app_policy", "crash", "drip"), NUMBER),
    **dict.fromkeys(("stale", "failed_pull"), Shape(r"\d{1,9}", "a whole number of at most nine digits")),
    "rbac_lag": Shape("deleted", "'deleted'"),
}
"""Forms of the arguments that a service reads, by the kind of the fault; an empty argument is always allowed."""
MOST = 10**9
"""Largest count: of the seconds of a container's run, of the calls until a fault."""


def refusal(message: str) -> ServiceError:
    """400 InvalidArgument."""
    return ServiceError(400, "InvalidArgument", message)


def text(body: Json, name: str, shape: Shape | None = None) -> str:
    """Return a required text of the body."""
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, str) or not value:
        raise refusal(f"The body needs '{name}', a text.")
    _ensure_sayable(name, value)
    if shape and not re.fullmatch(shape.pattern, value, re.ASCII | re.IGNORECASE):
        raise refusal(f"'{name}' is {value!r}, and has to be {shape.words}.")
    return value


def number(body: Json, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """Return a required finite number of the body between `least` and `most`."""
    value = body.get(name) if isinstance(body, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal(f"The body needs '{name}', a number.")
    if not abs(value) <= FINITE or not least <= value <= most:
        raise refusal(
            f"'{name}' has to be a finite number{f' from {least:.0f} to {most:.0f}' if most < math.inf else ''}."
        )
    return float(value)


def whole(body: Json, name: str, least: int = 0, most: int = MOST) -> int:
    """Return a required whole number of the body between `least` and `most`."""
    value = number(body, name, least, most)
    if not value.is_integer():
        raise refusal(f"'{name}' is {value}, and has to be a whole number.")
    return int(value)


def _object(body: Json) -> Mapping[str, Json]:
    if not isinstance(body, Mapping):
        raise refusal("A fault is a JSON object.")
    return body


def fault(body: Json, services: Iterable[Service]) -> Fault:
    """Return a fault able to strike: of an existing operation, and of a kind checked by the emulator."""
    unknown = set(_object(body)) - {field.name for field in fields(Fault)}
    if unknown:
        raise refusal(f"A fault has no {', '.join(sorted(unknown))}.")
    try:
        found = TypeAdapter(Fault).validate_python(body)
    except ValidationError as error:
        raise refusal(
            "; ".join(f"'{'.'.join(map(str, one['loc']))}': {one['msg']}" for one in error.errors())
        ) from error
    for name in ("nth", "times"):
        whole({name: getattr(found, name)}, name, least=1 if name == "nth" else 0)
    whole({"status": found.status}, "status", 100, 599)
    if found.retry_after is not None:
        number({"retry_after": found.retry_after}, "retry_after", 0, MOST)
    for name in ("code", "message", "argument", "error"):
        _ensure_sayable(name, getattr(found, name))
    for name, value in found.headers.items():
        if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not re.fullmatch(r"[ -~]*", value):
            raise refusal(f"{name!r} with {value!r} is no header.")
    _ensure_strikes(found, services)
    return found


def _ensure_strikes(found: Fault, services: Iterable[Service]) -> None:
    if found.kind not in KINDS:
        raise refusal(f"There is no kind {found.kind!r} of faults; there are: {', '.join(KINDS)}.")
    if not any(fnmatchcase(route.operation, found.operation) for service in services for route in service.table.routes):
        raise refusal(f"No operation is called {found.operation!r}; /calls lists those that were asked for.")
    shape = ARGUMENTS.get(found.kind)
    if shape and found.argument and not re.fullmatch(shape.pattern, found.argument, re.ASCII):
        raise refusal(f"The argument of {found.kind} is {found.argument!r}, and has to be {shape.words}.")
    if found.kind in ("stale", "flip") and not any(fnmatchcase(operation, found.operation) for operation in LAGGING):
        raise refusal(f"No read of {found.operation!r} is ever stale here; those of {', '.join(LAGGING)} are.")


def run(body: Json) -> dict[str, Json]:
    """Return the behaviour of a pushed image's containers: ``exit_code``, ``run_seconds``, ``logs``.

    A ``digest`` names an image already in the repository.
    """
    found: dict[str, Json] = {}
    if "exit_code" in body:
        found["exit_code"] = whole(body, "exit_code", 0, 255)
    if "run_seconds" in body:
        found["run_seconds"] = number(body, "run_seconds", 0, MOST)
    found |= {name: text(body, name, shape) for name, shape in (("logs", None), ("digest", DIGEST)) if name in body}
    return found


def _ensure_sayable(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refusal(f"'{name}' has half of a character in it, which no answer can hold.") from None
