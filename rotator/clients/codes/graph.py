"""Microsoft Graph's codes by cause (azure-facts C4, D5)."""

import re

from rotator.causes import Cause

CAUSES = (
    ("Authorization_RequestDenied", Cause.ROLE),
    ("Authorization_IdentityNotFound", Cause.WRONG_TENANT),
    ("accessDenied", Cause.ROLE),
    ("Forbidden", Cause.ROLE),
    ("CredentialTypeNotAllowedAsPerAppPolicy", Cause.PASSWORDS_FORBIDDEN),
    ("CredentialInvalidLifetimeAsPerAppPolicy", Cause.PASSWORD_LIFE),
    ("CannotUpdateLockedServicePrincipalProperty", Cause.INSTANCE_LOCK),
    ("Directory_ResourceSizeExceeded", Cause.TOO_MANY_CREDENTIALS),
    ("InvalidAuthenticationToken", Cause.SIGN_IN_AGAIN),
)
"""Causes by the beginning of a code."""
_TWO = "maximum of 2 encrypted credentials"
"""Part of Graph's message for an application for personal accounts with two passwords; the code is unspecific."""
_CHALLENGE = re.compile(r"continuous access evaluation|TokenCreatedWithOutdatedPolicies", re.IGNORECASE)


def cause(code: str, message: str) -> Cause | None:
    """Return the cause of a refusal by Graph."""
    if _CHALLENGE.search(message):
        return Cause.CHALLENGE
    if _TWO in message:
        return Cause.TWO_PASSWORDS
    return next((found for begin, found in CAUSES if code.startswith(begin)), None)
