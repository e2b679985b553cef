"""The operations on Microsoft.KeyVault/vaults: create, update, delete, recover, purge, access policies, names.

Shapes and texts from recorded traffic of ``az keyvault`` and reports of what people met.
"""

import json
import re
from dataclasses import dataclass, replace

from local_azure.arm import retirement
from local_azure.arm.behaviour import VAULTS, Resources, vault_taken
from local_azure.arm.clouds import cloud_of
from local_azure.arm.operations import purge_id
from local_azure.arm.paging import paged
from local_azure.arm.private_endpoints import KIND as PRIVATE
from local_azure.arm.private_endpoints import connections
from local_azure.arm.shape import fields
from local_azure.arm.state import Grave, Resource
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, NAMES, SUBSCRIPTION, Tracked
from local_azure.arm.vault_rules import given, policies, require_endpoints
from local_azure.clock import iso
from local_azure.wire import Call, Handler, Json, Response, Route

VERSIONS = ("2026-02-01", "2025-05-01", "2023-07-01", "2022-07-01")
"""The versions of published descriptions, newest first."""
SERVICE_VERSION = "1.5.413.0"
RBAC_BY_DEFAULT_SINCE = "2026-02-01"
"""The first api-version in which a vault that says nothing uses role-based access control (before: access policies)."""


def vault_routes(vaults: "VaultRoutes") -> tuple[Route, ...]:
    """Return the operations on vaults, without the operations on a vault's contents."""
    path, one = f"/providers/{VAULTS}", f"{GROUP}/providers/{VAULTS}/{{name}}"
    provider = f"{SUBSCRIPTION}/providers/Microsoft.KeyVault"
    grave = provider + "/locations/{location}/deletedVaults/{name}"
    found = (
        Route("arm.vaults.list", "GET", SUBSCRIPTION + path, vaults.list),
        Route("arm.vaults.list", "GET", GROUP + path, vaults.list),
        Route("arm.vaults.get", "GET", one, vaults.get),
        Route("arm.vaults.checkExistence", "HEAD", one, vaults.has),
        Route("arm.vaults.createOrUpdate", "PUT", one, vaults.put),
        Route("arm.vaults.update", "PATCH", one, vaults.patch),
        Route("arm.vaults.delete", "DELETE", one, vaults.delete),
        Route("arm.vaults.updateAccessPolicy", "PUT", one + "/accessPolicies/{kind}", vaults.put_policies),
        Route("arm.vaults.listPrivateLinkResources", "GET", one + "/privateLinkResources", vaults.linkable),
        Route("arm.vaults.checkName", "POST", provider + "/checkNameAvailability", vaults.check_name),
        Route("arm.vaults.checkName", "POST", provider + "/checkMhsmNameAvailability", vaults.check_hsm_name),
        Route("arm.managedHsms.list", "GET", provider + "/managedHSMs", vaults.no_hsms),
        Route("arm.managedHsms.list", "GET", GROUP + "/providers/Microsoft.KeyVault/managedHSMs", vaults.no_hsms),
        Route("arm.managedHsms.listDeleted", "GET", provider + "/deletedManagedHSMs", vaults.no_hsms),
        Route("arm.deletedVaults.list", "GET", provider + "/deletedVaults", vaults.list_deleted),
        Route("arm.deletedVaults.get", "GET", grave, vaults.get_deleted),
        Route("arm.deletedVaults.purge", "POST", grave + "/purge", vaults.purge),
        Route(
            "arm.deletedVaults.purgeResult",
            "GET",
            provider + "/locations/{location}/operationResults/{operation}",
            vaults.result,
        ),
    )
    return tuple(replace(route, handler=_served(route.handler, vaults.resources)) for route in found)


def _served(handler: Handler, resources: Resources) -> Handler:
    """Add the service version to the provider's own answers (recorded), and refuse retired api-versions."""

    def served(call: Call) -> Response:
        require_version(call, resources)
        response = handler(call)
        own = {"x-ms-keyvault-service-version": SERVICE_VERSION, "X-AspNet-Version": "4.0.30319"}
        response.headers = {**own, **response.headers}
        return response

    return served


