"""JSON schema of a policy, for editors and for the remedies of mistakes.

`policies/policy.schema.json` and `policies/defaults.schema.json` are made from the same schema.
"""

import json
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from rotator.policy import durations
from rotator.policy.model import PolicyFile


class _Plain(GenerateJsonSchema):
    """Without titles of fields, which only repeat their names; with defaults as a policy would write them."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        return durations.render(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


_NAMED = {"type": "string", "minLength": 1, "description": "Name of a window that the defaults define."}
_DIALECT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
_FROM_DEFAULTS = {"": "registries", "KeyVaultPolicy": "url"}
"""Keys that a policy needs and may have from its defaults, by definition: no editor can tell that they are missing."""


@cache
def schema() -> dict[str, Any]:
    """Return the schema of a whole policy, in pydantic's dialect (2020-12). Callers must not change the dict."""
    written = PolicyFile.model_json_schema(schema_generator=_Plain)
    principal = written["$defs"]["PrincipalPolicy"]
    principal |= {"if": {"not": {"required": ["display_name"]}}, "then": {"required": principal.pop("required")}}
    written["$defs"]["Rotation"]["properties"]["deploy_window"]["anyOf"].insert(1, _NAMED)
    return {**_DIALECT, **written, "title": "A policy of rotator"}


def _of_policies() -> dict[str, Any]:
    """Return the schema of a policy's file, which may lack what its defaults have."""
    found = deepcopy(schema())
    for definition, key in _FROM_DEFAULTS.items():
        (found["$defs"][definition] if definition else found)["required"].remove(key)
    return found


def _of_defaults() -> dict[str, Any]:
    """Return the schema of defaults: what policies share, nothing of it required."""
    from rotator.policy.defaults import OWN

    found, definitions = deepcopy(schema()), {"principal": "PrincipalPolicy", "key_vault": "KeyVaultPolicy"}
    for path in OWN:
        parent = found["$defs"][definitions.get(path[0], "Discover")] if len(path) == 2 else found
        del parent["properties"][path[-1]]
    for parent in (found, *(found["$defs"][name] for name in definitions.values())):
        parent.pop("required", None)
    for condition in ("if", "then"):
        del found["$defs"]["PrincipalPolicy"][condition]
    found["properties"]["windows"] = {
        "type": "object",
        "description": "Deploy windows by name, for `rotation.deploy_window`.",
        "additionalProperties": {"$ref": "#/$defs/DeployWindow"},
    }
    _drop_unused(found)
    return {**found, "title": "Defaults of policies of rotator", "description": "Values that policies extend."}


def _drop_unused(found: dict[str, Any]) -> None:
    """Remove the definitions that nothing refers to any more."""
    while unused := [name for name in found["$defs"] if f'#/$defs/{name}"' not in json.dumps(found)]:
        for name in unused:
            del found["$defs"][name]


def render(*, defaults: bool = False) -> str:
    """The text of `policies/policy.schema.json`, or of `policies/defaults.schema.json`."""
    return json.dumps(_of_defaults() if defaults else _of_policies(), indent=2) + "\n"
