"""The operations on Microsoft.ContainerRegistry/registries themselves: create, update, delete, admin credentials, names, usages.

Shapes and codes from recorded traffic of ``az acr`` and the examples of api-version 2023-07-01. Texts that are marked so in the code's
docstrings could not be looked up.
"""

from dataclasses import dataclass

from rotator.emulator.arm.behaviour import REGISTRIES, Resource
from rotator.emulator.arm.shape import ROLE_MODE_SINCE, fields
from rotator.emulator.arm.tracked import GROUP, SUBSCRIPTION, Tracked, status_url
from rotator.emulator.wire import Call, Json, Response, Route, ServiceError

READ_ONLY = {"loginServer", "creationDate", "provisioningState", "status", "privateEndpointConnections", "dataEndpointHostNames"}
"""What a body may carry (az sends back what it read) and only the service decides."""

SIZES = {"Basic": 10, "Standard": 100, "Premium": 500}
"""Gigabytes that a tier includes ("Registry service tiers")."""
WEBHOOKS = {"Basic": 2, "Standard": 10, "Premium": 500}

USER_DOCS = "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account"


def registry_routes(registries: "RegistryRoutes") -> tuple[Route, ...]:
    """The operations on registries, but not on what is in them."""
    path, one = f"/providers/{REGISTRIES}", f"{GROUP}/providers/{REGISTRIES}/{{name}}"
    check = f"{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/checkNameAvailability"
    return (
        Route("arm.registries.list", "GET", SUBSCRIPTION + path, registries.list),
        Route("arm.registries.list", "GET", GROUP + path, registries.list),
        Route("arm.registries.get", "GET", one, registries.get),
        Route("arm.registries.checkExistence", "HEAD", one, registries.has),
        Route("arm.registries.createOrUpdate", "PUT", one, registries.put),
        Route("arm.registries.update", "PATCH", one, registries.patch),
        Route("arm.registries.delete", "DELETE", one, registries.delete),
        Route("arm.registries.listCredentials", "POST", one + "/listCredentials", registries.credentials),
        Route("arm.registries.regenerateCredential", "POST", one + "/regenerateCredential", registries.regenerate),
        Route("arm.registries.listUsages", "GET", one + "/listUsages", registries.usages),
        Route("arm.registries.checkName", "POST", check, registries.check_name),
        Route("arm.registries.operation", "GET", one + "/operationStatuses/{operation}", registries.operation),
    )


