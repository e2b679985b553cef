"""Owners of an application, a service principal or a group."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

from local_azure.graph import odata, queries
from local_azure.graph.access import DirectoryAccess, keys
from local_azure.graph.objects import Kind, Owned, kind_of
from local_azure.graph.refusals import already_there, missing
from local_azure.graph.routes.objects import DIRECTORY_CLASSES, OWNED
from local_azure.graph.routes.tenant import OBJECT
from local_azure.wire import Call, Response, Route


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on owners."""
    of = _Owners(access)
    verbs: tuple[tuple[str, str, str, Callable[[Kind, Call], Response]], ...] = (
        ("list", "GET", "/owners", of.list),
        ("list", "GET", "/owners/$ref", of.references),
        ("add", "POST", "/owners/$ref", of.add),
        ("remove", "DELETE", "/owners/{owner}/$ref", of.remove),
    )
    for kind in OWNED:
        for verb, method, rest, handler in verbs:
            for key in keys(kind):
                yield Route(f"graph.{kind}.owners.{verb}", method, f"/v1.0/{kind}{key}{rest}", partial(handler, kind))


@dataclass(frozen=True, slots=True)
class _Owners:
    access: DirectoryAccess

    def list(self, kind: Kind, call: Call) -> Response:
        target = self.access.readable(kind, call)
        wanted = queries.query(call.request, OBJECT)
        return odata.slice_of(call, "directoryObjects", self.access.related(target, "owners"), wanted)

    def references(self, kind: Kind, call: Call) -> Response:
        target, tenant = self.access.readable(kind, call), self.access.directory.tenant
        base = f"https://{call.request.host}/v2/{tenant}/directoryObjects"
        owners = [
            owner
            for oid in self.access.directory.reads.hung(target, "owners")
            if (owner := self.access.directory.records.any(oid))
        ]
        classes = [DIRECTORY_CLASSES[kind_of(owner)] for owner in owners]
        places = [
            f"{base}/{owner.id}/Microsoft.DirectoryServices.{class_}"
            for owner, class_ in zip(owners, classes, strict=True)
        ]
        return odata.collection(call, "$ref", [{"@odata.id": place} for place in places])

    def add(self, kind: Kind, call: Call) -> Response:
        target, owner = cast("Owned", self.access.writable(kind, call)), odata.referred(call)
        directory = self.access.directory
        if directory.principal_by_id(owner) is None and directory.records.known("users", owner) is None:
            raise missing(owner)
        if owner in target.owners:
            raise already_there("owners")
        directory.add_owner(target.id, owner)
        return odata.done()

    def remove(self, kind: Kind, call: Call) -> Response:
        target = cast("Owned", self.access.writable(kind, call))
        owner = call["owner"].lower()
        if owner not in target.owners:
            raise missing(owner)
        self.access.directory.records.remember(target)
        target.owners.remove(owner)
        return odata.done()
