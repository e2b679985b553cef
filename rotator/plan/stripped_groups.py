"""Names of container groups that lost our tags right after a PUT, in a tag of the current version."""

from rotator.resource_id import ArmId
from rotator.state import Version

STRIPPED = "rotator-strips"
"""Tag of a version of ours: short names of container groups that lost our tags right after a PUT."""
EVERY_GROUP = "*"
"""Value of the tag for all groups, if their names don't fit."""


def short(group_id: ArmId) -> str:
    """Return the short name of a container group for a tag of limited length.

    The short name is the first 40 characters of the group's name, in lower case.
    """
    return group_id.name.lower()[:40]


def stripped(version: Version | None, group_id: ArmId) -> bool:
    """Tell if the version names the group among those that lost our tags."""
    names = version.listed(STRIPPED) if version else ()
    return short(group_id) in names or EVERY_GROUP in names
