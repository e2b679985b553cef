"""Objects of every tenant: Microsoft's own service principals, and the application permissions of Microsoft Graph.

Source of ids and names: Microsoft's permissions reference, and the ``servicePrincipals`` of any tenant.
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
        "CustomSecAttributeAssignment.Read.All": "3b37c5a4-1226-493d-bec3-5d6c6b866f3f",
        "CustomSecAttributeAssignment.ReadWrite.All": "de89b5e4-5b8f-48eb-8925-29c2b33bd8bd",
        "DelegatedPermissionGrant.ReadWrite.All": "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
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
SCOPES = MappingProxyType(
    {
        GRAPH: {
            "Application.Read.All": "c79f8feb-a9db-4090-85f9-90d820caa0eb",
            "Application.ReadWrite.All": "bdfbf15f-ee85-4955-8675-146e8e5296b5",
            "Directory.AccessAsUser.All": "0e263e50-5827-48a4-b97c-d940288653c7",
            "Directory.Read.All": "06da0dbc-49e2-44d2-8312-53f166ab848a",
            "Directory.ReadWrite.All": "c5366453-9fb0-48a5-a156-24f0c49a4b84",
            "Group.Read.All": "5f8c59db-677d-491f-a6b8-5f174b11ec1d",
            "Group.ReadWrite.All": "4e46008b-f24c-477d-8fff-7bb4ec7aafe0",
            "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
            "User.Read.All": "a154be20-db9c-4678-8ab7-66f6cc099a59",
            "User.ReadWrite.All": "204e0828-b5ca-4ad8-b9f3-f32a958e7cc4",
            "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
            "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
            "openid": "37f7f235-527c-4136-accd-4a02d197296e",
            "profile": "14dad69e-099b-42c9-810b-d002981feec1",
        },
        "797f4846-ba00-4fd7-ba43-dac1f8f63013": {"user_impersonation": "41094075-9dad-400e-a0bd-54e686782033"},
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": {"user_impersonation": "f53da476-18e3-4152-8e01-aec403e6edc0"},
        "e406a681-f3d4-42a8-90b6-c2b029497af1": {"user_impersonation": "03e0da56-190b-40ad-a80c-ea378c433f7f"},
    }
)
"""The delegated permissions that clients ask for most, by the application that has them, each with its id."""

ROLE_NAMES = MappingProxyType(
    {
        "AppRoleAssignment.ReadWrite.All": "Manage app permission grants and app role assignments",
        "Application.Read.All": "Read all applications",
        "Application.ReadWrite.All": "Read and write all applications",
        "Application.ReadWrite.OwnedBy": "Manage apps that this app creates or owns",
        "CustomSecAttributeAssignment.Read.All": "Read custom security attribute assignments",
        "CustomSecAttributeAssignment.ReadWrite.All": "Read and write custom security attribute assignments",
        "DelegatedPermissionGrant.ReadWrite.All": "Manage all delegated permission grants",
        "Directory.Read.All": "Read directory data",
        "Directory.ReadWrite.All": "Read and write directory data",
        "Domain.Read.All": "Read domains",
        "Domain.ReadWrite.All": "Read and write domains",
        "Group.Create": "Create groups",
        "Group.Read.All": "Read all groups",
        "Group.ReadWrite.All": "Read and write all groups",
        "GroupMember.Read.All": "Read all group memberships",
        "GroupMember.ReadWrite.All": "Read and write all group memberships",
        "Organization.Read.All": "Read organization information",
        "Organization.ReadWrite.All": "Read and write organization information",
        "Policy.Read.All": "Read your organization's policies",
        "Policy.ReadWrite.ApplicationConfiguration": (
            "Read and write your organization's application configuration policies"
        ),
        "User.Read.All": "Read all users' full profiles",
        "User.ReadWrite.All": "Read and write all users' full profiles",
    }
)
"""Display names of Graph's application permissions."""
SCOPE_NAMES = MappingProxyType(
    {
        "Application.Read.All": "Read applications",
        "Directory.AccessAsUser.All": "Access directory as the signed in user",
        "User.Read": "Sign in and read user profile",
        "email": "View users' email address",
        "offline_access": "Maintain access to data you have given it access to",
        "openid": "Sign users in",
        "profile": "View users' basic profile",
    }
)
"""Display names of Graph's delegated permissions, where they differ from the application permission's."""
IMPERSONATION = MappingProxyType(
    {
        "797f4846-ba00-4fd7-ba43-dac1f8f63013": "Access Azure Service Management as organization users",
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": "Have full access to the Azure Key Vault service",
        "e406a681-f3d4-42a8-90b6-c2b029497af1": "Access Azure Storage",
    }
)
"""Display name of ``user_impersonation``, by application."""
MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
"""The application ID of Resource Manager."""
MANAGEMENT_SCOPE = MappingProxyType(
    {
        "adminConsentDescription": "Allows the application to access the Azure Management Service API acting as users"
        " in the organization.",
        "adminConsentDisplayName": "Access Azure Service Management as organization users (preview)",
        "userConsentDescription": "Allows the application to access Azure Service Management as you.",
        "userConsentDisplayName": "Access Azure Service Management as you (preview)",
    }
)
"""Words of Resource Manager's ``user_impersonation`` (recorded of azure-cli, 2022)."""

