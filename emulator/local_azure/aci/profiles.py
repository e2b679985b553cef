"""Container group profiles: templates for an orchestrator's groups, in all revisions (azure-facts A13).

A PUT of a new profile is 201 with revision 1, of a known one 200 with the next; old revisions stay readable. A profile
shows the given properties and the revision: no default SKU, and no ``registeredRevisions`` (recorded with api-version
2024-05-01-preview). `standby` makes groups from a profile. The words for a missing profile or revision could not
be looked up.
"""

import copy
from collections.abc import Callable

from local_azure.aci import rules
from local_azure.aci.shape import canonical, hidden, unreadable, writable
from local_azure.aci.state import ContainerState, Profile
from local_azure.arm.behaviour import Resources
from local_azure.arm.tags import tags_of
from local_azure.wire import Call, Json, Response, Route, ServiceError

TYPE = "Microsoft.ContainerInstance/containerGroupProfiles"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ONE = f"{_GROUP}/providers/{TYPE}/{{name}}"
_WRITTEN = ("revision", "registeredRevisions", "isCreatedFromStandbyPool")
"""Properties that only the service writes."""


class Profiles:
    """All container group profiles of the tenant, by lower-cased id."""

    def __init__(self, resources: Resources, state: Callable[[], ContainerState]) -> None:
        self._resources, self._state = resources, state

    def put(self, profile_id: str, body: Json) -> tuple[bool, dict[str, Json]]:
        """Add a revision; whether it is the first, and the profile. Raises ServiceError 400.

        An address without ports and containers without configuration maps stay so (recorded in 2024).
        """
        name, known = profile_id.rsplit("/", 1)[-1], self._state().profiles
        resource = canonical(body)
        rules.check(name, _checked(resource))
        kept = writable(resource, maps=False)
        kept["properties"] = {key: value for key, value in kept["properties"].items() if key not in _WRITTEN}
        found = known.setdefault(profile_id.lower(), Profile(profile_id, []))
        found.revisions.append(kept)
        return len(found.revisions) == 1, _shown(found)

    def get(self, profile_id: str, revision: int | None = None) -> dict[str, Json]:
        """A profile as of a revision, the newest unless one is named. Raises ServiceError 404."""
        found = self._found(profile_id)
        if revision is not None and not 1 <= revision <= len(found.revisions):
            raise ServiceError(
                404,
                "ContainerGroupProfileRevisionNotFound",
                f"The revision '{revision}' of '{_name(found)}' does not exist.",
            )
        return _shown(found, revision)

    def stored(self, profile_id: str, revision: int | None = None) -> dict[str, Json] | None:
        """Return a profile as of a revision with the hidden values; None where there is none."""
        found = self._state().profiles.get(profile_id.lower())
        number = revision if isinstance(revision, int) else len(found.revisions) if found else 0
        return found.revisions[number - 1] if found and 1 <= number <= len(found.revisions) else None

    def revisions(self, profile_id: str) -> list[dict[str, Json]]:
        """Return all revisions of a profile, oldest first. Raises ServiceError 404."""
        found = self._found(profile_id)
        return [_shown(found, number) for number in range(1, len(found.revisions) + 1)]

    def tag(self, profile_id: str, tags: dict[str, str]) -> dict[str, Json]:
        """Replace the tags of the newest revision. Raises ServiceError 404."""
        found = self._found(profile_id)
        found.revisions[-1]["tags"] = dict(tags)
        return _shown(found)

    def delete(self, profile_id: str) -> bool:
        """Remove a profile with all its revisions; False if there was none."""
        return self._state().profiles.pop(profile_id.lower(), None) is not None

    def list(self, scope: str) -> list[dict[str, Json]]:
        """The profiles below a subscription or resource group, each in its newest revision."""
        return [
            _shown(found)
            for key, found in sorted(self._state().profiles.items())
            if key.startswith(f"{scope.lower()}/")
        ]

    def _found(self, profile_id: str) -> Profile:
        found = self._state().profiles.get(profile_id.lower())
        if found is None:
            parts = profile_id.strip("/").split("/")
            self._resources.resource_group(parts[1], parts[3])
            raise ServiceError(404, "ResourceNotFound", f"The container group profile '{parts[-1]}' does not exist.")
        return found


