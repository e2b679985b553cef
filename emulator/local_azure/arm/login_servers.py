"""First part of a registry's login server: the name, or the name with a label.

The label prevents a takeover of an abandoned name. Source: recorded ``az acr create --dnl-scope`` and ``az acr
check-name --dnl-scope``: 16 letters and digits after a hyphen. Azure's way of making the label is not documented; here
the label is a digest of the values kept apart by the scope.
"""

import base64
from datetime import datetime
from hashlib import sha256

SCOPES = {
    "tenantreuse": "TenantReuse",
    "subscriptionreuse": "SubscriptionReuse",
    "resourcegroupreuse": "ResourceGroupReuse",
    "noreuse": "NoReuse",
}
"""The scopes within which a name gets the same label again, as Azure spells them; ``Unsecure`` has none."""
UNSECURE = "Unsecure"


def host_label(name: str, scope: str, tenant: str, resource_id: str, created: datetime) -> str:
    """Return the part before the domain of a registry's login server."""
    if scope.lower() not in SCOPES:
        return name.lower()
    parts = resource_id.lower().strip("/").split("/")
    within = {
        "tenantreuse": tenant,
        "subscriptionreuse": "/".join(parts[:2]),
        "resourcegroupreuse": "/".join(parts[:4]),
    }
    apart = within.get(scope.lower(), f"{resource_id.lower()} {created.isoformat()}")
    made = base64.b32encode(sha256(f"{name.lower()} {apart}".encode()).digest()).decode().lower()
    return f"{name.lower()}-{made[:16]}"
