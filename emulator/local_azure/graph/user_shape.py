"""JSON of a user: the few default properties of a read, and the properties open to ``$select``.

Source: recordings of azure-cli's test-suite (2022, 2023), where the id comes first in the answer to a POST and last in
the answer to a GET; the names of the other properties are from Microsoft Graph v1.0, "user resource type".
"""

from collections.abc import Mapping
from typing import Any

TYPE = "microsoft.graph.user"

SHOWN = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
"""Properties that a read shows without ``$select``."""

_EMPTY_LISTS = (
    "businessPhones",
    "imAddresses",
    "otherMails",
    "proxyAddresses",
    "identities",
    "onPremisesProvisioningErrors",
)
_UNSET = (
    *(
        "ageGroup",
        "city",
        "companyName",
        "consentProvidedForMinor",
        "country",
        "creationType",
        "department",
        "employeeHireDate",
        "employeeId",
    ),
    *(
        "employeeType",
        "externalUserState",
        "externalUserStateChangeDateTime",
        "faxNumber",
        "givenName",
        "jobTitle",
        "legalAgeGroupClassification",
    ),
    *(
        "mail",
        "mobilePhone",
        "officeLocation",
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesImmutableId",
    ),
    *(
        "onPremisesLastSyncDateTime",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
    ),
    *(
        "onPremisesUserPrincipalName",
        "passwordPolicies",
        "passwordProfile",
        "postalCode",
        "preferredDataLocation",
        "preferredLanguage",
        "state",
    ),
    *("streetAddress", "surname", "usageLocation"),
)
USER: dict[str, Any] = {
    "accountEnabled": True,
    "createdDateTime": None,
    "displayName": None,
    "lastPasswordChangeDateTime": None,
    "mailNickname": None,
    "securityIdentifier": None,
    "userPrincipalName": None,
    "userType": "Member",
    **{name: [] for name in _EMPTY_LISTS},
    **dict.fromkeys(_UNSET),
}
"""A user of whom nothing is known but that there is one."""


def first_id(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user's JSON for the answer to a POST or a list of directory objects: the id comes first."""
    kept = {name: body[name] for name in SHOWN if name != "id"}
    return {**{name: value for name, value in body.items() if name.startswith("@odata.")}, "id": body["id"], **kept}
