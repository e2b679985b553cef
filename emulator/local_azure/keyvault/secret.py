"""One secret and its versions: values, attributes and the fields shown in lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret.

    `order` is the true order among the versions, because `created` has a resolution of one second.
    """

    id: str
    order: int
    value: str = field(repr=False)
    created: datetime
    updated: datetime
    enabled: bool = True
    exp: datetime | None = None
    nbf: datetime | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """Replica that answers a read: `stale`, without the last write, or without so many of the newest versions."""

    stale: bool = False
    lacks: int = 0


CURRENT = Replica()
Moving = Literal["deleting", "recovering", "purging"]
"""Change of a secret under way, during which it is neither active nor deleted."""


@dataclass(slots=True)
class Secret:
    """All versions of one name in one vault, by id.

    `before` holds the versions of a replica without the last write.
    """

    name: str
    versions: dict[str, Version] = field(default_factory=dict)
    before: dict[str, Version] = field(default_factory=dict)
    deleted_at: datetime | None = None
    purge_at: datetime | None = None
    """End of the soft delete, for a deleted secret."""
    moving: Moving | None = None
    until: datetime | None = None
    """Until when it is being deleted, recovered or purged."""

    def write(self, version: Version) -> None:
        """Add or replace one version."""
        self.before = dict(self.versions)
        self.versions[version.id] = version

    def seen(self, replica: Replica = CURRENT) -> Mapping[str, Version]:
        """Return the versions that a replica knows."""
        if not replica.lacks:
            return self.before if replica.stale else self.versions
        newest_first = sorted(self.versions.values(), key=lambda version: version.order, reverse=True)
        return {version.id: version for version in newest_first[replica.lacks :]}

    def busy(self, now: datetime) -> Moving | None:
        """Return the operation still in progress on the secret."""
        return self.moving if self.until and now < self.until else None

    def newest(self, replica: Replica = CURRENT) -> Version | None:
        """Return the version created last, as a GET without a version does."""
        return max(self.seen(replica).values(), key=lambda version: version.order, default=None)


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes given by a PATCH; a field of None stays unchanged."""

    enabled: bool | None = None
    exp: datetime | None = None
    nbf: datetime | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None
