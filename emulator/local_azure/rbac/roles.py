"""Role definitions: the built-in ones with Azure's ids and permissions, and how a wildcard grants an action.

Sources: "Azure built-in roles" (containers, security, general, privileged) and, for the newer registry roles, the role
catalogues that are made from the live definitions.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions allowed by a role on the management plane and on the data plane, each minus exceptions."""

    actions: list[str] = field(default_factory=list)
    not_actions: list[str] = field(default_factory=list)
    data_actions: list[str] = field(default_factory=list)
    not_data_actions: list[str] = field(default_factory=list)

    def allows(self, action: str, *, data: bool) -> bool:
        """Tell if the permission alone grants `action`."""
        granted, denied = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return any(matches(p, action) for p in granted) and not any(matches(p, action) for p in denied)


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A named set of permissions; `name` is the GUID used in assignments."""

    name: str
    role_name: str
    description: str | None
    permissions: list[Permission]
    role_type: str = "BuiltInRole"
    assignable_scopes: list[str] = field(default_factory=lambda: ["/"])
    created_on: datetime | None = None
    created_by: str | None = None
    updated_on: datetime | None = None
    updated_by: str | None = None

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if the role grants `action`, on the data plane if `data`."""
        return any(permission.allows(action, data=data) for permission in self.permissions)


@lru_cache(maxsize=4096)
def matches(pattern: str, action: str) -> bool:
    """Tell if `pattern` covers `action`; case is ignored, and ``*`` matches any text, slashes included.

    Between two slashes ``*`` may match an empty text: Managed Identity Operator's
    ``userAssignedIdentities/*/assign/action`` is documented as allowing ``userAssignedIdentities/assign/action``, the
    action named by LinkedAuthorizationFailed.
    """
    expression = ".*".join(map(re.escape, pattern.split("*"))).replace("/.*/", "/(.*/)?")
    return re.fullmatch(expression, action, re.IGNORECASE) is not None


_SECRETS_ONLY = "Only works for key vaults that use the 'Azure role-based access control' permission model."
_COMMON = ["Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Resources/deployments/*"]
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups/read"
_VAULT_READS = [
    *_COMMON,
    _GROUPS,
    "Microsoft.Support/*",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.KeyVault/locations/*/read",
    "Microsoft.KeyVault/vaults/*/read",
    "Microsoft.KeyVault/operations/read",
]
_CONTRIBUTOR_MAY_NOT = [
    "Microsoft.Authorization/*/Delete",
    "Microsoft.Authorization/*/Write",
    "Microsoft.Authorization/elevateAccess/Action",
    "Microsoft.Blueprint/blueprintAssignments/write",
    "Microsoft.Blueprint/blueprintAssignments/delete",
    "Microsoft.Compute/galleries/share/action",
    "Microsoft.Purview/consents/write",
    "Microsoft.Purview/consents/delete",
    "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
    "Microsoft.Subscription/cancel/action",
    "Microsoft.Subscription/enable/action",
]
_REPOSITORY = "Microsoft.ContainerRegistry/registries/repositories"


def _role(name: str, role_name: str, description: str, permission: Permission) -> RoleDefinition:
    return RoleDefinition(name, role_name, description, [permission])


_GENERAL = (
    _role(
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "Owner",
        "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
        Permission(["*"]),
    ),
    _role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, "
        "manage assignments in Azure Blueprints, or share image galleries.",
        Permission(["*"], _CONTRIBUTOR_MAY_NOT),
    ),
    _role(
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "Reader",
        "View all resources, but does not allow you to make any changes.",
        Permission(["*/read"]),
    ),
    _role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        "Lets you manage user access to Azure resources.",
        Permission(["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"]),
    ),
    _role(
        "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "Role Based Access Control Administrator",
        "Manage access to Azure resources by assigning roles using Azure RBAC. "
        "This role does not allow you to manage access using other ways, such as Azure Policy.",
        Permission(
            [
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
                "*/read",
                "Microsoft.Support/*",
            ]
        ),
    ),
)

