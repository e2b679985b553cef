"""Shared operations of what a registry has, such as replications and webhooks: paths, rights, polling of operations.

Shapes and statuses are those of `child_operations`.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from local_azure.arm.access import RegistrySettings
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import absent, begun, removed, status, supported
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.tracked import GROUP
from local_azure.wire import Call, Json, Response, Route, ServiceError

T = TypeVar("T")
_QUICK = ("tokens", "scopeMaps")
"""Kinds whose operations end before the client's first poll."""


@dataclass(frozen=True, slots=True)
class Children(Generic[T]):
    """The children of one kind (``replications``) of every registry."""

    registries: RegistryRoutes
    kind: str

    def held(self, access: RegistrySettings) -> MutableMapping[str, T]:
        """Return the children of one registry, by name in lower case."""
        raise NotImplementedError

    def json(self, call: Call, registry: Resource, child: T) -> Json:
        """Return a child as a GET shows the child."""
        raise NotImplementedError

    def put(self, call: Call) -> Response:
        """Create or replace a child."""
        raise NotImplementedError

    def patch(self, call: Call) -> Response:
        """Change the given properties of a child."""
        raise NotImplementedError

    def routes(self) -> Iterator[Route]:
        """Yield the routes of every kind: creation, update, reads, removal, and the progress of an operation."""
        every = f"{GROUP}/providers/{self.registries.type}/{{name}}/{self.kind}"
        yield Route(f"arm.{self.kind}.create", "PUT", every + "/{child}", self.put)
        yield Route(f"arm.{self.kind}.update", "PATCH", every + "/{child}", self.patch)
        yield Route(f"arm.{self.kind}.list", "GET", every, self.list)
        yield Route(f"arm.{self.kind}.get", "GET", every + "/{child}", self.get)
        yield Route(f"arm.{self.kind}.delete", "DELETE", every + "/{child}", self.delete)
        yield Route(
            f"arm.{self.kind}.operation", "GET", every + "/{child}/operationStatuses/{operation}", self.operation
        )

    def head(self, registry: Resource, name: str) -> dict[str, Json]:
        """Return what every child begins with."""
        return {"type": f"{registry.type}/{self.kind}", "id": f"{registry.id}/{self.kind}/{name}", "name": name}

    @property
    def word(self) -> str:
        """The first word of an operation's id."""
        return "token" if self.kind in _QUICK else self.kind.lower()

    def list(self, call: Call) -> Response:
        """All of a registry's."""
        registry, access = self.of(call, "read")
        return Response.json(
            200, {"value": [self.json(call, registry, each) for each in self.held(access).values()]}, supported(call)
        )

    def get(self, call: Call) -> Response:
        """One; 404 ResourceNotFound."""
        registry, access = self.of(call, "read")
        return Response.json(200, self.json(call, registry, self.found(call, access)), supported(call))

    def delete(self, call: Call) -> Response:
        """202 with the address of the result, or 204 where there was none, or no registry (recorded)."""
        resources = self.registries.resources
        if resources.get(self.registries.path(call)) is None and resources.has_group(
            call["subscription"], call["group"]
        ):
            self.registries.require(call, f"{self.kind}/delete")
            return Response(204)
        registry, access = self.of(call, "delete")
        resources.require_unlocked(registry.id, "delete")
        gone = self.held(access).pop(call["child"].lower(), None)
        if gone is None:
            return Response(204)
        about = f"{registry.id}/{self.kind}/{call['child']}"
        return removed(call, resources, about, self.region(registry, gone), self.word)

    def region(self, registry: Resource, child: T) -> str:
        """Return the region in the address of a deletion's result, as the provider writes it (recorded)."""
        return registry.location.upper()

    def operation(self, call: Call) -> Response:
        """Return the status at the URL of ``Azure-AsyncOperation``."""
        self.of(call, "read")
        about = f"{self.registries.path(call)}/{self.kind}/{call['child']}"
        return status(call, self.registries.resources, about)

    def of(self, call: Call, verb: str) -> tuple[Resource, RegistrySettings]:
        """Return the registry and the registry's state, if the caller has the right `verb` on such children.

        `verb`: ``read``, ``ping/action``.
        """
        self.registries.require(call, f"{self.kind}/{verb}")
        registry = self.registries.found(call)
        return registry, self.registries.resources.access.of(registry.id)

    def found(self, call: Call, access: RegistrySettings) -> T:
        """Return the child named by the path; 404 ResourceNotFound."""
        found = self.held(access).get(call["child"].lower())
        return absent(call["child"]) if found is None else found

    def written(self, call: Call, registry: Resource, child: T, *, new: bool) -> Response:
        """The answer to a PUT or PATCH."""
        resources = self.registries.resources
        shown, word = self.json(call, registry, child), "Creating" if new else "Updating"
        if new:
            self.fresh(shown)
        seconds = 0.0 if self.kind in _QUICK else resources.timing.registry_made
        return begun(call, resources, shown, self.word, seconds, word)

    def fresh(self, shown: Json) -> None:
        """Change what the answer to the PUT of a new child shows."""

    def state(self, child_id: str) -> str:
        """The provisioning state of a child."""
        pending = self.registries.resources.operations.pending(child_id)
        return pending.word if pending else "Succeeded"


def located(body: Json) -> str:
    """Return the region of a child; 400 LocationRequired."""
    if not body.get("location"):
        raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
    return str(body["location"]).replace(" ", "").lower()
