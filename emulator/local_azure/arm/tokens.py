"""Operations on a registry's scope maps and tokens, and tokens' passwords, shown only at creation.

Shapes from the examples of api-version 2023-07-01 and the documented output of ``az acr token create``. The refusals of
a missing scope map and of a system's scope map could not be looked up.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from local_azure.arm.access import PASSWORDS, Access, RegistryToken, ScopeMap, TokenPassword
from local_azure.arm.behaviour import Resource
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError

RIGHTS = (
    r"(repositories/[a-z0-9*._/-]+/(content/(read|write|delete)|metadata/(read|write))"
    r"|gateway/[a-zA-Z0-9]+/(config|message)/(read|write))"
)
"""What a scope map may allow (``az acr scope-map create``)."""
NAME = r"[a-zA-Z0-9-_]{5,50}"


def token_routes(registries: RegistryRoutes) -> tuple[Route, ...]:
    """Return the operations on a registry's scope maps and tokens."""
    one = f"{GROUP}/providers/{registries.type}/{{name}}"
    tokens = _Tokens(registries)
    routes = [Route("arm.registries.generateCredentials", "POST", one + "/generateCredentials", tokens.generate)]
    for kind, get, listed, put, patch, delete in (
        ("scopeMaps", tokens.get_map, tokens.list_maps, tokens.put_map, tokens.patch_map, tokens.delete_map),
        ("tokens", tokens.get, tokens.list, tokens.put, tokens.patch, tokens.delete),
    ):
        path = f"{one}/{kind}"
        routes += [
            Route(f"arm.{kind}.list", "GET", path, listed),
            Route(f"arm.{kind}.get", "GET", path + "/{child}", get),
            Route(f"arm.{kind}.create", "PUT", path + "/{child}", put),
            Route(f"arm.{kind}.update", "PATCH", path + "/{child}", patch),
            Route(f"arm.{kind}.delete", "DELETE", path + "/{child}", delete),
        ]
    return tuple(routes)


@dataclass(frozen=True, slots=True)
class _Tokens:
    registries: RegistryRoutes

    def list_maps(self, call: Call) -> Response:
        registry, access = self._access(call, "scopeMaps/read")
        return Response.json(200, {"value": [map_json(registry, each) for each in access.scope_maps.values()]})

    def get_map(self, call: Call) -> Response:
        registry, access = self._access(call, "scopeMaps/read")
        return Response.json(200, map_json(registry, self._map(call, access)))

    def put_map(self, call: Call) -> Response:
        registry, access = self._access(call, "scopeMaps/write")
        given, known = fields(call.request.json(), "properties"), call["child"].lower() in access.scope_maps
        made = self._write_map(call, registry, access, _actions(given.get("actions")), given.get("description"))
        return Response.json(200 if known else 201, map_json(registry, made))

    def patch_map(self, call: Call) -> Response:
        registry, access = self._access(call, "scopeMaps/write")
        old, given = self._map(call, access), fields(call.request.json(), "properties")
        actions = _actions(given["actions"]) if given.get("actions") is not None else old.actions
        return Response.json(
            200,
            map_json(
                registry, self._write_map(call, registry, access, actions, given.get("description", old.description))
            ),
        )

    def _write_map(
        self, call: Call, registry: Resource, access: Access, actions: list[str], description: str | None
    ) -> ScopeMap:
        self.registries.resources.require_unlocked(registry.id, "write")
        _named(call["child"])
        self._user_defined(call, access)
        return self.registries.resources.access.put_scope_map(registry.id, call["child"], actions, description)

    def delete_map(self, call: Call) -> Response:
        registry, access = self._access(call, "scopeMaps/delete")
        self.registries.resources.require_unlocked(registry.id, "delete")
        self._user_defined(call, access)
        return Response(200 if access.scope_maps.pop(call["child"].lower(), None) else 204)

    def list(self, call: Call) -> Response:
        registry, access = self._access(call, "tokens/read")
        return Response.json(200, {"value": [token_json(registry, each) for each in access.tokens.values()]})

    def get(self, call: Call) -> Response:
        registry, access = self._access(call, "tokens/read")
        return Response.json(200, token_json(registry, self._token(call["child"], access)))

    def put(self, call: Call) -> Response:
        registry, access = self._access(call, "tokens/write")
        known, given = call["child"].lower() in access.tokens, fields(call.request.json(), "properties")
        made = self._write(call, registry, access, given.get("scopeMapId"), given.get("status", "enabled"))
        return Response.json(200 if known else 201, token_json(registry, made))

    def patch(self, call: Call) -> Response:
        registry, access = self._access(call, "tokens/write")
        old, given = self._token(call["child"], access), fields(call.request.json(), "properties")
        made = self._write(
            call, registry, access, given.get("scopeMapId") or old.scope_map_id, given.get("status") or old.status
        )
        return Response.json(200, token_json(registry, made))

    def _write(self, call: Call, registry: Resource, access: Access, scope_map: Json, status: Json) -> RegistryToken:
        self.registries.resources.require_unlocked(registry.id, "write")
        _named(call["child"])
        if status not in ("enabled", "disabled"):
            raise ServiceError(
                400, "InvalidRequestContent", f"The token status '{status}' is not valid. Use enabled or disabled."
            )
        if not isinstance(scope_map, str) or scope_map.rsplit("/", 1)[-1].lower() not in access.scope_maps:
            raise ServiceError(
                400, "ScopeMapNotFound", f"The scope map '{scope_map}' was not found in registry '{registry.name}'."
            )
        return self.registries.resources.access.put_token(registry.id, call["child"], scope_map, status)

    def delete(self, call: Call) -> Response:
        registry, access = self._access(call, "tokens/delete")
        self.registries.resources.require_unlocked(registry.id, "delete")
        return Response(200 if access.tokens.pop(call["child"].lower(), None) else 204)

    def generate(self, call: Call) -> Response:
        """Generate passwords, shown in clear text only in this answer."""
        registry, access = self._access(call, "generateCredentials/action")
        given = fields(call.request.json())
        token = self._token(str(given.get("tokenId", "")).rsplit("/", 1)[-1], access)
        which = given.get("name")
        if which not in (None, *PASSWORDS):
            raise ServiceError(
                400, "InvalidRequestContent", f"The password name '{which}' is not valid. Use password1 or password2."
            )
        made = self.registries.resources.access.generate(registry.id, token.name, which, _instant(given.get("expiry")))
        return Response.json(
            200, {"username": token.name, "passwords": [{**password_json(each), "value": each.value} for each in made]}
        )

    def _access(self, call: Call, verb: str) -> tuple[Resource, Access]:
        self.registries.require(call, verb)
        registry = self.registries.found(call)
        return registry, self.registries.resources.access.of(registry.id)

    def _map(self, call: Call, access: Access) -> ScopeMap:
        found = access.scope_maps.get(call["child"].lower())
        return found or _absent("scope map", call["child"])

    def _token(self, name: str, access: Access) -> RegistryToken:
        return access.tokens.get(name.lower()) or _absent("token", name)

    def _user_defined(self, call: Call, access: Access) -> None:
        found = access.scope_maps.get(call["child"].lower())
        if found and found.kind == "SystemDefined":
            raise ServiceError(
                400, "SystemScopeMapReadOnly", f"The scope map '{found.name}' is system-defined and cannot be changed."
            )


