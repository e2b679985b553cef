"""Codes of Azure Storage by cause (azure-facts I)."""

from rotator.causes import Cause


def cause(code: str, message: str) -> Cause | None:
    """Return the cause of a refusal by Azure Storage; a firewall's refusal has a code that says nothing else."""
    del message
    return Cause.ROLE if code == "AuthorizationPermissionMismatch" else None
