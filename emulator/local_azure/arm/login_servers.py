"""The first part of a registry's login server: its name or, so that nobody can take over a name that was given up, its name with a label.

Source: recorded ``az acr create --dnl-scope`` and ``az acr check-name --dnl-scope``: 16 letters and digits after a
hyphen. How Azure makes the label is not documented; here it is a digest of what the scope keeps apart.
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
    """What stands before the domain of a registry's login server."""
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
