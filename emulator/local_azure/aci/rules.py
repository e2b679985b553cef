"""Refusals before an image check: shape, registry credentials, changes requiring a new group.

Codes and messages are those users reported (azure-facts B9; azure-cli 30439 and 30496, compose-cli 743,
cloud-integration-beta 10); spelling mistakes in them are Azure's. The words for an unknown container of a group, for an
invalid skip token or tail, and for a patch of more than tags could not be looked up.
"""

import re
from collections.abc import Iterator

from local_azure.aci import bounds, spelling
from local_azure.aci.paths import at
from local_azure.aci.shape import strangers, unreadable
from local_azure.wire import Json, ServiceError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_GROUP = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
_IDENTITY = re.compile(r"/subscriptions/.+/userAssignedIdentities/[^/]+", re.IGNORECASE)
"""Only user-assigned identities pull images (azure-facts A4, A12)."""
_SINCE = "since API version '2017-07-01-preview'."
_REQUIRED = {
    "imageRegistryCredentials": ("server",),
    "volumes": ("name",),
    "volumes.azureFile": ("shareName", "storageAccountName"),
    "volumes.gitRepo": ("repository",),
    "encryptionProperties": ("vaultBaseUrl", "keyName", "keyVersion"),
    "ipAddress.ports": ("port",),
    "diagnostics.logAnalytics": ("workspaceId", "workspaceKey"),
    "ipAddress": ("ports", "type"),
    "dnsConfig": ("nameServers",),
    "subnetIds": ("id",),
    "extensions": ("name",),
    "extensions.properties": ("extensionType", "version"),
    "secretReferences": ("name", "identity", "secretReferenceUri"),
    "containers": ("name", "properties"),
    "containers.properties": ("image",),
    "containers.properties.environmentVariables": ("name",),
    "containers.properties.ports": ("port",),
    "containers.properties.livenessProbe.httpGet": ("port",),
    "containers.properties.readinessProbe.httpGet": ("port",),
    "containers.properties.resources.requests.gpu": ("count", "sku"),
    "containers.properties.volumeMounts": ("name", "mountPath"),
    "initContainers": ("name", "properties"),
    "initContainers.properties.environmentVariables": ("name",),
    "initContainers.properties.volumeMounts": ("name", "mountPath"),
}
"""Required properties by the path of their object under ``properties`` (containerInstance.json)."""


def check(name: str, resource: dict[str, Json]) -> None:
    """Refuse a canonical body unreadable to Azure. Raises ServiceError 400."""
    if not resource.get("location"):
        raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
    properties = resource.get("properties")
    if properties is None:
        raise _missing("properties", "")
    system = next(
        (each for each in ("Windows", "Linux") if each.lower() == str(properties.get("osType")).lower()), None
    )
    if system is None:
        group = "<null>" if not properties.get("osType") else name
        raise _bad(
            "InvalidOsType",
            f"The 'osType' for container group '{group}' is invalid. The value must be one of 'Windows,Linux'.",
        )
    properties["osType"] = system
    if not properties.get("containers"):
        raise _missing("containers", "properties")
    for path, where, item in _objects(properties):
        for wanted in _REQUIRED[path]:
            if wanted not in item:
                raise _missing(wanted, where)
    spelling.spell(resource)
    _check_name(name)
    _check_containers(name, properties)
    _check_credentials(name, resource)
    _check_address(name, properties)
    bounds.check(name, properties)


def check_known(resource: dict[str, Json]) -> None:
    """Refuse properties that only newer api-versions may have. Raises ServiceError 400 InvalidRequestContent.

    The words are those reported of a wrong property of a group (prefect-azure 103); the types of other objects are not.
    """
    for _, name, path in strangers(resource.get("properties") or {}):
        kind = "ContainerGroupPropertiesDefinition" if path.count(".") == 1 else "ContainerPropertiesDefinition"
        member = f"Could not find member '{name}' on object of type '{kind}'."
        raise unreadable(f"{member} Path '{path}', line 1, position 1.")


