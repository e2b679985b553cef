"""Bounds of a container group: counts, values to be unique, and required values (azure-facts A10 and A11).

The words of MissingIpAddressPorts, DuplicateVolumes, ResourceLimitsLessThanRequests,
InvalidIpAddressTypeForNetworkProfile, InvalidEnvironmentVariable and of both refusals of a DNS label are those users
reported, as are the words (not the code) of IpAddressPortsNotUsed. For the others only the rule is documented; code and
words are made after the known ones. The ports that the FAQ asks to avoid (22, 3389 …) are accepted, as in Azure.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

from local_azure.aci.paths import Properties, at
from local_azure.wire import Json, ServiceError

CONTAINERS, VOLUMES, PORTS = 60, 20, 5
"""The fixed quotas of a group: init containers count as containers, ports are an address'."""
_T = TypeVar("_T", bound=Hashable)
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_VOLUME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_VALUES = ("value", "secureValue", "secureValueReference")
_SOURCES = ("emptyDir", "secret", "secretReference", "azureFile", "gitRepo")


def check(group: str, properties: Properties) -> None:
    """Refuse a canonical body beyond a bound. Raises ServiceError 400."""
    _check_counts(group, properties)
    _check_amounts(group, properties)
    _check_variables(group, properties)
    _check_volumes(group, properties)
    _check_mounts(group, properties)
    _check_probes(group, properties)
    _check_address(group, properties)


def refused(code: str, message: str) -> ServiceError:
    """400 with one of the resource provider's codes."""
    return ServiceError(400, code, message)


def label_taken(group: str, label: str) -> ServiceError:
    """Return the refusal of a DNS label used by another group of the region."""
    return refused(
        "DnsNameLabelNotAvailable",
        f"The DNS name label '{label}' in container group '{group}' not available. Try using a different label.",
    )


def _check_counts(group: str, properties: Properties) -> None:
    both = [*properties["containers"], *properties.get("initContainers", [])]
    volumes = properties.get("volumes", [])
    for what, items, limit in (("containers", both, CONTAINERS), ("volumes", volumes, VOLUMES)):
        if len(items) > limit:
            message = f"The number of {what} '{len(items)}' in container group '{group}' exceeds the limit '{limit}'."
            raise refused(f"{what.capitalize()}LimitExceeded", message)
    for what, items in (
        ("containers", both),
        ("volumes", volumes),
        ("secret references", properties.get("secretReferences", [])),
    ):
        if twice := _twice(item["name"] for item in items):
            raise refused(f"Duplicate{what.title().replace(' ', '')}", f"Duplicate {what} '{twice}' are found.")


def _check_amounts(group: str, properties: Properties) -> None:
    for container in properties["containers"]:
        resources = container["properties"]["resources"]
        requests, limits = resources["requests"], resources.get("limits", {})
        for name, word in (("cpu", "Cpu"), ("memoryInGB", "MemoryInGB")):
            where = f"in container '{container['name']}' of contain group '{group}' is invalid."
            if requests[name] < 0:
                raise refused(
                    "InvalidResourceRequests",
                    f"The '{word}' request '{requests[name]:g}' {where} It must be greater than 0.",
                )
            if name in limits and limits[name] < requests[name]:
                why = f"The '{word}' limit value must be greater than or equal to the request value."
                raise refused(
                    "ResourceLimitsLessThanRequests", f"The resource requirement '{_compact(resources)}' {where} {why}"
                )


def _check_variables(group: str, properties: Properties) -> None:
    """Refuse a variable without a value, or with two: a GET shows a secure one as a bare name (azure-facts A9)."""
    for container in (*properties["containers"], *properties.get("initContainers", [])):
        for variable in container["properties"].get("environmentVariables", []):
            if sum(name in variable for name in _VALUES) != 1:
                message = (
                    f"The environment variable '{variable['name']}' in container '{container['name']}' of container"
                    f" group '{group}' is invalid. One and only one property of 'value' and 'secureValue' can be"
                    " specified in an environment variable."
                )
                raise refused("InvalidEnvironmentVariable", message)


def _check_volumes(group: str, properties: Properties) -> None:
    for volume in properties.get("volumes", []):
        where = f"volume '{volume['name']}' in container group '{group}'"
        if not _VOLUME.fullmatch(volume["name"]) or len(volume["name"]) > 63:
            raise refused(
                "InvalidVolumeName", f"The name of {where} is invalid. It must match the regex '{_VOLUME.pattern}'."
            )
        if sum(source in volume for source in _SOURCES) != 1:
            raise refused("InvalidVolumeType", f"The {where} must have exactly one of {', '.join(_SOURCES)}.")
        files = volume.get("azureFile", {})
        if files and not (files.get("storageAccountKey") or files.get("storageAccountKeyReference")):
            raise refused(
                "InvalidAzureFileVolume", f"The storage account key of the azureFile {where} cannot be empty."
            )
        if "secret" in volume and not all(_is_base64(value) for value in volume["secret"].values()):
            raise refused("InvalidSecretVolume", f"The values of the secret {where} must be base64 encoded.")
        if str(volume.get("gitRepo", {}).get("directory", "")).startswith(".."):
            raise refused(
                "InvalidGitRepoDirectory", f"The directory of the gitRepo {where} must not contain or start with '..'."
            )


