"""Backups of secrets: one text with all versions of a secret, sealed against reading and forging by others."""

import base64
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic import TypeAdapter

from local_azure.keyvault import refusals
from local_azure.keyvault.secret import Secret


@dataclass(slots=True)
class Backup:
    """Secret with all versions, and the subscription of the only vaults able to restore the secret."""

    subscription: str
    secret: Secret


def seal(key: str, backup: Backup) -> str:
    """The text for a client; the same backup gives the same text."""
    sealed = AESSIV(bytes.fromhex(key)).encrypt(TypeAdapter(Backup).dump_json(backup), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_sealed(key: str, text: str) -> Backup:
    """Open a text made by :func:`seal`; raises 400 for any other text."""
    try:
        opened = AESSIV(bytes.fromhex(key)).decrypt(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), None)
        return TypeAdapter(Backup).validate_json(opened)
    except (InvalidTag, ValueError) as error:
        raise refusals.corrupt() from error
