"""Functions of ARM's template expressions that make ids of resources, from the id of the container group's place."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from rotator.resource_id import GUID


class Placed(Protocol):
    """Scope that knows where the container group is."""

    def group(self) -> tuple[str, str]:
        """Return subscription and resource group of the container group."""


def _named(parts: Sequence[str]) -> str:
    """Return ``/providers/NAMESPACE/KIND/NAME…`` for a type and a name for each of its kinds.

    A slash at the end of the type counts for nothing (azure-facts A14).
    """
    provider, *kinds = parts[0].rstrip("/").split("/")
    if not kinds:
        raise ValueError
    return f"/providers/{provider}" + "".join(f"/{kind}/{name}" for kind, name in zip(kinds, parts[1:], strict=True))


def _of_group(scope: Placed, *parts: str) -> str:
    """Return the id of a resource: of this resource group, if no other is named."""
    subscription, group = scope.group()
    at = next((index for index, part in enumerate(parts) if "/" in part), len(parts))
    if at > 2 or at == len(parts) or (at == 1 and re.fullmatch(GUID, parts[0])):
        raise ValueError
    if at == 2:
        subscription, group = parts[:2]
    elif at == 1:
        group = parts[0]
    return f"/subscriptions/{subscription}/resourceGroups/{group}{_named(parts[at:])}"


def _of_subscription(scope: Placed, *parts: str) -> str:
    """Return the id of a resource of a subscription: of this one, if no other is named."""
    subscription, at = (scope.group()[0], 0) if "/" in parts[0] else (parts[0], 1)
    return f"/subscriptions/{subscription}{_named(parts[at:])}"


def _of_another(scope: str, *parts: str) -> str:
    """Return the id of an extension resource of another resource."""
    if not scope.startswith("/"):
        raise ValueError
    return f"{scope.rstrip('/')}{_named(parts)}"


IDS: dict[str, Callable[..., Any]] = {
    "extensionresourceid": _of_another,
    "tenantresourceid": lambda *parts: _named(parts),
}
"""Functions of their arguments alone, by their names in small letters."""
PLACED: dict[str, Callable[..., Any]] = {"resourceid": _of_group, "subscriptionresourceid": _of_subscription}
"""Functions that need the container group's place; the scope is their first argument."""
