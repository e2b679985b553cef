"""Shared operations of registries and vaults: lists, reads, and the check of the caller's rights.

Words are those recorded or reported, except for an invalid name (InvalidResourceName): those words could not be looked
up.
"""

import re
from dataclasses import dataclass

from local_azure.arm.behaviour import IDENTITIES, REGISTRIES, VAULTS, Resource, Resources
from local_azure.arm.operations import Operation
from local_azure.arm.shape import fields, resource_json
from local_azure.wire import Call, Json, Response, ServiceError

NAMES = {
    REGISTRIES: r"[a-zA-Z0-9]{5,50}",
    VAULTS: r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    IDENTITIES: r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
}
"""Patterns of the names of registries, vaults and user-assigned identities."""

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = SUBSCRIPTION + "/resourceGroups/{group}"


@dataclass(frozen=True, slots=True)
class Tracked:
    """Resources of one type in Resource Manager."""

    resources: Resources
    type: str

    def list(self, call: Call) -> Response:
        """Return the resources readable to the caller.

        403 if the caller can read none and has no right to list.
        """
        subscription, group = call["subscription"], call.params.get("group")
        if group:
            self.resources.resource_group(subscription, group)
        rules = self.resources.authorization
        found = [
            r
            for r in self.resources.list(subscription, group, self.type)
            if rules.allowed(call.who.oid, f"{r.type}/read", r.id)
        ]
        if not found:
            rules.require(
                call.who,
                f"{self.type}/read",
                f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else ""),
            )
        return Response.json(200, {"value": [self.json(call, r) for r in found]})

    def get(self, call: Call) -> Response:
        """One resource; 404 ResourceNotFound."""
        self.require(call, "read")
        return Response.json(200, self.json(call, self.found(call)))

    def has(self, call: Call) -> Response:
        """Answer 204 if the resource exists, 404 if not, without a body."""
        return Response(204 if self.resources.get(self.require(call, "read")) else 404)

    def json(self, call: Call, resource: Resource) -> Json:
        """Return the resource in the shape of the requested api-version."""
        shown = resource_json(resource, call.request.query["api-version"])
        pending = self.resources.operations.pending(resource.id)
        if pending:
            shown["properties"] |= {"provisioningState": pending.word}
        return shown

    def found(self, call: Call) -> Resource:
        """Return the resource named by the path; 404 ResourceGroupNotFound or ResourceNotFound."""
        self.resources.resource_group(call["subscription"], call["group"])
        found = self.resources.get(self.path(call))
        if found is None:
            raise self.absent(call, call["name"])
        return found

    def absent(self, call: Call, name: str) -> ServiceError:
        """404 ResourceNotFound, as Resource Manager says it of a resource or a child that isn't there."""
        message = f"The Resource '{self.type}/{name}' under resource group '{call['group']}' was not found."
        more = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        return ServiceError(404, "ResourceNotFound", f"{message} {more}")

    def require(self, call: Call, verb: str) -> str:
        """The resource's path, if the caller may do `verb` (``read``, ``listCredentials/action``) to it."""
        self.resources.authorization.require(call.who, f"{self.type}/{verb}", self.path(call))
        return self.path(call)

    def path(self, call: Call) -> str:
        """Return the full id of the path's resource, existing or not."""
        return (
            f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}/providers/{self.type}/{call['name']}"
        )

    def writable(self, call: Call) -> tuple[str, Json, Resource | None]:
        """Return the parts of a PUT: the path, the body, and the existing resource.

        Refuses bad names, a missing location, locks.
        """
        path, body = self.require(call, "write"), call.request.json()
        self.resources.require_unlocked(path, "write")
        existing = self.resources.get(path)
        if not re.fullmatch(NAMES[self.type], call["name"]):
            raise ServiceError(400, "InvalidResourceName", f"Resource name {call['name']} is invalid for {self.type}.")
        if not body.get("location"):
            raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
        if existing and canonical(existing.location) != canonical(body["location"]):
            message = (
                f"The resource '{existing.name}' already exists in location '{existing.location}' in resource group"
                f" '{call['group']}'."
            )
            advice = (
                f"A resource with the same name cannot be created in location '{body['location']}'. Please select a new"
                " resource name."
            )
            raise ServiceError(409, "InvalidResourceLocation", f"{message} {advice}")
        fields(body, "properties")
        return path, body, existing


def canonical(location: str) -> str:
    """Return a region in Azure's form for comparison: ``East US`` is ``eastus``."""
    return location.replace(" ", "").lower()


def status_url(call: Call, resource_id: str, operation: Operation) -> str:
    """Return the URL for the status of an operation on a resource.

    The URL is absolute, at the requested host, with the same api-version.
    """
    version = call.request.query["api-version"]
    return f"https://{call.request.host}{resource_id}/operationStatuses/{operation.id}?api-version={version}"
