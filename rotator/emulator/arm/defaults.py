"""What a resource provider adds to a resource that was put: host names, states, and the defaults of what was left out."""

from datetime import datetime

from rotator.emulator.arm.clouds import cloud_of
from rotator.emulator.clock import iso
from rotator.emulator.wire import Json

Properties = dict[str, Json]


def complete(
    type: str, name: str, location: str, given: Properties, sku: Properties | None, created: datetime
) -> tuple[Properties, Properties | None]:
    """The properties and the SKU that a GET shows after a PUT of `given`."""
    provider = type.lower()
    if provider == "microsoft.containerregistry/registries":
        tier = str((sku or {}).get("name", "Basic")).capitalize()
        return {**_registry(name, location, created, tier), **given}, {"name": tier, "tier": tier}
    if provider == "microsoft.keyvault/vaults":
        return {**_vault(name, location), **given}, sku
    return {"provisioningState": "Succeeded", **given}, sku


def _registry(name: str, location: str, created: datetime, tier: str) -> Properties:
    """Source: recorded PUTs of api-version 2024-11-01-preview; `roleAssignmentMode` came in 2025, only Premium has network rules."""
    since = iso(created).removesuffix("Z") + "+00:00"
    return {
        "loginServer": f"{name.lower()}.{cloud_of(location).registries}",
        "creationDate": iso(created),
        "provisioningState": "Succeeded",
        "adminUserEnabled": False,
        **({"networkRuleSet": {"defaultAction": "Allow", "ipRules": []}} if tier == "Premium" else {}),
        "policies": {
            "quarantinePolicy": {"status": "disabled"},
            "trustPolicy": {"type": "Notary", "status": "disabled"},
            "retentionPolicy": {"days": 7, "lastUpdatedTime": since, "status": "disabled"},
            "exportPolicy": {"status": "enabled"},
            "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
            "softDeletePolicy": {"retentionDays": 7, "lastUpdatedTime": since, "status": "disabled"},
        },
        "encryption": {"status": "disabled"},
        "dataEndpointEnabled": False,
        "dataEndpointHostNames": [],
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "networkRuleBypassOptions": "AzureServices",
        "zoneRedundancy": "Disabled",
        "anonymousPullEnabled": False,
        "roleAssignmentMode": "LegacyRegistryPermissions",
    }


def _vault(name: str, location: str) -> Properties:
    """Soft delete can't be off, and lasts 90 days unless 7 to 89 are asked for at creation. In the order that recorded answers have."""
    return {
        "sku": {"family": "A", "name": "standard"},
        "tenantId": "",
        "accessPolicies": [],
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enableRbacAuthorization": True,
        "vaultUri": f"https://{name.lower()}.{cloud_of(location).vaults}/",
        "provisioningState": "Succeeded",
        "publicNetworkAccess": "Enabled",
    }
