"""Tags of a subscription, group or resource as an object of their own, and the names of tags in a subscription.

Source: the published description of Microsoft.Resources 2021-04-01 ("Tags"), with its examples. Tags of resource types
that the emulator doesn't have are 404.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from local_azure.arm.behaviour import Resources
from local_azure.arm.shape import fields
from local_azure.arm.state import Resource, ResourceGroup, Subscription
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import SUBSCRIPTION
from local_azure.wire import Call, Json, Response, Route, ServiceError

TYPE = "Microsoft.Resources/tags"
MOST = 50
"""Most tags of a scope (documented)."""


def scope_tag_routes(resources: Resources) -> tuple[Route, ...]:
    """The operations of Microsoft.Resources/tags and of the tag names of a subscription."""
    tags, path = _Tags(resources), "/{scope*}/providers/Microsoft.Resources/tags/default"
    names, name = _Names(resources), SUBSCRIPTION + "/tagNames/{name}"
    value = name + "/tagValues/{value}"
    verbs: tuple[tuple[str, str, str, Callable[[Call], Response]], ...] = (
        ("arm.tags.get", "GET", path, tags.get),
        ("arm.tags.createOrUpdate", "PUT", path, tags.put),
        ("arm.tags.update", "PATCH", path, tags.patch),
        ("arm.tags.delete", "DELETE", path, tags.delete),
        ("arm.tagNames.list", "GET", SUBSCRIPTION + "/tagNames", names.every),
        ("arm.tagNames.createOrUpdate", "PUT", name, names.put),
        ("arm.tagNames.delete", "DELETE", name, names.delete),
        ("arm.tagNames.createOrUpdateValue", "PUT", value, names.put_value),
        ("arm.tagNames.deleteValue", "DELETE", value, names.delete_value),
    )
    return tuple(Route(operation, method, where, handler) for operation, method, where, handler in verbs)


@dataclass(frozen=True, slots=True)
class _Tags:
    resources: Resources

    def get(self, call: Call) -> Response:
        scope = self._require(call, "read")
        return Response.json(200, _json(scope, self._found(scope)))

    def put(self, call: Call) -> Response:
        """Replace all tags of a scope."""
        scope = self._require(call, "write")
        self._found(scope)
        return self._set(scope, tags_of(fields(call.request.json(), "properties")))

    def patch(self, call: Call) -> Response:
        """Merge tags into those of a scope, replace them, or delete some, as ``operation`` says."""
        scope, body = self._require(call, "write"), call.request.json()
        found, given = self._found(scope), tags_of(fields(body, "properties"))
        operation = str(body.get("operation") or "").lower()
        if operation not in ("merge", "replace", "delete"):
            message = f"The tag patch operation '{body.get('operation')}' is not valid. Use Replace, Merge or Delete."
            raise ServiceError(400, "InvalidTagPatchOperation", message)
        if operation == "replace":
            return self._set(scope, given)
        names = {name.lower() for name in given}
        kept = {name: value for name, value in found.items() if name.lower() not in names}
        if operation == "delete":
            spared = {
                name: value for name, value in found.items() if name.lower() in names and not _same(given, name, value)
            }
            return self._set(scope, {**kept, **spared})
        return self._set(scope, {**kept, **given})

    def delete(self, call: Call) -> Response:
        """Remove all tags of a scope."""
        scope = self._require(call, "delete")
        self._found(scope)
        self._set(scope, {})
        return Response(200)

    def _set(self, scope: str, tags: dict[str, str]) -> Response:
        self.resources.require_unlocked(scope, "write")
        if len(tags) > MOST:
            message = f"The number of tags '{len(tags)}' exceeds the maximum of '{MOST}'."
            raise ServiceError(400, "InvalidTagCount", message)
        _tag(self.resources, scope, tags)
        return Response.json(200, _json(scope, tags))

    def _found(self, scope: str) -> Mapping[str, str]:
        found = _tags(self.resources, scope)
        if found is None:
            kind, name = "/".join(scope.split("/")[6:8]), scope.rsplit("/", 1)[-1]
            group = scope.split("/")[4]
            message = f"The Resource '{kind}/{name}' under resource group '{group}' was not found."
            more = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
            raise ServiceError(404, "ResourceNotFound", f"{message} {more}")
        return found

    def _require(self, call: Call, verb: str) -> str:
        scope = "/" + call["scope"].strip("/")
        self.resources.authorization.require(call.who, f"{TYPE}/{verb}", scope)
        return scope


def _same(given: Mapping[str, str], name: str, value: str) -> bool:
    """Tell if a deletion names this tag with its value, or without one."""
    wanted = next(each for key, each in given.items() if key.lower() == name.lower())
    return wanted in ("", value)


def _json(scope: str, tags: Mapping[str, str]) -> Json:
    return {
        "id": f"{scope}/providers/{TYPE}/default",
        "name": "default",
        "type": TYPE,
        "properties": {"tags": dict(tags)},
    }


def _parts(resources: Resources, scope: str) -> tuple[Subscription | ResourceGroup | None, Resource | None]:
    """Return the object of a scope: a subscription or a group, or else a resource."""
    parts = scope.strip("/").split("/")
    if len(parts) == 2:
        return resources.subscription(parts[1]), None
    if len(parts) == 4:
        return resources.resource_group(parts[1], parts[3]), None
    listed = resources.list(parts[1], parts[3]) if len(parts) > 4 else ()
    return None, next((each for each in listed if each.id.lower() == scope.lower()), None)


def _tags(resources: Resources, scope: str) -> Mapping[str, str] | None:
    """Return the tags at a scope; None where nothing is."""
    above, resource = _parts(resources, scope)
    if above is not None:
        return above.tags or {}
    return resource.tags if resource else None


def _tag(resources: Resources, scope: str, tags: dict[str, str]) -> None:
    """Replace the tags at a scope that exists."""
    above, resource = _parts(resources, scope)
    if above is not None:
        above.tags = tags
    elif resource and (kept := resources.get(resource.id)):
        kept.tags = tags
    for tagger in resources.taggers:
        tagger(scope, tags)


def _every(resources: Resources, subscription: str) -> Iterator[Mapping[str, str]]:
    """Yield the tags of the groups and resources of a subscription."""
    yield from (group.tags or {} for group in resources.groups(subscription))
    yield from (resource.tags for resource in resources.list(subscription))


@dataclass(frozen=True, slots=True)
class _Names:
    resources: Resources

    def every(self, call: Call) -> Response:
        """Return the names of tags, made or in use, each with its values and how often they are used."""
        subscription = self._require(call, "read")
        made = self._made(subscription)
        used = list(_every(self.resources, subscription))
        names = {name.lower(): name for tags in (*used, made) for name in tags}
        return Response.json(200, {"value": [self._name(subscription, name, made, used) for name in names.values()]})

    def put(self, call: Call) -> Response:
        subscription = self._require(call, "write")
        made, used = self._made(subscription), list(_every(self.resources, subscription))
        new = not _key(made, call["name"])
        name = _key(made, call["name"]) or call["name"]
        made.setdefault(name, [])
        return Response.json(201 if new else 200, self._name(subscription, name, made, used))

    def put_value(self, call: Call) -> Response:
        subscription = self._require(call, "write")
        made, used = self._made(subscription), list(_every(self.resources, subscription))
        name = _key(made, call["name"])
        if not name:
            raise ServiceError(404, "TagNotFound", f"The tag '{call['name']}' could not be found.")
        new = call["value"] not in made[name]
        if new:
            made[name].append(call["value"])
        return Response.json(201 if new else 200, _value(subscription, name, call["value"], used))

    def delete(self, call: Call) -> Response:
        subscription = self._require(call, "delete")
        made = self._made(subscription)
        name = _key(made, call["name"])
        if not name:
            return Response(204)
        if made[name]:
            message = f"The tag '{name}' cannot be deleted because it has tag values."
            raise ServiceError(409, "TagNameHasValues", message)
        del made[name]
        return Response(200)

    def delete_value(self, call: Call) -> Response:
        made = self._made(self._require(call, "delete"))
        values = made.get(_key(made, call["name"]), [])
        if call["value"] not in values:
            return Response(204)
        values.remove(call["value"])
        return Response(200)

    def _name(self, subscription: str, name: str, made: Mapping[str, list[str]], used: list[Mapping[str, str]]) -> Json:
        values = {*made.get(name, ()), *(tags[name] for tags in used if name in tags)}
        return {
            "id": f"/subscriptions/{subscription}/tagNames/{name}",
            "tagName": name,
            "count": {"type": "Total", "value": sum(name in tags for tags in used)},
            "values": [_value(subscription, name, value, used) for value in sorted(values)],
        }

    def _made(self, subscription: str) -> dict[str, list[str]]:
        return self.resources.state.tag_names.setdefault(subscription.lower(), {})

    def _require(self, call: Call, verb: str) -> str:
        scope = f"/subscriptions/{call['subscription']}"
        self.resources.authorization.require(call.who, f"Microsoft.Resources/subscriptions/tagNames/{verb}", scope)
        return call["subscription"]


def _key(made: Mapping[str, list[str]], name: str) -> str:
    return next((each for each in made if each.lower() == name.lower()), "")


def _value(subscription: str, name: str, value: str, used: list[Mapping[str, str]]) -> Json:
    return {
        "id": f"/subscriptions/{subscription}/tagNames/{name}/tagValues/{value}",
        "tagValue": value,
        "count": {"type": "Total", "value": sum(tags.get(name) == value for tags in used)},
    }
