"""Clouds of Azure Resource Manager, with each cloud's ``/metadata/endpoints``.

Source: the public answers of ``metadata/endpoints`` (api-version 2022-09-01); of the sovereign clouds less the services
without emulation. A host that is named there is not served for that.
"""

from dataclasses import dataclass

from local_azure.wire import Json


@dataclass(frozen=True, slots=True)
class Cloud:
    """Cloud: name on the command line, own name, a region, and hosts learned from Resource Manager."""

    short: str
    name: str
    region: str
    resource_manager: str
    login: str
    graph: str
    vaults: str
    registries: str
    core: str
    portal: str

    def owns(self, location: str) -> bool:
        """Tell if a region (``usgovvirginia``, ``chinaeast2``, ``westeurope``) belongs to this cloud."""
        prefix = {"AzureUSGovernment": "usgov", "AzureChinaCloud": "china"}.get(self.name)
        return bool(prefix) and location.lower().replace(" ", "").startswith(prefix or "")


PUBLIC = Cloud(
    "public",
    "AzureCloud",
    "eastus",
    "management.azure.com",
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "vault.azure.net",
    "azurecr.io",
    "management.core.windows.net",
    "portal.azure.com",
)
US_GOVERNMENT = Cloud(
    "usgov",
    "AzureUSGovernment",
    "usgovvirginia",
    "management.usgovcloudapi.net",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "vault.usgovcloudapi.net",
    "azurecr.us",
    "management.core.usgovcloudapi.net",
    "portal.azure.us",
)
CHINA = Cloud(
    "china",
    "AzureChinaCloud",
    "chinaeast2",
    "management.chinacloudapi.cn",
    "login.chinacloudapi.cn",
    "microsoftgraph.chinacloudapi.cn",
    "vault.azure.cn",
    "azurecr.cn",
    "management.core.chinacloudapi.cn",
    "portal.azure.cn",
)
CLOUDS = (PUBLIC, US_GOVERNMENT, CHINA)


def named(short: str) -> Cloud:
    """The cloud that the command line calls `short`. Raises StopIteration where there is none."""
    return next(cloud for cloud in CLOUDS if cloud.short == short)


def cloud_at(host: str) -> Cloud:
    """Return the cloud of a `host`; the public cloud for a host of no other cloud."""
    sovereign = (each for each in (US_GOVERNMENT, CHINA) if host in (each.resource_manager, each.login, each.graph))
    return next(sovereign, PUBLIC)


def cloud_of(location: str) -> Cloud:
    """Return the cloud with the region `location`; the public one unless the region's name says otherwise."""
    return next((cloud for cloud in CLOUDS if cloud.owns(location)), PUBLIC)


SUFFIXES = {
    "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
    "acrLoginServer": PUBLIC.registries,
    "sqlServerHostname": "database.windows.net",
    "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
    "keyVaultDns": PUBLIC.vaults,
    "storage": "core.windows.net",
    "azureFrontDoorEndpointSuffix": "azurefd.net",
    "storageSyncEndpointSuffix": "afs.azure.net",
    "mhsmDns": "managedhsm.azure.net",
    "mysqlServerEndpoint": "mysql.database.azure.com",
    "postgresqlServerEndpoint": "postgres.database.azure.com",
    "mariadbServerEndpoint": "mariadb.database.azure.com",
    "synapseAnalytics": "dev.azuresynapse.net",
    "attestationEndpoint": "attest.azure.net",
}
"""Suffixes of the public cloud's hosts (recorded in 2025)."""
ENDPOINTS = {
    "media": "https://rest.media.azure.net",
    "graphAudience": "https://graph.windows.net/",
    "graph": "https://graph.windows.net/",
    "batch": "https://batch.core.windows.net/",
    "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/"
    "quickstart-templates/aliases.json",
    "activeDirectoryDataLake": "https://datalake.azure.net/",
    "sqlManagement": "https://management.core.windows.net:8443/",
    "appInsightsResourceId": "https://api.applicationinsights.io",
    "appInsightsTelemetryChannelResourceId": "https://dc.applicationinsights.azure.com/v2/track",
    "attestationResourceId": "https://attest.azure.net",
    "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
    "logAnalyticsResourceId": "https://api.loganalytics.io",
    "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
}
"""Endpoints of the public cloud's other services (recorded in 2025)."""


def metadata(cloud: Cloud) -> Json:
    """Return the description of a cloud in ``metadata/endpoints``."""
    suffixes = SUFFIXES if cloud == PUBLIC else {"acrLoginServer": cloud.registries, "keyVaultDns": cloud.vaults}
    return {
        "portal": f"https://{cloud.portal}",
        "authentication": {
            "loginEndpoint": f"https://{cloud.login}",
            "audiences": [f"https://{cloud.core}/", f"https://{cloud.resource_manager}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "name": cloud.name,
        "suffixes": suffixes,
        "resourceManager": f"https://{cloud.resource_manager}/",
        "microsoftGraphResourceId": f"https://{cloud.graph}/",
        **(ENDPOINTS if cloud == PUBLIC else {}),
    }
