"""Operations of the identities' provider, and the resources that use an identity.

Source: the descriptions of Microsoft.ManagedIdentity (``operations``; ``listAssociatedResources`` of
2022-01-31-preview).
"""

from local_azure.arm.behaviour import IDENTITIES
from local_azure.arm.tracked import Tracked
from local_azure.wire import Call, Json, Response

_PROVIDER = "Microsoft.ManagedIdentity"
_VERBS = {
    "userAssignedIdentities/read": ("Get User Assigned Identity", "Gets an existing user assigned identity"),
    "userAssignedIdentities/write": (
        "Create/Update User Assigned Identity",
        "Creates a new user assigned identity or updates the tags associated with an existing user assigned identity",
    ),
    "userAssignedIdentities/delete": (
        "Delete User Assigned Identity",
        "Deletes an existing user assigned identity",
    ),
    "userAssignedIdentities/assign/action": (
        "Assign User Assigned Identity",
        "RBAC action for assigning an existing user assigned identity to a resource",
    ),
}


def list_operations(call: Call) -> Response:
    """List the provider's operations, for any caller."""
    display = {"provider": "Managed Identity", "resource": "User Assigned Identity"}
    found = [
        {"name": f"{_PROVIDER}/{name}", "display": {**display, "operation": operation, "description": description}}
        for name, (operation, description) in _VERBS.items()
    ]
    return Response.json(200, {"value": found})


def associated(call: Call, tracked: Tracked) -> Response:
    """List the resources of the subscription that have the identity in the path."""
    tracked.require(call, "listAssociatedResources/action")
    identity, resources = tracked.found(call), tracked.resources
    subscription = resources.subscription(call["subscription"])
    found: list[Json] = [
        {
            "id": each.id,
            "name": each.name,
            "type": each.type,
            "resourceGroup": each.id.split("/")[4],
            "subscriptionId": subscription.id,
            "subscriptionDisplayName": subscription.name,
        }
        for each in resources.list(subscription.id)
        if each.type != IDENTITIES
        and identity.id.lower() in map(str.lower, (each.identity or {}).get("userAssignedIdentities") or ())
    ]
    return Response.json(200, {"totalCount": len(found), "value": found})
