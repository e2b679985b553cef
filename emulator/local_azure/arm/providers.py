"""Resource providers and their types: the emulated ones, and the answers for all others.

A type unknown to Azure, of an emulated provider, is 404 InvalidResourceType, as in Azure. A type known to Azure but not
emulated is 501.
"""

from dataclasses import dataclass

from local_azure.arm import retirement
from local_azure.arm.behaviour import Resources
from local_azure.arm.clouds import cloud_at
from local_azure.arm.namespaces import OTHERS
from local_azure.arm.regions import display_names
from local_azure.arm.tracked import GROUP, SUBSCRIPTION
from local_azure.arm.vaults import VERSIONS
from local_azure.wire import Call, Json, Response, Route, ServiceError

_ACI = ["2026-07-01", "2025-09-01", "2024-05-01-preview", "2023-05-01"]
_ACR = ["2025-11-01", "2023-07-01"]
_KEY_VAULT = list(VERSIONS)
_NETWORK = ["2024-07-01", "2023-09-01"]
_ROLES = ["2022-04-01"]

PROVIDERS = {
    "Microsoft.Authorization": {
        "locks": ["2020-05-01", "2016-09-01"],
        "roleAssignments": _ROLES,
        "roleDefinitions": _ROLES,
    },
    "Microsoft.ContainerInstance": {"containerGroups": _ACI, "containerGroupProfiles": _ACI[:-1]},
    "Microsoft.ContainerRegistry": {
        "registries": _ACR,
        "registries/scopeMaps": _ACR,
        "registries/tokens": _ACR,
        "registries/replications": _ACR,
        "registries/webhooks": _ACR,
        "registries/cacheRules": _ACR,
        "registries/credentialSets": _ACR,
    },
    "Microsoft.KeyVault": {"vaults": _KEY_VAULT, "vaults/accessPolicies": _KEY_VAULT, "deletedVaults": _KEY_VAULT},
    "Microsoft.ManagedIdentity": {"userAssignedIdentities": ["2024-11-30", "2023-01-31"]},
    "Microsoft.Network": {
        "virtualNetworks": _NETWORK,
        "virtualNetworks/subnets": _NETWORK,
        "networkSecurityGroups": _NETWORK,
        "networkSecurityGroups/securityRules": _NETWORK,
    },
    "Microsoft.Resources": {
        "resourceGroups": ["2024-11-01", "2021-04-01"],
        "tags": ["2024-11-01", "2021-04-01"],
        "subscriptions": ["2022-12-01"],
        "tenants": ["2022-12-01"],
    },
    "Microsoft.Storage": {"storageAccounts": ["2024-01-01", "2023-05-01"]},
}
"""Emulated types, each with the versions of published descriptions, newest first, for ``az resource`` to choose from.

Any other version is accepted, too.
"""

ELSEWHERE = {
    "Microsoft.Authorization": (
        *(
            "policyAssignments",
            "policyDefinitions",
            "policySetDefinitions",
            "policyExemptions",
            "classicAdministrators",
            "providerOperations",
        ),
        *(
            "roleEligibilitySchedules",
            "roleEligibilityScheduleInstances",
            "roleEligibilityScheduleRequests",
            "eligibleChildResources",
        ),
        *(
            "roleAssignmentSchedules",
            "roleAssignmentScheduleInstances",
            "roleAssignmentScheduleRequests",
            "roleManagementPolicies",
        ),
        *("roleManagementPolicyAssignments", "accessReviewScheduleDefinitions", "elevateAccess"),
    ),
    "Microsoft.ContainerInstance": ("nGroups", "containerScaleSets"),
    "Microsoft.ContainerRegistry": (
        *("registries/tasks", "registries/runs"),
        *(
            "registries/agentPools",
            "registries/connectedRegistries",
            "registries/privateEndpointConnections",
        ),
        *("registries/scheduleRun", "registries/privateLinkResources", "registries/exportPipelines"),
    ),
    "Microsoft.KeyVault": (
        "managedHSMs",
        "deletedManagedHSMs",
        "vaults/secrets",
        "vaults/keys",
        "vaults/privateEndpointConnections",
    ),
    "Microsoft.ManagedIdentity": ("identities", "userAssignedIdentities/federatedIdentityCredentials"),
    "Microsoft.Resources": ("deployments", "deploymentScripts", "deploymentStacks", "templateSpecs"),
}
"""Types of these providers that Azure has and the emulator doesn't, beside those that every provider has."""
WIDE = ("Microsoft.Authorization", "Microsoft.Network", "Microsoft.Resources", "Microsoft.Storage")
"""Providers with more types than can be listed: an unknown type is taken for one of Azure's."""
EVERYWHERE = ("locations", "operations")
_UNSAID = ("Microsoft.ContainerInstance", "Microsoft.ContainerRegistry")
"""Providers that name no default api-version (recorded)."""

_MOVED = "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, "
_TRACKED, _IDENTITY = "SupportsTags, SupportsLocation", "SystemAssignedResourceIdentity, "
CAPABILITIES = {
    "containerGroups": f"{_IDENTITY}{_TRACKED}",
    "containerGroupProfiles": _TRACKED,
    "registries": f"{_MOVED}{_IDENTITY}{_TRACKED}",
    "registries/replications": f"{_MOVED}{_TRACKED}",
    "registries/webhooks": f"{_MOVED}{_TRACKED}",
    "virtualNetworks": f"{_MOVED}{_TRACKED}",
    "networkSecurityGroups": f"{_MOVED}{_TRACKED}",
    "vaults": f"{_MOVED}{_TRACKED}",
}
"""Capabilities of types (recorded of azure-cli, 2024, but for those of vaults); every other has none."""


