"""The operations on resource groups, and the list of all resources."""

from dataclasses import dataclass

from local_azure.arm.behaviour import Resources
from local_azure.arm.clouds import cloud_at
from local_azure.arm.paging import only, paged
from local_azure.arm.regions import region_names
from local_azure.arm.shape import expansions, group_filter, group_json, passes, resource_filter, summary_json
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION, canonical
from local_azure.wire import Call, Json, Response, Route, ServiceError

GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"


def group_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Resources on groups and resources."""
    groups, path = _Groups(resources), SUBSCRIPTION + "/resourceGroups"
    one = path + "/{own}"
    return (
        Route("arm.resourceGroups.list", "GET", path, groups.list),
        Route("arm.resourceGroups.get", "GET", one, groups.get),
        Route("arm.resourceGroups.checkExistence", "HEAD", one, groups.has),
        Route("arm.resourceGroups.createOrUpdate", "PUT", one, groups.put),
        Route("arm.resourceGroups.update", "PATCH", one, groups.patch),
        Route("arm.resourceGroups.delete", "DELETE", one, groups.delete),
        Route("arm.operationResults.get", "GET", SUBSCRIPTION + "/operationresults/{operation}", groups.result),
        Route("arm.resources.list", "GET", SUBSCRIPTION + "/resources", groups.list_resources),
        Route("arm.resources.list", "GET", GROUP + "/resources", groups.list_resources),
    )


@dataclass(frozen=True, slots=True)
class _Groups:
    resources: Resources

    def list(self, call: Call) -> Response:
        only(call, {"$filter", "$top", "$skiptoken"})
        wanted = group_filter(call.request.query.get("$filter", ""))
        groups = [
            g for g in self.resources.groups(call["subscription"]) if wanted(g) and self._may(call, GROUP_READ, g.id)
        ]
        return paged(call, [group_json(g) for g in groups])

    def get(self, call: Call) -> Response:
        self._require(call, "read")
        return Response.json(200, group_json(self.resources.resource_group(call["subscription"], call["own"])))

    def has(self, call: Call) -> Response:
        self._require(call, "read")
        if self.resources.has_group(call["subscription"], call["own"]):
            return Response(204)
        return Response(404, headers={"x-ms-failure-cause": "gateway"})

    def put(self, call: Call) -> Response:
        scope = self._require(call, "write")
        self.resources.require_unlocked(scope, "write")
        body = call.request.json()
        if not body.get("location"):
            raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
        _require_region(body["location"], call.request.host)
        known = self.resources.has_group(call["subscription"], call["own"])
        tags = tags_of(body) if body.get("tags") is not None else None
        made = self.resources.create_group(call["subscription"], call["own"], body["location"], tags)
        made.managed_by = str(body.get("managedBy") or made.managed_by)
        return Response.json(200 if known else 201, group_json(made))

    def patch(self, call: Call) -> Response:
        """Only tags can change."""
        scope = self._require(call, "write")
        found, body = self.resources.resource_group(call["subscription"], call["own"]), call.request.json()
        self.resources.require_unlocked(scope, "write")
        if body.get("tags") is not None:
            found.tags = tags_of(body)
        return Response.json(200, group_json(found))

    def delete(self, call: Call) -> Response:
        """Answer 202, with the URL for polling the deletion."""
        self._require(call, "delete")
        operation = self.resources.delete_group(call["subscription"], call["own"])
        wait = 15 if self.resources.timing.group_gone else 1
        return Response(202, b"", {"Location": self._result_url(call, operation.id), "Retry-After": str(wait)})

    def result(self, call: Call) -> Response:
        """Answer 202 until the end of the deletion, then 200 with an empty body."""
        operation = self.resources.operations.get(call["operation"])
        if self.resources.operations.over(operation):
            return Response(200)
        return Response(202, b"", {"Location": self._result_url(call, operation.id), "Retry-After": "15"})

    def list_resources(self, call: Call) -> Response:
        only(call, {"$filter", "$expand", "$top", "$skiptoken"})
        if "group" in call.params:
            self.resources.resource_group(call["subscription"], call["group"])
        wanted = resource_filter(call.request.query.get("$filter", ""))
        expand = expansions(call.request.query.get("$expand", ""))
        listed = self.resources.list(call["subscription"], call.params.get("group"))
        found = [r for r in listed if passes(r, wanted) and self._may(call, f"{r.type}/read", r.id)]
        version, by_tag = call.request.query["api-version"], "tagname" in wanted
        return paged(call, [summary_json(r, expand, version, by_tag=by_tag) for r in found])

    def _result_url(self, call: Call, operation: str) -> str:
        version = call.request.query["api-version"]
        return f"https://{call.request.host}/subscriptions/{call['subscription']}/operationresults/{operation}?api-version={version}"

    def _require(self, call: Call, verb: str) -> str:
        scope = f"/subscriptions/{call['subscription']}/resourceGroups/{call['own']}"
        self.resources.authorization.require(
            call.who, f"Microsoft.Resources/subscriptions/resourceGroups/{verb}", scope
        )
        return scope

    def _may(self, call: Call, action: str, scope: str) -> bool:
        return self.resources.authorization.allowed(call.who.oid, action, scope)


def _require_region(location: Json, host: str) -> None:
    """Refuse a region that isn't there. Raises 400 LocationNotAvailableForResourceGroup, in recorded words."""
    regions = region_names(cloud_at(host))
    if canonical(str(location)) not in regions:
        message = (
            f"The provided location '{location}' is not available for resource group. List of available regions is"
            f" '{','.join(regions)}'."
        )
        raise ServiceError(400, "LocationNotAvailableForResourceGroup", message)
