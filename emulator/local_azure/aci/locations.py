"""Container Instances' answers about the service and a region: operations, usages, capabilities, cached images.

Operations without emulation are listed here by name.
"""

from collections.abc import Callable

from local_azure.aci import cached, regions
from local_azure.aci.behaviour import TYPE, ContainerGroups
from local_azure.wire import Call, Json, Response, Route, ServiceError

_PROVIDER = "/providers/Microsoft.ContainerInstance"
_LOCATION = f"/subscriptions/{{subscription}}{_PROVIDER}/locations/{{location}}"
_RESOURCES = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}{_PROVIDER}"
_GROUP = f"{_RESOURCES}/containerGroups/{{name}}"
_NETWORK = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{network}"
_SUBNET = f"{_NETWORK}/subnets/{{subnet}}"

NOT_DONE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("aci.containers.executeCommand", ("POST",), f"{_GROUP}/containers/{{container}}/exec"),
    ("aci.containers.attach", ("POST",), f"{_GROUP}/containers/{{container}}/attach"),
    (
        "aci.containerGroups.getOutboundNetworkDependenciesEndpoints",
        ("GET",),
        f"{_GROUP}/outboundNetworkDependenciesEndpoints",
    ),
    ("aci.subnetServiceAssociationLink.delete", ("DELETE",), f"{_SUBNET}{_PROVIDER}/serviceAssociationLinks/default"),
    ("aci.nGroups", ("GET", "PUT", "PATCH", "DELETE", "POST"), f"{_RESOURCES}/ngroups/{{rest*}}"),
    ("aci.nGroups", ("GET",), f"{_RESOURCES}/ngroups"),
    ("aci.nGroups", ("GET",), f"/subscriptions/{{subscription}}{_PROVIDER}/ngroups"),
)
"""Operations of the 2023-05-01 and 2025-09-01 descriptions that answer 501: name, methods, path."""

OPERATIONS = (
    ("containerGroups/read", "Container Group", "Get Container Groups", "Get all container groups."),
    (
        "containerGroups/write",
        "Container Group",
        "Create or Update Container Groups",
        "Create or update a specific container group.",
    ),
    ("containerGroups/delete", "Container Group", "Delete Container Groups", "Delete the specific container group."),
    (
        "containerGroups/restart/action",
        "Container Group",
        "Restart Container Group",
        "Restarts a specific container group.",
    ),
    ("containerGroups/stop/action", "Container Group", "Stop Container Group", "Stops a specific container group."),
    ("containerGroups/start/action", "Container Group", "Start Container Group", "Starts a specific container group."),
    ("containerGroups/containers/exec/action", "Container", "Exec into a container", "Exec into a specific container."),
    (
        "containerGroups/containers/attach/action",
        "Container",
        "Attach to a container",
        "Attach to the output stream of a container.",
    ),
    ("containerGroups/containers/logs/read", "Container", "Get Logs", "Get logs for a specific container."),
    ("locations/usages/read", "Usage", "Get Usage", "Get the usage for a specific region."),
    ("locations/capabilities/read", "Capabilities", "Get Capabilities", "Get the capabilities for a region."),
    (
        "locations/cachedImages/read",
        "Cached Images",
        "Get Cached Images",
        "Gets the cached images for the subscription in a region.",
    ),
)
"""Rows of the provider's list of operations: name below the provider, resource, operation, description."""


def location_routes(groups: ContainerGroups) -> tuple[Route, ...]:
    """The operations beside those on container groups."""
    wire = _Wire(groups)
    table: list[tuple[str, str, str, Callable[[Call], Response]]] = [
        ("aci.operations.list", "GET", f"{_PROVIDER}/operations", wire.operations),
        ("aci.location.listUsage", "GET", f"{_LOCATION}/usages", wire.usages),
        ("aci.location.listCapabilities", "GET", f"{_LOCATION}/capabilities", wire.capabilities),
        ("aci.location.listCachedImages", "GET", f"{_LOCATION}/cachedImages", wire.cached_images),
        *((name, method, path, _not_done) for name, methods, path in NOT_DONE for method in methods),
    ]
    return tuple(Route(*entry) for entry in table)


class _Wire:
    def __init__(self, groups: ContainerGroups) -> None:
        self._groups = groups

    def operations(self, call: Call) -> Response:
        return Response.json(200, {"value": [_operation(*entry) for entry in OPERATIONS]})

    def usages(self, call: Call) -> Response:
        return Response.json(
            200, {"value": self._groups.quotas.usages(call["subscription"], self._location(call, "usages"))}
        )

    def capabilities(self, call: Call) -> Response:
        return Response.json(200, {"value": regions.capabilities(self._location(call, "capabilities"))})

    def cached_images(self, call: Call) -> Response:
        self._location(call, "cachedImages")
        return Response.json(200, {"value": cached.cached_images()})

    def _location(self, call: Call, what: str) -> str:
        action = f"{TYPE.partition('/')[0]}/locations/{what}/read"
        self._groups.authorization.require(call.who, action, f"/subscriptions/{call['subscription']}")
        return call["location"].replace(" ", "").lower()


def _operation(name: str, resource: str, operation: str, description: str) -> Json:
    display = {
        "provider": "Microsoft Container Instance",
        "resource": resource,
        "operation": operation,
        "description": description,
    }
    return {"name": f"Microsoft.ContainerInstance/{name}", "display": display, "origin": "User"}


def _not_done(call: Call) -> Response:
    raise ServiceError(
        501,
        "NotImplemented",
        f"The emulator does not implement {call.operation} ({call.request.method} {call.request.path}).",
    )
