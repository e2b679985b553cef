"""Operations on management locks, at any scope.

Shapes and statuses as recorded of ``az lock``; the words for a missing lock and for an unknown level could not be
looked up.
"""

from dataclasses import dataclass

from local_azure.arm.behaviour import Resources
from local_azure.arm.shape import fields, lock_json
from local_azure.rbac.scopes import encloses
from local_azure.wire import Call, Response, Route, ServiceError


def lock_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Authorization/locks."""
    locks, path = _Locks(resources), "/{scope*}/providers/Microsoft.Authorization/locks"
    return (
        Route("arm.locks.list", "GET", path, locks.list),
        Route("arm.locks.get", "GET", path + "/{name}", locks.get),
        Route("arm.locks.createOrUpdate", "PUT", path + "/{name}", locks.put),
        Route("arm.locks.delete", "DELETE", path + "/{name}", locks.delete),
    )


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
            raise ServiceError(
                400,
                "LockLevelNotValid",
                f"The lock level '{given.get('level')}' is not valid. Use CanNotDelete or ReadOnly.",
            )
        known = any(
            lock.scope.lower() == scope.lower() and lock.name.lower() == call["name"].lower()
            for lock in self.resources.locks(scope)
        )
        made = self.resources.lock(scope, given["level"], call["name"], given.get("notes"))
        return Response.json(200 if known else 201, lock_json(made))

    def delete(self, call: Call) -> Response:
        return Response(200 if self.resources.unlock(self._require(call, "delete"), call["name"]) else 204)

    def _require(self, call: Call, verb: str) -> str:
        scope = "/" + call["scope"].strip("/")
        self.resources.authorization.require(call.who, f"Microsoft.Authorization/locks/{verb}", scope)
        return scope
