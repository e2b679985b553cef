"""Where each Azure cloud answers: one table, so that no other file spells a host."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cloud:
    """The endpoints of one Azure cloud. `authority` and `registry_suffix` are host names, `graph` and `arm` addresses without a final slash.

    Source: "National cloud deployments" of Microsoft Graph, and the endpoints that ``az cloud list`` prints.
    """

    name: str
    authority: str
    graph: str
    arm: str
    registry_suffix: str

    @property
    def graph_scope(self) -> str:
        """What a token for Microsoft Graph is asked for with."""
        return f"{self.graph}/.default"

    @property
    def arm_scope(self) -> str:
        """What a token for Azure Resource Manager is asked for with; any principal of a tenant gets one, whatever its roles."""
        return f"{self.arm}/.default"


PUBLIC = Cloud("public", "login.microsoftonline.com", "https://graph.microsoft.com", "https://management.azure.com", "azurecr.io")
CLOUDS = MappingProxyType(
    {
        "public": PUBLIC,
        "usgov": Cloud("usgov", "login.microsoftonline.us", "https://graph.microsoft.us", "https://management.usgovcloudapi.net", "azurecr.us"),
        "china": Cloud(
            "china", "login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", "https://management.chinacloudapi.cn", "azurecr.cn"
        ),
    }
)
"""By the names that ``--cloud`` takes."""
