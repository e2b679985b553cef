"""What came of a deployment, for who started it: a job's exit code, the address that may have changed, the images that run."""

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


def digests(document: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """The digests that were last pulled, by repository (``server/name``), sorted: tags move, and a redeployment pulls what they are now."""
    shown = view(document)
    pulled = [event for one in (shown.instances if shown else ()) for event in one.events if event.name == "pulled" and "@sha256:" in event.message]
    named = (event.message.partition('"')[2].partition('"')[0].partition("@") for event in sorted(pulled, key=lambda event: event.last))
    return tuple(sorted({repository: digest for repository, _, digest in named}.items()))
