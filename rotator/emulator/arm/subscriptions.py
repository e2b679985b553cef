"""The operations on subscriptions, resource groups, the list of all resources, and resource providers."""

from dataclasses import dataclass

from rotator.emulator.arm.behaviour import Resource, Resources
from rotator.emulator.arm.clouds import CLOUDS, PUBLIC, metadata
from rotator.emulator.arm.shape import expansions, group_json, passes, resource_filter, subscription_json, summary_json, tenant_json
from rotator.emulator.rbac.scopes import encloses
from rotator.emulator.wire import Call, Json, Response, Route, ServiceError

GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"

PROVIDERS = {
    "Microsoft.Authorization": ("locks", "roleAssignments", "roleDefinitions"),
    "Microsoft.ContainerInstance": ("containerGroups",),
    "Microsoft.ContainerRegistry": ("registries",),
    "Microsoft.KeyVault": ("vaults",),
    "Microsoft.ManagedIdentity": ("userAssignedIdentities",),
    "Microsoft.Resources": ("resourceGroups", "subscriptions", "tenants"),
}
"""The resource types that are emulated; any other namespace is unknown here (404 InvalidResourceNamespace)."""
VERSIONS = {
    "Microsoft.Authorization": ("2022-04-01", "2020-05-01"),
    "Microsoft.ContainerInstance": ("2025-09-01", "2024-05-01-preview", "2023-05-01"),
    "Microsoft.ContainerRegistry": ("2025-11-01", "2023-07-01"),
    "Microsoft.KeyVault": ("2023-07-01", "2022-07-01"),
    "Microsoft.Resources": ("2024-11-01", "2022-12-01"),
}
"""What a client that asks first (``az resource``) chooses from, newest first: versions with a published description. Any other is taken, too."""


