"""What of a GET's answer goes into a PUT: everything but what the service alone writes.

Dropped, by the ``readOnly`` marks of the API's specifications (2023-05-01 to 2025-09-01): ``id name type systemData``;
the group's, containers' and init containers' ``instanceView``; ``provisioningState``; ``isCreatedFromStandbyPool``;
``ipAddress.fqdn`` (it follows from ``dnsNameLabel``); ``identity.principalId`` and ``tenantId``, and ``principalId``
and ``clientId`` of every user-assigned identity, of which the name is what counts. ``isCustomProvisioningTimeout`` is
read-only where an API version documents it; where it says no, the time-out beside it is the default, which sent back
could become a custom one, so it goes along.

Kept: ``ipAddress.ip``, which no specification marks as read-only (dropping it would ask for any address),
``isDelegatedIdentity``, which is in no specification and in every answer (azure-facts B3), nulls, and everything that
isn't known here.
"""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import Json, Value, containers, drop, get, plain, put


def writable(document: Mapping[str, Any]) -> Json:
    """A copy without read-only properties; the document itself is never changed."""
    body: Json = plain(document)
    drop(body, "id", "name", "type", "systemData")
    properties = get(body, "properties")
    drop(properties, "instanceView", "provisioningState", "isCreatedFromStandbyPool")
    if get(properties, "isCustomProvisioningTimeout") is False:
        drop(properties, "provisioningTimeoutInSeconds")
    drop(properties, "isCustomProvisioningTimeout")
    drop(get(properties, "ipAddress"), "fqdn")
    for _, container in containers(body):
        drop(get(container, "properties"), "instanceView")
    _identity(get(body, "identity"))
    return body


def _identity(identity: Value) -> None:
    drop(identity, "principalId", "tenantId")
    assigned = get(identity, "userAssignedIdentities")
    for name in list(assigned) if isinstance(assigned, dict) else ():
        if assigned[name] is None:
            put(assigned, name, {})
        drop(assigned[name], "principalId", "clientId")
