"""Rights of Azure by their names, each written once: types of resources, actions on them, built-in roles."""

from typing import Final

GROUP_TYPE = "Microsoft.ContainerInstance/containerGroups"
REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries"
ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"

WRITE_GROUP = f"{GROUP_TYPE}/write"
READ_LOGS = f"{GROUP_TYPE}/containers/logs/read"
SET_SECRETS = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
WRITE_ASSIGNMENT, DELETE_ASSIGNMENT = f"{ROLE_ASSIGNMENTS}/write", f"{ROLE_ASSIGNMENTS}/delete"
ASSIGN_IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN_SUBNET = "Microsoft.Network/virtualNetworks/subnets/join/action"

READER = "Reader"
GROUP_CONTRIBUTOR = "Azure Container Instances Contributor Role"
SECRETS_OFFICER = "Key Vault Secrets Officer"
STORAGE = {"blob": "Storage Blob Data Contributor", "queue": "Storage Queue Data Contributor"}
"""Built-in role for each service of Azure Storage, on the account, or on the container or queue alone."""
LINKED = {ASSIGN_IDENTITY: "Managed Identity Operator", JOIN_SUBNET: "Network Contributor"}
"""Built-in roles with each action on a linked resource; a custom role with the action alone is enough, too."""

PULL: Final = "AcrPull"
PUSH: Final = "AcrPush"
REPOSITORY_READER, REPOSITORY_WRITER = "Container Registry Repository Reader", "Container Registry Repository Writer"
TWINS = {PULL: REPOSITORY_READER, PUSH: REPOSITORY_WRITER}
"""Roles for registries with legacy permissions, and their counterparts with repository permissions (azure-facts G5)."""
