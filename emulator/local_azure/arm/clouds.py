"""The clouds that Azure Resource Manager exists in, and what its ``/metadata/endpoints`` says of each.

Source: the public answers of ``metadata/endpoints`` (api-version 2022-09-01), less the services that are not emulated.
"""

from dataclasses import dataclass

from local_azure.wire import Json


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud: what the command line calls it, its name, one of its regions, and the hosts that a client learns from Resource Manager."""

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
        """Whether a region (``usgovvirginia``, ``chinaeast2``, ``westeurope``) is one of this cloud's."""
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
    """The cloud in which something answers at `host`; the public one for a host that no other cloud has."""
    sovereign = (each for each in (US_GOVERNMENT, CHINA) if host in (each.resource_manager, each.login, each.graph))
    return next(sovereign, PUBLIC)


def cloud_of(location: str) -> Cloud:
    """The cloud whose region `location` is; the public one unless its name says otherwise."""
    return next((cloud for cloud in CLOUDS if cloud.owns(location)), PUBLIC)


def metadata(cloud: Cloud) -> Json:
    """One cloud as ``metadata/endpoints`` describes it."""
    return {
        "portal": f"https://{cloud.portal}",
        "authentication": {
            "loginEndpoint": f"https://{cloud.login}",
            "audiences": [f"https://{cloud.core}/", f"https://{cloud.resource_manager}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "name": cloud.name,
        "suffixes": {"acrLoginServer": cloud.registries, "keyVaultDns": cloud.vaults},
        "resourceManager": f"https://{cloud.resource_manager}/",
        "microsoftGraphResourceId": f"https://{cloud.graph}/",
    }
