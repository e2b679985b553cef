"""What came of a deployment, for who started it: a job's exit code, and the address that may have changed."""

from collections.abc import Mapping
from typing import Any

from rotator.group.instance import view
from rotator.group.shape import get, text


def exit_code(document: Mapping[str, Any] | None) -> int | None:
    """The first container's exit code that isn't 0, or 0; None while one of them has not ended."""
    shown = view(document)
    codes = [one.current.exit_code for one in shown.mains] if shown else []
    if not codes or any(code is None for code in codes):
        return None
    return next((code for code in codes if code), 0)


def ip_address(document: Mapping[str, Any] | None) -> str | None:
    """The group's IP address, if it has one; a redeployment may change it (azure-facts A5)."""
    return text(get(document, "properties", "ipAddress"), "ip") or None
