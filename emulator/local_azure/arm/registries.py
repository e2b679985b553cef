"""Operations on Microsoft.ContainerRegistry/registries: create, update, delete, credentials, names, usages.

Shapes and codes from recorded traffic of ``az acr`` and the examples of api-version 2023-07-01. Texts marked so in the
code's docstrings could not be looked up.
"""

from dataclasses import dataclass

from local_azure.arm.assigned import assign
from local_azure.arm.behaviour import REGISTRIES, Resource
from local_azure.arm.child_operations import begun, removed, status, supported
from local_azure.arm.home_region import bring_home, is_zonal
from local_azure.arm.login_servers import UNSECURE
from local_azure.arm.private_endpoints import KIND as PRIVATE
from local_azure.arm.private_endpoints import connections
from local_azure.arm.registry_rules import SIZES, check, given, rotated
from local_azure.arm.registry_versions import AT_ONCE_SINCE, LOGIN_SERVER_SINCE
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from local_azure.wire import Call, Json, Response, Route, ServiceError

NONE = (
    "tasks",
    "runs",
    "agentPools",
)
"""Kinds of children that a registry can't be given here (501), so their lists are empty."""
NAMED = ("tasks", "agentPools")
"""Those that have names of their own, so that none of a name is found."""
WEBHOOKS = {"Basic": 2, "Standard": 10, "Premium": 500}
TOKENS = {"Basic": 100, "Standard": 500, "Premium": 50_000}
"""Tokens, and scope maps, that a tier allows ("Registry service tiers")."""
LONG = {"identity", "anonymousPullEnabled", "encryption"}
"""Properties whose change by a PATCH is an operation (recorded from 2022 to 2024); the change of others is done at
once.
"""

USER_DOCS = "https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account"


def registry_routes(registries: "RegistryRoutes") -> tuple[Route, ...]:
    """Return the operations on registries, without the operations on a registry's children."""
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
        *(Route(f"arm.{kind}.list", "GET", f"{one}/{kind}", registries.none) for kind in NONE),
        *(Route(f"arm.{kind}.get", "GET", f"{one}/{kind}/{{child}}", registries.nothing) for kind in NAMED),
        Route("arm.registries.checkName", "POST", check, registries.check_name),
        Route("arm.registries.operation", "GET", one + "/operationStatuses/{operation}", registries.operation),
    )


