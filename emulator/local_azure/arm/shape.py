"""The JSON of Resource Manager's own objects, field by field as recorded answers show them."""

import re
from collections.abc import Callable
from datetime import datetime

from local_azure.arm.behaviour import IDENTITIES, REGISTRIES, VAULTS, Lock, Resource, ResourceGroup, Subscription
from local_azure.arm.identities import require_identities
from local_azure.arm.registry_versions import SYSTEM_DATA, seen
from local_azure.arm.tags import tags_of
from local_azure.clock import iso
from local_azure.wire import Json, ServiceError

VAULT_ORDER = (
    "sku",
    "tenantId",
    "networkAcls",
    "accessPolicies",
    "enabledForDeployment",
    "enabledForDiskEncryption",
    "enabledForTemplateDeployment",
    "enableSoftDelete",
    "softDeleteRetentionInDays",
    "enableRbacAuthorization",
    "enablePurgeProtection",
    "vaultUri",
    "provisioningState",
    "publicNetworkAccess",
)
"""Order of a vault's properties in recorded answers."""
VAULT_FLAGS = (
    "enabledForDeployment",
    "enabledForDiskEncryption",
    "enabledForTemplateDeployment",
    "enableRbacAuthorization",
)
SUMMARY_PLAIN = "2015-11-01"
"""The api-version whose list of all resources has no ``systemData`` (recorded of az, which asks for vaults so)."""
VAULT_STAMPS, VAULT_ACCESS = "2021-04-01", "2021-06-01"
"""The first api-versions that show a vault's ``systemData`` and ``publicNetworkAccess`` (recorded from 2019 on)."""
FLAGS_SINCE = "2024"
"""Recorded with 2023-02-01 and 2023-07-01 (until December 2024): of flags not set only `enabledForDeployment`."""
OPEN_NETWORK: dict[str, Json] = {
    "bypass": "AzureServices",
    "defaultAction": "Allow",
    "ipRules": [],
    "virtualNetworkRules": [],
}
"""The network rules of a vault that has none."""


def subscription_json(subscription: Subscription, tenant: str) -> Json:
    """Return a subscription as in the list of ``GET /subscriptions``; ``tags`` once it was tagged (recorded)."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        **({} if subscription.tags is None else {"tags": dict(subscription.tags)}),
        "subscriptionId": subscription.id,
        "tenantId": tenant,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def tenant_json(tenant: str) -> Json:
    """The one tenant."""
    return {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "US",
        "displayName": "Emulated tenant",
        "tenantCategory": "Home",
    }


def group_json(group: ResourceGroup) -> Json:
    """A resource group; one that was given no tags shows none, not even an empty object (recorded)."""
    return {
        "id": group.id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        **({"managedBy": group.managed_by} if group.managed_by else {}),
        **({"tags": group.tags} if group.tags is not None else {}),
        "properties": {"provisioningState": "Deleting" if group.gone_at else "Succeeded"},
    }


def resource_json(resource: Resource, api_version: str) -> Json:
    """Return a resource in full, in the provider's shape."""
    where = {"location": resource.location, "tags": resource.tags}
    head = {"id": resource.id, "name": resource.name, "type": resource.type, **where}
    properties = dict(resource.properties)
    if resource.type.lower() == REGISTRIES.lower():
        first = {
            "sku": resource.sku,
            "type": resource.type,
            **_identity(resource),
            "id": resource.id,
            "name": resource.name,
            **where,
        }
        system = {"systemData": _system(resource, _offset)} if SYSTEM_DATA.knows(api_version) else {}
        return {**first, **system, "properties": seen(properties, api_version)}
    if resource.type.lower() == IDENTITIES.lower():
        return {**head, "id": _lowered(resource.id), "properties": {**properties, **_secret_url(resource, api_version)}}
    if resource.type.lower() == VAULTS.lower():
        system = {"systemData": _system(resource, lambda at: iso(at, 3))} if api_version >= VAULT_STAMPS else {}
        return {**head, **system, "properties": _vault(properties, api_version)}
    return {**head, **_identity(resource), **({"sku": resource.sku} if resource.sku else {}), "properties": properties}