_CONTAINERS = (
    _role(
        "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        "AcrPull",
        "acr pull",
        Permission(["Microsoft.ContainerRegistry/registries/pull/read"]),
    ),
    _role(
        "8311e382-0749-4cb8-b61a-304f252e45ec",
        "AcrPush",
        "acr push",
        Permission(
            ["Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"]
        ),
    ),
    _role(
        "c2f4ef07-c644-48eb-af81-4b1b4947fb11",
        "AcrDelete",
        "acr delete",
        Permission(["Microsoft.ContainerRegistry/registries/artifacts/delete"]),
    ),
    _role(
        "b93aa761-3e63-49ed-ac28-beffa264f7ac",
        "Container Registry Repository Reader",
        "Allows for read access to Azure Container Registry repositories, but excluding catalog listing.",
        Permission(data_actions=[f"{_REPOSITORY}/metadata/read", f"{_REPOSITORY}/content/read"]),
    ),
    _role(
        "2a1e307c-b015-4ebd-883e-5b7698a07328",
        "Container Registry Repository Writer",
        "Allows for read and write access to Azure Container Registry repositories, but excluding catalog listing.",
        Permission(
            data_actions=[
                f"{_REPOSITORY}/metadata/read",
                f"{_REPOSITORY}/content/read",
                f"{_REPOSITORY}/metadata/write",
                f"{_REPOSITORY}/content/write",
            ]
        ),
    ),
    _role(
        "5d977122-f97e-4b4d-a52f-6b43003ddb4d",
        "Azure Container Instances Contributor Role",
        "Grants read/write access to container groups provided by Azure Container Instances",
        Permission(["Microsoft.ContainerInstance/containerGroups/*", _COMMON[2], *_COMMON[:2], _GROUPS]),
    ),
)

_SECURITY = (
    _role(
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and"
        f" secrets. Cannot manage key vault resources or manage role assignments. {_SECRETS_ONLY}",
        Permission(_VAULT_READS, data_actions=["Microsoft.KeyVault/vaults/*"]),
    ),
    _role(
        "21090545-7ca7-4776-b22c-e363652d74d2",
        "Key Vault Reader",
        "Read metadata of key vaults and its certificates, keys, and secrets. "
        f"Cannot read sensitive values such as secret contents or key material. {_SECRETS_ONLY}",
        Permission(
            _VAULT_READS,
            data_actions=["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
        ),
    ),
    _role(
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        f"Perform any action on the secrets of a key vault, except manage permissions. {_SECRETS_ONLY}",
        Permission(_VAULT_READS, data_actions=["Microsoft.KeyVault/vaults/secrets/*"]),
    ),
    _role(
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        f"Read secret contents. {_SECRETS_ONLY}",
        Permission(
            data_actions=[
                "Microsoft.KeyVault/vaults/secrets/getSecret/action",
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            ]
        ),
    ),
)

_LINKED = (
    _role(
        "f1a07417-d97a-45cb-824c-7a7467783830",
        "Managed Identity Operator",
        "Read and Assign User Assigned Identity",
        Permission(
            [
                "Microsoft.ManagedIdentity/userAssignedIdentities/*/read",
                "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
                *_COMMON[:2],
                _GROUPS,
                *_COMMON[2:],
                "Microsoft.Support/*",
            ]
        ),
    ),
    _role(
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Network Contributor",
        "Lets you manage networks, but not access to them.",
        Permission(
            [
                *_COMMON[:2],
                "Microsoft.Network/*",
                "Microsoft.ResourceHealth/availabilityStatuses/read",
                *_COMMON[2:],
                _GROUPS,
                "Microsoft.Support/*",
            ]
        ),
    ),
)

BUILT_IN = {role.name: role for role in (*_GENERAL, *_CONTAINERS, *_SECURITY, *_LINKED)}
"""The built-in roles that this chain meets, by GUID in lower case."""
