"""Select the properties of a GET's answer for a PUT: all but those written by the service alone.

Dropped, by the ``readOnly`` marks of the API's specifications (2023-05-01 to 2025-09-01): ``id name type systemData``;
the group's, containers' and init containers' ``instanceView``; ``provisioningState``; ``isCreatedFromStandbyPool``;
``ipAddress.fqdn`` (derived from ``dnsNameLabel``); ``identity.principalId`` and ``tenantId``, and ``principalId`` and
``clientId`` of all user-assigned identities, where only the name counts. ``isCustomProvisioningTimeout`` is read-only
where an API version documents the property; if false, the timeout beside it is the default and is dropped, too: sent
back, the default could become a custom timeout.

Kept: ``ipAddress.ip``, not marked as read-only in any specification (dropping the address would ask for any address),
``isDelegatedIdentity``, in no specification and in all answers (azure-facts B3), nulls, and all properties unknown
here.
"""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import Json, Value, containers, drop, get, plain, put


def writable(document: Mapping[str, Any]) -> Json:
    """Return a copy without read-only properties; the document itself is never changed."""
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
