"""Find Entra's passwords that a container group shows in plain sight: in commands, probes and variables.

Azure hides registry passwords, secure variables and secret volumes only. A redeployment keeps all other text, so a
password there stays the old one.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rotator.arm_json import Value, texts
from rotator.container_group.document import Document, once
from rotator.secret import HINT, passwords_in


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
    return ((place, each) for place, text in texts(body, answered) for each in passwords_in(text))
