"""Find Entra's passwords that a container group shows in plain sight: in commands, probes and variables.

Azure hides registry passwords, secure variables and secret volumes only. A redeployment keeps all other text, so a
password there stays the old one.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from rotator.arm_json import Value
from rotator.container_group.document import Document, once
from rotator.secret import ENTRA_SECRET

HINT = 3
"""Characters of a password that Graph shows as the hint."""
SHORTEST = 37
"""Characters of the shortest text with a password."""
ENCODED = re.compile(r"[\w+/-]{48,}={0,2}", re.ASCII)
"""Base64, as in Docker's `auth`, at least as long as an encoded password."""


@dataclass(frozen=True, slots=True)
class ShownPassword:
    """Password in plain sight: its hint, and the path of the text, such as ``properties.containers[0]``."""

    hint: str
    place: str


@once
def shown_passwords(document: Document) -> tuple[ShownPassword, ...]:
    """Return the Entra passwords in plain sight, sorted by place.

    A place with a source in the policy doesn't count: the policy says whose password it has.
    """
    answered = {id(place.owner) for place in document.places if document.recipes.for_place(place) is not None}
    found = {ShownPassword(each[:HINT], place) for place, each in _passwords(document.body, answered)}
    return tuple(sorted(found, key=lambda each: (each.place, each.hint)))


def places_of_passwords(body: Value) -> tuple[str, ...]:
    """Return the paths of all texts with an Entra password, sorted."""
    return tuple(sorted({place for place, _ in _passwords(body, frozenset())}))


def _passwords(body: Value, answered: Collection[int]) -> Iterator[tuple[str, str]]:
    return ((place, each) for place, text in _texts(body, answered) for each in _within(text))


def _texts(body: Value, answered: Collection[int]) -> Iterator[tuple[str, str]]:
    """Yield every text as long as a password with its path, but those within objects of an `answered` identity."""
    left: list[tuple[str, Value]] = [("", body)]
    while left:
        place, node = left.pop()
        if isinstance(node, str):
            yield place, node
        elif isinstance(node, Mapping) and id(node) not in answered:
            left += [(f"{place}.{name}".lstrip("."), value) for name, value in node.items() if _may_hold(value)]
        elif isinstance(node, (list, tuple)):
            left += [(f"{place}[{nth}]", value) for nth, value in enumerate(node) if _may_hold(value)]


def _may_hold(value: Value) -> bool:
    return len(value) >= SHORTEST if isinstance(value, str) else isinstance(value, (Mapping, list, tuple))


def _within(text: str) -> Iterator[str]:
    """Yield the passwords in a text, and in the base64 within."""
    yield from ENTRA_SECRET.findall(text)
    for encoded in ENCODED.findall(text):
        yield from ENTRA_SECRET.findall(_decoded(encoded))


def _decoded(encoded: str) -> str:
    bare = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "replace")
    except binascii.Error:
        return ""
