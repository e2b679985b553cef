"""Applications, service principals and groups: list, count, create, read, update, delete."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from local_azure.graph import odata, passwords, permissions, queries, shape
from local_azure.graph.access import DirectoryAccess, keys
from local_azure.graph.identity_shape import is_managed
from local_azure.graph.objects import Application, Entry, Kind, ServicePrincipal
from local_azure.graph.properties import KINDRED, turned
from local_azure.graph.refusals import already_there, bad_value, missing, required
from local_azure.graph.user_shape import first_id
from local_azure.wire import Call, Json, Response, Route, ServiceError

OWNED: tuple[Kind, ...] = ("applications", "servicePrincipals", "groups")
"""The collections whose objects have owners."""
KINDS: tuple[Kind, ...] = (*OWNED, "users")
DIRECTORY_CLASSES: dict[Kind, str] = {
    "applications": "Application",
    "servicePrincipals": "ServicePrincipal",
    "groups": "Group",
    "users": "User",
}

ATTRIBUTES = "customSecurityAttributes"
"""A property with permissions of its own, shown where it is selected."""

Verb = Callable[[Kind, Call], Response]


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on whole objects."""
    objects = _Objects(access)
    verbs: tuple[tuple[str, str, Verb], ...] = (
        ("get", "GET", objects.get),
        ("update", "PATCH", objects.update),
        ("delete", "DELETE", objects.delete),
    )
    for kind in KINDS:
        yield Route(f"graph.{kind}.list", "GET", f"/v1.0/{kind}", partial(objects.list, kind))
        yield Route(f"graph.{kind}.count", "GET", f"/v1.0/{kind}/$count", partial(objects.count, kind))
        yield Route(f"graph.{kind}.create", "POST", f"/v1.0/{kind}", partial(objects.create, kind))
        for operation, method, verb in verbs:
            for key in keys(kind):
                yield Route(f"graph.{kind}.{operation}", method, f"/v1.0/{kind}{key}", partial(verb, kind))


def _passwords(given: Json) -> list[tuple[str | None, datetime | None, datetime | None]]:
    """Return the first passwords in the body of a new application.

    Source: "Create application", with passwordCredentials. Raises ServiceError 400.
    """
    if given is not None and not (isinstance(given, list) and all(isinstance(each, dict) for each in given)):
        raise bad_value("passwordCredentials", "Application")
    return [passwords.asked({"passwordCredential": each}) for each in given or ()]


