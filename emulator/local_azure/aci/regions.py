"""Limits of a region: size of a container group by operating system, address and GPU.

Amounts are those of "Resource availability & quota limits for ACI"; the refusal is as reported by users
(virtual-kubelet 592).
"""

from local_azure.wire import Json, ServiceError

GPU_REGIONS = frozenset(
    [
        "centralindia",
        "eastus",
        "northeurope",
        "southcentralus",
        "southeastasia",
        "uksouth",
        "westeurope",
        "westus",
        "westus2",
    ],
)
"""Regions with V100 GPUs; K80 and P100 are retired everywhere."""
LINUX, WINDOWS, GPU = (31, 240), (4, 16), (24, 448)
"""CPUs and gigabytes of the largest group: of Linux, of Windows, with four V100."""
SAID = (32, 256)
"""CPUs and gigabytes that a region says it is capable of, for any system (recorded of Azure PowerShell in 2024)."""


def capabilities(location: str) -> list[Json]:
    """Return the list shown by a location's ``capabilities``."""
    found = [_entry(location, os, address, "None", size) for os, address, size in _PLAIN]
    if location in GPU_REGIONS:
        found.append(_entry(location, "Linux", "Public", "V100", GPU, 4))
    return found


_PLAIN = (("NotSpecified", "Public", SAID), ("NotSpecified", "Private", SAID))


def check(location: str, properties: dict[str, Json]) -> None:
    """Refuse a group too large for the region. Raises ServiceError 409 ServiceUnavailable."""
    asked = [container["properties"]["resources"]["requests"] for container in properties["containers"]]
    cpu, memory = (sum(request[name] for request in asked) for name in ("cpu", "memoryInGB"))
    gpus = [request["gpu"] for request in asked if "gpu" in request]
    most = GPU if gpus else LINUX if properties["osType"] == "Linux" else WINDOWS
    if cpu <= most[0] and memory <= most[1] and all(_offered(location, properties, gpu) for gpu in gpus):
        return
    what = f"'{cpu:g}' CPU '{memory:g}' GB memory " + "".join(f"'{gpu['count']}' '{gpu['sku']}' GPU " for gpu in gpus)
    network = " virtual network" if properties.get("subnetIds") else ""
    message = (
        f"The requested resource is not available in the location '{location}' at this moment. Please retry with a"
        f" different resource request or in another location. Resource requested: {what}'{properties['osType']}'"
        f" OS{network}"
    )
    raise ServiceError(409, "ServiceUnavailable", message)


def _offered(location: str, properties: dict[str, Json], gpu: Json) -> bool:
    return (
        location in GPU_REGIONS and properties["osType"] == "Linux" and gpu["sku"] == "V100" and 0 < gpu["count"] <= 4
    )


def _entry(location: str, os: str, address: str, gpu: str, size: tuple[int, int], count: int = 0) -> Json:
    amounts = {"maxMemoryInGB": size[1], "maxCpu": size[0], "maxGpuCount": count}
    return {
        "resourceType": "containerGroups",
        "osType": os,
        "location": location,
        "ipAddressType": address,
        "gpu": gpu,
        "capabilities": amounts,
    }
