"""Secrets of Key Vault as its answers show them: versions, lists of versions, soft-deleted secrets.

Source: Key Vault REST "Get Secret", "Get Secret Versions" and "Get Deleted Secret"; times are seconds since 1970.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from rotator.clients.typed import labels, record, text, text_or_none
from rotator.state import Version, tags

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """Versions of the published secret, sorted by creation, and the id of the version returned to readers.

    `complete` is False where the list and a GET disagree: versions may be missing, so no removal may rely on the list.
    """

    versions: tuple[Version, ...] = ()
    latest: str | None = None
    complete: bool = True

    @classmethod
    def of(cls, listed: Sequence[Version], latest: Version | None) -> "Published":
        """Combine the list and the GET."""
        found = {version.id: version for version in (*listed, *([latest] if latest else ()))}
        reader = latest.id if latest else None
        versions = tuple(
            sorted(found.values(), key=lambda version: (version.created, version.id == reader, version.id))
        )
        return cls(versions, reader, (reader in {version.id for version in listed}) if reader else not listed)


@dataclass(frozen=True, slots=True)
class SecretShown:
    """Secret as one GET shows it."""

    version: Version
    value: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeletedSecret:
    """Soft-deleted secret: the tags of its newest version, and the time of its deletion."""

    tags: Mapping[str, str]
    at: datetime | None


def listed_version(item: Mapping[str, Any]) -> Version:
    """Return a version as an answer or a list shows it. Raises KeyError, TypeError, ValueError for one that is none."""
    path = urlsplit(text(item["id"])).path.strip("/").split("/")
    if len(path) != 3:
        raise ValueError("a version without an id")
    return version_of(item, path[-1])


def version_of(item: Mapping[str, Any], version: str = "") -> Version:
    """Return a version by its attributes; in a list of secrets it has no id. Raises KeyError, TypeError, ValueError."""
    shown = record(item["attributes"])
    created = _instant(shown["created"])
    if created is None:
        raise ValueError("a version without a time")
    return Version(
        version,
        created,
        shown.get("enabled") is not False,
        _instant(shown.get("exp")),
        text_or_none(item.get("contentType")),
        tags(labels(item.get("tags"))),
        _instant(shown.get("nbf")),
    )


def deleted_secret(item: Mapping[str, Any]) -> DeletedSecret:
    """Return a soft-deleted secret. Raises KeyError, TypeError, ValueError for an answer that is none."""
    text(item["recoveryId"])
    return DeletedSecret(labels(item.get("tags")), _instant(item.get("deletedDate")))


def _instant(seconds: object) -> datetime | None:
    if seconds is None:
        return None
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise TypeError("not a number of seconds")
    return EPOCH + timedelta(seconds=seconds)
