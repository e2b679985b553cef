"""Commands whose effect Azure doesn't show at once (azure-facts F4: up to ten minutes for roles)."""

SLOW = ("az role assignment create", "az rest --method POST", "az keyvault set-policy", "export AZURE_CLIENT_SECRET")


def slow(line: str) -> bool:
    """Tell if the effect of a command may take minutes."""
    return line.startswith(SLOW)
