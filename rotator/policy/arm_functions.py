"""Functions of ARM's template expressions that are evaluated here.

A function is added only with the exact result that Resource Manager has; no problem quotes a value, because a secret
may stand there.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rotator.cloud import Cloud
from rotator.policy.arm_collections import COLLECTIONS, number
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.manifest import has_placeholder

LONGEST_PADDED = 10_000


class Scope(Protocol):
    """Names that an expression refers to."""

    def parameter(self, name: str) -> Any:
        """Return the value of a parameter. Raises Unevaluated."""

    def variable(self, name: str) -> Any:
        """Return the value of a variable. Raises Unevaluated."""

    def group(self) -> tuple[str, str]:
        """Return subscription and resource group of the container group."""

    @property
    def target(self) -> "Target":
        """Return the place of the deployment, as far as the policy says."""

    def index(self, loop: str) -> int:
        """Return the number of the entry that a loop makes, from 0; without a name, that of a resource.

        Raises Unevaluated outside of the loop.
        """


@dataclass(frozen=True, slots=True)
class Target:
    """Place of a deployment, as far as the policy says: its vault's name, its cloud, the resource group's region."""

    vault: str = ""
    cloud: Cloud | None = None
    region: str = ""


class PartlyKnown(dict[str, Any]):
    """Object of which only some properties are known without Azure."""

    def __init__(self, of: str, **known: Any) -> None:
        super().__init__(known)
        self.of = of


def partly(value: Any) -> PartlyKnown | None:
    """Return a partly known object in a value; None if there is none."""
    if isinstance(value, PartlyKnown):
        return value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for each in inside if (found := partly(each))), None)


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return "".join(map(_shown, parts))


def _shown(value: Any) -> str:
    """Return a text or whole number as a text; others have spellings of ARM's own."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError
    return str(value)


def _string(value: Any) -> str:
    """Return a text, a whole number, or the JSON that Resource Manager writes for an array or an object."""
    if not isinstance(value, list | dict):
        return _shown(value)
    if has_placeholder(value):
        raise Unevaluated("string() with a placeholder, whose value may need other characters in JSON")
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "." in re.sub(r'"(?:[^"\\]|\\.)*"', "", written) or re.search("[\x7f-\x9f\u2028\u2029]|\\\\u", written):
        raise TypeError  # fractions and control characters have spellings of ARM's own
    return written


def _format(pattern: str, *values: Any) -> str:
    if has_placeholder(pattern):
        raise Unevaluated("format() with a placeholder in its pattern, whose braces have a special meaning there")
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


def _of_group(scope: Scope) -> PartlyKnown:
    (subscription, group), region = scope.group(), scope.target.region
    known = {"id": f"/subscriptions/{subscription}/resourceGroups/{group}", "name": group}
    return PartlyKnown("resourceGroup", **known, **({"location": region} if region else {}))


def _of_subscription(scope: Scope) -> PartlyKnown:
    subscription, _ = scope.group()
    return PartlyKnown("subscription", id=f"/subscriptions/{subscription}", subscriptionId=subscription)


def _of_cloud(scope: Scope) -> PartlyKnown:
    """Return the cloud's names and hosts that are the same for everybody (azure-facts A14)."""
    cloud = scope.target.cloud
    if cloud is None:
        return PartlyKnown("environment")
    hosts = {"acrLoginServer": f".{cloud.registry_suffix}", "keyvaultDns": f".{cloud.vault_suffix}"}
    suffixes = PartlyKnown("environment", **hosts, storage=cloud.storage_suffix)
    return PartlyKnown("environment", name=cloud.az, resourceManager=f"{cloud.arm}/", suffixes=suffixes)


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


def _part(text: str, start: int, length: int | None = None) -> str:
    if not 0 <= start <= len(text) or (length is not None and not 0 <= length <= len(text) - start):
        raise ValueError
    return text[start:] if length is None else text[start : start + length]


def _padded(value: Any, length: int, sign: str = " ") -> str:
    if len(sign) != 1 or length > LONGEST_PADDED:
        raise ValueError
    return _shown(value).rjust(length, sign)


def _of_subscription_id(scope: Scope, *parts: str) -> str:
    """Return the id of a resource of a subscription: of this one, if no other is named."""
    subscription, at = (scope.group()[0], 0) if "/" in parts[0] else (parts[0], 1)
    provider, *kinds = parts[at].split("/")
    names = "".join(f"/{kind}/{name}" for kind, name in zip(kinds, parts[at + 1 :], strict=True))
    return f"/subscriptions/{subscription}/providers/{provider}{names}"


def _index(scope: Scope, loop: str | int = "", offset: int = 0) -> int:
    """Return the number of an entry; one without the name of a loop is that of a loop of resources."""
    if not isinstance(loop, str):
        return scope.index("") + number(loop)
    return scope.index(loop) + number(offset)


def _empty(value: Any) -> bool:
    if not (value is None or isinstance(value, str | list | dict)):
        raise TypeError
    return not value


PURE: dict[str, Callable[..., Any]] = {
    "and": lambda *values: all(_truths(values, 2)),
    "base64tostring": lambda text: base64.b64decode(text, validate=True).decode(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": _concat,
    "createarray": lambda *values: list(values),
    "createobject": _object,
    "empty": _empty,
    "endswith": lambda text, end: _ascii(text).lower().endswith(_ascii(end).lower()),
    "equals": _equals,
    "false": lambda: False,
    "first": lambda values: values[0],
    "float": _float,
    "format": _format,
    "indexof": lambda text, part: _ascii(text).lower().find(_ascii(part).lower()),
    "int": _number,
    "join": lambda values, separator: separator.join(values),
    "json": _json,
    "last": lambda values: values[-1],
    "lastindexof": lambda text, part: _ascii(text).lower().rfind(_ascii(part).lower()),
    "length": len,
    "not": lambda value: not _truths([value], 1)[0],
    "null": lambda: None,
    "or": lambda *values: any(_truths(values, 2)),
    "padleft": _padded,
    "replace": _replace,
    "split": lambda text, separator: text.split(separator),
    "startswith": lambda text, start: _ascii(text).lower().startswith(_ascii(start).lower()),
    "string": _string,
    "substring": _part,
    "tolower": lambda text: _ascii(text).lower(),
    "toupper": lambda text: _ascii(text).upper(),
    "trim": lambda text: _ascii(text).strip(),
    "true": lambda: True,
    **COLLECTIONS,
}
"""Functions of their arguments alone, by their names in small letters."""
SCOPED: dict[str, Callable[..., Any]] = {
    "copyindex": _index,
    "environment": _of_cloud,
    "parameters": lambda scope, name: scope.parameter(name),
    "variables": lambda scope, name: scope.variable(name),
    "resourceid": _resource_id,
    "resourcegroup": _of_group,
    "subscriptionresourceid": _of_subscription_id,
    "subscription": _of_subscription,
}
"""Functions that look into the template, too; the scope is their first argument."""
PASSING = {
    *("array", "coalesce", "concat", "createarray", "createobject", "format", "if", "string", "union", *SCOPED),
}
"""Functions that hand a placeholder on as it is."""
LOOKING = {"contains", "empty", "first", "items", "last", "length", "skip", "take", "tryget"}
"""Functions that look at a text, and hand on what is in an array or an object."""
WHOLE = {"array", "coalesce", "createarray", "createobject", "if", "tryget", *SCOPED}
"""Functions that hand a partly known object on as it is."""
EVALUATED = frozenset({*PURE, *SCOPED, "if"})
"""Functions that are evaluated, in small letters."""
