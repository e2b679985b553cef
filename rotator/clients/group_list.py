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
class IndexedGroup:
    """One group, with what its content says: if its form is odd, the names of its users, and if it hides a secret."""

    id: ResourceId
    shown: Shown
    odd: bool
    names: frozenset[str]
    hides: bool

    @classmethod
    def of(cls, shown: Shown) -> "IndexedGroup":
        """Read a group. Raises KeyError, ValueError for one without a valid id."""
        group_id, odd = ResourceId.parse(shown["id"]), bool(flaw(shown))
        return cls(group_id, shown, odd, frozenset() if odd else names(shown), not odd and hides_client_secret(shown))


@dataclass(frozen=True, slots=True)
class GroupList:
    """A complete list.

    `groups`: by id as the list spells it. `users`: groups by each user name and visible variable value, in lower case.
    `unreadable`: groups in a form that can't be read, so that any principal may be theirs. `hiding`: groups with a
    container that hides a variable named like a client secret, and shows no client id.
    """

    groups: Mapping[str, IndexedGroup]
    shown: Mapping[ResourceId, Shown]
    users: Mapping[str, tuple[ResourceId, ...]]
    unreadable: tuple[ResourceId, ...]
    hiding: tuple[ResourceId, ...]

    @classmethod
    def of(cls, groups: Iterable[Shown], before: "GroupList | None" = None) -> "GroupList":
        """Index the groups of a list; a group that is the same as in the list `before` isn't read again.

        Most are: a long run over a fleet lists the same groups again and again.
        """
        known: Mapping[str, IndexedGroup] = before.groups if before else {}
        found = dict[str, IndexedGroup]()
        for shown in groups:
            had = known.get(shown["id"])
            found[shown["id"]] = had if had and had.shown == shown else IndexedGroup.of(shown)
        users = defaultdict[str, list[ResourceId]](list)
        for each in found.values():
            for name in each.names:
                users[name].append(each.id)
        return cls(
            found,
            {each.id: each.shown for each in found.values()},
            {name: tuple(ids) for name, ids in users.items()},
            tuple(each.id for each in found.values() if each.odd),
            tuple(each.id for each in found.values() if each.hides),
        )

    def may_pull_as(self, app_id: str) -> tuple[ResourceId, ...]:
        """Return the groups that name the principal for a registry or in a variable, or can't be read."""
        return (*self.users.get(app_id.lower(), ()), *self.unreadable)
