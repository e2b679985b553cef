"""How objects of the directory look in Graph's JSON: every property, in the order in which recorded answers have them.

Source: recordings of azure-cli's test-suite (2022) for both types; secretText is null in every answer but that of addPassword.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rotator.emulator.clock import iso
from rotator.emulator.graph.objects import Application, Holder, Password, ServicePrincipal

_INFO = {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None, "termsOfServiceUrl": None}
_PUBLISHER = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}

APPLICATION: dict[str, Any] = {
    "applicationTemplateId": None,
    "disabledByMicrosoftStatus": None,
    "createdDateTime": None,
    "displayName": None,
    "description": None,
    "groupMembershipClaims": None,
    "identifierUris": [],
    "isDeviceOnlyAuthSupported": None,
    "isFallbackPublicClient": None,
    "notes": None,
    "publisherDomain": None,
    "serviceManagementReference": None,
    "signInAudience": "AzureADMyOrg",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "defaultRedirectUri": None,
    "certification": None,
    "optionalClaims": None,
    "servicePrincipalLockConfiguration": None,
    "addIns": [],
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        "oauth2PermissionScopes": [],
        "preAuthorizedApplications": [],
    },
    "appRoles": [],
    "info": _INFO,
    "keyCredentials": [],
    "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
    "passwordCredentials": [],
    "publicClient": {"redirectUris": []},
    "requiredResourceAccess": [],
    "verifiedPublisher": _PUBLISHER,
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
    },
    "spa": {"redirectUris": []},
}
"""An application as created with a name only; `signInAudience` is the documented default."""

PRINCIPAL: dict[str, Any] = {
    "accountEnabled": True,
    "alternativeNames": [],
    "appDisplayName": None,
    "appDescription": None,
    "appId": None,
    "applicationTemplateId": None,
    "appOwnerOrganizationId": None,
    "appRoleAssignmentRequired": False,
    "createdDateTime": None,
    "description": None,
    "disabledByMicrosoftStatus": None,
    "displayName": None,
    "homepage": None,
    "loginUrl": None,
    "logoutUrl": None,
    "notes": None,
    "notificationEmailAddresses": [],
    "preferredSingleSignOnMode": None,
    "preferredTokenSigningKeyThumbprint": None,
    "replyUrls": [],
    "servicePrincipalNames": [],
    "servicePrincipalType": "Application",
    "signInAudience": "AzureADMyOrg",
    "tags": [],
    "tokenEncryptionKeyId": None,
    "samlSingleSignOnSettings": None,
    "verifiedPublisher": _PUBLISHER,
    "addIns": [],
    "appRoles": [],
    "info": _INFO,
    "keyCredentials": [],
    "oauth2PermissionScopes": [],
    "passwordCredentials": [],
    "resourceSpecificApplicationPermissions": [],
}
"""A service principal as created with an application ID only."""


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


def body(of: Holder, tenant: str, domain: str) -> dict[str, Any]:
    """The whole JSON of an object, without the OData annotations. To be read only: what is nested in it is shared."""
    head = {"id": of.id, "deletedDateTime": None}
    own = _application(of, domain) if isinstance(of, Application) else _principal(of, tenant)
    return {**head, **own, **of.properties, "passwordCredentials": _live(of.passwords)}


def _application(of: Application, domain: str) -> dict[str, Any]:
    known = {"createdDateTime": date(of.created.replace(microsecond=0)), "displayName": of.display_name, "publisherDomain": domain}
    return {"appId": of.app_id, **APPLICATION, **known}


def _principal(of: ServicePrincipal, tenant: str) -> dict[str, Any]:
    known = {
        "accountEnabled": of.account_enabled,
        "appDisplayName": of.display_name,
        "appId": of.app_id,
        "appOwnerOrganizationId": tenant,
        "createdDateTime": date(of.created.replace(microsecond=0)),
        "displayName": of.display_name,
        "servicePrincipalNames": [of.app_id],
    }
    return {**PRINCIPAL, **known}


def _live(passwords: Iterable[Password]) -> list[dict[str, Any]]:
    return [password(each) for each in passwords if each.gone_from is None]


def organization(tenant: str, name: str, domain: str, created: datetime) -> dict[str, Any]:
    """The tenant itself; of its many properties those that identify it."""
    initial = {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": True, "isInitial": True, "name": domain, "type": "Managed"}
    return {
        "id": tenant,
        "deletedDateTime": None,
        "createdDateTime": date(created.replace(microsecond=0)),
        "displayName": name,
        "tenantType": "AAD",
        "verifiedDomains": [initial],
    }
