"""Tests of the changes that Azure refuses in a PUT over an existing group."""

from typing import Any

import pytest

from rotator.container_group.constraints import conflicts

Resources = dict[str, Any]
SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/a"
GPU = {"sku": "V100", "count": 1}


def group(*asked: Resources, state: str = "Running", **properties: Any) -> dict[str, Any]:
    """Return a group whose containers request the given resources, with an init container beside."""
    return {
        "location": properties.pop("location", "West Europe"),
        "properties": {
            "osType": "Linux",
            "containers": [
                {"name": f"c{at}", "properties": {"image": "r/a:1", "resources": {"requests": each}}}
                for at, each in enumerate(asked)
            ],
            "initContainers": [{"name": "before", "properties": {"image": "r/a:1"}}],
            "instanceView": {"state": state, "events": []},
            "provisioningState": "Succeeded",
            **properties,
        },
    }


SMALL = {"cpu": 1, "memoryInGB": 1.5}
HALF = {"cpu": 0.5, "memoryInGB": 0.75}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a region is one in any letters": (group(SMALL), group(SMALL, location="westeurope"), []),
    "another region": (
        group(SMALL),
        group(SMALL, location="northeurope"),
        ['location: "westeurope" -> "northeurope"'],
    ),
    "another operating system": (
        group(SMALL),
        group(SMALL, osType="Windows"),
        ['properties.osType: "Linux" -> "Windows"'],
    ),
    "without a restart policy it is Always": (group(SMALL), group(SMALL, restartPolicy="Always"), []),
    "a subnet is one in any letters": (
        group(SMALL, subnetIds=[{"id": SUBNET}]),
        group(SMALL, subnetIds=[{"id": f"{SUBNET.upper()}/"}]),
        [],
    ),
    "out of its subnet": (
        group(SMALL, subnetIds=[{"id": "/Subnets/A"}]),
        group(SMALL),
        ['properties.subnetIds: ["/subnets/a"] -> nothing'],
    ),
    "more of both": (
        group(SMALL),
        group({"cpu": 2, "memoryInGB": 2}),
        ["cpu, all containers: 1 -> 2", "memoryInGB, all containers: 1.5 -> 2"],
    ),
    "the same, by two containers": (group(SMALL), group(HALF, HALF), []),
    "an amount that isn't said": (
        group(SMALL, {"memoryInGB": 1.5}),
        group(SMALL, HALF),
        ["cpu, all containers: nothing -> 1.5", "memoryInGB, all containers: 3.0 -> 2.25"],
    ),
    "another accelerator": (
        group({**SMALL, "gpu": GPU}, SMALL),
        group({**SMALL, "gpu": {**GPU, "count": 2}}, SMALL),
        ['gpu: [["V100", 1]] -> [["V100", 2]]'],
    ),
    "after its end only the region counts": (
        group(SMALL, state="Stopped"),
        group({"cpu": 4, "memoryInGB": 8}, osType="Windows", location="northeurope"),
        ['location: "westeurope" -> "northeurope"'],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_azure_would_refuse_is_found(name: str) -> None:
    before, after, expected = CASES[name]
    assert list(map(str, conflicts(before, after))) == expected
