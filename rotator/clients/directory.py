"""Applications, service principals and their passwords as Microsoft Graph shows them.

Values of a wrong type are refused: each reader raises KeyError, TypeError, ValueError or OverflowError for an
unreadable answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotator.clients.typed import flag, items, moment, record, records, text, text_or_none
from rotator.ports import Issued
from rotator.state import Credential, Home, Identity, Principal, Secret

Shown = Mapping[str, Any]
"""An object as Graph shows it."""
DEACTIVATED = "isDisabled"
_PERSONAL = ("AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")


@dataclass(frozen=True, slots=True)
class Named:
    """Ids and name of an application or a service principal."""

    id: str
    app_id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class PasswordHolder:
    """Application or service principal with its passwords, and its properties relevant to new passwords."""

    named: Named
    credentials: tuple[Credential, ...]
    enabled: bool = True
    personal: bool = False
    locked: bool = False
    deactivated: bool | None = False


def named(shown: Shown) -> Named:
    """Return ids and name of an application or a service principal."""
    return Named(text(shown["id"]), text(shown["appId"]), text_or_none(shown["displayName"]) or "")


def application_of(shown: Shown) -> PasswordHolder:
    """Read an application."""
    lock = shown.get("servicePrincipalLockConfiguration")
    personal = text_or_none(shown.get("signInAudience")) in _PERSONAL
    return PasswordHolder(
        named(shown),
        passwords(shown, Home.APPLICATION),
        personal=personal,
        locked=_locked(lock if lock is None else record(lock)),
        deactivated=_deactivated(shown),
    )


def service_principal_of(shown: Shown) -> PasswordHolder:
    """Read a service principal."""
    enabled = shown.get("accountEnabled") is None or flag(shown["accountEnabled"])
    held = passwords(shown, Home.SERVICE_PRINCIPAL)
    return PasswordHolder(named(shown), held, enabled, deactivated=_deactivated(shown))


def _deactivated(shown: Shown) -> bool | None:
    """Tell if the application gets no tokens; None where Graph doesn't show that (azure-facts C13)."""
    if DEACTIVATED not in shown:
        return None
    return shown[DEACTIVATED] is not None and flag(shown[DEACTIVATED])


def passwords(shown: Shown, home: Home) -> tuple[Credential, ...]:
    """Return the password credentials of an object."""
    return tuple(_credential(each, home) for each in records(shown["passwordCredentials"]))


def created_of(shown: Shown) -> datetime | None:
    """Return the creation time of an object, if shown."""
    return moment(shown["createdDateTime"]) if shown.get("createdDateTime") else None


def ids_of(shown: Shown) -> tuple[str, ...]:
    """Return the object ids of a list, in lower case, sorted."""
    return tuple(sorted(text(each["id"]).lower() for each in items(shown)))


def identity_of(shown: Shown) -> Identity:
    """Read an application found by its alternate key."""
    made = named(shown)
    return Identity(made.app_id.lower(), made.display_name, made.id, None, (Home.APPLICATION,))


def made_now(shown: Shown) -> Identity | None:
    """Return a newly created application; None for an empty answer, sent when the application existed before."""
    return identity_of(shown) if shown else None


def no_body(shown: Shown) -> None:
    """Accept an answer without a body: an unexpected body shows another sender."""
    if shown:
        raise ValueError("an answer with a body, where none is documented")


def principal_of(
    app_id: str, application: PasswordHolder | None, principal: PasswordHolder | None
) -> tuple[Principal, tuple[Credential, ...]]:
    """Return a principal with the passwords of both homes; at least one home must exist."""
    both = [whole for whole in (principal, application) if whole]
    found = Principal(
        app_id,
        application.named.id if application else None,
        principal.named.id if principal else None,
        both[0].named.display_name,
        all(whole.enabled and not whole.deactivated for whole in both),
        any(whole.personal for whole in both),
        any(whole.locked for whole in both),
        _either(*(whole.deactivated for whole in both)),
    )
    return found, tuple(sorted(credential for whole in both for credential in whole.credentials))


def _either(*told: bool | None) -> bool | None:
    """Return True if one is; None if none of them is known."""
    known = [each for each in told if each is not None]
    return any(known) if known else None


def names_of(answer: Shown) -> dict[str, str]:
    """Return display names by app id."""
    return {text(each["appId"]).lower(): text_or_none(each["displayName"]) or "" for each in items(answer)}


def _locked(lock: Mapping[str, Any] | None) -> bool:
    """Tell if an application's lock forbids passwords on its service principal.

    Source: "servicePrincipalLockConfiguration resource type".
    """
    return bool(
        lock
        and flag(lock.get("isEnabled"))
        and (flag(lock.get("allProperties")) or flag(lock.get("credentialsWithUsageVerify")))
    )


def issued_of(added: Shown, home: Home) -> Issued:
    """Return a newly added password with its secret."""
    return Issued(_credential(added, home), Secret(text(added["secretText"])))


def _credential(shown: Shown, home: Home) -> Credential:
    start, end = (moment(shown[name]) for name in ("startDateTime", "endDateTime"))
    name, hint = text_or_none(shown.get("displayName")), text_or_none(shown.get("hint"))
    return Credential(start, text(shown["keyId"]).lower(), end, home, name or "", hint)
