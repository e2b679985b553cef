"""Types of the places of a container group that name credentials or their users.

A place of another type doesn't count as empty. ACI ignores the letter case of property names, so the check does, too. A
place may be missing or null, except those of `NEEDED`. Tags are texts; a number, true and false are read as text, and
null is no tag. Source: Container Instances REST 2025-09-01, "ContainerGroup".
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from rotator.arm_json import get


class Is(Enum):
    """Type of a place without further places inside."""

    TEXT = (str,)
    SCALAR = (str, int, float)
    """A text; a number and a truth value are read as one."""
    OBJECT = (Mapping,)


NEEDED = frozenset({"properties", "containers"})
"""Places present in every container group."""
_CONTAINERS = [
    {"name": Is.TEXT, "properties": {"image": Is.TEXT, "environmentVariables": [{"name": Is.TEXT, "value": Is.SCALAR}]}}
]
_GROUP: Mapping[str, Any] = {
    "tags": Is.OBJECT,
    "properties": {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "imageRegistryCredentials": [
            {"server": Is.TEXT, "username": Is.TEXT, "identity": Is.TEXT, "passwordReference": Is.TEXT}
        ],
        "secretReferences": [{"name": Is.TEXT, "secretReferenceUri": Is.TEXT}],
        "restartPolicy": Is.TEXT,
        "provisioningState": Is.TEXT,
        "volumes": [{"name": Is.TEXT, "azureFile": Is.OBJECT, "secret": Is.OBJECT}],
        "diagnostics": {"logAnalytics": Is.OBJECT},
        "extensions": [{"name": Is.TEXT}],
        "instanceView": Is.OBJECT,
    },
}


def flaw(document: object) -> str:
    """Return the first place of a wrong type, the reason why a container group is unreadable.

    Empty if all types are right.
    """
    return next((text for text in _flaws(document, _GROUP, "")), "") or next(_tags(document), "")


def _flaws(node: object, spec: Any, path: str) -> Iterator[str]:
    if isinstance(spec, Is):
        if not isinstance(node, spec.value):
            yield f"{path} isn't {'an object' if spec is Is.OBJECT else 'a text'}"
    elif isinstance(spec, list):
        yield from _each(node, spec[0], path) if isinstance(node, list) else [f"{path} isn't a list"]
    elif not isinstance(node, Mapping):
        yield f"{path or 'it'} isn't an object"
    else:
        yield from _inside(node, spec, path)


def _each(nodes: list[object], spec: Any, path: str) -> Iterator[str]:
    for number, node in enumerate(nodes):
        yield from _flaws(node, spec, f"{path}[{number}]")


def _inside(node: Mapping[str, object], spec: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, inner in spec.items():
        spelled = [key for key in node if len(key) == len(name) and key.lower() == name.lower()]
        place = f"{path}.{name}".lstrip(".")
        if len(spelled) > 1:
            yield f"{place} is there {len(spelled)} times"
        elif spelled and node[spelled[0]] is not None:
            yield from _flaws(node[spelled[0]], inner, place)
        elif name in NEEDED:
            yield f"{place} isn't there"


def _tags(document: object) -> Iterator[str]:
    for name, value in (get(document, "tags") or {}).items():
        if value is not None and not isinstance(value, str | int | float):
            yield f"tag {name} isn't a text"
