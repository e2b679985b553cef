"""API versions of every request: one table, with the day on which a service stops to take a version (azure-facts E8).

Rules for editors of this file:

1. A version is chosen so that it works before and after every retirement known.
2. A version stands here and nowhere else in rotator; `tests/clients/test_api_versions.py` holds that, and asks the
   emulator for each on the day after its retirement.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """Version of one service's interface; `retires`: first day on which the version is refused, where Azure names one.

    `oldest` is the oldest version that the service takes from the day of its announced retirements on.
    """

    service: str
    version: str
    retires: date | None = None
    oldest: str = ""

    def __str__(self) -> str:
        return self.version


CONTAINER_GROUPS = ApiVersion("Container Instances", "2025-09-01")
"""The version with every property of a group that rotator knows, so that a PUT of the read body loses none."""
REGISTRIES = ApiVersion("Container Registry", "2025-11-01")
"""The first stable version with ``roleAssignmentMode``."""
VAULTS = ApiVersion("Key Vault (control plane)", "2026-02-01", oldest="2026-02-01")
"""Oldest version that Azure accepts from 2027-02-27 on, and accepted before."""
RESOURCES = ApiVersion("Resource Manager (resources)", "2021-04-01")
SUBSCRIPTIONS = ApiVersion("Resource Manager (subscriptions)", "2022-12-01")
SECRETS = ApiVersion("Key Vault (secrets)", "2026-04-01")
"""Said to the client library, whose own default moves with its releases; no retirement is announced."""
ROLES = ApiVersion("Authorization", "2022-04-01")
"""The version of the client library's models that rotator imports."""
LOCKS = ApiVersion("Authorization (locks)", "2020-05-01")
GRAPH = ApiVersion("Microsoft Graph", "v1.0")

ALL = (CONTAINER_GROUPS, REGISTRIES, VAULTS, RESOURCES, SUBSCRIPTIONS, SECRETS, ROLES, LOCKS, GRAPH)
"""Every version in use."""
