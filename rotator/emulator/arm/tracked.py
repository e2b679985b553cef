"""The operations on registries and vaults, and on the locks of anything."""

import re
from dataclasses import dataclass

from rotator.emulator.arm.behaviour import REGISTRIES, VAULTS, Resource, Resources
from rotator.emulator.arm.shape import fields, lock_json, resource_json
from rotator.emulator.rbac.scopes import encloses
from rotator.emulator.wire import Call, Json, Response, Route, ServiceError

NAMES = {REGISTRIES: r"[a-zA-Z0-9]{5,50}", VAULTS: r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]"}
"""What a registry and a vault may be called."""

RBAC_BY_DEFAULT_SINCE = "2026-02-01"
"""The first api-version in which a vault that says nothing uses role-based access control (before: access policies)."""


def tracked_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.ContainerRegistry/registries and Microsoft.KeyVault/vaults."""
    return (*_routes(_Tracked(resources, REGISTRIES), "registries"), *_routes(_Tracked(resources, VAULTS), "vaults"))


def lock_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Authorization/locks, at any scope."""
    locks, path = _Locks(resources), "/{scope*}/providers/Microsoft.Authorization/locks"
    return (
        Route("arm.locks.list", "GET", path, locks.list),
        Route("arm.locks.get", "GET", path + "/{name}", locks.get),
        Route("arm.locks.createOrUpdate", "PUT", path + "/{name}", locks.put),
        Route("arm.locks.delete", "DELETE", path + "/{name}", locks.delete),
    )


def _routes(tracked: "_Tracked", kind: str) -> tuple[Route, ...]:
    subscription = "/subscriptions/{subscription}"
    group = subscription + "/resourceGroups/{group}"
    path = f"/providers/{tracked.type}"
    return (
        Route(f"arm.{kind}.list", "GET", subscription + path, tracked.list),
        Route(f"arm.{kind}.list", "GET", group + path, tracked.list),
        Route(f"arm.{kind}.get", "GET", group + path + "/{name}", tracked.get),
        Route(f"arm.{kind}.createOrUpdate", "PUT", group + path + "/{name}", tracked.put),
        Route(f"arm.{kind}.update", "PATCH", group + path + "/{name}", tracked.patch),
    )


@dataclass(frozen=True, slots=True)
class _Tracked:
    resources: Resources
    type: str

    def list(self, call: Call) -> Response:
        """What the caller may read; 403 where that is nothing and the caller may not list either."""
        subscription, group = call["subscription"], call.params.get("group")
        if group:
            self.resources.resource_group(subscription, group)
        rules = self.resources.authorization
        found = [r for r in self.resources.list(subscription, group, self.type) if rules.allowed(call.who.oid, f"{r.type}/read", r.id)]
        if not found:
            rules.require(call.who, f"{self.type}/read", f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else ""))
        return Response.json(200, {"value": [self._json(call, r) for r in found]})

    def get(self, call: Call) -> Response:
        self._require(call, "read")
        return Response.json(200, self._json(call, self._found(call)))

    def put(self, call: Call) -> Response:
        path = self._require(call, "write")
        self.resources.require_unlocked(path, "write")
        body, existed = call.request.json(), self.resources.get(path) is not None
        self._check(call, body)
        properties = dict(fields(body, "properties"))
        if self.type == VAULTS and "enableRbacAuthorization" not in properties:
            properties["enableRbacAuthorization"] = call.request.query["api-version"] >= RBAC_BY_DEFAULT_SINCE
        made = self.resources.put(
            path, self.type, body["location"], properties, fields(body, "tags"), body.get("sku"), body.get("identity"), by=call.who.app_id
        )
        return Response.json(200 if existed or self.type == VAULTS else 201, self._json(call, made))

    def patch(self, call: Call) -> Response:
        path = self._require(call, "write")
        found = self._found(call)
        self.resources.require_unlocked(path, "write")
        body = call.request.json()
        properties = {**found.properties, **fields(body, "properties")}
        tags, sku, identity = (body.get(name, getattr(found, name)) for name in ("tags", "sku", "identity"))
        made = self.resources.put(found.id, self.type, found.location, properties, tags, sku, identity)
        return Response.json(200, self._json(call, made))

    def _check(self, call: Call, body: Json) -> None:
        if not re.fullmatch(NAMES[self.type], call["name"]):
            raise ServiceError(400, "InvalidResourceName", f"Resource name {call['name']} is invalid for {self.type}.")
        if not body.get("location"):
            raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")

    def _found(self, call: Call) -> Resource:
        self.resources.resource_group(call["subscription"], call["group"])
        found = self.resources.get(self._path(call))
        if found is None:
            message = f"The Resource '{self.type}/{call['name']}' under resource group '{call['group']}' was not found."
            raise ServiceError(404, "ResourceNotFound", f"{message} For more details please go to https://aka.ms/ARMResourceNotFoundFix")
        return found

    def _require(self, call: Call, verb: str) -> str:
        self.resources.authorization.require(call.who, f"{self.type}/{verb}", self._path(call))
        return self._path(call)

    def _path(self, call: Call) -> str:
        return f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}/providers/{self.type}/{call['name']}"

    def _json(self, call: Call, resource: Resource) -> Json:
        return resource_json(resource, call.request.query["api-version"])


@dataclass(frozen=True, slots=True)
class _Locks:
    resources: Resources

    def list(self, call: Call) -> Response:
        scope = self._require(call, "read")
        wanted = call.request.query.get("$filter", "")
        if wanted.lower() not in ("", "atscope()"):
            raise ServiceError(501, "NotImplemented", f"The emulator does not implement the filter {wanted!r}.")
        below = [] if wanted else [lock for lock in self.resources.state.locks.values() if encloses(scope, lock.scope)]
        found = {lock.id: lock for lock in (*self.resources.locks(scope), *below)}
        return Response.json(200, {"value": [lock_json(lock) for lock in found.values()]})

    def get(self, call: Call) -> Response:
        scope = self._require(call, "read")
        for lock in self.resources.locks(scope):
            if lock.name.lower() == call["name"].lower() and encloses(scope, lock.scope):
                return Response.json(200, lock_json(lock))
        raise ServiceError(404, "LockNotFound", f"The lock '{call['name']}' could not be found.")

    def put(self, call: Call) -> Response:
        scope, given = self._require(call, "write"), fields(call.request.json(), "properties")
        if given.get("level") not in ("CanNotDelete", "ReadOnly"):
            raise ServiceError(400, "LockLevelNotValid", f"The lock level '{given.get('level')}' is not valid. Use CanNotDelete or ReadOnly.")
        known = any(lock.scope.lower() == scope.lower() and lock.name.lower() == call["name"].lower() for lock in self.resources.locks(scope))
        made = self.resources.lock(scope, given["level"], call["name"], given.get("notes"))
        return Response.json(200 if known else 201, lock_json(made))

    def delete(self, call: Call) -> Response:
        return Response(200 if self.resources.unlock(self._require(call, "delete"), call["name"]) else 204)

    def _require(self, call: Call, verb: str) -> str:
        scope = "/" + call["scope"].strip("/")
        self.resources.authorization.require(call.who, f"Microsoft.Authorization/locks/{verb}", scope)
        return scope
