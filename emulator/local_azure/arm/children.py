"""Shared operations of a registry's replications and webhooks: paths, rights, polling of operations.

Shapes and statuses from the examples of api-version 2023-07-01: 201 with ``Azure-AsyncOperation`` for a new one, 200
for a changed one.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from local_azure.arm.access import Access
from local_azure.arm.behaviour import Resource
from local_azure.arm.registries import RegistryRoutes, supported
from local_azure.arm.tracked import GROUP, status_url
from local_azure.wire import Call, Json, Response, Route, ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Children(Generic[T]):
    """The children of one kind (``replications``) of every registry."""

    registries: RegistryRoutes
    kind: str

    def held(self, access: Access) -> MutableMapping[str, T]:
        """Those of one registry, by name in lower case."""
        raise NotImplementedError

    def json(self, registry: Resource, child: T) -> Json:
        """Return a child as a GET shows the child."""
        raise NotImplementedError

    def routes(self) -> Iterator[Route]:
        """The reads, the removal, and where an operation is followed."""
        every = f"{GROUP}/providers/{self.registries.type}/{{name}}/{self.kind}"
        yield Route(f"arm.{self.kind}.list", "GET", every, self.list)
        yield Route(f"arm.{self.kind}.get", "GET", every + "/{child}", self.get)
        yield Route(f"arm.{self.kind}.delete", "DELETE", every + "/{child}", self.delete)
        yield Route(
            f"arm.{self.kind}.operation", "GET", every + "/{child}/operationStatuses/{operation}", self.operation
        )

    def list(self, call: Call) -> Response:
        """All of a registry's."""
        registry, access = self.of(call, "read")
        return Response.json(
            200, {"value": [self.json(registry, each) for each in self.held(access).values()]}, supported(call)
        )

    def get(self, call: Call) -> Response:
        """One; 404 ResourceNotFound."""
        registry, access = self.of(call, "read")
        return Response.json(200, self.json(registry, self.found(call, access)), supported(call))

    def delete(self, call: Call) -> Response:
        """200, or 204 where there was none."""
        registry, access = self.of(call, "delete")
        self.registries.resources.require_unlocked(registry.id, "delete")
        return Response(200 if self.held(access).pop(call["child"].lower(), None) else 204)

    def operation(self, call: Call) -> Response:
        """Return the status at the URL of ``Azure-AsyncOperation``."""
        self.of(call, "read")
        operations = self.registries.resources.operations
        operation = operations.get(call["operation"])
        return Response.json(
            200, {"status": "Succeeded" if operations.over(operation) else operation.word}, supported(call)
        )

    def of(self, call: Call, verb: str) -> tuple[Resource, Access]:
        """Return the registry and the registry's state, if the caller has the right `verb` on such children.

        `verb`: ``read``, ``ping/action``.
        """
        self.registries.require(call, f"{self.kind}/{verb}")
        registry = self.registries.found(call)
        return registry, self.registries.resources.access.of(registry.id)

    def found(self, call: Call, access: Access) -> T:
        """Return the child named by the path; 404 ResourceNotFound (the words could not be looked up)."""
        found = self.held(access).get(call["child"].lower())
        if found is None:
            raise ServiceError(
                404, "ResourceNotFound", f"The {self.kind.removesuffix('s')} '{call['child']}' was not found."
            )
        return found

    def written(self, call: Call, registry: Resource, child: T, *, new: bool) -> Response:
        """The answer to a PUT or PATCH."""
        shown, timing, seconds = self.json(registry, child), self.registries.resources.timing, 0.0
        seconds = timing.registry_made if new else 0.0
        if not seconds:
            return Response.json(201 if new else 200, shown, supported(call))
        operation = self.registries.resources.operations.begin(shown["id"], self.kind, seconds, "Creating")
        shown["properties"] |= {"provisioningState": operation.word}
        return Response.json(
            201, shown, {"Azure-AsyncOperation": status_url(call, shown["id"], operation), **supported(call)}
        )

    def state(self, child_id: str) -> str:
        """The provisioning state of a child."""
        pending = self.registries.resources.operations.pending(child_id)
        return pending.word if pending else "Succeeded"


def located(body: Json) -> str:
    """Return the region of a child; 400 LocationRequired."""
    if not body.get("location"):
        raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
    return str(body["location"]).replace(" ", "").lower()
