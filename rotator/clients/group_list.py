"""Container groups of a subscription as its list shows them, indexed once for all policies that look there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.arm_json import hides_client_secret, names
from rotator.clients.shape import flaw
from rotator.resource_id import ResourceId

Shown = Mapping[str, Any]
"""A container group as a list shows it: without instance view."""


@dataclass(frozen=True, slots=True)
class GroupList:
    """A complete list.

    `users`: groups by each user name and visible variable value, in lower case. `unreadable`: groups in a form that
    can't be read, so that any principal may be theirs. `hiding`: groups with a container that hides a variable named
    like a client secret, and shows no client id.
    """

    shown: Mapping[ResourceId, Shown]
    users: Mapping[str, tuple[ResourceId, ...]]
    unreadable: tuple[ResourceId, ...]
    hiding: tuple[ResourceId, ...]

    @classmethod
    def of(cls, groups: Iterable[Shown]) -> "GroupList":
        """Index the groups of a list."""
        shown = {ResourceId.parse(each["id"]): each for each in groups}
        odd = {group_id: each for group_id, each in shown.items() if flaw(each)}
        readable = {group_id: each for group_id, each in shown.items() if group_id not in odd}
        users = defaultdict[str, list[ResourceId]](list)
        for group_id, each in readable.items():
            for name in names(each):
                users[name].append(group_id)
        hiding = tuple(group_id for group_id, each in readable.items() if hides_client_secret(each))
        return cls(shown, {name: tuple(found) for name, found in users.items()}, tuple(odd), hiding)

    def may_pull_as(self, app_id: str) -> tuple[ResourceId, ...]:
        """Return the groups that name the principal for a registry or in a variable, or can't be read."""
        return (*self.users.get(app_id.lower(), ()), *self.unreadable)
