"""Entra's error numbers by cause (azure-facts D2, D5)."""

import re
from collections.abc import Sequence
from types import MappingProxyType

from rotator.causes import Cause

CAUSES = MappingProxyType(
    {
        7000215: Cause.WRONG_SECRET,
        7000222: Cause.EXPIRED_SECRET,
        **dict.fromkeys(
            (700027, 700023, 700024, 700021, 700030, 70021, 70025, 50027, 700211, 700212, 700213), Cause.CERTIFICATE
        ),
        **dict.fromkeys((7000214, 7000272, 700238, 501051), Cause.CERTIFICATE),
        **dict.fromkeys((53000, 53001, 53002, 53003, 53004, 53009, 53010, 53011), Cause.CONDITIONAL_ACCESS),
        **dict.fromkeys((530001, 530002, 530003, 530004, 530032, 530034, 530035, 530036), Cause.CONDITIONAL_ACCESS),
        **dict.fromkeys((50005, 50097, 50131, 50158, 500021, 500022, 500023), Cause.CONDITIONAL_ACCESS),
        **dict.fromkeys((50072, 50074, 50076, 50078, 50079, 50089, 50125, 50132, 50133), Cause.SIGN_IN_AGAIN),
        **dict.fromkeys((50173, 70008, 70043, 70044, 700081, 700082, 700084, 65001), Cause.SIGN_IN_AGAIN),
        **dict.fromkeys((90002, 90072, 900021, 900023, 900382, 50020, 50059, 500213), Cause.WRONG_TENANT),
        700016: Cause.UNKNOWN_APPLICATION,
        **dict.fromkeys((7000112, 7000113, 7000229, 50057, 500014, 500571), Cause.DISABLED),
    }
)
"""Causes by number. Source: "Microsoft Entra authentication error codes", and what users report of the others."""
_UNASSIGNED = re.compile(
    r"identity not found|has not been assigned to this resource|no identity has been assigned"
    r"|no (user[- ]assigned|managed)[\w -]* identity found",
    re.IGNORECASE,
)
"""Words of the endpoints of managed identities for an identity not assigned to the machine (azure-facts D5)."""
_CHALLENGE = re.compile(r"claims[- ]challenge", re.IGNORECASE)
_SLOW = re.compile(r"timed out waiting for azure cli", re.IGNORECASE)
_OTHER_SLOW = re.compile(r"timed out waiting for azure (developer cli|powershell)", re.IGNORECASE)
"""Words of the other commands that sign in: they count where az isn't there; az that wants a sign-in is named first."""
_UNSIGNED = re.compile(r"\baz\s+login\b")
"""Words of azure-identity for an az in which nobody is signed in."""
_NO_AZ = re.compile(r"azure cli not found", re.IGNORECASE)
"""Words of azure-identity for a machine without az."""
_NONE = "failed to retrieve a token from the included credentials"


def cause(numbers: Sequence[int], message: str) -> Cause | None:
    """Return the cause of a failed sign-in by Entra's numbers, or else by the words of azure-identity."""
    found = next((CAUSES[number] for number in numbers if number in CAUSES), None)
    if found or numbers:
        return found
    if _SLOW.search(message) or (_OTHER_SLOW.search(message) and not _UNSIGNED.search(message)):
        return Cause.SLOW_CLI
    if _CHALLENGE.search(message):
        return Cause.CHALLENGE
    if _UNASSIGNED.search(message):
        return Cause.NO_IDENTITY
    if _NONE not in message:
        return None
    absent = _NO_AZ.search(message) and not _UNSIGNED.search(message)
    return Cause.NO_CLI if absent else Cause.NOT_SIGNED_IN
