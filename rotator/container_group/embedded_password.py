"""Find the principal's password inside a group: in hidden variables, and in Key Vault references pinned to a version.

The value of a secure variable is hidden. But a container with the app id in plain sight, and a client secret beside
the app id, signs in with that secret.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from rotator.arm_json import (
    Value,
    belongs,
    containers,
    entries,
    get,
    objects,
    pulls_as,
    server,
    shown_values,
    shows_app_id,
    text,
    variables,
)
from rotator.container_group.document import Document, once
from rotator.container_group.hidden_values import VARIABLE, Holds, Place
from rotator.resource_id import GUID
from rotator.secret import CLIENT_ID, CLIENT_SECRET, LIKE_PASSWORD


@once
def signing_in(document: Document) -> tuple[str, ...]:
    """Paths of hidden variables that seem to hold the principal's password, sorted."""
    beside = _beside(document)
    return tuple(
        sorted(place.path for place in document.places if id(place.owner) in beside and place.missing and _meant(place))
    )


def _beside(document: Document) -> set[int]:
    """Return the identities of the variables of containers that show the app id."""
    app_id = document.app_id.lower()
    told = (container for _, container in containers(document.body) if app_id in shown_values(container))
    return {id(variable) for container in told for variable in variables(container)}


@once
def unsaid(document: Document) -> tuple[str, ...]:
    """Return the paths of variables and secret volumes, sorted, which may hold the principal's password.

    Only those count for which the policy doesn't name the owner of the password. In a group declared by the policy all
    that are hidden count; in one that pulls as the principal all hidden variables; in one that only shows the app id
    those named like a password. A variable in plain sight counts beside the app id if it is named like a principal's
    password. In a container with another client id none counts: the other client id says to whom the password belongs.
    Nor does one count of which another policy of the directory says what it holds.
    """
    body, app_id = document.body, document.app_id.lower()
    ours = bool(document.declared) or pulls_as(body, app_id)
    if not (ours or shows_app_id(body, app_id)):
        return ()
    theirs = {id(each) for _, one in containers(body) if _anothers(one, app_id) for each in variables(one)}
    elsewhere = document.policy.answered.get(document.id, ())
    asked = (place for place in document.places if id(place.owner) not in theirs)
    beside = _beside(document)
    asked = (p for p in asked if _hidden(document, p, ours=ours) or (id(p.owner) in beside and _shown(p)))
    asked = (place for place in asked if place.path.lower() not in elsewhere)
    return tuple(sorted({place.path for place in asked if document.recipes.for_place(place) is None}))


def _hidden(document: Document, place: Place, *, ours: bool) -> bool:
    if not place.missing:
        return False
    if place.holds is Holds.FILES:
        return document.declared is not None
    return _variable(place) and (ours or bool(LIKE_PASSWORD.search(_name(place))))


def _shown(place: Place) -> bool:
    """Tell if a variable is named like a principal's password, and has a value in plain sight."""
    return _variable(place) and _meant(place) and bool(text(place.owner, "value"))


def _name(place: Place) -> str:
    return place.path.rpartition("/")[2]


def _variable(place: Place) -> bool:
    return place.path.split("/")[2:3] == [VARIABLE]


def _anothers(container: Value, app_id: str) -> bool:
    """Tell if a container signs in as another principal, and doesn't show the app id of this one."""
    shown = ((text(each, "name"), text(each, "value").strip().lower()) for each in variables(container))
    ids = {value for name, value in shown if CLIENT_ID.search(name) and re.fullmatch(GUID, value)}
    return bool(ids) and app_id not in shown_values(container)


def _meant(place: Place) -> bool:
    return bool(CLIENT_SECRET.search(_name(place)))


def pinned(document: Document) -> tuple[str, ...]:
    """Return the versions of the published secret named by the group's references, sorted.

    Azure goes on reading these versions after they are disabled.
    """
    return tuple(sorted({version for _, version in _published(document) if version}))


def follows(document: Document) -> bool:
    """Tell if the group refers to the newest version of the published secret.

    Azure reads the secret in a PUT; no page says when else (azure-facts B8).
    """
    return any(not version for _, version in _published(document))


def strays(document: Document) -> tuple[str, ...]:
    """Return the servers, sorted, whose entry takes this principal's password by reference from another secret.

    A reference to the published secret isn't a stray.
    """
    ours = {name for name, _ in _published(document)}
    mine = (
        entry for entry in entries(document.body) if belongs(entry, document.app_id) and get(entry, "passwordReference")
    )
    return tuple(sorted({server(entry) for entry in mine if text(entry, "passwordReference").lower() not in ours}))


@once
def _published(document: Document) -> tuple[tuple[str, str], ...]:
    """Return the references to the published secret: name in lower case, and version, possibly empty."""
    vault = document.policy.key_vault
    published = (vault.host, vault.password_secret.lower())
    found = references(document.body)
    return tuple((name, version) for name, host, secret, version in found if (host, secret.lower()) == published)


def references(document: Value) -> Iterator[tuple[str, str, str, str]]:
    """Yield the group's references to Key Vault: reference name in lower case, host of the vault, secret, version.

    The version may be empty.
    """
    for reference in objects(document, "properties", "secretReferences"):
        uri = urlsplit(text(reference, "secretReferenceUri"))
        parts = uri.path.strip("/").split("/")
        if parts[0].lower() == "secrets" and len(parts) in (2, 3):
            yield text(reference, "name").lower(), uri.hostname or "", parts[1], parts[2] if len(parts) == 3 else ""
