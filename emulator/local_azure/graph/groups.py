"""Security groups and who is in them, directly or through other groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.graph.objects import Entry, Group
from local_azure.graph.properties import check, storable
from local_azure.graph.records import Records
from local_azure.graph.refusals import already_there, missing, required
from local_azure.wire import ServiceError

REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
"""Properties that every new group must have."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a directory."""

    records: Records

    def create(self, properties: Mapping[str, Any]) -> Group:
        """Make a security group. Raises ServiceError 400; 501 for Microsoft 365 and dynamic groups."""
        for name in REQUIRED:
            if properties.get(name) is None:
                raise required(name, "Group")
        if properties.get("groupTypes"):
            raise ServiceError(
                501,
                "NotImplemented",
                f"The emulator does not implement groups of type {properties['groupTypes']} of graph.",
            )
        if properties["mailEnabled"] or not properties["securityEnabled"]:
            message = "The service does not currently support writes of mail-enabled groups."
            more = (
                "Please ensure that the mail-enablement property is unset and the security-enablement property is set."
            )
            raise ServiceError(400, "Request_BadRequest", f"{message} {more}")
        check(properties, "groups")
        kept = {name: value for name, value in storable(properties).items() if name != "displayName"}
        made = Group(self.records.ids.guid(), properties["displayName"], self.records.clock.now(), kept)
        self.records.state.groups[made.id] = made
        return made

    def add(self, group: Group, oid: str) -> None:
        """Put an object into a group. Raises ServiceError 404 where there is none, 400 where it is in."""
        target = self.records.any(oid)
        if target is None:
            raise missing(oid)
        if target.id in group.members:
            raise already_there("members")
        group.members.append(target.id)

    def remove(self, group: Group, oid: str) -> None:
        """Take an object out of a group. Raises ServiceError 404."""
        if oid.lower() not in group.members:
            raise missing(oid)
        group.members.remove(oid.lower())

    def members(self, group: Group, *, through: bool = False) -> list[Entry]:
        """Return the members of a group, each once; with `through`, also members of nested groups."""
        found, look = dict[str, Entry](), [group]
        while look:
            for member in self._alive(look.pop().members):
                if member.id not in found:
                    found[member.id] = member
                    look += [member] if through and isinstance(member, Group) else []
        found.pop(group.id, None)
        return list(found.values())

    def _alive(self, ids: Iterable[str]) -> list[Entry]:
        return [target for oid in ids if (target := self.records.any(oid))]

    def of(self, oid: str, *, through: bool = False) -> list[Group]:
        """The groups that an object is in, with `through` also by way of other groups."""
        found, look = dict[str, Group](), [oid]
        while look:
            member = look.pop()
            direct = [
                group
                for group in self.records.state.groups.values()
                if member in group.members and group.id not in found
            ]
            found |= {group.id: group for group in direct}
            look += [group.id for group in direct] if through else []
        return list(found.values())
