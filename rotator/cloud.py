"""Hosts of each Azure cloud: one table, so that no other file spells a host."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType


def registry_name(host: str) -> str:
    """Return the name of the registry with this host: the first label, without the hash of a domain name label.

    az takes no name with a hash.
    """
    return host.partition(".")[0].partition("-")[0]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Names of one Azure cloud.

    `authority` and the suffixes are host names, `graph` and `arm` addresses without a final slash.

    `shown` is the name for people, `az` the name for ``az cloud set --name``. The data plane of registries has one
    scope in every cloud. Source: "National cloud deployments" of Microsoft Graph, and the endpoints printed by ``az
    cloud list``.
    """

    name: str
    shown: str
    az: str
    authority: str
    graph: str
    arm: str
    vault_suffix: str
    registry_suffix: str
    storage_suffix: str

    def storage(self, service: str, address: str) -> tuple[str, str]:
        """Return the account's address and the name of what is in it, a container or a queue. Raises ValueError.

        `service`: blob or queue. An account's name has 3 to 24 letters and digits, a container's or a queue's 3 to 63
        of them, with single hyphens between (azure-facts I).
        """
        host = rf"[a-z0-9]{{3,24}}\.{service}\.{re.escape(self.storage_suffix)}"
        found = re.fullmatch(rf"(https://{host})/((?=.{{3,63}}/?$)[a-z0-9]+(?:-[a-z0-9]+)*)/?", address)
        if not found:
            raise ValueError(
                f"write https://ACCOUNT.{service}.{self.storage_suffix}/NAME, the account in 3 to 24 lower-case letters"
                " and digits, the name in 3 to 63, with single hyphens between"
            )
        return found[1], found[2]

    @property
    def graph_scope(self) -> str:
        """Scope to request for a Microsoft Graph token."""
        return f"{self.graph}/.default"

    def registries(self, servers: Iterable[str]) -> tuple[str, ...]:
        """Return the possible registries of this cloud among `servers`, sorted."""
        return tuple(sorted({each for each in servers if self.login_server(each)}))

    def login_server(self, host: str) -> str:
        """Return the login server of the registry with this host; empty for a host of no registry of this cloud.

        A registry answers at its login server and, where switched on, at an endpoint in each of its regions
        (azure-facts G10): all begin with the same label.
        """
        found = re.fullmatch(
            rf"([a-z0-9-]+)(\.[a-z0-9]+\.(geo|data))?\.{re.escape(self.registry_suffix)}", host.lower()
        )
        return f"{found[1]}.{self.registry_suffix}" if found else ""

    @property
    def arm_scope(self) -> str:
        """Scope to request for an Azure Resource Manager token.

        Any principal of a tenant gets such a token, whatever its roles.
        """
        return f"{self.arm}/.default"


PUBLIC = Cloud(
    "public",
    "the public cloud",
    "AzureCloud",
    "login.microsoftonline.com",
    "https://graph.microsoft.com",
    "https://management.azure.com",
    "vault.azure.net",
    "azurecr.io",
    "core.windows.net",
)
US_GOVERNMENT = Cloud(
    "usgov",
    "Azure US Government",
    "AzureUSGovernment",
    "login.microsoftonline.us",
    "https://graph.microsoft.us",
    "https://management.usgovcloudapi.net",
    "vault.usgovcloudapi.net",
    "azurecr.us",
    "core.usgovcloudapi.net",
)
CHINA = Cloud(
    "china",
    "Azure in China",
    "AzureChinaCloud",
    "login.chinacloudapi.cn",
    "https://microsoftgraph.chinacloudapi.cn",
    "https://management.chinacloudapi.cn",
    "vault.azure.cn",
    "azurecr.cn",
    "core.chinacloudapi.cn",
)
STORAGE_SCOPE = "https://storage.azure.com/.default"
"""Scope to request for a token of blobs and queues: one in every cloud (azure-facts I)."""
CLOUDS = MappingProxyType({cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)})
"""Clouds by the names that ``--cloud`` takes."""


def of_vault(host: str) -> Cloud:
    """Return the cloud of a vault's host. Raises ValueError.

    The vault's host is the only part of a policy naming the cloud.
    """
    for cloud in CLOUDS.values():
        if host.lower().endswith(f".{cloud.vault_suffix}"):
            return cloud
    raise ValueError(f"no cloud has a vault at {host}")
