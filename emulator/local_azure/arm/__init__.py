"""Azure Resource Manager (``management.azure.com``): subscriptions, groups, registries, vaults, locks."""
