"""Members of groups, and the groups of an object."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from local_azure.graph import odata, permissions, queries
from local_azure.graph.access import DirectoryAccess, keys
from local_azure.graph.objects import Entry, Group, Kind
from local_azure.graph.refusals import bad_value, missing
from local_azure.graph.routes.tenant import OBJECT
from local_azure.graph.user_shape import TYPE as USER
from local_azure.graph.user_shape import first_id
from local_azure.wire import Call, Response, Route

CASTS = {"microsoft.graph.servicePrincipal": "servicePrincipals", "microsoft.graph.group": "groups", USER: "users"}
MEMBERS: tuple[tuple[str, Kind], ...] = (
    ("servicePrincipals", "servicePrincipals"),
    ("groups", "groups"),
    ("users", "users"),
)
MOST_GROUPS = 20
"""Most groups in one check (documented)."""


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """Members of groups, and the groups of members."""
    of = _Members(access)
    group = "/v1.0/groups/{id}"
    for relation, through in (("members", False), ("transitiveMembers", True)):
        yield Route(f"graph.groups.{relation}.list", "GET", f"{group}/{relation}", partial(of.list, through))
        yield Route(f"graph.groups.{relation}.count", "GET", f"{group}/{relation}/$count", partial(of.count, through))
        yield Route(f"graph.groups.{relation}.list", "GET", f"{group}/{relation}/{{cast}}", partial(of.list, through))
    yield Route("graph.groups.members.add", "POST", f"{group}/members/$ref", of.add)
    yield Route("graph.groups.members.remove", "DELETE", f"{group}/members/{{member}}/$ref", of.remove)
    for name, kind in MEMBERS:
        for key in keys(kind):
            yield from _memberships(of, name, kind, f"/v1.0/{name}{key}")
    yield from _checks(of, "directoryObjects", None, "/v1.0/directoryObjects/{id}")


def _memberships(of: "_Members", name: str, kind: Kind, path: str) -> Iterator[Route]:
    for relation, through in (("memberOf", False), ("transitiveMemberOf", True)):
        yield Route(f"graph.{name}.{relation}.list", "GET", f"{path}/{relation}", partial(of.groups, kind, through))
        yield Route(
            f"graph.{name}.{relation}.list", "GET", f"{path}/{relation}/{{cast}}", partial(of.groups, kind, through)
        )
    yield from _checks(of, name, kind, path)


def _checks(of: "_Members", name: str, kind: Kind | None, path: str) -> Iterator[Route]:
    verbs: tuple[tuple[str, Callable[[Kind | None, Call], Response]], ...] = (
        ("checkMemberGroups", of.check),
        ("checkMemberObjects", of.check),
        ("getMemberGroups", of.ids),
        ("getMemberObjects", of.ids),
    )
    for verb, handler in verbs:
        yield Route(f"graph.{name}.{verb}", "POST", f"{path}/{verb}", partial(handler, kind))


@dataclass(frozen=True, slots=True)
class _Members:
    access: DirectoryAccess

    def list(self, through: bool, call: Call) -> Response:
        group = cast("Group", self.access.readable("groups", call))
        found = map(self.access.typed, self.access.directory.groups.members(group, through=through))
        return self._answer(call, found)

    def count(self, through: bool, call: Call) -> Response:
        group = cast("Group", self.access.readable("groups", call))
        queries.require_eventual(call.request)
        return odata.number(len(self.access.directory.groups.members(group, through=through)))

    def groups(self, kind: Kind, through: bool, call: Call) -> Response:
        member = self._member(kind, call)
        found = self.access.directory.groups.of(member.id, through=through)
        return self._answer(call, map(self.access.typed, found))

    def _answer(self, call: Call, found: "Iterator[dict[str, Any]] | map[dict[str, Any]]") -> Response:
        """The objects, or those of one type where the path ends with it."""
        cast_, wanted = call.params.get("cast"), queries.query(call.request, OBJECT)
        if cast_ is None:
            return odata.slice_of(call, "directoryObjects", [*found], wanted, cost=3)
        full = cast_ if cast_.startswith("microsoft.") else f"microsoft.{cast_}"
        if full not in CASTS:
            raise missing(cast_)
        of_type = [each for each in found if each["@odata.type"] == f"#{full}"]
        bodies = [_untyped(first_id(each) if full == USER and wanted.select is None else each) for each in of_type]
        return odata.slice_of(call, CASTS[full], bodies, wanted)

    def add(self, call: Call) -> Response:
        self.access.directory.groups.add(self._writable(call), odata.referred(call))
        return odata.done()

    def remove(self, call: Call) -> Response:
        self.access.directory.groups.remove(self._writable(call), call["member"])
        return odata.done()

    def _writable(self, call: Call) -> Group:
        """Return the group for a change of members. Raises ServiceError 403, 404 or 409."""
        self.access.require(call, permissions.MEMBER_WRITERS)
        group = self.access.directory.records.holder("groups", call["id"])
        self.access.undisturbed()
        return cast("Group", group)

    def _member(self, kind: Kind | None, call: Call) -> Entry:
        roles, directory = self.access.roles(call), self.access.directory
        permissions.require(roles, permissions.GROUP_READERS | permissions.RESOLVERS)
        found = (
            directory.records.any(call["id"])
            if kind is None
            else directory.records.known(kind, self.access.key(kind, call))
        )
        if found is None:
            raise missing(call.params.get("id") or call["app_id"])
        return found

    def check(self, kind: Kind | None, call: Call) -> Response:
        """Return the named groups with the object as a direct or nested member."""
        asked = odata.members(call)
        wanted = asked.get("groupIds", asked.get("ids"))
        if not isinstance(wanted, list) or len(wanted) > MOST_GROUPS:
            raise bad_value("groupIds", "directoryObject")
        within = {group.id for group in self.access.directory.groups.of(self._member(kind, call).id, through=True)}
        return odata.collection(
            call, "Collection(Edm.String)", [oid for oid in wanted if str(oid).lower() in within], cost=4
        )

    def ids(self, kind: Kind | None, call: Call) -> Response:
        """Return all groups of an object, also through nested groups."""
        if not isinstance(odata.members(call).get("securityEnabledOnly", False), bool):
            raise bad_value("securityEnabledOnly", "directoryObject")
        found = self.access.directory.groups.of(self._member(kind, call).id, through=True)
        return odata.collection(call, "Collection(Edm.String)", [group.id for group in found], cost=2)


def _untyped(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "@odata.type"}