def map_json(registry: Resource, scope_map: ScopeMap) -> Json:
    """Return a scope map as a GET shows the scope map."""
    properties: dict[str, Json] = {
        "description": scope_map.description,
        "type": scope_map.kind,
        "creationDate": iso(scope_map.created),
    }
    properties |= {"provisioningState": "Succeeded", "actions": scope_map.actions}
    return _child(
        registry, "scopeMaps", scope_map.name, {name: value for name, value in properties.items() if value is not None}
    )


def token_json(registry: Resource, token: RegistryToken) -> Json:
    """Return a token as a GET shows the token: of passwords only names and times of validity."""
    passwords = [password_json(each) for each in token.passwords]
    credentials = {"certificates": [], "passwords": passwords} if passwords else {}
    properties = {
        "creationDate": iso(token.created),
        "scopeMapId": token.scope_map_id,
        "provisioningState": "Succeeded",
    }
    return _child(registry, "tokens", token.name, {**properties, "status": token.status, "credentials": credentials})


def password_json(password: TokenPassword) -> dict[str, Json]:
    """Return the properties of a token's password, without the password."""
    expiry = {"expiry": _offset(password.expiry)} if password.expiry else {}
    return {"creationTime": _offset(password.created), **expiry, "name": password.name}


def _child(registry: Resource, kind: str, name: str, properties: dict[str, Json]) -> Json:
    return {
        "type": f"{registry.type}/{kind}",
        "id": f"{registry.id}/{kind}/{name}",
        "name": name,
        "properties": properties,
    }


def _offset(at: datetime) -> str:
    return iso(at).removesuffix("Z") + "+00:00"


def _absent(kind: str, name: str) -> NoReturn:
    raise ServiceError(404, "ResourceNotFound", f"The {kind} '{name}' was not found.")


def _named(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise ServiceError(
            400,
            "InvalidResourceName",
            f"The name '{name}' is not valid: 5 to 50 letters, digits, hyphens and underscores.",
        )


def _actions(given: Json) -> list[str]:
    if not isinstance(given, list) or not given:
        raise ServiceError(400, "InvalidRequestContent", "A scope map needs 'actions', a list.")
    wrong = [action for action in given if not isinstance(action, str) or not re.fullmatch(RIGHTS, action)]
    if wrong:
        raise ServiceError(400, "InvalidScopeMapAction", f"The action '{wrong[0]}' is not valid.")
    return given


def _instant(text: Json) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except (TypeError, ValueError) as error:
        raise ServiceError(400, "InvalidRequestContent", f"The expiry '{text}' is not a date.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
