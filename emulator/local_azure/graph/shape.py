"""JSON of the directory's objects: every property, in the order of recorded answers.

Source: recordings of azure-cli's test-suite (2025; groups 2022); secretText is null in every answer but the answer to
addPassword.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from local_azure.clock import iso
from local_azure.graph.identity_shape import identity, is_managed
from local_azure.graph.new_objects import APPLICATION, GROUP, PRINCIPAL
from local_azure.graph.objects import Application, Certificate, Entry, Group, Password, ServicePrincipal, User
from local_azure.graph.user_shape import USER


def date(at: datetime) -> str:
    """An instant as Graph writes it: no fraction where there is none, no trailing zeros where there is one."""
    text = iso(at, 7 if at.microsecond else 0)
    return text.rstrip("Z").rstrip("0") + "Z" if at.microsecond else text


def password(of: Password, secret: str | None = None) -> dict[str, Any]:
    """A passwordCredential; `secret` only in the answer of addPassword."""
    return {
        "customKeyIdentifier": None,
        "displayName": of.display_name,
        "endDateTime": date(of.end),
        "hint": of.hint,
        "keyId": of.key_id,
        "secretText": secret,
        "startDateTime": date(of.start),
    }


def body(of: Entry, tenant: str, domain: str, application: Application | None = None) -> dict[str, Any]:
    """Return an object's whole JSON without OData annotations, for reading only: nested values are shared.

    `application` is the application of a service principal, if this tenant has the application.
    """
    head = {"id": of.id, "deletedDateTime": date(of.deleted) if of.deleted else None}
    if isinstance(of, Group):
        return {**head, **merged(_group(of), of.properties)}
    if isinstance(of, User):
        return {**head, **merged(_user(of), of.properties)}
    own = _application(of, domain) if isinstance(of, Application) else _principal(of, tenant, application)
    return {
        **head,
        **merged(own, of.properties),
        "passwordCredentials": _live(of.passwords),
        "keyCredentials": keys(of.certificates),
        **(identity(of, tenant) if isinstance(of, ServicePrincipal) and is_managed(of) else {}),
    }


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties after a change; unnamed members of a complex property (``web``) stay unchanged."""
    return {
        **old,
        **{
            name: {**old[name], **value} if isinstance(value, dict) and isinstance(old.get(name), dict) else value
            for name, value in new.items()
        },
    }


def _application(of: Application, domain: str) -> dict[str, Any]:
    known = {
        "createdDateTime": date(of.created.replace(microsecond=0)),
        "displayName": of.display_name,
        "publisherDomain": domain,
    }
    return {"appId": of.app_id, **APPLICATION, **known}


def _principal(of: ServicePrincipal, tenant: str, application: Application | None) -> dict[str, Any]:
    given = application.properties if application else {}
    known = {
        "accountEnabled": of.account_enabled,
        "appDisplayName": application.display_name if application else of.display_name,
        "appId": of.app_id,
        "appOwnerOrganizationId": tenant,
        "appRoles": given.get("appRoles", []),
        "createdDateTime": date(of.created.replace(microsecond=0)),
        "displayName": of.display_name,
        "oauth2PermissionScopes": (given.get("api") or {}).get("oauth2PermissionScopes", []),
        "servicePrincipalNames": [*given.get("identifierUris", []), of.app_id],
    }
    deactivated = {"isDisabled": given["isDisabled"]} if "isDisabled" in given else {}
    return {**PRINCIPAL, **known, **deactivated}


def attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return custom security attributes with the types that Graph adds; None without any."""
    typed = {"@odata.type": "#microsoft.graph.customSecurityAttributeValue"}
    return {name: {**typed, **values} for name, values in given.items()} or None


def assigned(old: Mapping[str, Mapping[str, Any]], new: Any) -> dict[str, dict[str, Any]]:
    """Return custom security attributes after an assignment; an attribute that is set to null is removed."""
    found = {name: dict(values) for name, values in old.items()}
    for name, values in (new or {}).items():
        kept = {**found.get(name, {}), **values}
        found[name] = {each: value for each, value in kept.items() if value is not None and "@" not in each}
    return {name: values for name, values in found.items() if values}


def _group(of: Group) -> dict[str, Any]:
    created = date(of.created.replace(microsecond=0))
    known = {
        "createdDateTime": created,
        "displayName": of.display_name,
        "renewedDateTime": created,
        "securityIdentifier": _security_id(of.id),
    }
    return {**GROUP, **known}


def _user(of: User) -> dict[str, Any]:
    created = date(of.created.replace(microsecond=0))
    own = {"createdDateTime": created, "lastPasswordChangeDateTime": created, "securityIdentifier": _security_id(of.id)}
    return {**USER, **own, "displayName": of.display_name}


def _security_id(guid: str) -> str:
    """The SID of an object of the directory: its GUID as four little-endian numbers."""
    raw = uuid.UUID(guid).bytes_le if _is_guid(guid) else bytes(16)
    return "S-1-12-1-" + "-".join(str(int.from_bytes(raw[at : at + 4], "little")) for at in range(0, 16, 4))


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _live(passwords: Iterable[Password]) -> list[dict[str, Any]]:
    return [password(each) for each in passwords if each.gone_from is None]


def keys(certificates: Iterable[Certificate], *, whole: bool = False) -> list[dict[str, Any]]:
    """The keyCredentials of an object; the keys themselves only if `whole`."""
    return [
        {
            "customKeyIdentifier": each.identifier,
            "displayName": each.display_name,
            "endDateTime": date(each.end),
            "key": each.key if whole else None,
            "keyId": each.key_id,
            "startDateTime": date(each.start),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        }
        for each in certificates
        if each.gone_from is None
    ]


def organization(tenant: str, name: str, domain: str, created: datetime) -> dict[str, Any]:
    """Return the tenant's JSON, with only the identifying properties."""
    initial = {
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": True,
        "isInitial": True,
        "name": domain,
        "type": "Managed",
    }
    return {
        "id": tenant,
        "deletedDateTime": None,
        "createdDateTime": date(created.replace(microsecond=0)),
        "displayName": name,
        "tenantType": "AAD",
        "verifiedDomains": [initial],
    }


def domain(name: str) -> dict[str, Any]:
    """The tenant's initial domain."""
    return {
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "id": name,
        "isAdminManaged": True,
        "isDefault": True,
        "isInitial": True,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        "passwordValidityPeriodInDays": 2147483647,
        "passwordNotificationWindowInDays": 14,
        "state": None,
    }
