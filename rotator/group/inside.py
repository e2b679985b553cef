"""The principal's password inside a group: variables that seem to hold it, and references into Key Vault that don't follow a rotation.

What a variable holds is hidden. But a container that is told the app id in plain sight, and a client secret beside it, signs in with it.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from rotator.group.place import Place, places
from rotator.group.shape import Value, containers, objects, text
from rotator.policy import Policy

_NAME = re.compile(r"client_?secret|(?:sp|principal|registry|acr|azure|arm)\w*(?:secret|passw(?:or)?d|pwd)", re.IGNORECASE)
"""AZURE_CLIENT_SECRET, ARM_CLIENT_SECRET, ACR_PASSWORD and their like."""


def signing_in(document: Value, app_id: str) -> tuple[str, ...]:
    """Paths of hidden variables that seem to hold the principal's password, sorted."""
    told = {id(container) for _, container in containers(document) if app_id.lower() in _plain(container)}
    beside = {
        id(variable)
        for _, container in containers(document)
        if id(container) in told
        for variable in objects(container, "properties", "environmentVariables")
    }
    return tuple(sorted(place.path for place in places(document) if id(place.owner) in beside and place.missing and _meant(place)))


def _plain(container: Value) -> set[str]:
    return {text(variable, "value").strip().lower() for variable in objects(container, "properties", "environmentVariables")}


def _meant(place: Place) -> bool:
    return bool(_NAME.search(place.path.rpartition("/")[2]))


def pinned(document: Value, policy: Policy) -> tuple[str, ...]:
    """Versions of the published secret that the group's references name, sorted: Azure goes on reading them when they are disabled."""
    return tuple(sorted(set(_pinned(document, policy))))


def _pinned(document: Value, policy: Policy) -> Iterator[str]:
    for reference in objects(document, "properties", "secretReferences"):
        uri = urlsplit(text(reference, "secretReferenceUri"))
        parts = uri.path.strip("/").split("/")
        ours = (uri.hostname or "") == policy.key_vault.host and parts[0].lower() == "secrets"
        if ours and len(parts) == 3 and parts[1].lower() == policy.key_vault.password_secret.lower():
            yield parts[2]