def profile_routes(profiles: Profiles, resources: Resources) -> tuple[Route, ...]:
    """The operations on profiles, of the 2025-09-01 description."""
    wire = _Wire(profiles, resources)
    return (
        Route("aci.containerGroupProfiles.createOrUpdate", "PUT", _ONE, wire.put),
        Route("aci.containerGroupProfiles.get", "GET", _ONE, wire.get),
        Route("aci.containerGroupProfiles.update", "PATCH", _ONE, wire.patch),
        Route("aci.containerGroupProfiles.delete", "DELETE", _ONE, wire.delete),
        Route("aci.containerGroupProfiles.list", "GET", f"/subscriptions/{{subscription}}/providers/{TYPE}", wire.list),
        Route("aci.containerGroupProfiles.listByResourceGroup", "GET", f"{_GROUP}/providers/{TYPE}", wire.list),
        Route("aci.containerGroupProfiles.revisions.list", "GET", f"{_ONE}/revisions", wire.revisions),
        Route("aci.containerGroupProfiles.revisions.get", "GET", f"{_ONE}/revisions/{{revision}}", wire.revision),
    )


class _Wire:
    def __init__(self, profiles: Profiles, resources: Resources) -> None:
        self._profiles, self._resources = profiles, resources

    def put(self, call: Call) -> Response:
        new, body = self._profiles.put(self._allowed(call, "write"), call.request.json())
        return Response.json(201 if new else 200, body)

    def get(self, call: Call) -> Response:
        return Response.json(200, self._profiles.get(self._allowed(call, "read")))

    def patch(self, call: Call) -> Response:
        profile_id, body = self._allowed(call, "write"), call.request.json()
        if not isinstance(body, dict):
            raise unreadable("Only the tags of a container group profile can be patched.")
        return Response.json(200, self._profiles.tag(profile_id, tags_of(body)))

    def delete(self, call: Call) -> Response:
        return Response(200 if self._profiles.delete(self._allowed(call, "delete")) else 204)

    def list(self, call: Call) -> Response:
        group = call.params.get("group")
        scope = f"/subscriptions/{call['subscription']}" + (f"/resourceGroups/{group}" if group else "")
        self._resources.authorization.require(call.who, f"{TYPE}/read", scope)
        return Response.json(200, {"value": self._profiles.list(scope)})

    def revisions(self, call: Call) -> Response:
        return Response.json(200, {"value": self._profiles.revisions(self._allowed(call, "revisions/read"))})

    def revision(self, call: Call) -> Response:
        number = int(call["revision"]) if call["revision"].isdigit() else 0
        return Response.json(200, self._profiles.get(self._allowed(call, "revisions/read"), number))

    def _allowed(self, call: Call, verb: str) -> str:
        group = self._resources.resource_group(call["subscription"], call["group"]) if verb == "write" else None
        base = group.id if group else f"/subscriptions/{call['subscription']}/resourceGroups/{call['group']}"
        profile_id = f"{base}/providers/{TYPE}/{call['name']}"
        self._resources.authorization.require(call.who, f"{TYPE}/{verb}", profile_id)
        if verb in ("write", "delete"):
            self._resources.require_unlocked(profile_id, verb)
        return profile_id


def _checked(resource: dict[str, Json]) -> dict[str, Json]:
    """Return a canonical body as a group's must be: without an address that has no ports."""
    properties = resource.get("properties")
    address = properties.get("ipAddress") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(address, dict) or "ports" in address:
        return resource
    return {**resource, "properties": {name: value for name, value in properties.items() if name != "ipAddress"}}


def _name(profile: Profile) -> str:
    return profile.id.rsplit("/", 1)[-1]


def _shown(profile: Profile, revision: int | None = None) -> dict[str, Json]:
    number = revision or len(profile.revisions)
    shown = hidden(copy.deepcopy(profile.revisions[number - 1]))
    properties = {**shown["properties"], "revision": number}
    return {"id": profile.id, "name": _name(profile), "type": TYPE, **shown, "properties": properties}
