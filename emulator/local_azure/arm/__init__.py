"""Azure Resource Manager: subscriptions, resource groups, registries, vaults and locks, and the door to ``management.azure.com``."""
