"""Rules for a new passwordCredential: permission to add, and lifetime, by Graph and by a tenant's policies."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from local_azure.graph.objects import Application, Holder
from local_azure.graph.policies import too_long
from local_azure.graph.refusals import bad_value, unknown_property
from local_azure.wire import ServiceError

PERSONAL = ("AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")
"""Audiences for which an application can hold two passwords only."""

MOST = 1000
"""About how many entries all collections of an object may have together; there is no limit for passwords alone."""

_LOCKS = {
    "passwordCredentials": "credentialsWithUsageVerify",
    "keyCredentials": "credentialsWithUsageVerify",
    "tokenEncryptionKeyId": "tokenEncryptionKeyId",
}
"""Property of a service principal → the member of the application's servicePrincipalLockConfiguration that locks it."""
DEFAULT_YEARS = 2
"""Lifetime of a password if the request names none."""

_KNOWN = {"customKeyIdentifier", "displayName", "endDateTime", "hint", "keyId", "secretText", "startDateTime"}


def asked(body: Mapping[str, Any]) -> tuple[str | None, datetime | None, datetime | None]:
    """Return display name, start and end in the body of addPassword; all are optional. Raises ServiceError 400."""
    credential = body.get("passwordCredential") or {}
    if not isinstance(credential, dict):
        raise ServiceError(400, "Request_BadRequest", "Invalid value specified for property 'passwordCredential'.")
    for name in credential:
        if name not in _KNOWN and not name.startswith("@odata."):
            raise unknown_property(name, "microsoft.graph.passwordCredential")
    return credential.get("displayName"), _instant(credential, "startDateTime"), _instant(credential, "endDateTime")


def key_of(body: Mapping[str, Any], holder: Holder) -> str | None:
    """Return the key id that the body of addPassword asks for (recorded of Azure PowerShell). Raises ServiceError 400.

    The answer to an id that another password of the object has could not be looked up.
    """
    given = (body.get("passwordCredential") or {}).get("keyId")
    if given is None:
        return None
    try:
        key = str(UUID(given))
    except (ValueError, AttributeError, TypeError) as error:
        raise bad_value("keyId", "PasswordCredential") from error
    if any(password.key_id == key for password in holder.passwords):
        raise bad_value("keyId", "PasswordCredential")
    return key


def _instant(credential: Mapping[str, Any], name: str) -> datetime | None:
    text = credential.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise bad_value(name, "PasswordCredential") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def lifetime(now: datetime, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Return a password's start and end. Raises ServiceError 400 if the end isn't after the start."""
    begins = start or now
    ends = end or years_later(begins, DEFAULT_YEARS)
    if ends <= begins:
        raise bad_value("endDateTime", "PasswordCredential")
    return begins.astimezone(UTC), ends.astimezone(UTC)


def years_later(at: datetime, years: int) -> datetime:
    """The same day some years on; the 28th where February has no 29th."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)


def under_policy(now: datetime, start: datetime, end: datetime, seconds: str) -> datetime:
    """Return the end allowed by a tenant's app management policy: at most `seconds` after now.

    Empty `seconds` mean a refusal. Raises ServiceError 400 CredentialInvalidLifetimeAsPerAppPolicy.
    """
    if seconds:
        return min(end, now + timedelta(seconds=float(seconds)))
    raise too_long(start, end, "Default app management tenant policy")


def room(holder: Holder, application: Application | None) -> None:
    """Check the limits and locks for one more password. Raises ServiceError 400.

    A locked application forbids passwords on the application's service principals, not on the application
    (servicePrincipalLockConfiguration).
    """
    live = sum(password.gone_from is None for password in holder.passwords)
    others = sum(each.gone_from is None for each in holder.certificates) + _entries(holder.properties)
    if isinstance(holder, Application) and holder.properties.get("signInAudience") in PERSONAL and live >= 2:
        raise ServiceError(400, "Request_BadRequest", "You can only add a maximum of 2 encrypted credentials.")
    if live + others >= MOST:
        message = (
            "The size of the object has exceeded its limit. Please reduce the number of values and retry your request."
        )
        raise ServiceError(400, "Directory_ResourceSizeExceeded", message)
    unlocked(holder, application, "passwordCredentials")


def end_all(holder: Holder, now: datetime) -> None:
    """Remove all passwords of an object, as a PATCH with an empty list does (recorded)."""
    for password in holder.passwords:
        password.gone_from = password.gone_from or now


def unlocked(holder: Holder, application: Application | None, name: str) -> None:
    """Check that the application doesn't lock a property of its service principals. Raises ServiceError 400.

    A removal of a password or certificate is not refused: whether Azure refuses it could not be looked up.
    """
    if application is None or holder is application:
        return
    lock = application.properties.get("servicePrincipalLockConfiguration") or {}
    if lock.get("isEnabled") and any(lock.get(each) for each in ("allProperties", _LOCKS[name])):
        raise ServiceError(400, "CannotUpdateLockedServicePrincipalProperty", f"Property {name} is invalid.")


def _entries(value: Any) -> int:
    """Count the entries of all collections in an object's properties."""
    if isinstance(value, Mapping):
        return sum(map(_entries, value.values()))
    return len(value) + sum(map(_entries, value)) if isinstance(value, list) else 0
