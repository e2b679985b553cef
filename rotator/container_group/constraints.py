"""Find changes refused by Azure in a PUT over an existing container group, before the PUT is sent.

Source: "Update containers in Azure Container Instances" (azure-facts A5): operating system, CPU, memory, GPU, restart
policy, subnet and zone; and the rule of Resource Manager: a resource keeps its region. A group that has ended or was
stopped is deployed as new.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rotator.arm_json import Value, containers, get, objects, text
from rotator.container_group.differences import Change
from rotator.container_group.evidence import Phase, activity
from rotator.container_group.spelling import spelled


def conflicts(document: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes for which Azure would refuse a PUT of `body` over the group shown by a GET.

    Where the group would be deployed as new, only the region counts. A property that `body` leaves out and Azure
    requires is no change.
    """
    ended = activity(document) in (Phase.FINISHED, Phase.STOPPED)
    before, after = (dict(_fixed(spelled(one), ended=ended)) for one in (document, body))
    return tuple(
        Change(name, _shown(before[name]), _shown(after[name]))
        for name in before
        if after[name] is not None and before[name] != after[name]
    )


def _shown(value: Value) -> str | None:
    return None if value in (None, "", []) else json.dumps(value)


def _fixed(document: Mapping[str, Any], *, ended: bool) -> Iterator[tuple[str, Value]]:
    """Yield the fixed properties in a form for comparison as by Azure; None where one is required and absent."""
    yield "location", text(document, "location").replace(" ", "").lower()
    if ended:
        return
    yield "zones", sorted(zones) if isinstance(zones := get(document, "zones"), list) and zones else None
    yield "properties.osType", text(document, "properties", "osType") or None
    yield "properties.restartPolicy", text(document, "properties", "restartPolicy") or "Always"
    subnets = objects(document, "properties", "subnetIds")
    yield "properties.subnetIds", sorted(text(subnet, "id").rstrip("/").lower() for subnet in subnets)
    asked = [
        get(container, "properties", "resources", "requests")
        for kind, container in containers(document)
        if kind == "containers"
    ]
    yield "cpu, all containers", _total(asked, "cpu")
    yield "memoryInGB, all containers", _total(asked, "memoryInGB")
    yield "gpu", [[get(one, "gpu", "sku"), get(one, "gpu", "count")] for one in asked if get(one, "gpu")]


def _total(asked: list[Value], name: str) -> float | None:
    """Return the sum over all containers; None if one of them has no readable amount."""
    amounts = [get(one, name) for one in asked]
    return round(sum(amounts), 3) if all(isinstance(amount, (int, float)) for amount in amounts) else None
