"""Key Vault's inner codes by cause (azure-facts E5)."""

import re
from types import MappingProxyType

from rotator.causes import Cause

CAUSES = MappingProxyType(
    {
        "ForbiddenByRbac": Cause.ROLE,
        "AccessDenied": Cause.ACCESS_POLICY,
        "ForbiddenByFirewall": Cause.VAULT_FIREWALL,
        "ForbiddenByConnection": Cause.VAULT_CLOSED,
        "ForbiddenByPolicy": Cause.SECRET_POLICY,
        "RequestDisallowedByPolicy": Cause.SECRET_POLICY,
        "SecretDisabled": Cause.SECRET_DISABLED,
    }
)
_BY_POLICY = re.compile(r"(not allowed|disallowed|forbidden|denied) by (azure )?policy", re.IGNORECASE)
_WORDS = (
    (re.compile(r"AKV10032|invalid issuer", re.IGNORECASE), Cause.WRONG_TENANT),
    (_BY_POLICY, Cause.SECRET_POLICY),
    (re.compile(r"client address is not authorized", re.IGNORECASE), Cause.VAULT_FIREWALL),
    (re.compile(r"public network access is disabled", re.IGNORECASE), Cause.VAULT_CLOSED),
    (re.compile(r"not authorized to perform action", re.IGNORECASE), Cause.ROLE),
    (re.compile(r"does not have secrets \w+ permission", re.IGNORECASE), Cause.ACCESS_POLICY),
)
"""Words of older answers, whose code is only Forbidden."""
_DENIED = re.compile(r"DenyAssignmentId: '?(?!null\b)([^\s']+)", re.IGNORECASE)


def cause(code: str, message: str) -> Cause | None:
    """Return the cause of a refusal by Key Vault: a deny assignment is only told in the words."""
    if _DENIED.search(message):
        return Cause.DENY_ASSIGNMENT
    return CAUSES.get(code) or next((found for words, found in _WORDS if words.search(message)), None)


def denied_by(message: str) -> tuple[str, ...]:
    """Return the deny assignment named by a refusal."""
    return tuple(_DENIED.findall(message))
