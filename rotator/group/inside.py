"""The principal's password inside a group: variables that seem to hold it, and references into Key Vault that don't follow a rotation.

What a variable holds is hidden. But a container that is told the app id in plain sight, and a client secret beside it, signs in with it.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from rotator.group.place import Place, places
from rotator.group.shape import Value, belongs, containers, entries, get, objects, server, text
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
    return tuple(sorted({version for _, version in _references(document, policy) if version}))


def follows(document: Value, policy: Policy) -> bool:
    """Whether it refers to the newest version of the published secret. Azure reads that in a PUT; when else is nowhere documented (facts B8)."""
    return any(not version for _, version in _references(document, policy))


def strays(document: Value, policy: Policy) -> tuple[str, ...]:
    """Servers whose entry takes this principal's password by a reference to something else than the published secret, sorted."""
    ours = {name for name, _ in _references(document, policy)}
    mine = (entry for entry in entries(document) if belongs(entry, policy.principal.app_id) and get(entry, "passwordReference"))
    return tuple(sorted({server(entry) for entry in mine if text(entry, "passwordReference").lower() not in ours}))


def _references(document: Value, policy: Policy) -> Iterator[tuple[str, str]]:
    """The references to the published secret: name in lower case, and version, which may be empty."""
    published = (policy.key_vault.host, policy.key_vault.password_secret.lower())
    for name, host, secret, version in references(document):
        if (host, secret.lower()) == published:
            yield name, version


def references(document: Value) -> Iterator[tuple[str, str, str, str]]:
    """What a group reads from Key Vault: the reference's name in lower case, the vault's host, the secret, and its version, which may be empty."""
    for reference in objects(document, "properties", "secretReferences"):
        uri = urlsplit(text(reference, "secretReferenceUri"))
        parts = uri.path.strip("/").split("/")
        if parts[0].lower() == "secrets" and len(parts) in (2, 3):
            yield text(reference, "name").lower(), uri.hostname or "", parts[1], parts[2] if len(parts) == 3 else ""
