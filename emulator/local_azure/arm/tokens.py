"""Operations on a registry's scope maps and tokens, and tokens' passwords, shown only at creation.

Shapes and statuses as recorded of the SDKs for .NET and PowerShell (2023 to 2025). The refusals of
a missing scope map and of a system's scope map could not be looked up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from local_azure.arm.access import PASSWORDS, RegistrySettings, RegistryToken, ScopeMap, TokenPassword
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import absent, offset, stamped, supported
from local_azure.arm.children import Children
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP
from local_azure.wire import Call, Json, Response, Route, ServiceError

RIGHTS = (
    r"(repositories/[a-z0-9*._/-]+/(content/(read|write|delete)|metadata/(read|write))"
    r"|gateway/[a-zA-Z0-9]+/(config|message)/(read|write))"
)
"""Actions that a scope map may allow (``az acr scope-map create``)."""
OPERATIONS_SINCE = "2021"
"""The PUT of a scope map is done at once with older api-versions (recorded in 2024)."""
NAME = r"[a-zA-Z0-9-_]{5,50}"


def token_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """Return the operations on a registry's scope maps and tokens."""
    one = f"{GROUP}/providers/{registries.type}/{{name}}"
    maps, tokens = _ScopeMaps(registries, "scopeMaps"), _Tokens(registries, "tokens")
    yield Route("arm.registries.generateCredentials", "POST", one + "/generateCredentials", tokens.generate)
    yield from maps.routes()
    yield from tokens.routes()


@dataclass(frozen=True, slots=True)
class _ScopeMaps(Children[ScopeMap]):
    def held(self, access: RegistrySettings) -> dict[str, ScopeMap]:
        return access.scope_maps

    def put(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        given, known = fields(call.request.json(), "properties"), call["child"].lower() in access.scope_maps
        actions = _actions(given.get("actions"))
        response = self._write(call, registry, access, actions, given.get("description"), new=not known)
        if call.request.query["api-version"] >= OPERATIONS_SINCE:
            return response
        return Response.json(200, self.json(call, registry, self.found(call, access)), supported(call))

    def patch(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        old, given = self.found(call, access), fields(call.request.json(), "properties")
        actions = _actions(given["actions"]) if given.get("actions") is not None else old.actions
        return self._write(call, registry, access, actions, given.get("description", old.description), new=False)

    def _write(
        self,
        call: Call,
        registry: Resource,
        access: RegistrySettings,
        actions: list[str],
        description: str | None,
        *,
        new: bool,
    ) -> Response:
        resources = self.registries.resources
        resources.require_unlocked(registry.id, "write")
        _named(call["child"])
        _user_defined(call, access)
        made = resources.access.put_scope_map(registry.id, call["child"], actions, description, call.who.app_id)
        return self.written(call, registry, made, new=new)

    def delete(self, call: Call) -> Response:
        """202 with the address of the result, or 204 where there was none."""
        _user_defined(call, self.of(call, "delete")[1])
        return Children.delete(self, call)

    def json(self, call: Call, registry: Resource, child: ScopeMap) -> Json:
        properties: dict[str, Json] = {
            "description": child.description,
            "type": child.kind,
            "creationDate": offset(child.created),
            "provisioningState": "Succeeded",
            "actions": child.actions,
        }
        shown = {name: value for name, value in properties.items() if value is not None}
        return {**self.head(registry, child.name), **stamped(call, child.stamp), "properties": shown}


@dataclass(frozen=True, slots=True)
class _Tokens(Children[RegistryToken]):
    def held(self, access: RegistrySettings) -> dict[str, RegistryToken]:
        return access.tokens

    def put(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        known, given = call["child"].lower() in access.tokens, fields(call.request.json(), "properties")
        made = self._write(call, registry, access, given.get("scopeMapId"), given.get("status", "enabled"))
        return self.written(call, registry, made, new=not known)

    def patch(self, call: Call) -> Response:
        registry, access = self.of(call, "write")
        old, given = self.found(call, access), fields(call.request.json(), "properties")
        made = self._write(
            call, registry, access, given.get("scopeMapId") or old.scope_map_id, given.get("status") or old.status
        )
        return self.written(call, registry, made, new=False)

    def _write(
        self, call: Call, registry: Resource, access: RegistrySettings, scope_map: Json, status: Json
    ) -> RegistryToken:
        resources = self.registries.resources
        resources.require_unlocked(registry.id, "write")
        _named(call["child"])
        if str(status).lower() not in ("enabled", "disabled"):
            raise ServiceError(
                400, "InvalidRequestContent", f"The token status '{status}' is not valid. Use enabled or disabled."
            )
        if not isinstance(scope_map, str) or scope_map.rsplit("/", 1)[-1].lower() not in access.scope_maps:
            raise ServiceError(
                400, "ScopeMapNotFound", f"The scope map '{scope_map}' was not found in registry '{registry.name}'."
            )
        who = call.who.app_id
        return resources.access.put_token(registry.id, call["child"], scope_map, str(status).lower(), who)

    def generate(self, call: Call) -> Response:
        """Generate passwords, shown in clear text only in this answer."""
        self.registries.require(call, "generateCredentials/action")
        registry = self.registries.found(call)
        access = self.registries.resources.access
        given = fields(call.request.json())
        name, which = str(given.get("tokenId", "")).rsplit("/", 1)[-1], given.get("name")
        token = access.of(registry.id).tokens.get(name.lower()) or absent(name)
        if which not in (None, *PASSWORDS):
            raise ServiceError(
                400, "InvalidRequestContent", f"The password name '{which}' is not valid. Use password1 or password2."
            )
        made = access.generate(registry.id, token.name, which, _instant(given.get("expiry")))
        passwords = [{**password_json(each), "value": each.value} for each in made]
        return Response.json(200, {"username": token.name, "passwords": passwords}, supported(call))

    def json(self, call: Call, registry: Resource, child: RegistryToken) -> Json:
        """Return a token as a GET shows the token: of passwords only names and times of validity."""
        properties = {
            "creationDate": offset(child.created),
            "provisioningState": "Succeeded",
            "scopeMapId": child.scope_map_id,
            "credentials": {"passwords": [password_json(each) for each in child.passwords]},
            "status": child.status,
        }
        return {**self.head(registry, child.name), **stamped(call, child.stamp), "properties": properties}


def _user_defined(call: Call, access: RegistrySettings) -> None:
    found = access.scope_maps.get(call["child"].lower())
    if found and found.kind == "SystemDefined":
        raise ServiceError(
            400, "SystemScopeMapReadOnly", f"The scope map '{found.name}' is system-defined and cannot be changed."
        )


def password_json(password: TokenPassword) -> dict[str, Json]:
    """Return the properties of a token's password, without the password."""
    expiry = {"expiry": offset(password.expiry).replace(".0000000", "")} if password.expiry else {}
    return {"creationTime": offset(password.created), **expiry, "name": password.name}


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
