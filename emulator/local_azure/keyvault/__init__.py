"""The data plane of Azure Key Vault secrets: versions, soft delete, and the challenge that precedes every token."""
