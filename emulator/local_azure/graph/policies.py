"""App management policies: a tenant's restrictions on passwords of applications.

A policy assigned to an application (or service principal) counts in place of the tenant's default policy. Source:
"appManagementConfiguration", "passwordCredentialConfiguration"; the refusals: live reports (azure-cli issue 28522).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from local_azure.graph.objects import Application, DirectoryState, Holder
from local_azure.graph.refusals import bad_value, required, unknown_property
from local_azure.graph.shape import date
from local_azure.wire import ServiceError

DEFAULT_ID = "00000000-0000-0000-0000-000000000000"
"""The id of the tenant's default policy."""

DEFAULT: dict[str, Any] = {
    "displayName": "Default app management tenant policy",
    "description": (
        "Default tenant policy that enforces app management restrictions on applications and service principals. "
        "To apply policy to targeted resources, create a new policy under appManagementPolicies collection."
    ),
    "isEnabled": False,
    "applicationRestrictions": {"passwordCredentials": [], "keyCredentials": []},
    "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
}
"""The tenant's policy until a client changes it."""

CUSTOM: dict[str, Any] = {"displayName": None, "description": None, "isEnabled": False, "restrictions": {}}
"""A policy for single applications, as made with nothing said."""

RESTRICTIONS = (
    "passwordAddition",
    "passwordLifetime",
    "symmetricKeyAddition",
    "symmetricKeyLifetime",
    "customPasswordAddition",
)
"""Kinds of restrictions on passwords; of these, addition and lifetime matter to addPassword."""

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DAYS = (365, 30, 7, 1)


def duration(text: str) -> timedelta | None:
    """An ISO 8601 duration; None for what is none. Years are 365 days and months 30."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    whole = sum(count * each for count, each in zip((years, months, weeks, days), _DAYS, strict=True))
    return timedelta(days=whole, hours=hours, minutes=minutes, seconds=seconds)


def checked(content: Mapping[str, Any], known: Mapping[str, Any], of: str, *, new: bool = False) -> dict[str, Any]:
    """Return a policy's content from a client after checks. Raises ServiceError 400."""
    if new and not content.get("displayName"):
        raise required("displayName", of)
    for name, value in content.items():
        if name not in known:
            raise unknown_property(name, f"microsoft.graph.{of[0].lower()}{of[1:]}")
        if isinstance(known[name], dict) and not isinstance(value, dict):
            raise bad_value(name, of)
        for restriction in _restrictions(value):
            _check_restriction(restriction)
    return dict(content)


def _restrictions(value: Any) -> list[Any]:
    found = value.get("passwordCredentials") if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _check_restriction(restriction: Any) -> None:
    kind = restriction.get("restrictionType") if isinstance(restriction, Mapping) else None
    if kind not in RESTRICTIONS:
        raise bad_value("restrictionType", "passwordCredentialConfiguration")
    if kind.endswith("Lifetime") and duration(str(restriction.get("maxLifetime"))) is None:
        raise bad_value("maxLifetime", "passwordCredentialConfiguration")
    for each in _exempt(restriction):
        if (
            not isinstance(each, Mapping)
            or not isinstance(each.get("id"), str)
            or not isinstance(each.get("value"), str)
        ):
            raise bad_value("excludeActors", "passwordCredentialConfiguration")
    try:
        _since(restriction)
    except ValueError as error:
        raise bad_value("restrictForAppsCreatedAfterDateTime", "passwordCredentialConfiguration") from error


def permit(
    state: DirectoryState,
    owner: Holder,
    start: datetime,
    end: datetime,
    attributes: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Check a new password's lifetime against the policy in force. Raises ServiceError 400.

    `attributes` are the caller's custom security attributes: a restriction may exempt callers by one of them.
    """
    for name, restriction in _in_force(state, owner):
        if any(_has(attributes, each) for each in _exempt(restriction)):
            continue
        if restriction["restrictionType"] == "passwordAddition":
            message = f"Credential type not allowed as per assigned policy '{name}'."
            raise ServiceError(400, "CredentialTypeNotAllowedAsPerAppPolicy", message)
        longest = (
            duration(str(restriction.get("maxLifetime")))
            if restriction["restrictionType"] == "passwordLifetime"
            else None
        )
        if longest is not None and end - start > longest:
            raise too_long(start, end, name)


def _exempt(restriction: Mapping[str, Any]) -> list[Any]:
    """Return the attributes by which callers are exempt from a restriction ("appManagementPolicyActorExemptions")."""
    found = (restriction.get("excludeActors") or {}).get("customSecurityAttributes")
    return found if isinstance(found, list) else []


def _has(attributes: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any]) -> bool:
    """Tell if a caller has an attribute ``<set>_<name>`` with a value, compared with its letter case."""
    values = [
        value for of, each in attributes.items() for name, value in each.items() if f"{of}_{name}" == wanted["id"]
    ]
    return any(wanted["value"] in (value if isinstance(value, list) else [value]) for value in values)


def too_long(start: datetime, end: datetime, policy: str) -> ServiceError:
    """Return the refusal of a password with a lifetime above the policy's limit."""
    message = f"Credential lifetime exceeds the max value allowed as per assigned policy '{policy}'."
    detail = {
        "code": "InvalidKeyEndDate",
        "message": f"The end date {date(end)} is too far from the start date {date(start)}.",
        "target": "EndDate",
    }
    return ServiceError(400, "CredentialInvalidLifetimeAsPerAppPolicy", message, extra={"details": [detail]})


def _in_force(state: DirectoryState, owner: Holder) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the restrictions in force for an object, each with the policy's name."""
    assigned = [state.policies[policy].content for policy in owner.policies if policy in state.policies]
    if assigned:
        found = [(policy["displayName"], policy["restrictions"]) for policy in assigned if policy["isEnabled"]]
    else:
        tenant = {**DEFAULT, **state.tenant_policy}
        side = "applicationRestrictions" if isinstance(owner, Application) else "servicePrincipalRestrictions"
        found = [(tenant["displayName"], tenant[side])] if tenant["isEnabled"] else []
    for name, restrictions in found:
        for restriction in _restrictions(restrictions):
            if restriction.get("state", "enabled") == "enabled" and owner.created >= _since(restriction):
                yield name, restriction


def _since(restriction: Mapping[str, Any]) -> datetime:
    """Return the restriction's start date; objects created earlier are exempt."""
    text = restriction.get("restrictForAppsCreatedAfterDateTime")
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    at = datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=UTC)
