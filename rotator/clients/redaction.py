"""Secrets of a request, and their removal from Azure's own words: an answer may quote the request."""

import re
from collections.abc import Mapping, Sequence

from rotator.secret import struck
from rotator.state import Secret

_LONGEST = 700
_SHORT = 4
"""Characters from which on a secret is removed wherever it stands. A shorter one is part of ordinary words."""
_HIDDEN = frozenset({"password", "secureValue", "secret", "storageAccountKey", "workspaceKey", "protectedSettings"})


def clean(secrets: Sequence[str], message: str) -> str:
    """Return a message in one line, without `secrets` and without any text similar to a token or a client secret.

    Rotator's own sign-in secret is unknown here. A secret of less than four characters is removed only as a word, one
    of a single character only in quotes or as an assigned value.
    """
    for secret in sorted({each for each in secrets if each.strip()}, key=len, reverse=True):
        message = message.replace(secret, "***") if len(secret) >= _SHORT else _without_word(secret, message)
    message = struck(" ".join(message.split()))
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


def _without_word(secret: str, message: str) -> str:
    before, after = (r"(?<!\w)", r"(?!\w)") if len(secret) > 1 else (r"(?<=['\"=:])", r"(?=['\",;]|\s|$)")
    return re.sub(f"{before}{re.escape(secret)}{after}", "***", message)


def secrets_of(document: object) -> tuple[str, ...]:
    """Return every possible secret of a body, to remove them from Azure's words.

    These are the values of the properties never shown by Azure. Source: the properties marked as secret in the
    container group's description.
    """
    match document:
        case Mapping():
            return tuple(
                text
                for name, value in document.items()
                for text in (_texts(value) if name in _HIDDEN else secrets_of(value))
            )
        case list() | tuple():
            return tuple(text for value in document for text in secrets_of(value))
    return ()


def _texts(value: object) -> tuple[str, ...]:
    match value:
        case str():
            return (value,)
        case Secret():
            return (value.reveal(),)
        case Mapping():
            return tuple(text for each in value.values() for text in _texts(each))
        case list() | tuple():
            return tuple(text for each in value for text in _texts(each))
    return ()