def subscription_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Resources."""
    arm = _Subscriptions(resources)
    one, groups = "/subscriptions/{subscription}", "/subscriptions/{subscription}/resourceGroups"
    return (
        Route("arm.metadata.endpoints", "GET", "/metadata/endpoints", arm.endpoints, anonymous=True),
        Route("arm.tenants.list", "GET", "/tenants", arm.tenants),
        Route("arm.subscriptions.list", "GET", "/subscriptions", arm.list),
        Route("arm.subscriptions.get", "GET", one, arm.get),
        Route("arm.resourceGroups.list", "GET", groups, arm.list_groups),
        Route("arm.resourceGroups.get", "GET", groups + "/{own}", arm.get_group),
        Route("arm.resourceGroups.checkExistence", "HEAD", groups + "/{own}", arm.has_group),
        Route("arm.resourceGroups.createOrUpdate", "PUT", groups + "/{own}", arm.put_group),
        Route("arm.resources.list", "GET", one + "/resources", arm.list_resources),
        Route("arm.resources.list", "GET", groups + "/{group}/resources", arm.list_resources),
        Route("arm.providers.get", "GET", one + "/providers/{namespace}", arm.provider),
        Route("arm.providers.register", "POST", one + "/providers/{namespace}/register", arm.register),
    )


@dataclass(frozen=True, slots=True)
class _Subscriptions:
    resources: Resources

    def endpoints(self, call: Call) -> Response:
        """One object since 2022-09-01; before that, or with ``as=list``, a list of the clouds, this host's first."""
        own = next((cloud for cloud in CLOUDS if cloud.resource_manager == call.request.host), PUBLIC)
        if call.request.query.get("as") == "list" or call.request.query.get("api-version", "2022-09-01") < "2022":
            return Response.json(200, [metadata(own), *(metadata(cloud) for cloud in CLOUDS if cloud != own)])
        return Response.json(200, metadata(own))

    def tenants(self, call: Call) -> Response:
        return Response.json(200, {"value": [tenant_json(self._tenant)]})

    def list(self, call: Call) -> Response:
        seen = [s for s in self.resources.state.subscriptions.values() if self._sees(call, s.id)]
        value = [subscription_json(s, self._tenant) for s in seen]
        return Response.json(200, {"value": value, "count": {"type": "Total", "value": len(value)}})

    def get(self, call: Call) -> Response:
        found = self.resources.subscription(call["subscription"])
        if not self._sees(call, found.id):
            self.resources.authorization.require(call.who, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{found.id}")
        return Response.json(200, subscription_json(found, self._tenant))

    def list_groups(self, call: Call) -> Response:
        _only(call, set())
        groups = self.resources.groups(call["subscription"])
        return Response.json(200, {"value": [group_json(g) for g in groups if self._may(call, GROUP_READ, g.id)]})

    def get_group(self, call: Call) -> Response:
        self._require_group(call, "read")
        return Response.json(200, group_json(self.resources.resource_group(call["subscription"], call["own"])))

    def has_group(self, call: Call) -> Response:
        self._require_group(call, "read")
        known = {g.name.lower() for g in self.resources.groups(call["subscription"])}
        return Response(204 if call["own"].lower() in known else 404)

    def put_group(self, call: Call) -> Response:
        scope = self._require_group(call, "write")
        self.resources.require_unlocked(scope, "write")
        body = call.request.json()
        if not body.get("location"):
            raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
        known = {g.name.lower() for g in self.resources.groups(call["subscription"])}
        made = self.resources.create_group(call["subscription"], call["own"], body["location"], body.get("tags"))
        return Response.json(200 if call["own"].lower() in known else 201, group_json(made))

    def list_resources(self, call: Call) -> Response:
        _only(call, {"$filter", "$expand"})
        wanted = resource_filter(call.request.query.get("$filter", ""))
        expand = expansions(call.request.query.get("$expand", ""))
        listed = self.resources.list(call["subscription"], call.params.get("group"))
        found = [r for r in listed if passes(r, wanted) and self._may(call, f"{r.type}/read", r.id)]
        return Response.json(200, {"value": [summary_json(r, expand) for r in found]})

    def provider(self, call: Call) -> Response:
        return self._provider(call, "Microsoft.Resources/subscriptions/providers/read")

    def register(self, call: Call) -> Response:
        namespace = call["namespace"]
        return self._provider(call, f"{namespace}/register/action")

    def _provider(self, call: Call, action: str) -> Response:
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, action, scope)
        name = next((n for n in PROVIDERS if n.lower() == call["namespace"].lower()), None)
        if name is None:
            raise ServiceError(404, "InvalidResourceNamespace", f"The resource namespace '{call['namespace']}' is invalid.")
        return Response.json(200, self._provider_json(scope, name))

    def _provider_json(self, scope: str, name: str) -> Json:
        locations = sorted({g.location for g in self.resources.state.groups.values()})
        common = {"locations": locations, "apiVersions": list(VERSIONS[name]), "capabilities": "None"}
        types = [{"resourceType": each, **common} for each in PROVIDERS[name]]
        head = {"id": f"{scope}/providers/{name}", "namespace": name, "registrationPolicy": "RegistrationRequired"}
        return head | {"resourceTypes": types, "registrationState": "Registered"}

    def _require_group(self, call: Call, verb: str) -> str:
        scope = f"/subscriptions/{call['subscription']}/resourceGroups/{call['own']}"
        self.resources.authorization.require(call.who, f"Microsoft.Resources/subscriptions/resourceGroups/{verb}", scope)
        return scope

    def _may(self, call: Call, action: str, scope: str) -> bool:
        return self.resources.authorization.allowed(call.who.oid, action, scope)

    def _sees(self, call: Call, subscription_id: str) -> bool:
        """A subscription is listed for whoever holds any role at it, above it or inside it."""
        scope = f"/subscriptions/{subscription_id}"
        held = self.resources.authorization.effective(call.who.oid)
        return any(encloses(scope, a.scope) or encloses(a.scope, scope) for a in held)

    @property
    def _tenant(self) -> str:
        return self.resources.authorization.directory.tenant


def _only(call: Call, known: set[str]) -> None:
    """Refuse what would narrow or page a list in a way that isn't emulated."""
    unknown = sorted(name for name in call.request.query if name.startswith("$") and name not in known)
    if unknown:
        raise ServiceError(501, "NotImplemented", f"The emulator does not implement {unknown[0]} of {call.operation}.")


__all__ = ["PROVIDERS", "Resource", "subscription_routes"]
