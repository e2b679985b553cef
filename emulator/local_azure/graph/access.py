"""First checks of every Graph operation: the caller, the caller's permissions, the object in the path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_azure.graph import permissions
from local_azure.graph.behaviour import Directory
from local_azure.graph.objects import Entry, Kind, User, kind_of
from local_azure.graph.properties import KINDRED
from local_azure.graph.queries import Query, shown
from local_azure.graph.user_shape import first_id
from local_azure.wire import Call, ServiceError

KEYS = ("/{id}", "('{id}')", "(appId='{app_id}')")
"""Forms in which a path names an object of an application."""


def keys(kind: Kind) -> tuple[str, ...]:
    """Return the path forms for an object of this kind. Groups and users have no application ID."""
    return KEYS if kind in ("applications", "servicePrincipals") else KEYS[:2]


@dataclass(frozen=True, slots=True)
class DirectoryAccess:
    """The directory, limited to the caller's permissions."""

    directory: Directory

    def roles(self, call: Call) -> list[str]:
        """Return the caller's Graph permissions."""
        principal = self.directory.principal_by_id(call.who.oid)
        return principal.app_roles if principal else []

    def require(self, call: Call, wanted: frozenset[str]) -> None:
        """Check the caller for one of these permissions. Raises ServiceError 403."""
        permissions.require(self.roles(call), wanted)

    def key(self, kind: Kind, call: Call) -> str:
        """Return the id of the object in the path; the path may name the object by application ID.

        Raises ServiceError 501 for a path segment other than an object (``delta``, ``$…``).
        """
        if "app_id" in call.params:
            return self.directory.records.id_of(kind, call["app_id"])
        if call["id"] == "delta" or (call["id"].startswith("$") and "@" not in call["id"]):
            raise ServiceError(
                501,
                "NotImplemented",
                f"The emulator does not implement {call.request.method} {call.request.path} of graph.",
            )
        return self.directory.users.key(call["id"]) if kind == "users" else call["id"]

    def readable(self, kind: Kind, call: Call) -> Entry:
        """Return the object in the path after a check of the read permission. Raises ServiceError 403 or 404."""
        key = self.key(kind, call)
        permissions.may_read(self.roles(call), kind)
        return self.directory.records.holder(kind, key)

    def writable(self, kind: Kind, call: Call) -> Entry:
        """The object that a write is about.

        Raises ServiceError 404, 403, or 409 where a ``concurrency`` fault strikes.
        """
        key = self.key(kind, call)
        permissions.may_write(self.roles(call), call.who.oid, self.directory.records.known(kind, key), kind)
        target = self.directory.records.holder(kind, key)
        self.undisturbed()
        return target

    def undisturbed(self) -> None:
        """Raises ServiceError 409 where a ``concurrency`` fault strikes."""
        if fault := self.directory.faults.active("concurrency"):
            message = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry."
            headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            raise ServiceError(409, "Directory_ConcurrencyViolation", message, headers=headers)

    def typed(self, target: Entry) -> dict[str, Any]:
        """Return an object's JSON with the type, as in lists of directory objects."""
        return {"@odata.type": f"#{KINDRED[kind_of(target)].type}", **self.directory.records.body(target)}

    def usual(self, target: Entry) -> dict[str, Any]:
        """Return an object's JSON with the type; for a user, only the default properties of a list."""
        return first_id(self.typed(target)) if isinstance(target, User) else self.typed(target)

    def expanded(self, kind: Kind, body: Mapping[str, Any], wanted: Query) -> dict[str, Any]:
        """Return an object's JSON with the relations from ``$expand``."""
        target = self.directory.records.collection(kind)[body["id"]]
        return {
            **body,
            **{
                each.name: [_kept(one, each.select) for one in self.related(target, each.name)]
                for each in wanted.expand
            },
        }

    def related(self, target: Entry, relation: str) -> list[dict[str, Any]]:
        """The objects at the other end of a relation."""
        groups, grants = self.directory.groups, self.directory.grants
        if relation == "appRoleAssignments":
            return [grants.body(target, grant) for grant in target.grants]  # type: ignore[union-attr, arg-type]  # only service principals have it
        if relation == "memberOf":
            return [self.typed(group) for group in groups.of(target.id)]
        if relation == "members":
            return [self.typed(member) for member in groups.members(target)]  # type: ignore[arg-type]  # only groups have it
        owners = self.directory.reads.hung(target, "owners")
        return [self.typed(owner) for oid in owners if (owner := self.directory.records.any(oid))]


def _kept(body: Mapping[str, Any], select: tuple[str, ...] | None) -> dict[str, Any]:
    annotations = {name: value for name, value in body.items() if name.startswith("@odata.")}
    return {**annotations, **shown(body, select)}