def _vault(properties: dict[str, Json], api_version: str) -> dict[str, Json]:
    """Return a vault's properties in order; network rules without any restriction aren't shown.

    Newer api-versions show a flag that was not set as false.
    """
    if api_version < VAULT_ACCESS:
        properties = {name: value for name, value in properties.items() if name != "publicNetworkAccess"}
    if api_version >= FLAGS_SINCE:
        properties = {**properties, **{name: properties.get(name) or False for name in VAULT_FLAGS}}
    shown = {name: properties[name] for name in (*VAULT_ORDER, *properties) if properties.get(name) is not None}
    rules = shown.get("networkAcls")
    if rules == OPEN_NETWORK:
        del shown["networkAcls"]
    return shown


def _lowered(resource_id: str) -> str:
    """Return the id with ``resourcegroups`` in lower case, as the identities' provider writes ids (recorded)."""
    return resource_id.replace("/resourceGroups/", "/resourcegroups/")


def _secret_url(resource: Resource, api_version: str) -> dict[str, Json]:
    """Return the extra property of identities in the first api-version; 2018-11-30 has none (recorded until 2026)."""
    if api_version >= "2018":
        return {}
    named = {"tid": "tenantId", "oid": "principalId", "aid": "clientId"}
    query = "&".join(f"{short}={resource.properties[name]}" for short, name in named.items())
    return {
        "clientSecretUrl": (
            f"https://control-{resource.location}.identity.azure.net{_lowered(resource.id)}/credentials?{query}"
        )
    }


def _system(resource: Resource, written: Callable[[datetime], str]) -> Json:
    by = resource.changed_by or resource.created_by
    return system_data(resource.created_by, resource.created, by, resource.changed, written)


def system_data(
    by: str, at: datetime, changed_by: str, changed: datetime, written: Callable[[datetime], str]
) -> dict[str, Json]:
    """Return creator and last writer with the instants, in each provider's format (recorded)."""
    made = {"createdBy": by, "createdByType": "Application", "createdAt": written(at)}
    last = {"lastModifiedBy": changed_by, "lastModifiedByType": "Application", "lastModifiedAt": written(changed)}
    return {**made, **last}


def _offset(at: datetime) -> str:
    return iso(at).removesuffix("Z") + "+00:00"


def summary_json(resource: Resource, expand: set[str], version: str, *, by_tag: bool) -> Json:
    """Return a resource for the list of all resources: only the properties added by ``$expand``.

    A list filtered by tag has neither tags nor any addition (documented and recorded); an old api-version has no
    ``systemData``.
    """
    summary: dict[str, Json] = {"id": resource.id, "name": resource.name, "type": resource.type}
    if resource.sku:
        summary["sku"] = resource.sku
    if by_tag:
        return {**summary, "location": resource.location}
    tags = {} if _untagged(resource) else {"tags": resource.tags}
    summary |= {"location": resource.location, **_identity(resource, _listed), **tags}
    if version > SUMMARY_PLAIN and resource.type.lower() in (REGISTRIES.lower(), VAULTS.lower()):
        summary["systemData"] = _system(resource, iso)
    extra = {
        "createdtime": ("createdTime", iso(resource.created)),
        "changedtime": ("changedTime", iso(resource.changed)),
        "provisioningstate": ("provisioningState", resource.properties.get("provisioningState", "Succeeded")),
    }
    return summary | dict(extra[name] for name in extra if name in expand)


def _untagged(resource: Resource) -> bool:
    """Tell if a resource was given no tags and shows none: only Microsoft.Network leaves them out (recorded)."""
    return (
        resource.type.startswith("Microsoft.Network/") and not resource.tags and not resource.properties.get("tagged")
    )


