"""JSON schema of a policy, for editors and for the remedies of mistakes.

`policies/policy.schema.json` is made from the same schema.
"""

import json
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


@cache
def schema() -> dict[str, Any]:
    """Return the schema, in pydantic's dialect (2020-12). Callers must not change the returned dict."""
    written = PolicyFile.model_json_schema(schema_generator=_Plain)
    principal = written["$defs"]["PrincipalPolicy"]
    principal |= {"if": {"not": {"required": ["display_name"]}}, "then": {"required": principal.pop("required")}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **written, "title": "A policy of rotator"}


def render() -> str:
    """The text of `policies/policy.schema.json`."""
    return json.dumps(schema(), indent=2) + "\n"
