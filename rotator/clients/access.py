"""Read all ways to pull a registry's images.

These are roles of the principal and of its groups, tokens, and the registry's own switches. Parts not found or not
readable are reported in words as part of the picture; every other error ends the read.
"""

from collections.abc import Awaitable
from typing import TypeVar

from rotator.clients.pipeline import together
from rotator.clients.services import Services
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.resource_id import ResourceId
from rotator.state import Assignment, Registry, RegistryAccess, Role

T = TypeVar("T")


async def registry_access(azure: Services, registry_id: ResourceId, principal: str | None) -> RegistryAccess:
    """Read one registry's access; without a principal only the ways open to others.

    A registry not found or not readable has no login server.
    """
    try:
        registry = await azure.arm.registry(registry_id)
    except (Forbidden, NotFound) as error:
        return RegistryAccess(
            Registry(registry_id, ""), unread=(f"the ways to pull from it can't be read ({error.happened})",)
        )
    unread = list[str]()
    reading = azure.rbac.assigned(registry.id, principal) if principal else _none()
    assignments = await _read(unread, "the role assignments there may not be read", reading, ())
    tokens = await _read(unread, "its repository-scoped tokens may not be read", azure.arm.tokens(registry.id), ())
    roles = await together(*(_role(azure, role, registry.id) for role in sorted({a.role for a in assignments})))
    groups = sorted({a.principal_id.lower() for a in assignments} - {(principal or "").lower()})
    names = await together(*(_named(azure, group) for group in groups))
    return RegistryAccess(
        registry, assignments, tuple(role for role in roles if role), tuple(names), tokens, tuple(unread)
    )


async def _none() -> tuple[Assignment, ...]:
    return ()


async def _read(unread: list[str], what: str, reading: Awaitable[T], instead: T) -> T:
    try:
        return await reading
    except (Forbidden, NotFound) as error:
        unread.append(f"{what} ({error.happened})")
        return instead


async def _role(azure: Services, role: str, scope: ResourceId) -> Role | None:
    """Read a role; None where its definition may not be read, or is gone."""
    try:
        return await azure.rbac.definition(role, scope)
    except (Forbidden, NotFound):
        return None


async def _named(azure: Services, group: str) -> tuple[str, str]:
    """Return a group's object id and, where readable, its name: rotator's right in Graph is about applications."""
    try:
        return group, f"{await azure.graph.group_name(group)} ({group})"
    except AzureError:
        return group, group
