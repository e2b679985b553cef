"""What a container group's PUT touches beside the group, and the rights that this takes: its identities and its subnets.

Source: "Troubleshoot Azure RBAC" and the operations of Microsoft.ManagedIdentity and Microsoft.Network. Azure asks for
them in every PUT that names one.
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
    """What is not of the shape that it should be is for others to refuse."""
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
