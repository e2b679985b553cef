"""Receivers of notifications, from the environment and from options, never from policy files.

The author of a policy file must not be able to run code as rotator, or to send its reports elsewhere.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from rotator.secret import Secret

WEBHOOK, SHAPE, PING, HOOK = "ROTATOR_WEBHOOK", "ROTATOR_WEBHOOK_SHAPE", "ROTATOR_PING", "ROTATOR_HOOK"
KEY_VAULT = "keyvault:"
"""Beginning of an address that is read from Key Vault: the id of a secret follows."""


class Shape(StrEnum):
    """Form of what a webhook gets."""

    cloudevents = "cloudevents"
    teams = "teams"
    slack = "slack"


@dataclass(frozen=True, slots=True)
class KeyVaultSecret:
    """Secret of Key Vault with an address as its value."""

    vault: str
    name: str


Address = Secret | KeyVaultSecret


@dataclass(frozen=True, slots=True)
class Receivers:
    """Receivers of notifications; None: no such receiver."""

    webhook: Address | None = None
    shape: Shape = Shape.cloudevents
    ping: Address | None = None
    hook: tuple[str, ...] = ()

    @classmethod
    def read(cls, environment: Mapping[str, str], hook: str | None = None) -> "Receivers":
        """Read the settings. Raises ValueError, which never quotes an address."""
        shape = environment.get(SHAPE) or Shape.cloudevents
        if shape not in tuple(Shape):
            raise ValueError(f"{SHAPE} is not one of {', '.join(Shape)}")
        return cls(_address(environment, WEBHOOK), Shape(shape), _address(environment, PING), _words(hook or ""))


def _address(environment: Mapping[str, str], variable: str) -> Address | None:
    text = environment.get(variable, "").strip()
    if not text:
        return None
    if text.startswith(KEY_VAULT):
        return _of_key_vault(text.removeprefix(KEY_VAULT), variable)
    return checked(Secret(text), variable)


def _of_key_vault(text: str, variable: str) -> KeyVaultSecret:
    vault, _, name = text.partition("/secrets/")
    if not vault.startswith("https://") or not name or not name.replace("-", "").isalnum():
        raise ValueError(
            f"{variable} begins with {KEY_VAULT}, and the id of a secret must follow:"
            " keyvault:https://myvault.vault.azure.net/secrets/NAME"
        )
    return KeyVaultSecret(vault, name)


def checked(address: Secret, source: str) -> Secret:
    """Return the address if it can be used. Raises ValueError without the address."""
    text = address.reveal().strip()
    try:
        parts = urlsplit(text)
        fits = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{source} is no address of the form https://HOST/PATH (without user name and password)")
    return Secret(text)


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        raise ValueError(f"--hook (or {HOOK}) has an unclosed quotation mark") from None
