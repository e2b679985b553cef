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
from rotator.policy.arm_addresses import ADDRESSES
from rotator.policy.arm_collections import COLLECTIONS, number, same
from rotator.policy.arm_ids import IDS, PLACED
from rotator.policy.arm_syntax import Unevaluated
from rotator.policy.located import scalars
from rotator.policy.manifest import alone, has_placeholder

LONGEST_PADDED = 10_000
ENCODED, REFERRED = "encoded ", "referred "
"""Beginnings of placeholders inside of a template: one that `base64` encodes, and one that a parameter refers to."""
UNKNOWN = "${{ arm }}"
"""Part of a text that only Resource Manager knows: no function looks into it, as with a placeholder."""


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

    def defined(self, name: str, given: list[Any]) -> Any:
        """Return the value of a function that the template defines, for these arguments. Raises Unevaluated."""

    def unknown(self, error: Unevaluated) -> Any:
        """Return UNKNOWN where the outline of a text is enough; raises the error elsewhere."""

    def spend_on_entry(self, entry: Any) -> None:
        """Count an element that a lambda made. Raises Unevaluated when there are too many."""


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
    """Return a text, a whole number or a truth value (`True`) as a text; others have spellings of ARM's own."""
    if not isinstance(value, str | int):
        raise TypeError
    return str(value)


def _string(value: Any) -> str:
    """Return a text, a number or a truth value, or the JSON of an array or an object, as Resource Manager writes it."""
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
    """Compare two values; a placeholder is never empty.

    Raises TypeError where a number's spelling or the case of a name would decide.
    """
    if has_placeholder([one, other]):
        if one in ("", None) or other in ("", None):
            return False
        raise Unevaluated("equals() with a placeholder, whose value is not known yet", "Write the placeholder alone.")
    if any(isinstance(each, float) for _, each in scalars([one, other])):
        raise TypeError
    equal = same(one, other)
    if not equal and isinstance(one, dict | list) and json.dumps(one).lower() == json.dumps(other).lower():
        raise TypeError
    return equal


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return not value


def _object(*parts: Any) -> dict[str, Any]:
    if len(parts) % 2 or not all(isinstance(name, str) for name in parts[::2]):
        raise TypeError
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _number(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise TypeError
    return int(value)


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
    """Return a text of ASCII, the letter case of which all programs convert alike. Raises TypeError for others."""
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


def _base64(text: str) -> str:
    """Return a text in base64; of a placeholder alone, one for the encoded value."""
    inside = alone(text)
    if inside and text != UNKNOWN and not inside.startswith(ENCODED) and not inside.endswith(":base64"):
        return f"${{{{ {ENCODED}{inside} }}}}"
    if has_placeholder(text):
        raise Unevaluated("base64() with a placeholder, whose value is not known yet", "Write the placeholder alone.")
    return base64.b64encode(text.encode()).decode()


def _float(value: Any) -> float:
    if not re.fullmatch(r"-?\d{1,15}(?:\.\d{1,15})?", str(value)):
        raise ValueError
    return float(value)


def _part(text: str, start: int, length: int | None = None) -> str:
    if not 0 <= start <= len(text) or (length is not None and not 0 <= length <= len(text) - start):
        raise ValueError
    return text[start:] if length is None else text[start : start + length]


def _padded(value: Any, length: int, sign: str = " ") -> str:
    if len(sign) != 1 or length > LONGEST_PADDED or isinstance(value, bool):
        raise ValueError
    return _shown(value).rjust(length, sign)


def _index(scope: Scope, loop: str | int = "", offset: int = 0) -> int:
    """Return the number of an entry; one without the name of a loop is that of a loop of resources."""
    if not isinstance(loop, str):
        return scope.index("") + number(loop)
    return scope.index(loop) + number(offset)


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False}[value.lower()]
    return {1: True, 0: False}[number(value)]


def _split(text: str, separators: str | list[str]) -> list[str]:
    """Split a text at a separator, or at each of several characters."""
    if isinstance(separators, str):
        return text.split(separators)
    if not separators or any(len(each) != 1 for each in separators):
        raise ValueError
    return re.split(f"[{re.escape(''.join(separators))}]", text)


def _empty(value: Any) -> bool:
    """Tell if a value is empty; a placeholder never is."""
    if not (value is None or isinstance(value, str | list | dict)):
        raise TypeError
    return not value


PURE: dict[str, Callable[..., Any]] = {
    "base64tostring": lambda text: base64.b64decode(text, validate=True).decode(),
    "base64": _base64,
    "base64tojson": lambda text: _json(base64.b64decode(text, validate=True).decode()),
    "bool": _bool,
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
    "not": _not,
    "null": lambda: None,
    "padleft": _padded,
    "replace": _replace,
    "split": _split,
    "startswith": lambda text, start: _ascii(text).lower().startswith(_ascii(start).lower()),
    "string": _string,
    "substring": _part,
    "tolower": lambda text: _ascii(text).lower(),
    "toupper": lambda text: _ascii(text).upper(),
    "trim": lambda text: _ascii(text).strip(),
    "true": lambda: True,
    **ADDRESSES,
    **COLLECTIONS,
    **IDS,
}
"""Functions of their arguments alone, by their names in small letters."""
SCOPED: dict[str, Callable[..., Any]] = {
    "copyindex": _index,
    "environment": _of_cloud,
    "parameters": lambda scope, name: scope.parameter(name),
    "variables": lambda scope, name: scope.variable(name),
    "resourcegroup": _of_group,
    **PLACED,
    "subscription": _of_subscription,
}
"""Functions that look into the template, too; the scope is their first argument."""
PASSING = {
    *("array", "base64", "concat", "createarray", "createobject", "empty", "equals", "format", "string"),
    *("flatten", "shallowmerge", "union", *SCOPED),
}
"""Functions that hand a placeholder on as it is, or need to know only that it isn't empty."""
LOOKING = {
    *("contains", "first", "indexfromend", "items", "last", "length", "objectkeys", "skip", "take", "tryget"),
    "tryindexfromend",
}
"""Functions that look at a text, and hand on what is in an array or an object."""
WHOLE = {"array", "createarray", "createobject", "tryget", *SCOPED}
"""Functions that hand a partly known object on as it is."""
