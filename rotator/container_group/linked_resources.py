"""Resources beside the group touched by a container group's PUT, and the rights required there by Azure.

Source: LinkedAuthorizationFailed (403), the answer of Azure Resource Manager for an identity or a subnet named in a
PUT; the actions are those of Microsoft.ManagedIdentity and Microsoft.Network.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rotator.arm_json import get, objects, text
from rotator.resource_id import ResourceId
from rotator.rights import ASSIGN_IDENTITY, JOIN_SUBNET


def links(document: Mapping[str, Any] | None) -> tuple[tuple[str, ResourceId], ...]:
    """Return pairs of an action and the resource id on which a PUT of this group takes the action, sorted.

    A text which is no id is left for Azure to refuse.
    """
    return tuple(sorted({(action, scope) for action, written in _links(document) for scope in _read(written)}))


def _links(document: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    identities = get(document, "identity", "userAssignedIdentities")
    yield from ((ASSIGN_IDENTITY, scope) for scope in (identities if isinstance(identities, Mapping) else ()))
    yield from ((JOIN_SUBNET, text(subnet, "id")) for subnet in objects(document, "properties", "subnetIds"))


def _read(written: str) -> tuple[ResourceId, ...]:
    """Return the id in a text; empty if the text is no id."""
    try:
        return (ResourceId.parse(written.rstrip("/")),)
    except ValueError:
        return ()
