"""Find changes refused by Azure in a PUT over an existing container group, before the PUT is sent.

Source: "Update containers in Azure Container Instances" (azure-facts A5): operating system, CPU, memory, GPU, restart
policy and subnet; and the rule of Resource Manager: a resource keeps its region. A group that has ended or was stopped
is deployed as new.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rotator.arm_json import Value, containers, get, objects, text
from rotator.container_group.differences import Change
from rotator.container_group.evidence import Phase, activity


def conflicts(document: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes for which Azure would refuse a PUT of `body` over the group shown by a GET.

    Where the group would be deployed as new, only the region counts.
    """
    ended = activity(document) in (Phase.FINISHED, Phase.STOPPED)
    before, after = (dict(_fixed(one, ended=ended)) for one in (document, body))
    return tuple(
        Change(name, _shown(before[name]), _shown(after[name]))
        for name in before
        if _same(before[name]) != _same(after[name])
    )


def _shown(value: Value) -> str | None:
    return None if value in (None, "", []) else json.dumps(value)


def _same(value: Value) -> Value:
    """Return a value in a form for comparison as by Azure: words in lower case, without spaces."""
    return value.replace(" ", "").lower() if isinstance(value, str) else value


def _fixed(document: Mapping[str, Any], *, ended: bool) -> Iterator[tuple[str, Value]]:
    yield "location", text(document, "location")
    if ended:
        return
    yield "properties.osType", text(document, "properties", "osType")
    yield "properties.restartPolicy", text(document, "properties", "restartPolicy") or "Always"
    yield (
        "properties.subnetIds",
        sorted(text(subnet, "id").lower() for subnet in objects(document, "properties", "subnetIds")),
    )
    asked = [
        get(container, "properties", "resources", "requests")
        for kind, container in containers(document)
        if kind == "containers"
    ]
    yield "cpu, all containers", _total(asked, "cpu")
    yield "memoryInGB, all containers", _total(asked, "memoryInGB")
    yield "gpu", [[get(one, "gpu", "sku"), get(one, "gpu", "count")] for one in asked if get(one, "gpu")]


def _total(asked: list[Value], name: str) -> float:
    amounts = (get(one, name) for one in asked)
    return round(sum(float(amount) for amount in amounts if isinstance(amount, (int, float))), 3)
