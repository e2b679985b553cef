"""Text of a manifest: YAML as `az container create --file` reads it."""

from collections.abc import Mapping
from typing import Any

import yaml


def rendered(body: Mapping[str, Any]) -> str:
    """Return the YAML of a container group, with its properties in their order."""
    return yaml.safe_dump(dict(body), sort_keys=False, allow_unicode=True, default_flow_style=False)
