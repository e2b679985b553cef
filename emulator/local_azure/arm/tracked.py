"""What the operations on registries and vaults have in common: lists, reads, and who may do what where.

Words are those recorded or reported, but for a name that is no name (InvalidResourceName), whose words could not be
looked up.
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
"""What a registry, a vault and a user-assigned identity may be called."""

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = SUBSCRIPTION + "/resourceGroups/{group}"


@dataclass(frozen=True, slots=True)
class Tracked:
    """The resources of one type that Resource Manager keeps."""

    resources: Resources
    type: str

    def list(self, call: Call) -> Response:
        """What the caller may read; 403 where that is nothing and the caller may not list either."""
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
        """204 if it is there, 404 if not, without a body."""
        return Response(204 if self.resources.get(self.require(call, "read")) else 404)

    def json(self, call: Call, resource: Resource) -> Json:
        """The resource in the shape of the api-version that was asked."""
        shown = resource_json(resource, call.request.query["api-version"])
        pending = self.resources.operations.pending(resource.id)
        if pending:
            shown["properties"] |= {"provisioningState": pending.word}
        return shown

    def found(self, call: Call) -> Resource:
        """The resource that the path names; 404 ResourceGroupNotFound or ResourceNotFound."""
        self.resources.resource_group(call["subscription"], call["group"])
        found = self.resources.get(self.path(call))
        if found is None:
            message = f"The Resource '{self.type}/{call['name']}' under resource group '{call['group']}' was not found."
            raise ServiceError(
                404,
                "ResourceNotFound",
                f"{message} For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            )
        return found

    def require(self, call: Call, verb: str) -> str:
        """The resource's path, if the caller may do `verb` (``read``, ``listCredentials/action``) to it."""
        self.resources.authorization.require(call.who, f"{self.type}/{verb}", self.path(call))
        return self.path(call)

    def path(self, call: Call) -> str:
        """The full id that the path leads to, whether or not anything is there."""
        return (
            f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}/providers/{self.type}/{call['name']}"
        )

    def writable(self, call: Call) -> tuple[str, Json, Resource | None]:
        """What a PUT is about: the path, its body, and what is there already.

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
    """A region as Azure compares it: ``East US`` is ``eastus``."""
    return location.replace(" ", "").lower()


def status_url(call: Call, resource_id: str, operation: Operation) -> str:
    """Where the status of an operation on a resource is asked: absolute, at the host that was asked, with the same api-version."""
    version = call.request.query["api-version"]
    return f"https://{call.request.host}{resource_id}/operationStatuses/{operation.id}?api-version={version}"
