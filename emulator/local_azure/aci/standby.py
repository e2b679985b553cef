"""Groups drawn from a container group profile or a standby pool: what the profile says, and what the body adds.

Source: recorded ``az container create --standby-pool-profile-id``: the answer has the profile's containers under the
profile's names, ``isCreatedFromStandbyPool``, the profile and not the pool, and says ``Succeeded`` at once. Pools are
not emulated, and never empty. Of a pool whose profile isn't here, the group is made up, as public images are.
"""

from collections.abc import Callable

from local_azure.aci.shape import canonical
from local_azure.wire import Json, ServiceError, copied

Find = Callable[[str, int | None], dict[str, Json] | None]
_IMAGE = "mcr.microsoft.com/azuredocs/aci-helloworld:latest"
_OWN = ("containers", "standbyPoolProfile")


def drawn(body: Json, find: Find) -> tuple[Json, bool]:
    """Return a canonical body with all that its profile says, and whether it comes from a pool.

    A body with an operating system of its own stays as it is. Raises ServiceError 400, 404.
    """
    resource = canonical(body)
    own = resource.get("properties") or {}
    profile, pooled = own.get("containerGroupProfile"), "standbyPoolProfile" in own
    if profile is None or "osType" in own:
        return resource, False
    if "id" not in profile:
        return resource, False
    if pooled:
        _require_maps_alone(own.get("containers", []))
    found = find(str(profile["id"]), profile.get("revision"))
    if found is None and not pooled:
        name = str(profile["id"]).rsplit("/", 1)[-1]
        raise ServiceError(
            404, "ContainerGroupProfileNotFound", f"The container group profile '{name}' does not exist."
        )
    base = copied(found["properties"]) if found else _made_up(own)
    properties = {**base, **{name: value for name, value in own.items() if name not in _OWN}}
    _configure(properties["containers"], own.get("containers", []))
    return {**resource, "properties": properties}, pooled


def _require_maps_alone(given: list[Json]) -> None:
    """Refuse a container of a pool with anything but a map (recorded of Azure PowerShell, 2024)."""
    if any(set(each.get("properties") or {}) - {"configMap"} for each in given):
        raise ServiceError(400, "BadRequest", "ContainerGroup properties other than config map are not allowed")


def _configure(containers: list[Json], given: list[Json]) -> None:
    """Give each container the map of the entry of its name; a container of a profile always has one."""
    maps = {each.get("name"): (each.get("properties") or {}).get("configMap") for each in given}
    for container in containers:
        properties = container["properties"]
        own = maps.get(container["name"]) or properties.get("configMap") or {}
        properties["configMap"] = {"keyValuePairs": {}, **own}


def _made_up(own: dict[str, Json]) -> dict[str, Json]:
    name = next((each["name"] for each in own.get("containers", []) if each.get("name")), "container")
    ports = [{"protocol": "TCP", "port": 80}]
    requests = {"memoryInGB": 1.0, "cpu": 1.0}
    run = {"image": _IMAGE, "ports": ports, "resources": {"requests": requests}}
    address = {"ports": ports, "type": "Private" if own.get("subnetIds") else "Public"}
    return {"containers": [{"name": name, "properties": run}], "ipAddress": address, "osType": "Linux"}