FIRST_PARTY = MappingProxyType(
    {
        GRAPH: ("Microsoft Graph", "https://graph.microsoft.com"),
        "797f4846-ba00-4fd7-ba43-dac1f8f63013": (
            "Windows Azure Service Management API",
            "https://management.azure.com",
        ),
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": ("Azure Key Vault", "https://vault.azure.net"),
        "e406a681-f3d4-42a8-90b6-c2b029497af1": ("Azure Storage", "https://storage.azure.com"),
        "6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26": ("Azure Container Registry", "https://containerregistry.azure.net"),
    }
)
"""Application ID of each of Microsoft's service principals → its name and the resource that tokens are asked for."""


NAMES = MappingProxyType(
    {
        GRAPH: (
            "https://canary.graph.microsoft.com/",
            "https://graph.microsoft.us/",
            "https://dod-graph.microsoft.us/",
            "https://graph.microsoft.us",
            "https://graph.microsoft.com/",
            "https://canary.graph.microsoft.com",
            "https://graph.microsoft.com",
            "https://ags.windows.net",
            f"{GRAPH}/ags.windows.net",
            GRAPH,
            "Microsoft.Azure.AgregatorService",
            "https://dod-graph.microsoft.us",
        ),
        "797f4846-ba00-4fd7-ba43-dac1f8f63013": (
            "https://management.azure.com/",
            "https://management.core.windows.net/",
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
            "Windows Azure Service Management API",
        ),
    }
)
"""All names of two of Microsoft's service principals (recorded of azure-cli, 2022)."""


def app_roles() -> list[dict[str, Any]]:
    """The ``appRoles`` of Microsoft Graph's service principal."""
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": f"The application permission {name}.",
            "displayName": ROLE_NAMES[name],
            "id": role,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, role in GRAPH_ROLES.items()
    ]


def scopes(app_id: str) -> list[dict[str, Any]]:
    """The ``oauth2PermissionScopes`` of one of Microsoft's service principals."""
    return [
        {
            "adminConsentDescription": f"The delegated permission {name}.",
            "adminConsentDisplayName": _scope_name(app_id, name),
            "id": scope,
            "isEnabled": True,
            "type": "Admin" if name.endswith(".All") else "User",
            "userConsentDescription": f"The delegated permission {name}.",
            "userConsentDisplayName": _scope_name(app_id, name),
            "value": name,
            **(MANAGEMENT_SCOPE if app_id == MANAGEMENT else {}),
        }
        for name, scope in SCOPES.get(app_id, {}).items()
    ]


def _scope_name(app_id: str, name: str) -> str:
    return IMPERSONATION.get(app_id) or SCOPE_NAMES.get(name) or ROLE_NAMES.get(name, name)


def properties(app_id: str) -> dict[str, Any]:
    """Return the properties special to the service principal of a Microsoft application.

    A service principal made by a client has other values.
    """
    name, resource = FIRST_PARTY[app_id]
    names = list(NAMES.get(app_id, (app_id, resource)))
    own = {
        "createdDateTime": None,
        "appDisplayName": name,
        "appOwnerOrganizationId": MICROSOFT,
        "servicePrincipalNames": names,
    }
    if app_id == MANAGEMENT:
        own["replyUrls"] = ["https://management.core.windows.net/"]
    declared = {"appRoles": app_roles() if app_id == GRAPH else [], "oauth2PermissionScopes": scopes(app_id)}
    return {**own, "signInAudience": "AzureADMultipleOrgs", **declared}
