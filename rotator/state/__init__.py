"""State of Azure as frozen values, shared by all other modules.

The package decides nothing, changes nothing and sends no request. Times are UTC and Azure's; collections are sorted
tuples, so that equal states are equal values.
"""

from rotator.secret import Home, Secret
from rotator.state.marks import (
    ACCESS,
    ADOPTED,
    ATTEMPT,
    COMPROMISED,
    FAILED,
    HOME,
    KEY_ID,
    OWN,
    PREVIOUS,
    SINCE,
    lineage,
    marker,
)
from rotator.state.observed import ContainerGroup, NewerGroups, NewerValue, Observed, Permissions, UnlistedSubscription
from rotator.state.proofs import BASE64, OTHER_TEXT, URL, Outcome, Proof
from rotator.state.roles import Access, Assignment, Permission, Registry, RegistryAccess, Role
from rotator.state.sign_ins import Credential, Identity, Key, Means, PasswordLimit, Principal, SignIns, hints_of
from rotator.state.versions import Tags, Version, series, tags

__all__ = [
    "ACCESS",
    "ADOPTED",
    "ATTEMPT",
    "BASE64",
    "COMPROMISED",
    "FAILED",
    "HOME",
    "KEY_ID",
    "OTHER_TEXT",
    "OWN",
    "PREVIOUS",
    "SINCE",
    "URL",
    "Access",
    "Assignment",
    "ContainerGroup",
    "Credential",
    "Home",
    "Identity",
    "Key",
    "Means",
    "NewerGroups",
    "NewerValue",
    "Observed",
    "Outcome",
    "PasswordLimit",
    "Permission",
    "Permissions",
    "Principal",
    "Proof",
    "Registry",
    "RegistryAccess",
    "Role",
    "Secret",
    "SignIns",
    "Tags",
    "UnlistedSubscription",
    "Version",
    "hints_of",
    "lineage",
    "marker",
    "series",
    "tags",
]
