"""Operations on subscriptions and tenants, and the endpoints needed by a client before sign-in."""

from dataclasses import dataclass

from local_azure.arm.behaviour import Resources
from local_azure.arm.clouds import CLOUDS, PUBLIC, cloud_at, metadata
from local_azure.arm.regions import locations_json
from local_azure.arm.shape import subscription_json, tenant_json
from local_azure.rbac.scopes import encloses
from local_azure.wire import Call, Response, Route


def subscription_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Resources."""
    arm = _Subscriptions(resources)
    one = "/subscriptions/{subscription}"
    return (
        Route("arm.metadata.endpoints", "GET", "/metadata/endpoints", arm.endpoints, anonymous=True),
        Route("arm.tenants.list", "GET", "/tenants", arm.tenants),
        Route("arm.subscriptions.list", "GET", "/subscriptions", arm.list),
        Route("arm.subscriptions.get", "GET", one, arm.get),
        Route("arm.locations.list", "GET", one + "/locations", arm.locations),
    )


@dataclass(frozen=True, slots=True)
class _Subscriptions:
    resources: Resources

    def endpoints(self, call: Call) -> Response:
        """Return the clouds' endpoints: one object since 2022-09-01.

        Before, or with ``as=list``, a list of the clouds, with the cloud of this host first.
        """
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
            self.resources.authorization.require(
                call.who, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{found.id}"
            )
        return Response.json(200, subscription_json(found, self._tenant))

    def locations(self, call: Call) -> Response:
        self.resources.authorization.require(
            call.who, "Microsoft.Resources/subscriptions/locations/read", f"/subscriptions/{call['subscription']}"
        )
        return Response.json(
            200, locations_json(call["subscription"], cloud_at(call.request.host), call.request.query["api-version"])
        )

    def _sees(self, call: Call, subscription_id: str) -> bool:
        """Tell if the caller holds any role at the subscription, above or inside: the rule for listing."""
        scope = f"/subscriptions/{subscription_id}"
        held = self.resources.authorization.effective(call.who.oid)
        return any(encloses(scope, a.scope) or encloses(a.scope, scope) for a in held)

    @property
    def _tenant(self) -> str:
        return self.resources.authorization.directory.tenant