@dataclass(frozen=True, slots=True)
class RegistryRoutes(Tracked):
    """The registries of all subscriptions."""

    type: str = REGISTRIES

    def put(self, call: Call) -> Response:
        """Create or replace a registry: 201 and an operation to follow, or 200 where it is done at once."""
        path, body, existing = self.writable(call)
        properties = given(call, body)
        if existing:
            properties |= _fixed(existing)
        sku = body.get("sku") or (existing.sku if existing else {"name": "Basic"})
        check(sku, properties)
        identity = assign(
            self.resources,
            existing.id if existing else path,
            body.get("identity"),
            existing.identity if existing else None,
        )
        made = self.resources.put(
            path, self.type, body["location"], properties, tags_of(body), sku, identity, by=call.who.app_id
        )
        if not existing and is_zonal(made):
            bring_home(made, self.resources.access.of(made.id), self.resources.clock.now())
        return self._making(call, made, "Updating" if existing else "Creating")

    def list(self, call: Call) -> Response:
        """Return the list of registries, with the provider's header of supported versions."""
        response = Tracked.list(self, call)
        response.headers |= supported(call)
        return response

    def get(self, call: Call) -> Response:
        """One registry; 404 ResourceNotFound."""
        self.require(call, "read")
        return self._shown(call, self.found(call))

    def json(self, call: Call, resource: Resource) -> Json:
        """The registry in the shape of the api-version, with all its endpoints, its own and private ones."""
        shown, names = Tracked.json(self, call, resource), self.resources.endpoints(resource)
        names |= {PRIVATE: [each.of_registry() for each in connections(self.resources, resource)]}
        shown["properties"] |= {name: value for name, value in names.items() if name in shown["properties"]}
        return shown

    def _shown(self, call: Call, registry: Resource) -> Response:
        return Response.json(200, self.json(call, registry), supported(call))

    def _making(self, call: Call, made: Resource, word: str) -> Response:
        """Answer the PUT of a registry, which is an operation at any timing.

        It is one for a Premium registry (recorded from 2021 to 2025), and with a preview's api-version for any
        (recorded in 2023 and 2024). Newer api-versions answer when the registry is ready (recorded in 2026).
        """
        version, premium = call.request.query["api-version"], (made.sku or {}).get("name") == "Premium"
        if version >= AT_ONCE_SINCE or (not premium and (version < "2021" or "preview" not in version)):
            return Response.json(201 if version < "2021" else 200, self.json(call, made), supported(call))
        return self._operating(call, made, word)

    def _operating(self, call: Call, made: Resource, word: str) -> Response:
        shown, seconds = self.json(call, made), self.resources.timing.registry_made
        return begun(call, self.resources, shown, "registries", seconds, word)

    def patch(self, call: Call) -> Response:
        """Change the given properties, leave the rest: 200, or 201 with an operation to follow (see `LONG`)."""
        path, body = self.require(call, "write"), call.request.json()
        found = self.found(call)
        self.resources.require_unlocked(path, "write")
        asked, sku = given(call, body, found.properties), body.get("sku") or found.sku
        if "policies" in asked:
            asked["policies"] = {**found.properties["policies"], **asked["policies"]}
        if "encryption" in asked:
            asked["encryption"] = rotated(
                asked["encryption"], found.properties["encryption"], self.resources.clock.now()
            )
        properties = {**found.properties, **asked, **_fixed(found)}
        check(sku, properties)
        tags = tags_of(body) if body.get("tags") is not None else found.tags
        identity = (
            assign(self.resources, found.id, body["identity"], found.identity)
            if body.get("identity")
            else found.identity
        )
        made = self.resources.put(
            found.id, self.type, found.location, properties, tags, sku, identity, by=call.who.app_id
        )
        if LONG & {*body, *asked} and call.request.query["api-version"] < AT_ONCE_SINCE:
            return self._operating(call, made, "Updating")
        return self._shown(call, made)

    def delete(self, call: Call) -> Response:
        """Delete a registry: 200 with an empty body, 204 if none existed, 202 for one with replications (recorded)."""
        path = self.require(call, "delete")
        found = self.resources.get(path)
        shown = self.json(call, found) if found and self.resources.access.of(path).replications else None
        if not self.resources.delete(path):
            return Response(204)
        if shown is None:
            return Response(200, headers=supported(call))
        shown["properties"] |= {"provisioningState": "Deleting"}
        return removed(call, self.resources, path, shown["location"], "registries", shown)

    def credentials(self, call: Call) -> Response:
        """The admin user's name and passwords; 400 where there is no admin user."""
        return self._passwords(call, self.require(call, "listCredentials/action"))

    def regenerate(self, call: Call) -> Response:
        """A new ``password`` or ``password2``."""
        path = self.require(call, "regenerateCredential/action")
        found, which = self.found(call), fields(call.request.json()).get("name")
        if which not in ("password", "password2"):
            raise ServiceError(
                400, "InvalidRequestContent", f"The password name '{which}' is not valid. Use password or password2."
            )
        self._require_admin(found)
        self.resources.access.regenerate(found.id, ("password", "password2").index(which))
        return self._passwords(call, path)

    def _passwords(self, call: Call, path: str) -> Response:
        found = self.found(call)
        self._require_admin(found)
        pair = zip(("password", "password2"), self.resources.access.admin_passwords(found.id), strict=True)
        shown = {"username": found.name, "passwords": [{"name": name, "value": value} for name, value in pair]}
        return Response.json(200, shown, supported(call))

    def _require_admin(self, registry: Resource) -> None:
        if not registry.properties.get("adminUserEnabled"):
            message = f"Cannot perform credential operations for {registry.id} as admin user is disabled."
            advice = f"Kindly enable the admin user as per docs: {USER_DOCS}"
            raise ServiceError(400, "UnAuthorizedForCredentialOperations", f"{message} {advice}")

    def usages(self, call: Call) -> Response:
        """Return a registry's use of the tier's limits.

        Images here are too small to count. The rows of a Premium registry are those recorded in 2025: there are twice
        as many rules for addresses as in 2024.
        """
        self.require(call, "listUsages/read")
        tier = str((self.found(call).sku or {}).get("name", "Basic"))
        access = self.resources.access.of(self.path(call))
        rows = [
            ("Size", SIZES.get(tier, 10) * 2**30, 0, "Bytes"),
            ("Webhooks", WEBHOOKS.get(tier, 2), len(access.webhooks), "Count"),
        ]
        if tier == "Premium":
            rules = self.found(call).properties["networkRuleSet"]["ipRules"]
            rows += [
                ("Geo-replications", -1, len(access.replications), "Count"),
                ("IPRules", 200, len(rules), "Count"),
                ("VNetRules", 100, 0, "Count"),
            ]
            rows += [("PrivateEndpointConnections", 200, 0, "Count")]
        own, limit = sum(each.kind == "UserDefined" for each in access.scope_maps.values()), TOKENS.get(tier, 100)
        rows += [("ScopeMaps", limit, own, "Count"), ("Tokens", limit, len(access.tokens), "Count")]
        value = [dict(zip(("name", "limit", "currentValue", "unit"), row, strict=True)) for row in rows]
        return Response.json(200, {"value": value}, supported(call))

    def none(self, call: Call) -> Response:
        """Return an empty list, for objects not creatable here."""
        self.require(call, f"{call.operation.split('.')[1]}/read")
        self.found(call)
        return Response.json(200, {"value": []}, supported(call))

    def nothing(self, call: Call) -> Response:
        """Raise ServiceError 404 ResourceNotFound, for one of the objects not creatable here."""
        kind = call.operation.split(".")[1]
        self.require(call, f"{kind}/read")
        self.found(call)
        raise self.absent(call, f"{call['name']}/{kind}/{call['child']}")

    def check_name(self, call: Call) -> Response:
        """Tell if a name is available."""
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, "Microsoft.ContainerRegistry/checkNameAvailability/read", scope)
        asked = fields(call.request.json())
        if not isinstance(asked.get("name"), str) or not isinstance(asked.get("type"), str):
            raise ServiceError(
                400,
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'name and type are required'.",
            )
        name = asked["name"]
        if not (name.isascii() and name.isalnum() and 5 <= len(name) <= 50):
            message = (
                "Registry names may contain alpha numeric characters only and must be between 5 and 50 characters."
            )
            return Response.json(200, {"nameAvailable": False, "reason": "Invalid", "message": message})
        label = self._label(call, name, asked)
        if self.resources.find(REGISTRIES, label):
            message = f"The registry {name} is already in use."
            return Response.json(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
        server = (
            {"availableLoginServerName": f"{label}.azurecr.io"}
            if call.request.query["api-version"] >= LOGIN_SERVER_SINCE
            else {}
        )
        return Response.json(200, {**server, "nameAvailable": True})

    def _label(self, call: Call, name: str, asked: dict[str, Json]) -> str:
        """Return the first part of the login server for a registry of the given name."""
        scope = {"autoGeneratedDomainNameLabelScope": asked.get("autoGeneratedDomainNameLabelScope") or UNSECURE}
        group = f"/subscriptions/{call['subscription']}/resourceGroups/{asked.get('resourceGroupName', '')}"
        resource_id = f"{group}/providers/{self.type}/{name}"
        return self.resources.public_name(self.type, name, resource_id, scope, self.resources.clock.now())

    def operation(self, call: Call) -> Response:
        """Return the status at the URL of ``Azure-AsyncOperation``."""
        self.require(call, "read")
        return status(call, self.resources, self.path(call))


def _fixed(registry: Resource) -> dict[str, Json]:
    """Return the fixed property: the scope of the login server's label, deciding the reuse of the name."""
    return {"autoGeneratedDomainNameLabelScope": registry.properties.get("autoGeneratedDomainNameLabelScope", UNSECURE)}
