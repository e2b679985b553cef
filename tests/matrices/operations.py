"""Operations that the verbs of the matrices call, by purpose."""

WRITING = (
    "graph.applications.addPassword",
    "graph.applications.removePassword",
    "keyvault.secrets.set",
    "keyvault.secrets.update",
    "mark.secrets.set",
    "mark.secrets.update",
    "aci.containerGroups.createOrUpdate",
    "rbac.roleAssignments.create",
    "rbac.roleAssignments.delete",
)
"""Operations with an effect."""
PROOFS = ("entra.token", "acr.token", "acr.manifests.head")
"""Operations of a proof."""
READING = (
    *PROOFS,
    "graph.applications.get",
    "graph.servicePrincipals.get",
    "graph.applications.federatedIdentityCredentials.list",
    "keyvault.secrets.get",
    "keyvault.secrets.versions",
    "keyvault.deletedSecrets.get",
    "mark.secrets.get",
    "mark.secrets.versions",
    "mark.deletedSecrets.get",
    "arm.registries.get",
    "arm.registries.tokens.list",
    "arm.resources.list",
    "arm.providers.getAtTenant",
    "arm.vaults.get",
    "aci.containerGroups.get",
    "aci.containerGroups.list",
    "rbac.permissions.list",
    "rbac.roleAssignments.get",
    "rbac.roleAssignments.list",
    "rbac.roleDefinitions.get",
    "rbac.roleDefinitions.list",
)
"""Operations without an effect."""
