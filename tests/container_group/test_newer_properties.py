"""Tests of values that only a newer API version shows, by place and value: the losses, and the values that Azure added
to all groups.
"""

from typing import Any

import pytest

from rotator.arm_json import plain
from rotator.container_group import newer_values
from rotator.resource_id import ResourceId
from rotator.state import NewerGroups, NewerValue

ID = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/"
ONE, TWO = ResourceId.parse(f"{ID}one"), ResourceId.parse(f"{ID}two")


def group(**properties: Any) -> dict[str, Any]:
    """Return a group as a list shows it."""
    container = {"name": "app", "properties": {"image": "i", "resources": {"requests": {"cpu": 1}}}}
    return {
        "id": ONE,
        "location": "eastus",
        "tags": {},
        "properties": {"osType": "Linux", "containers": [container], **properties},
    }


def found(newer: dict[str, Any], two: dict[str, Any] | None = None) -> tuple[NewerValue, ...]:
    """Return the newer values of the group `ONE`."""
    return newer_values({ONE: group()}, [NewerGroups({ONE: newer, **({TWO: two} if two else {})})])


@pytest.mark.parametrize(
    ("properties", "paths"),
    [
        ({"nested": {"a": {"b": 1}, "c": "x"}}, ["properties.nested.a.b", "properties.nested.c"]),
        ({"flag": True}, ["properties.flag"]),
        ({"list": [1, 2]}, ["properties.list"]),
        ({"mixed": [{"v": 1}, 2]}, ["properties.mixed"]),
        ({"nameless": [{"v": 1}]}, ["properties.nameless[0].v"]),
        ({"objects": [{"name": "n", "v": 1}]}, ["properties.objects[n].name", "properties.objects[n].v"]),
        ({"flag": False, "empty": {}, "none": None, "no": "", "list": [], "deep": {"er": {}}}, []),
        ({"provisioningState": "Succeeded", "instanceView": {"state": "Running"}}, []),
        ({"OSTYPE": "Linux"}, []),
    ],
)
def test_a_value_in_a_place_that_ours_lacks_is_found_where_it_isnt_empty(
    properties: dict[str, Any], paths: list[str]
) -> None:
    assert [each.path for each in found(group(**properties))] == paths


def test_a_place_inside_a_container_is_found_by_the_containers_name() -> None:
    newer = plain(group())
    newer["properties"]["containers"].insert(0, {"name": "other", "properties": {}})
    newer["properties"]["containers"][1]["properties"]["seccomp"] = "strict"
    assert "properties.containers[app].properties.seccomp" in [each.path for each in found(newer)]


def test_what_every_group_has_was_added_by_azure_and_what_one_has_was_set_by_somebody() -> None:
    added, own = {"zoneMode": "Auto"}, {"priorityClass": "gold"}
    (alone,) = found(group(**added))
    assert not alone.common, "one group can't tell"
    shown = found(group(**added, **own), two=group(**added))
    assert {(each.path, each.common) for each in shown} == {
        ("properties.zoneMode", True),
        ("properties.priorityClass", False),
    }
    (other,) = found(group(**added), two=group(zoneMode="None"))
    assert not other.common


def test_a_group_that_no_list_shows_has_nothing_to_compare() -> None:
    assert newer_values({ONE: group()}, []) == newer_values({ONE: group()}, [NewerGroups({})]) == ()


def test_a_group_of_another_subscription_tells_as_much_as_one_of_the_same() -> None:
    added, own = {"zoneMode": "Auto"}, {"priorityClass": "gold"}
    lists = [NewerGroups({ONE: group(**added, **own)}), NewerGroups({TWO: group(**added)}), NewerGroups({})]
    assert {each.path: each.common for each in newer_values({ONE: group()}, lists)} == {
        "properties.zoneMode": True,
        "properties.priorityClass": False,
    }
    lists[1] = NewerGroups({TWO: group(zoneMode="None")})
    assert {each.common for each in newer_values({ONE: group()}, lists)} == {False}


def test_a_list_is_gone_through_once_whatever_number_of_policies_share_it() -> None:
    class Counted(dict[str, Any]):
        read = 0

        def items(self) -> Any:
            Counted.read += 1
            return super().items()

    other = Counted(group(zoneMode="Auto"))
    newer = [NewerGroups({ONE: group(zoneMode="Auto"), TWO: other})]
    for _ in range(50):
        (value,) = newer_values({ONE: group()}, newer)
        assert value.common
    assert Counted.read <= 2
