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

    def seen(self, *, stale: bool = False) -> Mapping[str, Version]:
        """Return the versions visible to a read."""
        return self.before if stale else self.versions

    def busy(self, now: datetime) -> Moving | None:
        """Return the operation still in progress on the secret."""
        return self.moving if self.until and now < self.until else None

    def newest(self, *, stale: bool = False) -> Version | None:
        """Return the version created last, as a GET without a version does."""
        return max(self.seen(stale=stale).values(), key=lambda version: version.order, default=None)


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes given by a PATCH; a field of None stays unchanged."""

    enabled: bool | None = None
    exp: datetime | None = None
    nbf: datetime | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None