@dataclass(frozen=True, slots=True)
class RegistryRoutes(Tracked):
    """The registries of all subscriptions."""

    type: str = REGISTRIES

    def put(self, call: Call) -> Response:
        """201 while it is being made, with the operation to follow; 200 for one that existed."""
        path, body, existing = self.writable(call)
        properties = _given(call, body)
        sku = body.get("sku") or (existing.sku if existing else {"name": "Basic"})
        _check(sku, properties)
        made = self.resources.put(path, self.type, body["location"], properties, fields(body, "tags"), sku, body.get("identity"), by=call.who.app_id)
        if existing:
            return Response.json(200, self.json(call, made))
        return self._making(call, made)

    def _making(self, call: Call, made: Resource) -> Response:
        """With no time to take there is nothing to follow."""
        seconds = self.resources.timing.registry_made
        if not seconds:
            return Response.json(201, self.json(call, made))
        operation = self.resources.operations.begin(made.id, "registries", seconds, "Creating")
        return Response.json(201, self.json(call, made), {"Azure-AsyncOperation": status_url(call, made.id, operation)})

    def patch(self, call: Call) -> Response:
        """Change what is given, leave the rest."""
        path, body = self.require(call, "write"), call.request.json()
        found = self.found(call)
        self.resources.require_unlocked(path, "write")
        properties, sku = {**found.properties, **_given(call, body)}, body.get("sku") or found.sku
        _check(sku, properties)
        tags = body.get("tags") if body.get("tags") is not None else found.tags
        identity = body.get("identity") or found.identity
        made = self.resources.put(found.id, self.type, found.location, properties, tags, sku, identity, by=call.who.app_id)
        return Response.json(200, self.json(call, made))

    def delete(self, call: Call) -> Response:
        """200 with nothing, 204 where there was none."""
        return Response(200 if self.resources.delete(self.require(call, "delete")) else 204)

    def credentials(self, call: Call) -> Response:
        """The admin user's name and passwords; 400 where there is no admin user."""
        return self._passwords(call, self.require(call, "listCredentials/action"))

    def regenerate(self, call: Call) -> Response:
        """A new ``password`` or ``password2``."""
        path = self.require(call, "regenerateCredential/action")
        found, which = self.found(call), fields(call.request.json()).get("name")
        if which not in ("password", "password2"):
            raise ServiceError(400, "InvalidRequestContent", f"The password name '{which}' is not valid. Use password or password2.")
        self._require_admin(found)
        self.resources.access.regenerate(found.id, ("password", "password2").index(which))
        return self._passwords(call, path)

    def _passwords(self, call: Call, path: str) -> Response:
        found = self.found(call)
        self._require_admin(found)
        pair = zip(("password", "password2"), self.resources.access.admin_passwords(found.id), strict=True)
        return Response.json(200, {"username": found.name, "passwords": [{"name": name, "value": value} for name, value in pair]})

    def _require_admin(self, registry: Resource) -> None:
        if not registry.properties.get("adminUserEnabled"):
            message = f"Cannot perform credential operations for {registry.id} as admin user is disabled."
            advice = f"Kindly enable the admin user as per docs: {USER_DOCS}"
            raise ServiceError(400, "UnAuthorizedForCredentialOperations", f"{message} {advice}")

    def usages(self, call: Call) -> Response:
        """How much of its tier a registry uses; images here are too small to count, and webhooks don't exist."""
        self.require(call, "listUsages/read")
        tier = str((self.found(call).sku or {}).get("name", "Basic"))
        used = (("Size", SIZES.get(tier, 10) * 2**30, "Bytes"), ("Webhooks", WEBHOOKS.get(tier, 2), "Count"), ("ScopeMaps", 50_000, "Count"))
        tokens = ("Tokens", 50_000, "Count")
        access = self.resources.access.of(self.path(call))
        current = {"ScopeMaps": sum(m.kind == "UserDefined" for m in access.scope_maps.values()), "Tokens": len(access.tokens)}
        value = [{"name": name, "limit": limit, "currentValue": current.get(name, 0), "unit": unit} for name, limit, unit in (*used, tokens)]
        return Response.json(200, {"value": value})

    def check_name(self, call: Call) -> Response:
        """Whether a name can be had."""
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, "Microsoft.ContainerRegistry/checkNameAvailability/read", scope)
        asked = fields(call.request.json())
        if not isinstance(asked.get("name"), str) or not isinstance(asked.get("type"), str):
            raise ServiceError(
                400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: 'name and type are required'."
            )
        name = asked["name"]
        if not (name.isascii() and name.isalnum() and 5 <= len(name) <= 50):
            message = "Registry names may contain alpha numeric characters only and must be between 5 and 50 characters."
            return Response.json(200, {"nameAvailable": False, "reason": "Invalid", "message": message})
        if self.resources.find(REGISTRIES, name):
            message = f"The registry {name} is already in use."
            return Response.json(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        return Response.json(200, {"availableLoginServerName": f"{name.lower()}.azurecr.io", "nameAvailable": True})

    def operation(self, call: Call) -> Response:
        """The status of what ``Azure-AsyncOperation`` named, or the result of what ``Location`` did."""
        self.require(call, "read")
        operation = self.resources.operations.get(call["operation"])
        over = self.resources.operations.over(operation)
        if operation.result is not None:
            return Response.json(200, operation.result) if over else Response(202, b"", {"Location": status_url(call, self.path(call), operation)})
        return Response.json(200, {"status": "Succeeded" if over else operation.word})


def _given(call: Call, body: Json) -> dict[str, Json]:
    """The properties of a body that count: no read-only ones, and none that the api-version doesn't know."""
    given = {name: value for name, value in fields(body, "properties").items() if name not in READ_ONLY and value is not None}
    if call.request.query["api-version"] < ROLE_MODE_SINCE:
        given.pop("roleAssignmentMode", None)
    if "networkRuleSet" in given:
        rules = fields(given, "networkRuleSet")
        given["networkRuleSet"] = {"defaultAction": rules.get("defaultAction", "Allow"), "ipRules": rules.get("ipRules") or []}
    return given


def _check(sku: Json, properties: dict[str, Json]) -> None:
    """Refuse what a tier doesn't have. The code for an unknown tier and for network rules could not be looked up."""
    tier = str((sku or {}).get("name", "")).capitalize()
    if tier not in SIZES:
        raise ServiceError(400, "InvalidSku", f"The SKU {tier} is not valid. Use Basic, Standard or Premium.")
    if properties.get("roleAssignmentMode") not in (None, "LegacyRegistryPermissions", "AbacRepositoryPermissions"):
        raise ServiceError(400, "InvalidRequestContent", f"The role assignment mode '{properties['roleAssignmentMode']}' is not valid.")
    if properties.get("anonymousPullEnabled") and tier == "Basic":
        message = f"Anonymous pull is not supported for SKU Managed_{tier}."
        raise ServiceError(400, "BadRequest", f"{message} For more information on SKU tiers, please visit https://aka.ms/acr/tiers.")
    if properties.get("publicNetworkAccess") == "Disabled" and tier != "Premium":
        message = f"Disabling public network access is not supported for the SKU {tier}."
        raise ServiceError(
            400, "DisablingPublicNetworkAccessNotSupported", f"{message} For more information, please visit https://aka.ms/acr/private-link."
        )
    rules = properties.get("networkRuleSet") or {}
    if tier != "Premium" and (rules.get("ipRules") or rules.get("defaultAction", "Allow") != "Allow"):
        message = f"Network rules are not supported for the SKU {tier}."
        raise ServiceError(400, "NetworkRuleSetNotSupported", f"{message} For more information, please visit https://aka.ms/acr/vnet.")
