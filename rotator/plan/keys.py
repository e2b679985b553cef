"""Sign-in keys of a principal not managed by rotator, in words, with the command to remove each."""

from collections import Counter
from collections.abc import Sequence

from rotator.codes import NoteCode
from rotator.remedy import DELETE_FEDERATED_CREDENTIAL, delete_certificate, delete_federated_credential
from rotator.state import Home, Key, Means
from rotator.steps import Note
from rotator.words import day

STAYS = "signs in as the principal, and rotator does not manage it"

CALLED = {Means.CERTIFICATE: "certificate", Means.FEDERATED: "federated credential", Means.IDENTITY: "managed identity"}


def counted(keys: Sequence[Key]) -> str:
    """Count keys by kind and object: "its application has 1 certificate and 2 federated credentials"."""
    found = Counter((key.home, key.means) for key in keys)
    return ", and ".join(
        f"its {home.value.replace('_', ' ')} has {_of(home, found)}"
        for home in Home
        if any(at is home for at, _ in found)
    )


def _of(home: Home, found: Counter[tuple[Home, Means]]) -> str:
    counts = ((found[home, means], CALLED[means]) for means in Means)
    return " and ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)


def called(key: Key) -> str:
    """Describe one key by id, name and end."""
    name = f"{CALLED[key.means]} {key.id}{f' ({key.name})' if key.name else ''}"
    return f"{name} of the {key.home.value.replace('_', ' ')}{f', valid until {day(key.until)}' if key.until else ''}"


def removal(app_id: str, key: Key) -> str:
    """Return the command to remove a key; empty if another service manages the key, as with a managed identity."""
    if key.means is Means.CERTIFICATE:
        return delete_certificate(app_id, key.id, key.home)
    if key.means is Means.FEDERATED and key.home is Home.APPLICATION:
        return delete_federated_credential(app_id, key.id)
    return ""


def key_note(app_id: str, key: Key, *, warn: bool = False) -> Note:
    """Return the note on a way to sign in without a password, with the command to end it.

    Rotator never runs the command.
    """
    away = removal(app_id, key)
    match key.means:
        case Means.CERTIFICATE:
            home, until = key.home.value.replace("_", " "), f", valid until {key.until:%Y-%m-%d}," if key.until else ""
            text = f"certificate {key.id} ({key.name or 'unnamed'}) of the {home}{until} {STAYS}; `{away}` removes it"
            return Note(NoteCode.CERTIFICATE, key.id, text, warn=warn)
        case Means.FEDERATED:
            command = f"`{away}`" if away else f"`{DELETE_FEDERATED_CREDENTIAL}`, with the identity's name,"
            text = f"federated credential {key.name} {STAYS}; {command} removes it"
            return Note(NoteCode.FEDERATED_CREDENTIAL, key.id, text, warn=warn)
        case Means.IDENTITY:
            text = (
                f"the principal is managed identity {key.name}: every resource with this identity signs in as the"
                " principal; only its roles can be taken away"
            )
            return Note(NoteCode.MANAGED_IDENTITY, key.id, text, warn=warn)
