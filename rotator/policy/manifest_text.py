"""Text of a manifest: YAML as `az container create --file` reads it."""

from collections.abc import Mapping
from typing import Any

import yaml

from rotator.policy.nodes import FROM_SHELL, SHELL_NAME
from rotator.visible import acts


class _ForAz(yaml.SafeDumper):
    """Quotes each text that az, too, would read as something else."""


_ForAz.add_implicit_resolver(FROM_SHELL, SHELL_NAME, None)


def rendered(body: Mapping[str, Any]) -> str:
    """Return the YAML of a container group, with its properties in their order.

    Where a character of it could act on a terminal, all letters beyond ASCII are escaped.
    """
    text = _dumped(body, allow_unicode=True)
    return _dumped(body, allow_unicode=False) if any(acts(each) for each in text if each != "\n") else text


def _dumped(body: Mapping[str, Any], *, allow_unicode: bool) -> str:
    text: str = yaml.dump(
        dict(body), None, _ForAz, sort_keys=False, allow_unicode=allow_unicode, default_flow_style=False
    )
    return text
