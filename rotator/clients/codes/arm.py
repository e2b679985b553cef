"""Resource Manager's codes by cause (azure-facts B9, F7)."""

import re
from types import MappingProxyType

from rotator.causes import Cause

CAUSES = MappingProxyType(
    {
        "AuthorizationFailed": Cause.ROLE,
        "AuthorizationPermissionMismatch": Cause.ROLE,
        "InsufficientPermissions": Cause.ROLE,
        "Forbidden": Cause.ROLE,
        "LinkedAuthorizationFailed": Cause.LINKED_ROLE,
        "LinkedAccessCheckFailed": Cause.LINKED_ROLE,
        "DenyAssignmentAuthorizationFailed": Cause.DENY_ASSIGNMENT,
        "RequestDisallowedByPolicy": Cause.AZURE_POLICY,
        "RequestDisallowedByAzure": Cause.AZURE_POLICY,
        "InaccessibleImage": Cause.IMAGE,
        "RegistryErrorResponse": Cause.REGISTRY_BUSY,
        "MoreImageRegistryCredentialsThanContainers": Cause.REGISTRY_ENTRIES,
        "AmbiguousImageResitryCredentialType": Cause.REGISTRY_ENTRIES,
        "AmbiguousImageRegistryCredentialType": Cause.REGISTRY_ENTRIES,
        "InvalidContainerGroupUpdate": Cause.FIXED,
        "InvalidRequestContent": Cause.GROUP_CONTENT,
        "ContainerGroupTransitioning": Cause.GROUP_BUSY,
        "SubnetMissingRequiredDelegation": Cause.SUBNET,
        "SubnetNotFound": Cause.SUBNET,
        "SubnetIsFull": Cause.SUBNET,
        "LocationNotAvailableForResourceType": Cause.REGION,
        "InvalidResourceLocation": Cause.REGION,
        "MissingSubscriptionRegistration": Cause.UNREGISTERED,
        "SubscriptionNotRegistered": Cause.UNREGISTERED,
        "ReadOnlyDisabledSubscription": Cause.SUBSCRIPTION_CLOSED,
        "DisabledSubscription": Cause.SUBSCRIPTION_CLOSED,
        "ContainerGroupQuotaReached": Cause.QUOTA,
        "ServiceUnavailable": Cause.QUOTA,
        "InvalidAuthenticationTokenTenant": Cause.WRONG_TENANT,
        "InvalidAuthenticationToken": Cause.SIGN_IN_AGAIN,
        "ExpiredAuthenticationToken": Cause.SIGN_IN_AGAIN,
        "AuthenticationFailed": Cause.SIGN_IN_AGAIN,
        "InvalidApiVersionParameter": Cause.API_VERSION,
        "InvalidApiVersion": Cause.API_VERSION,
        "UnsupportedApiVersion": Cause.API_VERSION,
        "ApiVersionNotSupported": Cause.API_VERSION,
        "ApiVersionRetired": Cause.API_VERSION,
        "NoRegisteredProviderFound": Cause.API_VERSION,
    }
)
_BEGINNINGS = (
    ("InvalidImageRegistry", Cause.REGISTRY_ENTRIES),
    ("InvalidContainer", Cause.GROUP_CONTENT),
    ("InvalidTag", Cause.GROUP_CONTENT),
    ("ResourceRequests", Cause.GROUP_CONTENT),
    ("ResourceSomeRequests", Cause.GROUP_CONTENT),
    ("PrivateIPAddress", Cause.GROUP_CONTENT),
)
"""Causes by the beginning of a code: Container Instances has a code for each property."""
_NOT_OFFERED = re.compile(r"api[- ]version\w*\b.*(not supported|unsupported|retired|no longer|supported api-versions)")
_SEVERAL = re.compile(r"'\w+':'(\w+)':")
"""Status and code of each error in the message of several (azure-facts B9)."""
_DENIED = re.compile(r"deny assignment with name '([^']*)'(?: and Id '([^']*)')?", re.IGNORECASE)


def cause(code: str, message: str) -> Cause | None:
    """Return the cause of a refusal by Resource Manager or one of its providers."""
    if _DENIED.search(message):
        return Cause.DENY_ASSIGNMENT
    if code == "MultipleErrorsOccurred":
        inner = (cause(each, "") for each in _SEVERAL.findall(message))
        return next((found for found in inner if found), None)
    if found := CAUSES.get(code):
        return found
    if found := next((cause for begin, cause in _BEGINNINGS if code.startswith(begin)), None):
        return found
    return Cause.API_VERSION if _NOT_OFFERED.search(message.lower()) else None


def denied_by(message: str) -> tuple[str, ...]:
    """Return the deny assignment named by a refusal: its name and, where told, its id."""
    return tuple(dict.fromkeys(part for found in _DENIED.findall(message) for part in found if part))
