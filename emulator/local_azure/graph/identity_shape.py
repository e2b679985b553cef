"""JSON special to the service principal of a managed identity: the platform's name for it, and its certificate.

Source: recordings of azure-cli (virtual machines, 2024). The platform signs in with a certificate of three months. Here
it is never renewed, and shown only.
"""

import base64
import hashlib
import uuid
from datetime import timedelta
from typing import Any

from local_azure.clock import iso
from local_azure.graph.objects import Entry, ServicePrincipal

MANAGED = "ManagedIdentity"
LIFE, EARLY = timedelta(days=90), timedelta(minutes=5)


def is_managed(of: Entry) -> bool:
    """Tell if an object is a managed identity's service principal."""
    return isinstance(of, ServicePrincipal) and of.properties.get("servicePrincipalType") == MANAGED


def identity(of: ServicePrincipal, tenant: str) -> dict[str, Any]:
    """Return the properties that only a managed identity has in this form."""
    digest = hashlib.sha256(of.id.encode()).digest()
    names = [of.app_id, f"https://identity.azure.net/{base64.b64encode(digest).decode()}"]
    start = of.created.replace(second=0, microsecond=0) - EARLY
    key = {
        "customKeyIdentifier": hashlib.sha1(of.id.encode(), usedforsecurity=False).hexdigest().upper(),
        "displayName": f"CN={of.app_id}",
        "endDateTime": iso(start + LIFE, 0),
        "key": None,
        "keyId": str(uuid.uuid5(uuid.UUID(of.id), "certificate")),
        "startDateTime": iso(start, 0),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }
    return {"appDisplayName": None, "info": None, "servicePrincipalNames": names, "keyCredentials": [key]}