def require_version(call: Call, resources: Resources) -> None:
    """Refuse an api-version that Key Vault's control plane no longer serves; every operation of it asks first."""
    path = call.request.path.lower()
    kind = next((each for each in ("deletedVaults", "vaults") if f"/{each.lower()}" in path), "vaults")
    location = resources.located(call.params.get("subscription", ""), call.params.get("group", ""))
    version, now = call.request.query["api-version"], resources.clock.now()
    retirement.require_served("Microsoft.KeyVault", kind, version, location, VERSIONS, now)


@dataclass(frozen=True, slots=True)
class VaultRoutes(Tracked):
    """The vaults of all subscriptions."""

    type: str = VAULTS

    def json(self, call: Call, resource: Resource) -> Json:
        """Return a vault in the shape of every resource; before the DNS entry, the address has no final slash."""
        shown = Tracked.json(self, call, resource)
        if shown["properties"]["provisioningState"] == "RegisteringDns":
            shown["properties"]["vaultUri"] = shown["properties"]["vaultUri"].rstrip("/")
        if found := connections(self.resources, resource):
            own = {PRIVATE: [{"id": each.id, "properties": each.of_vault()} for each in found]}
            first = {name: shown["properties"][name] for name in ("sku", "tenantId") if name in shown["properties"]}
            shown["properties"] = {**first, **own, **shown["properties"]}
        return shown

    def linkable(self, call: Call) -> Response:
        """Return the only part of a vault that a private endpoint could lead to (recorded)."""
        self.require(call, "privateLinkResources/read")
        own = f"{self.found(call).id}/privateLinkResources/vault"
        zone = f"privatelink.{cloud_of(self.found(call).location).vaults.replace('vault.', 'vaultcore.')}"
        properties = {"groupId": "vault", "requiredMembers": ["default"], "requiredZoneNames": [zone]}
        shown = {"id": own, "name": "vault", "type": f"{VAULTS}/privateLinkResources", "properties": properties}
        return Response.json(200, {"value": [shown]})

    def list(self, call: Call) -> Response:
        """Return a page of the vaults readable to the caller."""
        value = json.loads(Tracked.list(self, call).body)["value"]
        return paged(call, value, eager=True)

    def put(self, call: Call) -> Response:
        """200, also for a new one; with ``createMode: recover`` a deleted one comes back as it was."""
        path, body, existing = self.writable(call)
        if fields(body, "properties").get("createMode", "default").lower() == "recover":
            return Response.json(200, self.json(call, self.resources.recover_vault(path)))
        properties = given(
            body, existing, self.resources.authorization.directory.tenant, call.request.query["api-version"]
        )
        require_endpoints(self.resources, fields(properties, "networkAcls"))
        if "enableRbacAuthorization" not in properties:
            properties["enableRbacAuthorization"] = (
                True if call.request.query["api-version"] >= RBAC_BY_DEFAULT_SINCE else None
            )
        made = self.resources.put(path, self.type, body["location"], properties, tags_of(body), by=call.who.app_id)
        if existing is None and self.resources.timing.vault_made:
            self.resources.operations.begin(made.id, "vaults", self.resources.timing.vault_made, "RegisteringDns")
        return Response.json(200, self.json(call, made))

    def patch(self, call: Call) -> Response:
        """Change the given properties, leave the rest."""
        path, body = self.require(call, "write"), call.request.json()
        found, version = self.found(call), call.request.query["api-version"]
        self.resources.require_unlocked(path, "write")
        properties = {**found.properties, **given(body, found, self.resources.authorization.directory.tenant, version)}
        require_endpoints(self.resources, fields(properties, "networkAcls"))
        tags = tags_of(body) if body.get("tags") is not None else found.tags
        made = self.resources.put(found.id, self.type, found.location, properties, tags, by=call.who.app_id)
        return Response.json(200, self.json(call, made))

    def delete(self, call: Call) -> Response:
        """Delete a vault: 200 with an empty body, 204 if none existed. The vault can be recovered."""
        return Response(200 if self.resources.delete(self.require(call, "delete")) else 204)

    def put_policies(self, call: Call) -> Response:
        """Add to the access policies, replace those of the principals that are named, or take permissions away."""
        self.resources.authorization.require(call.who, f"{self.type}/accessPolicies/write", self.path(call))
        found = self.found(call)
        self.resources.require_unlocked(found.id, "write")
        asked = fields(call.request.json(), "properties").get("accessPolicies") or []
        changed = policies(call["kind"].lower(), found.properties.get("accessPolicies") or [], asked)
        self.resources.put(
            found.id,
            self.type,
            found.location,
            {**found.properties, "accessPolicies": changed},
            found.tags,
            by=call.who.app_id,
        )
        body = {
            "id": f"{found.id}/accessPolicies/",
            "type": f"{self.type}/accessPolicies",
            "properties": {"accessPolicies": changed},
        }
        return Response.json(200, body)

    def check_name(self, call: Call) -> Response:
        """Tell if a name is available; the name of a deleted vault isn't."""
        self._may_check(call)
        name = str(fields(call.request.json()).get("name", ""))
        if not re.fullmatch(NAMES[VAULTS], name):
            message = (
                "The vault name is invalid. A vault name must be between 3-24 alphanumeric characters, begin with a"
                " letter, "
            )
            message += "end with a letter or digit, and not contain consecutive hyphens."
            return Response.json(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
        if self.resources.find(VAULTS, name) or self.resources.deleted_vaults.find(name):
            return Response.json(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": vault_taken(name)})
        return Response.json(200, {"nameAvailable": True})

    def check_hsm_name(self, call: Call) -> Response:
        """Answer the name check of managed HSMs, not emulated: no name is in use.

        az sends the request with every check of a vault's name.
        """
        self._may_check(call)
        return Response.json(200, {"nameAvailable": True})

    def no_hsms(self, call: Call) -> Response:
        """Return an empty list of managed HSMs, not emulated.

        az sends the request with every list of vaults, deleted or not.
        """
        return Response.json(200, {"value": []})

    def _may_check(self, call: Call) -> None:
        self.resources.authorization.require(
            call.who, "Microsoft.KeyVault/checkNameAvailability/read", f"/subscriptions/{call['subscription']}"
        )

    def list_deleted(self, call: Call) -> Response:
        """The deleted vaults of a subscription."""
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, "Microsoft.KeyVault/deletedVaults/read", scope)
        graves = self.resources.deleted_vaults.of(call["subscription"])
        return paged(call, [grave_json(each) for each in graves], eager=True)

    def get_deleted(self, call: Call) -> Response:
        """One of them; 404 DeletedVaultNotFound."""
        return Response.json(200, grave_json(self._grave(call, "read")))

    def purge(self, call: Call) -> Response:
        """Delete a vault for good: 202 with the URL of the result and when to ask (recorded); it is already done."""
        grave, now = self._grave(call, "purge/action"), f"{self.resources.clock.now():%Y-%m-%d %H:%M:%S}Z"
        self.resources.deleted_vaults.purge(grave)
        ended = {"createdDateTime": now, "lastActionDateTime": now, "status": "Succeeded"}
        named = purge_id(self.resources.clock.now(), self.resources.ids.guid().replace("-", ""))
        about = f"{grave.resource.id}/purge"
        begun = self.resources.operations.begin(about, "purges", 0, "InProgress", ended, named=named)
        provider = f"/subscriptions/{call['subscription']}/providers/Microsoft.KeyVault"
        path = f"{provider}/locations/{call['location']}/operationResults/{begun.id}"
        location = f"https://{call.request.host}{path}?api-version={call.request.query['api-version']}"
        return Response(202, headers={"Location": location, "Retry-After": "5"})

    def result(self, call: Call) -> Response:
        """Return the result of a purge."""
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, "Microsoft.KeyVault/locations/operationResults/read", scope)
        return Response.json(200, self.resources.operations.get(call["operation"]).result)

    def _grave(self, call: Call, verb: str) -> Grave:
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, f"Microsoft.KeyVault/locations/deletedVaults/{verb}", scope)
        return self.resources.deleted_vaults.get(call["subscription"], call["location"], call["name"])


def grave_json(grave: Grave) -> Json:
    """Return a deleted vault as the list shows the vault."""
    vault: Resource = grave.resource
    subscription = "/".join(vault.id.split("/")[:3])
    location = vault.location.replace(" ", "").lower()
    properties: dict[str, Json] = {"vaultId": vault.id, "location": vault.location, "tags": vault.tags}
    properties |= {"deletionDate": iso(grave.deleted_at, 0), "scheduledPurgeDate": iso(grave.purge_at, 0)}
    if vault.properties.get("enablePurgeProtection"):
        properties["purgeProtectionEnabled"] = True
    path = f"{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{vault.name}"
    return {"id": path, "name": vault.name, "type": "Microsoft.KeyVault/deletedVaults", "properties": properties}
