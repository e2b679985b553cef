"""Operations on a registry's cache rules: where the registry finds an image that it doesn't have yet.

Source: recorded ``az acr cache`` (2023), and "Artifact cache in Azure Container Registry". What a rule is about is
copied at the first pull by tag (:meth:`local_azure.acr.behaviour.Registries`); a public registry has every image, as
for imports. Another Azure registry as a source is not emulated. The refusals could not be looked up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.arm.access import CacheRule, RegistrySettings
from local_azure.arm.behaviour import Resource
from local_azure.arm.child_operations import offset, stamped
from local_azure.arm.children import Children
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.replications import restamped
from local_azure.arm.shape import fields
from local_azure.wire import Call, Json, Response, Route, ServiceError


def cache_rule_routes(registries: RegistryRoutes) -> Iterator[Route]:
    """The operations on cache rules."""
    return _Rules(registries, "cacheRules").routes()


@dataclass(frozen=True, slots=True)
class _Rules(Children[CacheRule]):
    def held(self, access: RegistrySettings) -> dict[str, CacheRule]:
        return access.cache_rules

    def put(self, call: Call) -> Response:
        registry, access = self._writable(call)
        given, old = fields(call.request.json(), "properties"), access.cache_rules.get(call["child"].lower())
        source, target = _repository(given, "sourceRepository"), _repository(given, "targetRepository")
        if source.endswith("*") != target.endswith("*"):
            raise ServiceError(
                400, "InvalidRequestContent", "A '*' ends both repositories of a cache rule, or neither."
            )
        self._require_apart(access, call["child"].lower(), target)
        if ".azurecr." in source.partition("/")[0]:
            message = "The emulator does not implement cache rules whose source is an Azure container registry."
            raise ServiceError(501, "NotImplemented", message)
        now = self.registries.resources.clock.now()
        made = CacheRule(
            call["child"], source, target, given.get("credentialSetResourceId"), old.created if old else now
        )
        made.stamp = restamped(old.stamp if old else None, call.who.app_id, now)
        access.cache_rules[call["child"].lower()] = made
        return self.written(call, registry, made, new=old is None)

    def patch(self, call: Call) -> Response:
        registry, access = self._writable(call)
        found, given = self.found(call, access), fields(call.request.json(), "properties")
        if "credentialSetResourceId" in given:
            found.credential_set = given["credentialSetResourceId"]
        found.stamp = restamped(found.stamp, call.who.app_id, self.registries.resources.clock.now())
        return self.written(call, registry, found, new=False)

    def json(self, call: Call, registry: Resource, child: CacheRule) -> Json:
        own = self.head(registry, child.name)
        credentials = {"credentialSetResourceId": child.credential_set} if child.credential_set else {}
        properties = {
            **credentials,
            "sourceRepository": child.source,
            "targetRepository": child.target,
            "creationDate": offset(child.created),
            "provisioningState": self.state(own["id"]),
        }
        return {**own, **stamped(call, child.stamp), "properties": properties}

    def _require_apart(self, access: RegistrySettings, name: str, target: str) -> None:
        if any(other != name and rule.target == target for other, rule in access.cache_rules.items()):
            message = f"A cache rule with the target repository '{target}' already exists."
            raise ServiceError(409, "CacheRuleTargetRepositoryConflict", message)

    def _writable(self, call: Call) -> tuple[Resource, RegistrySettings]:
        registry, access = self.of(call, "write")
        self.registries.resources.require_unlocked(registry.id, "write")
        return registry, access


def _repository(given: dict[str, Json], name: str) -> str:
    if not isinstance(given.get(name), str) or not given[name]:
        raise ServiceError(400, "InvalidRequestContent", f"A cache rule needs '{name}'.")
    return str(given[name])
