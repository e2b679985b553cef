"""What every tenant has: Microsoft's own service principals, and the application permissions of Microsoft Graph.

Source of ids and names: Microsoft's permissions reference, and the ``servicePrincipals`` that any tenant shows.
"""

from types import MappingProxyType
from typing import Any

GRAPH = "00000003-0000-0000-c000-000000000000"
"""The application ID of Microsoft Graph."""

MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own applications."""

GRAPH_ROLES = MappingProxyType(
    {
        "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
        "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
        "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
        "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
        "Domain.ReadWrite.All": "7e05723c-0bb0-42da-be95-ae9f08a6e53c",
        "Group.Create": "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
        "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
        "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
        "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
        "GroupMember.ReadWrite.All": "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
        "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
        "Organization.ReadWrite.All": "292d869f-3427-49a8-9dab-8c70152b74e9",
        "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
        "Policy.ReadWrite.ApplicationConfiguration": "be74164b-cff1-491c-8741-e671cb536e13",
        "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
        "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    }
)
"""The application permissions of Graph that say anything about what is emulated, each with the id of its role."""

FIRST_PARTY = MappingProxyType(
    {
        GRAPH: ("Microsoft Graph", "https://graph.microsoft.com"),
        "797f4846-ba00-4fd7-ba43-dac1f8f63013": ("Windows Azure Service Management API", "https://management.azure.com"),
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": ("Azure Key Vault", "https://vault.azure.net"),
        "e406a681-f3d4-42a8-90b6-c2b029497af1": ("Azure Storage", "https://storage.azure.com"),
        "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26": ("Azure Container Registry", "https://containerregistry.azure.net"),
    }
)
"""Application ID of each of Microsoft's service principals → its name and the resource that tokens are asked for."""


def app_roles() -> list[dict[str, Any]]:
    """The ``appRoles`` of Microsoft Graph's service principal."""
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": f"The application permission {name}.",
            "displayName": name,
            "id": role,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, role in GRAPH_ROLES.items()
    ]


def properties(app_id: str) -> dict[str, Any]:
    """How the service principal of one of Microsoft's applications differs from one that a client makes."""
    name, resource = FIRST_PARTY[app_id]
    own = {"appDisplayName": name, "appOwnerOrganizationId": MICROSOFT, "servicePrincipalNames": [app_id, resource]}
    return {**own, "signInAudience": "AzureADMultipleOrgs", "appRoles": app_roles() if app_id == GRAPH else []}