def provider_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations on providers."""
    providers = _Providers(resources)
    return (
        Route("arm.providers.list", "GET", SUBSCRIPTION + "/providers", providers.list),
        Route("arm.providers.get", "GET", SUBSCRIPTION + "/providers/{namespace}", providers.get),
        Route("arm.providers.register", "POST", SUBSCRIPTION + "/providers/{namespace}/register", providers.register),
        Route("arm.providers.listAtTenant", "GET", "/providers", providers.list_at_tenant),
        Route("arm.providers.getAtTenant", "GET", "/providers/{namespace}", providers.get_at_tenant),
    )


def unknown_routes(resources: Resources) -> tuple[Route, ...]:
    """Return the routes for requests without any other route; the last of all."""
    providers = _Providers(resources)
    paths = (f"{GROUP}/providers/{{namespace}}/{{rest*}}", f"{SUBSCRIPTION}/providers/{{namespace}}/{{rest*}}")
    methods = ("GET", "PUT", "PATCH", "DELETE", "POST", "HEAD")
    return tuple(
        Route("arm.resources.unknown", method, path, providers.unknown) for path in paths for method in methods
    )


@dataclass(frozen=True, slots=True)
class _Providers:
    resources: Resources

    def list(self, call: Call) -> Response:
        scope = self._require(call, "Microsoft.Resources/subscriptions/providers/read")
        return Response.json(200, {"value": [self._json(call, scope, name) for name in PROVIDERS]})

    def get(self, call: Call) -> Response:
        scope = self._require(call, "Microsoft.Resources/subscriptions/providers/read")
        return Response.json(200, self._json(call, scope, _known(call["namespace"])))

    def register(self, call: Call) -> Response:
        scope = self._require(call, f"{call['namespace']}/register/action")
        return Response.json(200, self._json(call, scope, _known(call["namespace"])))

    def list_at_tenant(self, call: Call) -> Response:
        """Return the providers to any signed-in caller."""
        return Response.json(200, {"value": [self._shape(call, name) for name in PROVIDERS]})

    def get_at_tenant(self, call: Call) -> Response:
        return Response.json(200, self._shape(call, _known(call["namespace"])))

    def unknown(self, call: Call) -> Response:
        """Refuse a resource type: 404 for a type unknown to Azure, 501 for a type without emulation."""
        segments = call["rest"].strip("/").split("/")
        namespace = next((name for name in PROVIDERS if name.lower() == call["namespace"].lower()), None)
        kinds = ["/".join(segments[: 2 * depth + 1 : 2]) for depth in range((len(segments) + 1) // 2)]
        if (
            namespace is None
            or namespace in WIDE
            or _has((*ELSEWHERE[namespace], *EVERYWHERE), kinds)
            or _has(PROVIDERS[namespace], kinds)
        ):
            message = f"The emulator does not implement {call.request.method} {call.request.path} of arm."
            raise ServiceError(501, "NotImplemented", message)
        message = f"The resource type '{kinds[0]}' could not be found in the namespace '{namespace}'"
        version = call.request.query["api-version"]
        supported = ",".join(dict.fromkeys(v for versions in PROVIDERS[namespace].values() for v in versions))
        raise ServiceError(
            404,
            "InvalidResourceType",
            f"{message} for api version '{version}'. The supported api-versions are '{supported}'.",
        )

    def _require(self, call: Call, action: str) -> str:
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, action, scope)
        return scope

    def _json(self, call: Call, scope: str, name: str) -> Json:
        shape = {"id": f"{scope}/providers/{name}", **self._shape(call, name)}
        return {**shape, "registrationPolicy": "RegistrationRequired", "registrationState": "Registered"}

    def _shape(self, call: Call, name: str) -> dict[str, Json]:
        locations = display_names(cloud_at(call.request.host))
        today = self.resources.clock.now()
        kinds = [
            {
                "resourceType": kind,
                "locations": locations,
                "apiVersions": (offered := retirement.offered(name, versions, today)),
                **({"defaultApiVersion": offered[0]} if name not in _UNSAID else {}),
                "capabilities": CAPABILITIES.get(kind, "None"),
            }
            for kind, versions in PROVIDERS[name].items()
        ]
        return {"namespace": name, "resourceTypes": kinds}


def _known(namespace: str) -> str:
    """Return the provider's name in Azure's spelling.

    404 InvalidResourceNamespace for a name that nobody has, 501 for a provider that isn't emulated.
    """
    found = next((name for name in PROVIDERS if name.lower() == namespace.lower()), None)
    if found is None and namespace.lower() in OTHERS:
        raise ServiceError(501, "NotImplemented", f"The emulator does not implement the provider {namespace}.")
    if found is None:
        raise ServiceError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
    return found


def _has(kinds: "dict[str, list[str]] | tuple[str, ...]", asked: "list[str]") -> bool:
    known = {kind.lower() for kind in kinds}
    return any(kind.lower() in known for kind in asked)
