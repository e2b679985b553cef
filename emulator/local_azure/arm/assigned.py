"""Managed identities of a registry: the requested ones, in the registries' spelling, with their principals.

Source: the checks of azure-cli's own test of ``az acr identity``: ``systemAssigned, userAssigned`` in lower camel case,
and no identity at all after the last one was removed.
"""

from local_azure.arm.behaviour import Resources
from local_azure.arm.shape import fields
from local_azure.wire import Json, ServiceError

_SPELLED = {"systemassigned": "systemAssigned", "userassigned": "userAssigned"}


def assign(resources: Resources, registry_id: str, asked: Json, had: Json) -> Json:
    """Return the identity of a registry after a body asking for `asked`, with `had` before; None for none.

    Raises ServiceError 400.
    """
    kinds = [part.strip().lower() for part in str(fields(asked).get("type") or "None").split(",")]
    unknown = [kind for kind in kinds if kind not in (*_SPELLED, "none")]
    if unknown:
        raise ServiceError(400, "InvalidRequestContent", f"The identity type '{asked['type']}' is not valid.")
    made: dict[str, Json] = {}
    if "systemassigned" in kinds:
        made |= _system(resources, registry_id, fields(had))
    else:
        release(resources, had)
    if "userassigned" in kinds:
        named = [name for name, given in fields(asked, "userAssignedIdentities").items() if given is not None]
        made["userAssignedIdentities"] = {name: user_assigned(resources, name) for name in named}
    spelled = [_SPELLED[kind] for kind in _SPELLED if kind in kinds]
    return {**made, "type": ", ".join(spelled)} if spelled else None


def release(resources: Resources, had: Json) -> None:
    """Delete a registry's system-assigned identity, with the registry or when no longer requested."""
    resources.authorization.directory.erase(str(fields(had).get("principalId", "")))


def user_assigned(resources: Resources, identity: str) -> dict[str, Json]:
    """Return the properties of a user-assigned identity shown beside the id.

    Raises 400 FailedIdentityOperation, before a resource provider is asked.
    """
    known = resources.get(identity)
    if known is None:
        inner = f'{{"error":{{"code":"BadRequest","message":"Resource \'{identity}\' was not found."}}}}'
        what = f"Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{inner}'."
        raise ServiceError(
            400, "FailedIdentityOperation", f"Identity operation for resource '{identity}' failed with error '{what}'."
        )
    return {name: known.properties[name] for name in ("principalId", "clientId") if name in known.properties}


def _system(resources: Resources, registry_id: str, had: dict[str, Json]) -> dict[str, Json]:
    if "principalId" in had:
        return {name: had[name] for name in ("principalId", "tenantId")}
    directory = resources.authorization.directory
    made = directory.create_identity(registry_id.rsplit("/", 1)[-1], registry_id)
    made.properties["alternativeNames"] = ["isExplicit=False", registry_id]
    return {"principalId": made.id, "tenantId": directory.tenant}
