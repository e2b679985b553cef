"""Resource Manager's check of a body's identity, before a resource provider sees it.

Source: the words reported of a type without identities (terraform-provider-azurerm 17082) and of identities that the
type doesn't have (azure-rest-api-specs 17650).
"""

from local_azure.wire import Json, ServiceError


def require_identities(identity: dict[str, Json]) -> None:
    """Refuse an identity type without the identities it names, or with identities it can't have.

    Raises ServiceError 400 MissingIdentityIds, FailedIdentityOperation.
    """
    kind, named = str(identity.get("type") or ""), identity.get("userAssignedIdentities")
    wanted = "userassigned" in kind.lower().replace(" ", "").split(",")
    if wanted and not named:
        message = f"The identity ids must not be null or empty for '{kind}' identity type."
        raise ServiceError(400, "MissingIdentityIds", message)
    if (
        kind
        and not wanted
        and isinstance(named, dict)
        and (not named or any(each is not None for each in named.values()))
    ):
        inner = (
            '{"error":{"code":"BadRequest","message":"The request format was unexpected, a non-UserAssigned identity'
            ' type should not contain: userAssignedIdentities"}}'
        )
        what = f"Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{inner}'."
        raise ServiceError(400, "FailedIdentityOperation", what)
