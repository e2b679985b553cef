"""Rules of a vault's PUT: service-only properties, irreversible actions, access policies, network rules.

Texts from users' reports; the text of the range of days could not be looked up.
"""

import ipaddress

from local_azure.arm.behaviour import Resources
from local_azure.arm.graveyard import retention
from local_azure.arm.private_endpoints import subnet_of
from local_azure.arm.shape import fields
from local_azure.arm.state import Resource
from local_azure.wire import Json, ServiceError

READ_ONLY = {"vaultUri", "provisioningState", "hsmPoolResourceId", "privateEndpointConnections", "createMode"}
"""Properties that a body may carry (az sends back all that it read) and a vault doesn't keep."""

FIXED = (
    "softDeleteRetentionInDays",
    "enablePurgeProtection",
    "enableRbacAuthorization",
    "publicNetworkAccess",
    "networkAcls",
    "tenantId",
)
"""Properties that stay when a PUT leaves them out."""

ACCESS = ("enabled", "disabled")
"""Values of ``publicNetworkAccess``, which Azure shows with a capital letter however they are written (recorded)."""

KINDS = ("keys", "secrets", "certificates", "storage")


SOFT_DELETE_SINCE, RETENTION_SINCE = "2019", "2022"
"""The first api-versions that show soft delete, and its days, of a vault made without a word on them (recorded)."""


def given(body: Json, existing: Resource | None, tenant: str, version: str) -> dict[str, Json]:
    """Return the effective properties of a PUT or PATCH; raises 400 BadRequest."""
    found = {
        name: value for name, value in fields(body, "properties").items() if name not in READ_ONLY and value is not None
    }
    found |= {} if existing else _unsaid(found, version)
    found["enableSoftDelete"] = True if {"enableSoftDelete"} & found.keys() or version >= SOFT_DELETE_SINCE else None
    _irreversible(found, existing)
    if existing:
        found = {**{name: existing.properties[name] for name in FIXED if name in existing.properties}, **found}
    if str(found.get("publicNetworkAccess", "")).lower() in ACCESS:
        found["publicNetworkAccess"] = found["publicNetworkAccess"].capitalize()
    if "networkAcls" in found:
        found["networkAcls"] = network_rules(fields(found, "networkAcls"))
    if found.get("tenantId", tenant).lower() != tenant.lower():
        raise _bad(f"The provided tenant ID '{found['tenantId']}' does not match the tenant of the subscription.")
    if "accessPolicies" in found:
        found["accessPolicies"] = [_policy(each) for each in found["accessPolicies"]]
    return found


def _unsaid(found: dict[str, Json], version: str) -> dict[str, Json]:
    """Return the days of a new vault that says none: shown only if it is silent on soft delete too (recorded)."""
    silent = "enableSoftDelete" not in found and version >= RETENTION_SINCE
    return {} if silent or "softDeleteRetentionInDays" in found else {"softDeleteRetentionInDays": None}


def _irreversible(found: dict[str, Json], existing: Resource | None) -> None:
    if found.get("enablePurgeProtection") is False:
        message = 'The property "enablePurgeProtection" cannot be set to false.'
        raise _bad(f"{message} Enabling the purge protection for a vault is an irreversible action.")
    days = found.get("softDeleteRetentionInDays")
    if days is None:
        return
    if existing and days != retention(existing.properties):
        raise _bad('The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.')
    if not isinstance(days, int) or not 7 <= days <= 90:
        raise _bad('The property "softDeleteRetentionInDays" must be between 7 and 90.')


def network_rules(rules: dict[str, Json]) -> dict[str, Json]:
    """Network rules as a GET shows them: defaults, addresses as ranges, and ids of subnets in lower case (recorded)."""
    return {
        "bypass": rules.get("bypass") or "AzureServices",
        "defaultAction": rules.get("defaultAction") or "Allow",
        "ipRules": [{"value": _range(fields(rule).get("value"))} for rule in rules.get("ipRules") or []],
        "virtualNetworkRules": [
            {**fields(rule), "id": str(fields(rule).get("id", "")).lower()}
            for rule in rules.get("virtualNetworkRules") or []
        ],
    }


def require_endpoints(resources: Resources, rules: dict[str, Json]) -> None:
    """Refuse a rule for a subnet that isn't there, or from which no service endpoint leads to Key Vault.

    Words reported by users of Terraform and PowerShell; of a subnet that isn't there only the rule is documented.
    """
    for rule in rules.get("virtualNetworkRules") or []:
        subnet = subnet_of(resources, rule["id"])
        network, _, name = rule["id"].partition("/subnets/")
        if subnet is None:
            raise _not_valid("404 (NotFound)", "NotFound", f"Resource {rule['id']} not found")
        ends = {str(each.get("service")).lower() for each in subnet["properties"].get("serviceEndpoints") or []}
        if "microsoft.keyvault" not in ends and not rule.get("ignoreMissingVnetServiceEndpoint"):
            message = f"Subnets {name} of virtual network {network} do not have ServiceEndpoints for Microsoft.KeyVault"
            advice = "Add Microsoft.KeyVault to subnet's ServiceEndpoints collection before trying to ACL"
            more = f"resources configured. {advice} Microsoft.KeyVault resources to these subnets."
            raise _not_valid("400 (BadRequest)", "SubnetsHaveNoServiceEndpointsConfigured", f"{message} {more}")


def _not_valid(status: str, code: str, message: str) -> ServiceError:
    head = f"Operation on Virtual Network could not be performed. StatusCode: {status}. Error Code: {code}."
    return ServiceError(400, "VirtualNetworkNotValid", f"{head} Error Message: {message}.")


def _range(text: Json) -> str:
    try:
        return str(ipaddress.ip_network(str(text), strict=False))
    except ValueError as error:
        raise _bad(f"The IP rule value '{text}' is not valid. It must be an IPv4 address or range.") from error


def policies(kind: str, old: list[Json], asked: list[Json]) -> list[Json]:
    """Return the access policies after ``add``, ``replace`` or ``remove`` of the requested ones, in order."""
    if kind not in ("add", "replace", "remove"):
        raise _bad(f"The operation '{kind}' on access policies is not valid. Use add, replace or remove.")
    found = {_holder(each): each for each in old}
    for each in map(_policy, asked):
        holder = _holder(each)
        if kind == "replace" or holder not in found:
            found[holder] = each
        else:
            found[holder] = {
                **found[holder],
                "permissions": _merged(kind, found[holder]["permissions"], each["permissions"]),
            }
        if kind == "remove" and not any(found[holder]["permissions"].values()):
            del found[holder]
    return list(found.values())


def _merged(kind: str, old: dict[str, list[str]], asked: dict[str, list[str]]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for each in KINDS:
        had, wanted = old.get(each) or [], asked.get(each) or []
        if kind == "add":
            merged[each] = list(dict.fromkeys((*had, *wanted)))
        else:
            merged[each] = [permission for permission in had if permission.lower() not in {w.lower() for w in wanted}]
    return {name: value for name, value in merged.items() if value or name in old}


def _holder(policy: Json) -> tuple[str, str]:
    return policy.get("objectId", "").lower(), policy.get("applicationId", "").lower()


def _policy(policy: Json) -> dict[str, Json]:
    """Check a policy for an object id and permissions; raises 400 BadRequest."""
    found = fields(policy)
    if not isinstance(found.get("objectId"), str) or not isinstance(found.get("permissions"), dict):
        raise _bad("An access policy needs 'tenantId', 'objectId' and 'permissions'.")
    return found


def _bad(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)
