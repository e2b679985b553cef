"""Resources open to tokens: text before ``/.default``, by Microsoft's published identifiers, in three clouds."""

GRAPH = (
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
    "00000003-0000-0000-c000-000000000000",
)
"""Microsoft Graph; its tokens carry the caller's application permissions as roles."""

RESOURCE_MANAGER = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
    "https://management.core.chinacloudapi.cn",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
)
"""Azure Resource Manager, by its name and by that of the service management before it."""

KEY_VAULT = (
    "https://vault.azure.net",
    "https://vault.usgovcloudapi.net",
    "https://vault.azure.cn",
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
)
"""Key Vault's data plane."""

REGISTRY = ("https://containerregistry.azure.net", "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26")
"""Container Registry's data plane, the same in every cloud."""

STORAGE = ("https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1")
"""Storage accounts, in every cloud."""

KNOWN = frozenset((*GRAPH, *RESOURCE_MANAGER, *KEY_VAULT, *REGISTRY, *STORAGE))
"""Every resource that exists in every tenant."""


def plain(resource: str) -> str:
    """Return a resource's name in lower case without slashes at the end, for comparisons.

    Tokens keep the name from the request.
    """
    return resource.rstrip("/").lower()
