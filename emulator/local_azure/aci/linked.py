"""Linked resources of a container group's PUT, identities and subnets, with the rights required there.

Source: "Troubleshoot Azure RBAC" and the operations of Microsoft.ManagedIdentity and Microsoft.Network. Azure requires
the rights in every PUT naming a linked resource.
"""

from collections.abc import Iterator

from local_azure.aci.behaviour import TYPE
from local_azure.rbac.behaviour import Authorization
from local_azure.wire import Call, Json

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"


def require_linked(authorization: Authorization, call: Call, group_id: str, body: Json) -> None:
    """Let a PUT pass; raises 403 LinkedAuthorizationFailed."""
    for action, scope in _touched(body):
        authorization.require_linked(call.who, f"{TYPE}/write", group_id, action, scope)


def _touched(body: Json) -> Iterator[tuple[str, str]]:
    """Yield the linked resources with the required rights; other checks refuse values of a wrong shape."""
    identities = _part(_part(body, "identity"), "userAssignedIdentities")
    if isinstance(identities, dict):
        yield from ((ASSIGN, scope) for scope in identities)
    subnets = _part(_part(body, "properties"), "subnetIds")
    for subnet in subnets if isinstance(subnets, list) else ():
        if isinstance(scope := _part(subnet, "id"), str):
            yield JOIN, scope


def _part(value: Json, name: str) -> Json:
    if not isinstance(value, dict):
        return None
    return next((part for key, part in value.items() if key.lower() == name.lower()), None)
