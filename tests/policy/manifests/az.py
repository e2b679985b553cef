"""Body that `az container create --file` PUTs, by PyYAML and the documented rules of az's model of a resource.

`tests/az/manifests.sh` compares these rules with a stock az.
"""

import json
import re
from datetime import date
from typing import Any

import yaml

TOP = {name: name for name in ("location", "tags", "properties", "identity")} | {
    "extendedlocation": "extendedLocation",
    "extended_location": "extendedLocation",
}


class Loader(yaml.SafeLoader):
    """PyYAML's loader as az changes it: a plain scalar may name environment variables, which have no values here."""


def from_shell(loader: Loader, node: yaml.ScalarNode) -> Any:
    raise ValueError(node.tag)


Loader.add_implicit_resolver("!env_var", re.compile(r".*\$\{([^}^{]+)\}"), None)
Loader.add_constructor("!env_var", from_shell)


def body(text: str) -> dict[str, Any] | None:
    """Return the JSON that az sends for a file; None if az fails, or sends no JSON."""
    try:
        given = yaml.load(text, Loader)
        sent = {TOP[str(name).lower()]: item for name, item in given.items() if str(name).lower() in TOP}
        sent = {name: item for name, item in sent.items() if item is not None}
        if "tags" in sent:
            sent["tags"] = {name: None if item is None else str(item) for name, item in sent["tags"].items()}
        if "extendedLocation" in sent:
            sent["extendedLocation"] = place(sent["extendedLocation"])
        if "identity" in sent:
            sent["identity"] = identity(sent["identity"])
        written = json.dumps(plain(sent), allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError):
        return None
    found: dict[str, Any] = json.loads(written)
    return found


def identity(given: dict[str, Any]) -> dict[str, Any]:
    names = {name.lower().replace("_", ""): item for name, item in given.items() if item is not None}
    sent: dict[str, Any] = {"type": str(names["type"])} if "type" in names else {}
    if "userassignedidentities" in names:
        sent["userAssignedIdentities"] = {
            name: None if item is None else {} for name, item in names["userassignedidentities"].items()
        }
    return sent


def place(given: dict[str, Any]) -> dict[str, Any]:
    """Return an extended location: its two names in any letter case, each with a text; nulls are left out."""
    return {name.lower(): str(item) for name, item in given.items() if item is not None}


def plain(value: Any) -> Any:
    """Return az's JSON for a value: every key a text, and no dates, bytes, sets or pairs."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, date | bytes | set | tuple):
        raise TypeError
    return value