@dataclass(frozen=True, slots=True)
class _Objects:
    access: DirectoryAccess

    def list(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self.access.roles(call), kind)
        wanted = queries.query(call.request, KINDRED[kind])
        reads = self.access.directory.reads
        bodies, more, total = reads.page(kind, wanted, reads.glance())
        expanded: list[Json] = (
            [self.access.expanded(kind, body, wanted) for body in bodies] if wanted.expand else list(bodies)
        )
        return odata.page(call, kind, expanded, wanted, more=more, total=total, cost=2 if kind == "applications" else 1)

    def count(self, kind: Kind, call: Call) -> Response:
        permissions.may_read(self.access.roles(call), kind)
        reads = self.access.directory.reads
        return odata.number(reads.count(kind, queries.counting(call.request, KINDRED[kind]), reads.glance()))

    def get(self, kind: Kind, call: Call) -> Response:
        wanted = queries.of_one(call.request.query, KINDRED[kind])
        key = self.access.key(kind, call)
        permissions.may_read(self.access.roles(call), kind)
        reads = self.access.directory.reads
        body = reads.one(kind, key, reads.glance())
        expanded = self.access.expanded(kind, {"id": body["id"]}, wanted)
        own = queries.shown(body, wanted.shown)
        added = {each.name: expanded[each.name] for each in wanted.expand}
        target = self.access.directory.records.known(kind, key)
        if wanted.select and "keyCredentials" in wanted.select and isinstance(target, Application | ServicePrincipal):
            added |= {} if is_managed(target) else {"keyCredentials": shape.keys(target.certificates, whole=True)}
        if wanted.select and ATTRIBUTES in wanted.select and isinstance(target, ServicePrincipal):
            self.access.require(call, permissions.ATTRIBUTE_READERS)
            added[ATTRIBUTES] = shape.attributes(target.attributes)
        return odata.entity(call, f"{kind}{odata.selection(wanted.select)}", {**own, **added})

    def create(self, kind: Kind, call: Call) -> Response:
        asked, roles, directory = odata.members(call), self.access.roles(call), self.access.directory
        permissions.may_create(roles, kind)
        made = self._made(kind, asked, call)
        owners = (
            [call.who.oid] if permissions.ALL not in roles and kind in ("applications", "servicePrincipals") else []
        )
        for owner in dict.fromkeys([*owners, *self._bound(call, "owners")]):
            directory.add_owner(made.id, owner)
        body = first_id(directory.records.body(made)) if kind == "users" else directory.records.body(made)
        if isinstance(made, ServicePrincipal):
            body["servicePrincipalNames"] = body["servicePrincipalNames"][::-1]
        if isinstance(made, Application):
            body = turned(body)
            body["createdDateTime"] = shape.date(made.created)
            body["passwordCredentials"] = [shape.password(each, each.secret) for each in made.passwords]
        return odata.entity(call, kind, body, status=201, headers={"Location": self._location(kind, call, made)})

    def _location(self, kind: Kind, call: Call, made: Entry) -> str:
        tenant = self.access.directory.tenant
        return f"https://{call.request.host}/v2/{tenant}/directoryObjects/{made.id}/Microsoft.DirectoryServices.{DIRECTORY_CLASSES[kind]}"

    def _made(self, kind: Kind, asked: dict[str, Json], call: Call) -> Entry:
        if kind == "applications":
            return self._application(asked, call)
        if kind == "users":
            self.access.undisturbed()
            return self.access.directory.users.create(asked)
        return self._principal(asked, call) if kind == "servicePrincipals" else self._group(asked, call)

    def _bound(self, call: Call, relation: str) -> tuple[str, ...]:
        """Return the ids bound to a new object; all objects must exist. Raises ServiceError 404."""
        found = tuple(odata.bound(call, relation))
        for oid in found:
            if self.access.directory.records.any(oid) is None:
                raise missing(oid)
        return found

    def _application(self, asked: dict[str, Json], call: Call) -> Entry:
        name = asked.pop("displayName", None)
        if not isinstance(name, str) or not name:
            raise required("displayName", "Application")
        self.access.undisturbed()
        wanted = _passwords(asked.pop("passwordCredentials", None))
        made = self.access.directory.create_application(name, **asked)
        try:
            for each in wanted:
                self.access.directory.add_password(made, *each, actor=call.who.oid)
        except ServiceError:
            self.access.directory.unmake(made)
            raise
        return made

    def _principal(self, asked: dict[str, Json], call: Call) -> Entry:
        app_id, directory = asked.pop("appId", None), self.access.directory
        if not isinstance(app_id, str) or not app_id:
            raise required("appId", "ServicePrincipal")
        if application := directory.application(app_id):
            permissions.may_write(self.access.roles(call), call.who.oid, application)
        self.access.undisturbed()
        return directory.create_service_principal(app_id, **asked)

    def _group(self, asked: dict[str, Json], call: Call) -> Entry:
        within = self._bound(call, "members")
        self.access.undisturbed()
        made = self.access.directory.groups.create(asked)
        made.members.extend(within)
        return made

    def update(self, kind: Kind, call: Call) -> Response:
        target = self.access.writable(kind, call)
        added = self._bound(call, "members") if kind == "groups" else ()
        if any(oid in getattr(target, "members", ()) for oid in added):
            raise already_there("members")
        changes = odata.members(call)
        if isinstance(target, ServicePrincipal) and ATTRIBUTES in changes:
            self.access.require(call, permissions.ATTRIBUTE_WRITERS)
            target.attributes = shape.assigned(target.attributes, changes.pop(ATTRIBUTES))
        self.access.directory.update(target, changes)
        for oid in added:
            target.members.append(oid)  # type: ignore[union-attr]  # only groups get here
        return odata.done()

    def delete(self, kind: Kind, call: Call) -> Response:
        permissions.may_delete(self.access.roles(call), kind)
        self.access.directory.delete(self.access.writable(kind, call))
        return odata.done()