def lock_json(lock: Lock) -> Json:
    """A management lock."""
    notes = {"notes": lock.notes} if lock.notes is not None else {}
    return {
        "properties": {"level": lock.level, **notes},
        "id": lock.id,
        "type": "Microsoft.Authorization/locks",
        "name": lock.name,
    }


def expansions(text: str) -> set[str]:
    """Return the names in ``$expand``; raises ServiceError 501 for an unknown one."""
    wanted = {part.strip().lower() for part in text.split(",") if part.strip()}
    if wanted - {"createdtime", "changedtime", "provisioningstate"}:
        raise ServiceError(501, "NotImplemented", f"The emulator does not implement $expand={text!r}.")
    return wanted


def fields(body: Json, name: str | None = None) -> dict[str, Json]:
    """Return a client's JSON object, or the object under `name` ({} if absent); raises ServiceError 400."""
    value = body if name is None else fields(body).get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = (
            f"The request content was invalid and could not be deserialized: '{name or 'the body'} is not a JSON"
            " object'."
        )
        raise ServiceError(400, "InvalidRequestContent", message)
    return value


def envelope(body: Json) -> None:
    """Check the types of the properties common to all resources, before any read; raises ServiceError 400."""
    if body is None:
        raise ServiceError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'the body is null'.",
        )
    for name in ("properties", "sku", "identity"):
        fields(body, name)
    tags_of(body)
    require_identities(fields(body, "identity"))
    if not isinstance(body.get("location") or "", str):
        raise ServiceError(
            400,
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'location is not a text'.",
        )


_CLAUSE = re.compile(
    r"(resourceType|name|resourceGroup|location|tagName|tagValue)\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE
)


def resource_filter(text: str) -> dict[str, str]:
    """The equalities of a resource list's ``$filter``, names and values in lower case; raises ServiceError 501."""
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else ():
        match = _CLAUSE.fullmatch(clause.strip())
        if not match or match[1].lower() in found:
            raise ServiceError(501, "NotImplemented", f"The emulator does not implement the filter {text!r}.")
        found[match[1].lower()] = match[2].replace("''", "'").lower()
    return found


def group_filter(text: str) -> Callable[[ResourceGroup], bool]:
    """Return a check of a resource group for the tag in a list's ``$filter``.

    Raises ServiceError 501 for any other filter.
    """
    wanted = resource_filter(text)
    if set(wanted) - {"tagname", "tagvalue"}:
        raise ServiceError(501, "NotImplemented", f"The emulator does not implement the filter {text!r}.")
    return lambda group: _tagged(group.tags or {}, wanted)


def _tagged(tags: dict[str, str], wanted: dict[str, str]) -> bool:
    held = {name.lower(): value.lower() for name, value in tags.items()}
    return "tagname" not in wanted or held.get(wanted["tagname"]) == wanted.get(
        "tagvalue", held.get(wanted["tagname"], object())
    )


def passes(resource: Resource, wanted: dict[str, str]) -> bool:
    """Tell if a resource matches all conditions read by :func:`resource_filter`."""
    if not _tagged(resource.tags, wanted):
        return False
    has = {
        "resourcetype": resource.type.lower(),
        "name": resource.name.lower(),
        "resourcegroup": resource.id.split("/")[4].lower(),
        "location": resource.location.lower(),
    }
    return all(has[name] == value for name, value in wanted.items() if name in has)


def _identity(resource: Resource, spelled: Callable[[str], str] = str) -> dict[str, Json]:
    if not resource.identity:
        return {}
    return {"identity": {**resource.identity, "type": spelled(str(resource.identity.get("type", "")))}}


def _listed(kinds: str) -> str:
    """Return an identity's type as the list of all resources spells it: ``SystemAssigned, UserAssigned`` (recorded)."""
    return re.sub(r"\b[a-z]", lambda first: first[0].upper(), kinds)
