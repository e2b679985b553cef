"""Delegated permission grants, as a collection of the tenant and as a service principal's own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from local_azure.graph import odata, permissions, queries
from local_azure.graph.access import DirectoryAccess, keys
from local_azure.graph.delegated import GRANT, body
from local_azure.graph.objects import DelegatedGrant
from local_azure.wire import Call, Response, Route

CONTEXT = "oauth2PermissionGrants"


def routes(access: DirectoryAccess) -> Iterator[Route]:
    """The operations on delegated permission grants."""
    of, path, name = _Delegated(access), f"/v1.0/{CONTEXT}", f"graph.{CONTEXT}"
    verbs: tuple[tuple[str, str, str, Callable[[Call], Response]], ...] = (
        ("list", "GET", "", of.list),
        ("create", "POST", "", of.create),
        ("get", "GET", "/{grant}", of.get),
        ("update", "PATCH", "/{grant}", of.update),
        ("delete", "DELETE", "/{grant}", of.delete),
    )
    for verb, method, rest, handler in verbs:
        yield Route(f"{name}.{verb}", method, path + rest, handler)
    for key in keys("servicePrincipals"):
        yield Route(
            f"graph.servicePrincipals.{CONTEXT}.list", "GET", f"/v1.0/servicePrincipals{key}/{CONTEXT}", of.of_client
        )


@dataclass(frozen=True, slots=True)
class _Delegated:
    access: DirectoryAccess

    def list(self, call: Call) -> Response:
        self.access.require(call, permissions.DELEGATED_READERS)
        return self._page(call, self.access.directory.delegated.every())

    def of_client(self, call: Call) -> Response:
        self.access.require(call, permissions.DELEGATED_READERS)
        client = self.access.directory.records.holder("servicePrincipals", self.access.key("servicePrincipals", call))
        return self._page(
            call, [each for each in self.access.directory.delegated.every() if each.client_id == client.id]
        )

    def _page(self, call: Call, grants: Iterable[DelegatedGrant]) -> Response:
        return odata.slice_of(call, CONTEXT, [body(each) for each in grants], queries.query(call.request, GRANT))

    def get(self, call: Call) -> Response:
        self.access.require(call, permissions.DELEGATED_READERS)
        return odata.entity(call, CONTEXT, body(self.access.directory.delegated.find(call["grant"])))

    def create(self, call: Call) -> Response:
        self.access.require(call, permissions.DELEGATED_WRITERS)
        self.access.undisturbed()
        directory = self.access.directory
        made = body(directory.delegated.create(odata.members(call)))
        location = f"https://{call.request.host}/v2/{directory.tenant}/{CONTEXT}/{made['id']}"
        return odata.entity(call, CONTEXT, made, status=201, headers={"Location": location})

    def update(self, call: Call) -> Response:
        self.access.directory.delegated.update(self._writable(call), odata.members(call))
        return odata.done()

    def delete(self, call: Call) -> Response:
        del self.access.directory.state.delegated[self._writable(call).id]
        return odata.done()

    def _writable(self, call: Call) -> DelegatedGrant:
        self.access.require(call, permissions.DELEGATED_WRITERS)
        found = self.access.directory.delegated.find(call["grant"])
        self.access.undisturbed()
        return found
