"""The operations on Microsoft.KeyVault/vaults."""

from dataclasses import dataclass

from rotator.emulator.arm.behaviour import VAULTS
from rotator.emulator.arm.shape import fields
from rotator.emulator.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from rotator.emulator.wire import Call, Response, Route

RBAC_BY_DEFAULT_SINCE = "2026-02-01"
"""The first api-version in which a vault that says nothing uses role-based access control (before: access policies)."""


def vault_routes(vaults: "VaultRoutes") -> tuple[Route, ...]:
    """The operations on vaults, but not on what is in them."""
    path, one = f"/providers/{VAULTS}", f"{GROUP}/providers/{VAULTS}/{{name}}"
    return (
        Route("arm.vaults.list", "GET", SUBSCRIPTION + path, vaults.list),
        Route("arm.vaults.list", "GET", GROUP + path, vaults.list),
        Route("arm.vaults.get", "GET", one, vaults.get),
        Route("arm.vaults.createOrUpdate", "PUT", one, vaults.put),
        Route("arm.vaults.update", "PATCH", one, vaults.patch),
    )


@dataclass(frozen=True, slots=True)
class VaultRoutes(Tracked):
    """The vaults of all subscriptions."""

    type: str = VAULTS

    def put(self, call: Call) -> Response:
        """200, also for a new one."""
        path, body, _ = self.writable(call)
        properties = dict(fields(body, "properties"))
        if "enableRbacAuthorization" not in properties:
            properties["enableRbacAuthorization"] = call.request.query["api-version"] >= RBAC_BY_DEFAULT_SINCE
        made = self.resources.put(path, self.type, body["location"], properties, fields(body, "tags"), by=call.who.app_id)
        return Response.json(200, self.json(call, made))

    def patch(self, call: Call) -> Response:
        """Change what is given, leave the rest."""
        path, body = self.require(call, "write"), call.request.json()
        found = self.found(call)
        self.resources.require_unlocked(path, "write")
        properties = {**found.properties, **fields(body, "properties")}
        tags = body.get("tags") if body.get("tags") is not None else found.tags
        made = self.resources.put(found.id, self.type, found.location, properties, tags, by=call.who.app_id)
        return Response.json(200, self.json(call, made))
