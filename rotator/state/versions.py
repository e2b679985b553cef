"""Versions of the published secret, and their tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rotator.state.marks import ADOPTED, ATTEMPT, COMPROMISED, KEY_ID

Tags = tuple[tuple[str, str], ...]


def tags(values: Mapping[str, str] | None) -> Tags:
    """Return tags as a sorted tuple, so that equal tags are equal values."""
    return tuple(sorted((values or {}).items()))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the Key Vault secret, without its value. `created` has a resolution of one second."""

    id: str
    created: datetime
    enabled: bool = True
    expires: datetime | None = None
    content_type: str | None = None
    tags: Tags = ()
    begins: datetime | None = None

    def tag(self, name: str) -> str | None:
        """The value of a tag, None where there is none."""
        return dict(self.tags).get(name)

    @property
    def ours(self) -> bool:
        """Tell if rotator wrote the version: only an issue gives a version an attempt."""
        return bool(self.tag(KEY_ID) and self.tag(ATTEMPT))

    @property
    def key_id(self) -> str | None:
        """Key id of the credential whose password the version holds, according to its tags."""
        return self.tag(KEY_ID) or (None if self.ours else next(iter(self.adopted), None))

    @property
    def adopted(self) -> tuple[str, ...]:
        """Key ids of credentials adopted by a person, recorded here."""
        return self.listed(ADOPTED)

    @property
    def compromised(self) -> tuple[str, ...]:
        """Credentials declared compromised, recorded here."""
        return self.listed(COMPROMISED)

    def listed(self, tag: str) -> tuple[str, ...]:
        """Return the words of a list of ours, in lower case, sorted: of `tag` and its continuation tags."""
        found = dict(self.tags)
        words = (word.strip().lower() for name in series(found, tag) for word in found[name].split(","))
        return tuple(sorted({word for word in words if word}))


def series(found: Mapping[str, str], tag: str) -> tuple[str, ...]:
    """Return the tag names among `found` with the list of `tag`: its own, and numbered continuations.

    A list continues in a numbered tag when one value is too short.
    """
    return tuple(
        sorted(
            name for name in found if name == tag or (name.startswith(f"{tag}-") and name[len(tag) + 1 :].isdecimal())
        )
    )