def check_update(name: str, old: dict[str, Json], new: dict[str, Json]) -> None:
    """Refuse a change that needs a new group.

    Raises ServiceError: 400 InvalidContainerGroupUpdate, 409 InvalidResourceLocation.
    """
    before, after = old["properties"], new["properties"]
    policies = [properties.get("restartPolicy") or "Always" for properties in (before, after)]
    if policies[0] != policies[1]:
        what = f'update the RestartPolicy (old "{policies[0]}", new "{policies[1]}")'
    elif "zones" in new and sorted(old.get("zones") or []) != sorted(new["zones"]):
        what = "update the availability zone"
    elif _fixed(before) != _fixed(after):
        what = "update the os type, restart policy, network profile, CPU, memory or GPU resources"
    else:
        return
    way = "you must delete it first and then create a new one."
    message = (
        f"The updates on container group '{name}' are invalid. If you are going to {what} for a container group, {way}"
    )
    raise _bad("InvalidContainerGroupUpdate", message)


def check_location(name: str, group: str, old: str, new: str) -> None:
    """Refuse to create a second group of the same name elsewhere. Raises ServiceError 409 InvalidResourceLocation."""
    if old != new:
        message = (
            f"The resource '{name}' already exists in location '{old}' in resource group '{group}'. "
            f"A resource with the same name cannot be created in location '{new}'. Please select a new resource name."
        )
        raise ServiceError(409, "InvalidResourceLocation", message)


def inaccessible(name: str, images: list[str]) -> ServiceError:
    """400 InaccessibleImage; where several images fail, 400 MultipleErrorsOccurred around them."""
    texts = [
        f"The image '{image}' in container group '{name}' is not accessible. Please check the image and registry"
        " credential."
        for image in images
    ]
    if len(texts) == 1:
        return _bad("InaccessibleImage", texts[0])
    return _bad(
        "MultipleErrorsOccurred",
        "Multiple error occurred: " + ";".join(f"'BadRequest':'InaccessibleImage':'{text}'" for text in texts) + ".",
    )


def registry_error(image: str) -> ServiceError:
    """Return 409 RegistryErrorResponse: the registry had an internal error."""
    host = image.partition("/")[0] if "." in image.partition("/")[0] else "index.docker.io"
    return ServiceError(
        409,
        "RegistryErrorResponse",
        f"An error response is received from the docker registry '{host}'. Please retry later.",
    )


def not_restarted(name: str, error: ServiceError) -> ServiceError:
    """Return the error of the images in the words of a restart."""
    said = error.message.removeprefix("Multiple error occurred: ")
    said = said if error.code == "MultipleErrorsOccurred" else f"'BadRequest':'{error.code}':'{error.message}'."
    return _bad(error.code, f"Failed to restart container group '{name}'. Multiple error occurred: {said}")


def transitioning(name: str) -> ServiceError:
    """409 ContainerGroupTransitioning."""
    return ServiceError(
        409, "ContainerGroupTransitioning", f"The container group '{name}' is still transitioning, please retry later."
    )


def quota_reached(location: str) -> ServiceError:
    """400 ContainerGroupQuotaReached."""
    kind = (
        "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'StandardCores' exceeded in"
        " region"
    )
    return _bad("ContainerGroupQuotaReached", f"{kind} '{location}'. Limit: '100', Usage: '100' Requested: '1'.")


def _objects(properties: dict[str, Json]) -> Iterator[tuple[str, str, dict[str, Json]]]:
    for path in _REQUIRED:
        for where, item in at(properties, path):
            yield path, where, item


def _check_name(name: str) -> None:
    if not _GROUP.fullmatch(name) or len(name) > 63:
        rule = (
            "The container group name must contain no more than 63 characters and must match the regex"
            f" '{_GROUP.pattern}' (e.g. 'my-name')."
        )
        raise _bad("InvalidContainerGroupName", f"The container group name '{name}' is invalid. {rule}")


