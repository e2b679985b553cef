"""Passwords: the value, never shown; the object keeping the credential; and patterns of secrets in foreign text.

The module is below `rotator.state`, which passes `Secret` and `Home` on: readers of policies and writers of logs need
no values of `rotator.state`.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum


class Secret:
    """Secret value, hidden from every repr, log, exception and format string; only :meth:`reveal` returns the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, only for a request body."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret can't be pickled")


ENTRA_SECRET = re.compile(r"[\w.~-]{3}\dQ~[\w.~-]{31,34}")
"""Pattern of Entra's passwords, as secret scanners use it: three characters, a digit, ``Q~``, and the rest."""
SHORTEST = 37
"""Characters of the shortest text with a password of Entra."""
HINT = 3
"""Characters of a password that Graph shows as the hint."""
ENCODED = re.compile(r"[\w+/-]{48,}={0,2}", re.ASCII)
"""Base64, as in Docker's `auth`, at least as long as an encoded password."""
IN_ADDRESSES = (re.compile(r"(:/+)[^/?#\s@\"']+(?=@)"), re.compile(r"(?i)([?&]sig=)[^&#\s\"']+"))
"""Secrets in an address: a user's name and password, and the signature of a shared access signature (SAS)."""
LOOKS = (
    re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(basic\s+)[\w+/-]{16,}=*"),
    re.compile(r"()\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(
        r"(?i)([\"']?\b(?:client_secret|secrettext|password|access_token|refresh_token|id_token|client_assertion)[\"']?\s*[=:]\s*[\"']?)[^\"'&\s,}]+"
    ),
    re.compile(f"(){ENTRA_SECRET.pattern}"),
    *IN_ADDRESSES,
)
"""Tokens and client secrets by their looks."""


CLIENT_SECRET = re.compile(
    r"client_?(?:secret|credential)|(?:sp|principal|registry|acr|azure|arm|aad|entra|microsoft|msal|graph)\w*"
    r"(?:secret|passw(?:or)?d|pwd)|principal_?(?:key|credential)",
    re.IGNORECASE,
)
"""Part of the name of a variable that holds a principal's password: AZURE_CLIENT_SECRET, ARM_CLIENT_SECRET,
ACR_PASSWORD and their like.
"""
LIKE_PASSWORD = re.compile(r"pass|pwd|secret|cred|key|token", re.IGNORECASE)
"""Part of the name of a variable that holds a password of any kind."""
CLIENT_ID = re.compile(r"client_?id|app(?:lication)?_?id|principal_?id", re.IGNORECASE)
"""Part of the name of a variable that says as whom a container signs in."""


def struck(text: str, looks: Iterable[re.Pattern[str]] = LOOKS) -> str:
    """Remove secrets, known by their looks, from foreign text.

    A second line of defence: such text should contain no secret in the first place.
    """
    for pattern in looks:
        text = pattern.sub(r"\1***", text)
    return text


class Home(StrEnum):
    """The object that holds a credential: Graph keeps the two lists apart, and both authenticate."""

    APPLICATION = "application"
    SERVICE_PRINCIPAL = "service_principal"


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords of Entra in a text, and in the base64 within."""
    if len(text) >= SHORTEST:
        yield from ENTRA_SECRET.findall(text)
        for encoded in ENCODED.findall(text):
            yield from ENTRA_SECRET.findall(_decoded(encoded))


def _decoded(encoded: str) -> str:
    bare = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "replace")
    except binascii.Error:
        return ""
