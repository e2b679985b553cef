"""Who owns an application, a service principal or a group."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rotator.emulator.graph import odata, queries
from rotator.emulator.graph.access import KEYS, Access
from rotator.emulator.graph.objects import Kind
from rotator.emulator.graph.refusals import already_there, missing
from rotator.emulator.graph.routes.objects import KINDS
from rotator.emulator.graph.routes.tenant import OBJECT
from rotator.emulator.wire import Call, Response, Route


def routes(access: Access) -> Iterator[Route]:
    """The operations on owners."""
    of = _Owners(access)
    verbs: tuple[tuple[str, str, str, Callable[[Kind, Call], Response]], ...] = (
        ("list", "GET", "/owners", of.list),
        ("list", "GET", "/owners/$ref", of.references),
        ("add", "POST", "/owners/$ref", of.add),
        ("remove", "DELETE", "/owners/{owner}/$ref", of.remove),
    )
    for kind in KINDS:
        for verb, method, rest, handler in verbs:
            for key in KEYS if kind != "groups" else KEYS[:1]:
                yield Route(f"graph.{kind}.owners.{verb}", method, f"/v1.0/{kind}{key}{rest}", partial(handler, kind))


@dataclass(frozen=True, slots=True)
class _Owners:
    access: Access

    def list(self, kind: Kind, call: Call) -> Response:
        target = self.access.readable(kind, call)
        wanted = queries.query(call.request, OBJECT)
        return odata.slice_of(call, "directoryObjects", self.access.related(target, "owners"), wanted)

    def references(self, kind: Kind, call: Call) -> Response:
        target, tenant = self.access.readable(kind, call), self.access.directory.tenant
        base = f"https://{call.request.host}/v2/{tenant}/directoryObjects"
        owners = self.access.related(target, "owners")
        return odata.collection(call, "$ref", ({"@odata.id": f"{base}/{each['id']}/Microsoft.DirectoryServices.ServicePrincipal"} for each in owners))

    def add(self, kind: Kind, call: Call) -> Response:
        target, owner = self.access.writable(kind, call), odata.referred(call)
        if self.access.directory.principal_by_id(owner) is None:
            raise missing(owner)
        if owner in target.owners:
            raise already_there("owners")
        self.access.directory.add_owner(target.id, owner)
        return odata.done()

    def remove(self, kind: Kind, call: Call) -> Response:
        target = self.access.writable(kind, call)
        owner = call["owner"].lower()
        if owner not in target.owners:
            raise missing(owner)
        target.owners.remove(owner)
        return odata.done()