def _check_containers(group: str, properties: dict[str, Json]) -> None:
    for container in (*properties["containers"], *properties.get("initContainers", [])):
        name = container["name"]
        if not _NAME.fullmatch(name) or len(name) > 63:
            rule = (
                f"The container name must contain no more than 63 characters and must match the regex '{_NAME.pattern}'"
                " (e.g. 'my-name')."
            )
            raise _bad(
                "InvalidContainerName", f"The container name '{name}' in container group '{group}' is invalid. {rule}"
            )
    for container in properties["containers"]:
        name = container["name"]
        requests = container["properties"].get("resources", {}).get("requests")
        where = f"in container '{name}' of contain group '{group}'."
        if not requests:
            message = (
                f"The resource requests are not specified {where} Both memory and CPU requests are required {_SINCE}"
            )
            raise _bad("ResourceRequestsNotSpecified", message)
        for wanted, word in (("cpu", "Cpu"), ("memoryInGB", "MemoryInGB")):
            if not requests.get(wanted):
                shown = f"'MemoryInGB '{requests.get('memoryInGB', '')}' Cpu '{requests.get('cpu', '')}''"
                raise _bad(
                    "ResourceSomeRequestsNotSpecified",
                    f"The '{word}' request is not specified in {shown} {where} It is required {_SINCE}",
                )


def _check_credentials(group: str, resource: dict[str, Json]) -> None:
    properties = resource["properties"]
    credentials = properties.get("imageRegistryCredentials", [])
    if len(credentials) > len(properties["containers"]) + len(properties.get("initContainers", [])):
        message = f"More image registry credentials provided than containers in container group '{group}'."
        raise _bad("MoreImageRegistryCredentialsThanContainers", message)
    identities = {identity.lower() for identity in resource.get("identity", {}).get("userAssignedIdentities", {})}
    for credential in credentials:
        _check_credential(group, credential, identities)


def _check_credential(group: str, credential: dict[str, Json], identities: set[str]) -> None:
    where, server = f"in the 'imageRegistryCredentials' of container group '{group}'", credential["server"]
    if not _HOST.fullmatch(server):
        message = f"The server '{server}' {where} is invalid. It should be a valid host name without protocol."
        raise _bad("InvalidImageRegistryServer", message)
    if bool(credential.get("username")) == bool(credential.get("identity")):
        message = (
            f"The registry credential type {where} cannot be detected. Please set exactly one of username or identity"
        )
        raise _bad("AmbiguousImageResitryCredentialType", message)
    if credential.get("identity") and not _IDENTITY.fullmatch(credential["identity"]):
        raise _bad("InvalidImageRegistryCredentialType", f"Identity {where} is not supported.")
    if credential.get("identity") and credential["identity"].lower() not in identities:
        raise _bad("InvalidImageRegistryIdentity", f"The identity {where} not found in container group identity list.")
    if credential.get("username") and not (credential.get("password") or credential.get("passwordReference")):
        raise _bad("InvalidImageRegistryPassword", f"The password {where} cannot be empty.")


def _check_address(group: str, properties: dict[str, Json]) -> None:
    if properties.get("ipAddress", {}).get("type") == "Private" and not properties.get("subnetIds"):
        message = (
            f"IP Address type in container group '{group}' is invalid. Private IP address is only supported when"
            " network profile is defined."
        )
        raise _bad("PrivateIPAddressNotSupported", message)


def _fixed(properties: dict[str, Json]) -> dict[str, Json]:
    asked = [container["properties"]["resources"]["requests"] for container in properties["containers"]]
    return {
        "os": properties["osType"],
        "subnets": sorted(subnet["id"].lower() for subnet in properties.get("subnetIds", [])),
        "cpu": sum(float(request["cpu"]) for request in asked),
        "memory": sum(float(request["memoryInGB"]) for request in asked),
        "gpu": [request["gpu"] for request in asked if "gpu" in request],
        "sku": properties.get("sku") or "Standard",
        "priority": properties.get("priority") or "Regular",
        "workspace": properties.get("diagnostics", {}).get("logAnalytics", {}).get("workspaceId"),
    }


def _missing(name: str, path: str) -> ServiceError:
    return unreadable(f"Required property '{name}' not found in JSON. Path '{path}', line 1, position 1.")


def _bad(code: str, message: str) -> ServiceError:
    return ServiceError(400, code, message)
