"""Instants, spans and commands as sentences say them."""

from collections.abc import Collection
from datetime import datetime, timedelta

from rotator.policy import Policy
from rotator.remedy import tag_version
from rotator.state import Version


def day(at: datetime | None) -> str:
    """An instant for people: to the minute, UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "an unknown time"


def days(span: timedelta) -> str:
    """A span for people, in its largest sensible unit."""
    seconds = span.total_seconds()
    if abs(seconds) >= 2 * 86400:
        return f"{seconds / 86400:.0f} days"
    return f"{seconds / 3600:.0f} h" if abs(seconds) >= 7200 else f"{seconds / 60:.0f} min"


def untag(policy: Policy, version: Version, names: Collection[str]) -> str:
    """The command that removes the tags `names` of a version: az sets all tags at once, so it says those that stay."""
    stay = [(name, value) for name, value in version.tags if name not in names]
    return tag_version(policy.key_vault.name, policy.key_vault.password_secret, version.id, stay)
