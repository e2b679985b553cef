"""Properties of each type in the directory, and the subset open to writes by clients."""

from collections.abc import Mapping
from typing import Any

from local_azure.graph import new_objects, user_shape
from local_azure.graph.objects import Kind
from local_azure.graph.passwords import PERSONAL
from local_azure.graph.queries import Kindred
from local_azure.graph.refusals import bad_value, unknown_property
from local_azure.wire import ServiceError

KINDRED: dict[Kind, Kindred] = {
    "applications": Kindred(
        "microsoft.graph.application",
        frozenset({"id", "deletedDateTime", "appId", "isDisabled", *new_objects.APPLICATION}),
        ("owners",),
    ),
    "servicePrincipals": Kindred(
        "microsoft.graph.servicePrincipal",
        frozenset({"id", "deletedDateTime", "isDisabled", "customSecurityAttributes", *new_objects.PRINCIPAL}),
        ("owners", "appRoleAssignments", "memberOf"),
    ),
    "groups": Kindred(
        "microsoft.graph.group",
        frozenset({"id", "deletedDateTime", *new_objects.GROUP}),
        ("owners", "members", "memberOf"),
    ),
    "users": Kindred(
        user_shape.TYPE, frozenset({"id", "deletedDateTime", *user_shape.USER}), ("memberOf",), user_shape.SHOWN
    ),
}
"""The types of the collections."""

AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount")
"""Values of an application's ``signInAudience``."""

_MEMBERS: dict[str, dict[str, Any]] = {
    "appRoles": {
        "allowedMemberTypes": [],
        "description": None,
        "displayName": None,
        "id": None,
        "isEnabled": True,
        "origin": "Application",
        "value": None,
    },
    "requiredResourceAccess": {"resourceAppId": None, "resourceAccess": []},
}
"""Properties of a list's elements, in recorded answers."""
_CLAIMED = ("accessToken", "idToken", "saml2Token")
_CLAIM = {"additionalProperties": [], "essential": False, "name": None, "source": None}
_CREDENTIALS = ("passwordCredentials", "keyCredentials")
_FIXED = frozenset(
    {
        "id",
        "appId",
        "deletedDateTime",
        "createdDateTime",
        "publisherDomain",
        "servicePrincipalType",
        "servicePrincipalNames",
        "appOwnerOrganizationId",
        "securityIdentifier",
        "renewedDateTime",
        "uniqueName",
        "creationType",
        "lastPasswordChangeDateTime",
        "proxyAddresses",
    }
)
_LISTS = frozenset(
    {
        "tags",
        "identifierUris",
        "appRoles",
        "notificationEmailAddresses",
        "replyUrls",
        "alternativeNames",
        "requiredResourceAccess",
    }
) | {
    "businessPhones",
    "otherMails",
}
_OF_OBJECTS = frozenset({"appRoles", "requiredResourceAccess"})
_REDIRECTING, _REDIRECTS = frozenset({"web", "publicClient", "spa"}), frozenset({"redirectUris", "redirectUriSettings"})
_COMPLEX = frozenset(
    {
        "servicePrincipalLockConfiguration",
        *(name for name, value in new_objects.APPLICATION.items() if isinstance(value, dict)),
    }
)


def check(properties: Mapping[str, Any], kind: Kind) -> None:
    """Check properties set by a client. Raises ServiceError 400.

    Raises 501 for passwords, because passwords are added by addPassword only; none at all removes those that are there.
    """
    of = KINDRED[kind]
    for name, value in properties.items():
        if name not in of.properties:
            raise unknown_property(name, of.type)
        if name in _FIXED:
            raise ServiceError(400, "Request_BadRequest", f"Property '{name}' is read-only and cannot be set.")
        if name == "passwordCredentials" and value:
            raise ServiceError(
                501, "NotImplemented", f"The emulator does not implement {name} in a body of graph; use addPassword."
            )
        if not _fits(name, value, kind):
            raise bad_value(name, of.resource)


def _fits(name: str, value: Any, kind: Kind) -> bool:
    if name == "signInAudience" and kind == "applications":
        return value in AUDIENCES
    if name == "isDisabled":
        return kind == "applications" and (value is None or isinstance(value, bool))
    if name in _LISTS:
        return isinstance(value, list) and (name not in _OF_OBJECTS or all(isinstance(each, dict) for each in value))
    if name == "optionalClaims" and value:
        return isinstance(value, dict) and all(isinstance(each, list) for each in value.values() if each is not None)
    if name in _COMPLEX:
        return value is None or isinstance(value, dict)
    return name != "displayName" or (isinstance(value, str) and bool(value))


def storable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties in the stored form.

    Credentials are stored separately; lists of objects have every member, in Graph's order.
    """
    kept = {name: value for name, value in properties.items() if name not in _CREDENTIALS}
    for name, members in _MEMBERS.items():
        if kept.get(name):
            kept[name] = [{**members, **each} for each in kept[name]]
    if kept.get("optionalClaims"):
        kept["optionalClaims"] = {
            token: [{**_CLAIM, **each} for each in kept["optionalClaims"].get(token) or []] for token in _CLAIMED
        }
    if kept.get("web"):
        kept["web"] = _redirected(kept["web"])
    if kept.get("signInAudience") in PERSONAL:
        kept["api"] = {**(kept.get("api") or {}), "requestedAccessTokenVersion": 2}
    return turned(kept)


def turned(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with the lists in reverse that Graph reads from the end.

    The answer to a creation repeats them as they were sent; every read after it has the last entry first (recorded;
    of `spa` and of service principals inferred). The lists inside an entry keep their order.
    """
    found = dict(properties)
    for name in _OF_OBJECTS & found.keys():
        found[name] = found[name] and [*reversed(found[name])]
    for name in _REDIRECTING & found.keys():
        found[name] = found[name] and {
            each: [*reversed(value)] if each in _REDIRECTS and value else value for each, value in found[name].items()
        }
    return found


def _redirected(web: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``web`` with settings for each redirect URI, and the other way round."""
    if "redirectUriSettings" in web and not web.get("redirectUris"):
        settings = [{"uri": each.get("uri"), "index": each.get("index")} for each in web["redirectUriSettings"] or []]
        return {**web, "redirectUris": [each["uri"] for each in settings], "redirectUriSettings": settings}
    if "redirectUris" not in web:
        return dict(web)
    indexes = {each.get("uri"): each.get("index") for each in web.get("redirectUriSettings") or []}
    settings = [{"uri": uri, "index": indexes.get(uri)} for uri in web["redirectUris"] or []]
    return {**web, "redirectUriSettings": settings}
