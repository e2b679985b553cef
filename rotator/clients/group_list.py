"""Container groups of a subscription as its list shows them, indexed once for all policies that look there."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rotator.arm_json import hides_client_secret, hints, names
from rotator.clients.shape import flaw
from rotator.resource_id import ResourceId

Shown = Mapping[str, Any]
"""A container group as a list shows it: without instance view."""


@dataclass(frozen=True, slots=True)
class IndexedGroup:
    """One group, with what its content says.

    `odd`: its form can't be read. `names`: its users. `hints`: those of the passwords in plain sight. `hides`: it hides
    a variable named like a client secret. `content` is the group as JSON: decoded, ten thousand groups take ten times
    as much memory.
    """

    id: ResourceId
    content: bytes
    odd: bool
    names: frozenset[str]
    hints: frozenset[str]
    hides: bool

    @property
    def shown(self) -> Shown:
        """The group as its list shows it, decoded anew."""
        found: Shown = json.loads(self.content)
        return found


def _indexed(shown: Shown, content: bytes) -> IndexedGroup:
    """Read a group. Raises KeyError, ValueError for one without a valid id."""
    group_id, odd = ResourceId.parse(shown["id"]), bool(flaw(shown))
    if odd:
        return IndexedGroup(group_id, content, odd, frozenset(), frozenset(), hides=False)
    return IndexedGroup(group_id, content, odd, names(shown), hints(shown), hides_client_secret(shown))


class Indexing:
    """A list that is being read, group by group; a group that is the same as in the list `before` isn't read again.

    Most are: a long run over a fleet lists the same groups again and again.
    """

    def __init__(self, before: "GroupList | None" = None) -> None:
        self._known: Mapping[str, IndexedGroup] = before.groups if before else {}
        self._found = dict[str, IndexedGroup]()

    def take(self, shown: Shown) -> None:
        """Index one group."""
        content, had = json.dumps(shown, separators=(",", ":")).encode(), self._known.get(shown["id"])
        self._found[shown["id"]] = had if had and had.content == content else _indexed(shown, content)

    def done(self) -> "GroupList":
        """Return the list, read to its end."""
        users, showing = defaultdict[str, list[ResourceId]](list), defaultdict[str, list[ResourceId]](list)
        for each in self._found.values():
            for name in each.names:
                users[name].append(each.id)
            for hint in each.hints:
                showing[hint].append(each.id)
        return GroupList(
            self._found,
            {each.id: each for each in self._found.values()},
            {name: tuple(ids) for name, ids in users.items()},
            {hint: tuple(ids) for hint, ids in showing.items()},
            tuple(each.id for each in self._found.values() if each.odd),
            tuple(each.id for each in self._found.values() if each.hides),
        )


@dataclass(frozen=True, slots=True)
class GroupList:
    """A complete list.

    `groups`: by id as the list spells it. `users`: groups by each user name and visible variable value, in lower case.
    `showing`: groups by the hint of each password of Entra that they show in plain sight.
    `unreadable`: groups in a form that can't be read, so that any principal may be theirs. `hiding`: groups with a
    container that hides a variable named like a client secret, and shows no client id.
    """

    groups: Mapping[str, IndexedGroup]
    by_id: Mapping[ResourceId, IndexedGroup]
    users: Mapping[str, tuple[ResourceId, ...]]
    showing: Mapping[str, tuple[ResourceId, ...]]
    unreadable: tuple[ResourceId, ...]
    hiding: tuple[ResourceId, ...]

    @classmethod
    def of(cls, groups: Iterable[Shown]) -> "GroupList":
        """Index the groups of a whole list."""
        indexing = Indexing()
        for shown in groups:
            indexing.take(shown)
        return indexing.done()

    def shown(self, group_id: ResourceId) -> Shown | None:
        """Return one group as the list shows it; None if the list doesn't have it."""
        found = self.by_id.get(group_id)
        return found.shown if found else None

    def may_use(self, app_id: str, hinted: Iterable[str] = ()) -> tuple[ResourceId, ...]:
        """Return the groups that may use the principal.

        They name it for a registry or in a variable, show a password with one of these hints, or can't be read.
        """
        shown = (each for hint in hinted for each in self.showing.get(hint, ()))
        return (*self.users.get(app_id.lower(), ()), *shown, *self.unreadable)
