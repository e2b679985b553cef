"""Causes of refusals by Azure's own codes: a table for each service, and the facts that an answer names.

Rules for editors of this package:

1. A code, or the words of an answer without one, stands in the table of its service, with one cause.
2. Nothing here is about what to do: `rotator.remedy.advise` says that of each cause.
3. A fact is taken from an answer only in a form that is harmless in a command: an id, an address, a name of Azure's.
"""

import re
from collections.abc import Callable, Mapping

from rotator.causes import Cause, Grounds
from rotator.clients.codes import arm, entra, graph, keyvault, storage
from rotator.clients.refusal import ENTRA, Asked, ServiceRefusal, numbers_of
from rotator.resource_id import GUID

_TABLES: Mapping[str, Callable[[str, str], Cause | None]] = {
    "Key Vault": keyvault.cause,
    "Microsoft Graph": graph.cause,
    "Azure Blob Storage": storage.cause,
    "Azure Queue Storage": storage.cause,
}
_CALLER = re.compile(rf"(?:\boid=|object id ')({GUID})", re.IGNORECASE)
_APP = re.compile(rf"(?:app|application|identifier|app id) '({GUID})'", re.IGNORECASE)
_ADDRESS = re.compile(r"Client address: ([0-9A-Fa-f.:]{2,45})(?=\s|$)")
_REFUSED = (401, 403)
_CHALLENGE = "continuous access evaluation"
"""Words in the refusal of a revoked token, which count also where a proxy has removed the challenge's header."""


def grounds_of(asked: Asked, refused: ServiceRefusal) -> Grounds | None:
    """Return the reason of a refusal; None where the answer is no refusal, or its error class says enough."""
    cause = _cause(asked, refused)
    return None if cause is None else _named(asked, refused, cause)


def sign_in_grounds(message: str) -> Grounds:
    """Return the reason why no credential of the chain gave a token, by the chain's own words."""
    cause = entra.cause(numbers_of(message), message) or Cause.NOT_SIGNED_IN
    return _named(Asked(ENTRA, "sign rotator in"), ServiceRefusal(0, "", message), cause)


def _cause(asked: Asked, refused: ServiceRefusal) -> Cause | None:
    if refused.challenged or (refused.status == 401 and _CHALLENGE in refused.message.lower()):
        return Cause.CHALLENGE
    if asked.service == ENTRA:
        return entra.cause(refused.numbers, refused.message) if 400 <= refused.status < 500 else None
    if not 400 <= refused.status < 500 or refused.status in (408, 429):
        return None
    found = _TABLES.get(asked.service, arm.cause)(refused.code, refused.message)
    if refused.status not in _REFUSED:
        wrong = Cause.GROUP_CONTENT if asked.resource and refused.status == 400 and refused.code else None
        return None if found in (Cause.ROLE, Cause.SIGN_IN_AGAIN) else found or wrong
    return found or Cause.UNCLEAR


def _named(asked: Asked, refused: ServiceRefusal, cause: Cause) -> Grounds:
    """Add everything that the answer and the request name."""
    said = refused.message
    denied = keyvault.denied_by(said) if asked.service == "Key Vault" else arm.denied_by(said)
    return Grounds(
        cause,
        needs=asked.needs,
        role=asked.role,
        vault=asked.vault,
        resource=asked.resource,
        address=_first(_ADDRESS, said),
        caller=_first(_CALLER, said).lower(),
        app_id=_first(_APP, said).lower(),
        named=refused.policies or (denied if cause is Cause.DENY_ASSIGNMENT else ()),
        service=asked.service,
        code=refused.code or (f"AADSTS{refused.numbers[0]}" if refused.numbers else str(refused.status or "")),
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
