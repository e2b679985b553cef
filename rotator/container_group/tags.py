"""Read and set our tags on a container group: the only record of the credential held by each group."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rotator.arm_json import Json, Value, drop, get, put
from rotator.state import FAILED, KEY_ID, PREVIOUS, SINCE

OURS = (KEY_ID, SINCE, PREVIOUS, FAILED)
LIMIT = 50
"""Tags that a resource can have (Azure Resource Manager's limit); names are case-insensitive there."""
_FAILED = re.compile(r"(?P<key_id>[^/@]+)/(?P<count>[1-9][0-9]{0,5})@(?P<at>.+)")


@dataclass(frozen=True, slots=True)
class Failed:
    """Credential with which a group could not pull, count of failures in a row, and time of the last one.

    The tag reads ``<key id>/<count>@<time>``.
    """

    key_id: str
    count: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.key_id.lower()}/{self.count}@{stamp(self.at)}"


@dataclass(frozen=True, slots=True)
class TagsShown:
    """Content of our tags on a group; None for a missing or unreadable tag (written by others)."""

    key_id: str | None = None
    since: datetime | None = None
    previous: str | None = None
    failed: Failed | None = None


def shows(document: Mapping[str, Any] | None) -> TagsShown:
    """Read our tags. Key ids are in lower case, for comparison; a number and a truth value are read as text."""
    tags = get(document, "tags")
    key_id, since, previous, failed = (_said(get(tags, name)) for name in OURS)
    return TagsShown(key_id.lower() or None, instant(since), previous.lower() or None, _failed(failed))


def _said(value: Value) -> str:
    return (json.dumps(value) if isinstance(value, int | float) else value if isinstance(value, str) else "").strip()


def _failed(value: str) -> Failed | None:
    match = _FAILED.fullmatch(value.strip())
    at = instant(match["at"]) if match else None
    return Failed(match["key_id"].lower(), int(match["count"]), at) if match and at else None


def tag(body: Json, key_id: str, since: datetime, failed: Failed | None, before: TagsShown) -> None:
    """Set our tags in `body`; tags of others stay.

    ``rotator-previous`` is the key id named by the tag before. On a way back (`failed`) the tag is left out: the way
    back must never lead to the failed credential. ``rotator-failed`` stays during retries of the same credential, so
    that the count goes on; another credential clears the tag.
    """
    key_id = key_id.lower()
    tags = get(body, "tags")
    tags = dict(tags) if isinstance(tags, Mapping) else {}
    drop(tags, *OURS)
    kept = before.failed if before.failed and before.failed.key_id == key_id else None
    previous = None if failed else before.previous if before.key_id == key_id else before.key_id
    told = failed or kept
    tags |= {KEY_ID: key_id, SINCE: stamp(since)}
    tags |= {PREVIOUS: previous} if previous else {}
    tags |= {FAILED: str(told)} if told else {}
    put(body, "tags", tags)


def room(document: Mapping[str, Any] | None) -> int:
    """Return the number of tags above the limit with all of ours added; 0 if they fit."""
    tags = get(document, "tags")
    others = [name for name in tags if name.lower() not in OURS] if isinstance(tags, Mapping) else []
    return max(0, len(others) + len(OURS) - LIMIT)


def stamp(at: datetime) -> str:
    """Format an instant for a tag: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(value: Value) -> datetime | None:
    """Parse an instant of a tag or an event (ACI sends up to seven decimals); None for an unreadable value."""
    return _parsed(value) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _parsed(value: str) -> datetime | None:
    """Parse it once: a look reads the same events as the look before."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
