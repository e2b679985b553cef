"""Operations of the identities' provider, and the resources that use an identity.

Source: a recorded list (azure-cli, 2023), and the description of ``listAssociatedResources`` (2022-01-31-preview).
"""

from local_azure.arm.behaviour import IDENTITIES
from local_azure.arm.tracked import Tracked
from local_azure.wire import Call, Json, Response

_PROVIDER = "Microsoft.ManagedIdentity"
_ASSIGNED, _FEDERATED = "User Assigned Identities", "Federated Identity Credentials"
_VERBS = (
    (
        "identities/read",
        "System Assigned Identities",
        "Get System Assigned Identity",
        "Gets an existing system assigned identity",
    ),
    (
        "operations/read",
        "Managed Identity operations",
        "List Managed Identity operations",
        "Lists operations available on Microsoft.ManagedIdentity resource provider",
    ),
    (
        "register/action",
        "Managed Identity Resource Provider",
        "Registers the Managed Identity Resource Provider",
        "Registers the subscription for the managed identity resource provider",
    ),
    (
        "userAssignedIdentities/assign/action",
        _ASSIGNED,
        "Assign User Assigned Identity",
        "RBAC action for assigning an existing user assigned identity to a resource",
    ),
    (
        "userAssignedIdentities/delete",
        _ASSIGNED,
        "Delete User Assigned Identity",
        "Deletes an existing user assigned identity",
    ),
    (
        "userAssignedIdentities/federatedIdentityCredentials/read",
        _FEDERATED,
        "Get or list Federated Identity Credentials",
        "Get or list Federated Identity Credentials",
    ),
    (
        "userAssignedIdentities/federatedIdentityCredentials/write",
        _FEDERATED,
        "Add or update Federated Identity Credential",
        "Add or update a Federated Identity Credential",
    ),
    (
        "userAssignedIdentities/federatedIdentityCredentials/delete",
        _FEDERATED,
        "Delete Federated Identity Credential",
        "Delete a Federated Identity Credential",
    ),
    (
        "userAssignedIdentities/listAssociatedResources/action",
        _ASSIGNED,
        "List associated resources for User Assigned Identity",
        "Lists all associated resources for an existing user assigned identity",
    ),
    (
        "userAssignedIdentities/read",
        _ASSIGNED,
        "Get User Assigned Identity",
        "Gets an existing user assigned identity",
    ),
    (
        "userAssignedIdentities/write",
        _ASSIGNED,
        "Create/Update User Assigned Identity",
        "Creates a new user assigned identity or updates the tags associated with an existing user assigned identity",
    ),
)
"""Operations, each with the resource, the operation's name and its description (recorded of azure-cli, 2023)."""


def list_operations(call: Call) -> Response:
    """List the provider's operations, for any caller."""
    found = [
        {
            "name": f"{_PROVIDER}/{name}",
            "display": {
                "provider": "Microsoft Managed Identity",
                "resource": resource,
                "operation": operation,
                "description": description,
            },
        }
        for name, resource, operation, description in _VERBS
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
