"""What a container group's PUT touches beside the group itself, and the rights that Azure asks for there.

Source: LinkedAuthorizationFailed (403), as Azure Resource Manager answers it for whatever names an identity or a subnet
in a PUT; the actions are those of Microsoft.ManagedIdentity and Microsoft.Network.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rotator.arm_json import get, objects, text
from rotator.resource_id import ResourceId

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
ROLES = {ASSIGN: "Managed Identity Operator", JOIN: "Network Contributor"}
"""Built-in roles that allow it; a custom role with the action alone does, too."""


def links(document: Mapping[str, Any] | None) -> tuple[tuple[str, ResourceId], ...]:
    """Pairs of an action and the id of the resource on which a PUT of this group takes it, sorted; what is no id is Azure's to refuse."""
    return tuple(sorted({(action, scope) for action, written in _links(document) for scope in _read(written)}))


def _links(document: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    identities = get(document, "identity", "userAssignedIdentities")
    yield from ((ASSIGN, scope) for scope in (identities if isinstance(identities, Mapping) else ()))
    yield from ((JOIN, text(subnet, "id")) for subnet in objects(document, "properties", "subnetIds"))


def _read(written: str) -> tuple[ResourceId, ...]:
    """The id in a text, none where it is no id."""
    try:
        return (ResourceId.parse(written.rstrip("/")),)
    except ValueError:
        return ()