def _check_mounts(group: str, properties: Properties) -> None:
    known = {volume["name"] for volume in properties.get("volumes", [])}
    for container in (*properties["containers"], *properties.get("initContainers", [])):
        mounts, where = (
            container["properties"].get("volumeMounts", []),
            f"container '{container['name']}' of container group '{group}'",
        )
        for mount in mounts:
            if mount["name"] not in known:
                raise refused(
                    "VolumeMountNotFound", f"The volume '{mount['name']}' that is mounted in {where} is not defined."
                )
            if ":" in mount["mountPath"]:
                raise refused(
                    "InvalidVolumeMountPath",
                    f"The mount path '{mount['mountPath']}' in {where} must not contain a colon.",
                )
        if twice := _twice(mount["mountPath"] for mount in mounts):
            raise refused("DuplicateVolumeMounts", f"Duplicate mount paths '{twice}' are found in {where}.")


def _check_probes(group: str, properties: Properties) -> None:
    for container in properties["containers"]:
        for kind in ("livenessProbe", "readinessProbe"):
            probe = container["properties"].get(kind)
            if probe is not None and ("exec" in probe) == ("httpGet" in probe):
                message = (
                    f"The {kind} of container '{container['name']}' in container group '{group}' must have exactly one"
                    " of exec or httpGet."
                )
                raise refused("InvalidContainerProbe", message)


def _check_address(group: str, properties: Properties) -> None:
    _check_ports("containers", group, [port for _, port in at(properties, "containers.properties.ports")])
    address = properties.get("ipAddress")
    if address is None:
        return
    if not address["ports"]:
        raise refused(
            "MissingIpAddressPorts", f"The ports in the 'ipAddress' of container group '{group}' cannot be empty."
        )
    if len(address["ports"]) > PORTS:
        message = (
            f"The number of ports '{len(address['ports'])}' in the 'ipAddress' of container group '{group}' exceeds the"
            f" limit '{PORTS}'."
        )
        raise refused("IpAddressPortsLimitExceeded", message)
    _check_ports("'ipAddress'", group, address["ports"])
    open_ = {port["port"] for _, port in at(properties, "containers.properties.ports")}
    if unused := [str(port["port"]) for port in address["ports"] if port["port"] not in open_]:
        message = (
            f"Following ports '{','.join(unused)}' in the 'ipAddress' are not used by any container in container group"
            f" '{group}'."
        )
        raise refused("IpAddressPortsNotUsed", message)
    if properties.get("subnetIds") and address["type"] == "Public":
        raise refused(
            "InvalidIpAddressTypeForNetworkProfile", "IP Address type can't be public when the network profile is set."
        )
    _check_label(group, address.get("dnsNameLabel"))


def _check_ports(where: str, group: str, ports: list[Json]) -> None:
    for port in ports:
        number = port["port"]
        if not 1 <= number <= 65535:
            message = (
                f"The port '{number}' in the {where} of container group '{group}' is invalid. It must be between 1 and"
                " 65535."
            )
            raise refused("InvalidPort", message)
    if twice := _twice((port["port"], port.get("protocol", "TCP")) for port in ports):
        raise refused(
            "DuplicatePorts", f"Duplicate ports '{twice[0]}' are found in the {where} of container group '{group}'."
        )


def _check_label(group: str, label: str | None) -> None:
    if label is not None and not (_LABEL.fullmatch(label.lower()) and 5 <= len(label) <= 63):
        message = (
            f"The DNS name label '{label}' in container group '{group}' is invalid. It can contain only lowercase"
            " letters, numbers and hyphens. The first character must be a letter. The last character must be a letter"
            " or number. The value must be between 5 and 63 characters long."
        )
        raise refused("InvalidDnsNameLabel", message)


def _twice(items: Iterable[_T]) -> _T | None:
    return next((item for item, count in Counter(items).items() if count > 1), None)


def _is_base64(value: Json) -> bool:
    try:
        base64.b64decode(str(value), validate=True)
    except binascii.Error:
        return False
    return True


def _compact(value: Json) -> str:
    return str(value).replace("'", '"').replace(": ", ":").replace(", ", ",")
