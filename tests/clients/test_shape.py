"""Tests of container groups with a wrong type in some place: such a group is unreadable, not a group without a value
there.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.clients.shape import flaw
from rotator.clients.typed import labels
from rotator.cloud import PUBLIC
from rotator.container_group import shows
from rotator.engine import adopt, revoke
from rotator.engine.discover import see
from tests.stage import Stage, stage

WRONG: tuple[Any, ...] = (5, "x", [], {}, [5], True)


def full() -> dict[str, Any]:
    """Return a group with a value in each place that decides about credentials."""
    variables = [{"name": "A", "value": "b"}]
    container = {"name": "app", "properties": {"image": "nginx", "environmentVariables": variables}}
    entry = {"server": "r.azurecr.io", "username": "u", "identity": "i", "passwordReference": "p"}
    properties = {
        "provisioningState": "Succeeded",
        "containers": [container],
        "initContainers": [container],
        "imageRegistryCredentials": [entry],
        "secretReferences": [{"name": "p", "secretReferenceUri": "https://v.vault.azure.net/secrets/s"}],
        "restartPolicy": "Always",
        "volumes": [{"name": "v", "azureFile": {}, "secret": {}}],
        "extensions": [{"name": "e"}],
        "diagnostics": {"logAnalytics": {}},
        "instanceView": {},
    }
    return {"tags": {"a": "b"}, "properties": properties}


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every place below a node."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, each in inside:
        yield (*path, name)
        yield from places(each, (*path, name))


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        node = node[name]
    return node


def with_(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    document = full()
    at(document, path[:-1])[path[-1]] = value
    return document


SCALARS = ("a", "value")
"""Last names of the paths to a tag and to the value of a variable, which may be numbers."""


@pytest.mark.parametrize("path", list(places(full())), ids=lambda path: ".".join(map(str, path)))
def test_another_type_in_a_place_makes_a_group_unreadable(path: tuple[Any, ...]) -> None:
    right = at(full(), path)
    for wrong in WRONG:
        fits = isinstance(wrong, type(right)) and wrong != [5]
        if not fits and not (path[-1] in SCALARS and isinstance(wrong, int)):
            assert flaw(with_(path, wrong)), wrong


def test_what_is_missing_or_null_or_spelled_otherwise_can_be_read() -> None:
    assert not flaw(full())
    assert not flaw({"properties": {"containers": [{"name": "app", "properties": {"image": "nginx"}}]}})
    assert not flaw(
        {"Properties": {"Containers": [{"Name": "app", "properties": {}}], "initContainers": None}, "tags": None}
    )
    assert not flaw({**full(), "tags": {"cost": 5, "share": 0.5, "keep": True, "gone": None}})


def test_what_every_group_has_and_what_is_there_twice_can_not() -> None:
    bare: tuple[dict[str, Any], ...] = (
        {},
        {"properties": {}},
        {"properties": None},
        {"properties": {"containers": None}},
        {"properties": {"containers": [{"name": "app"}]}},
    )
    for odd in bare:
        assert flaw(odd)
    twice = full()
    twice["properties"]["ImageRegistryCredentials"] = []
    assert "2 times" in flaw(twice)


async def _moved(loop: VirtualLoop, *, stranger: bool) -> Stage:
    """Return a world a day after every declared group has moved; a `stranger` still holds the credential to retire."""
    made = stage(loop)
    if stranger:
        made.put("another")
        made.pass_(hours=1)
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate()
    made.pass_(hours=25)
    made.events.clear()
    return made


ODD = (
    "properties.imageRegistryCredentials={}",
    'properties.imageRegistryCredentials=["x"]',
    "properties.containers=null",
    "tags=[5]",
)


@pytest.mark.parametrize("odd", ODD)
async def test_a_group_that_the_policy_declares_blocks_a_removal_while_it_is_odd(loop: VirtualLoop, odd: str) -> None:
    made = await _moved(loop, stranger=False)
    made.azure.faults.add(Fault("aci.containerGroups.get", "changed", argument=odd, times=0))
    made.azure.faults.add(Fault("aci.containerGroups.list", "changed", argument=f"value.0.{odd}", times=0))
    assert (await made.rotate()).exit_code == 0, made.told()
    assert made.by_hand in made.credentials()
    assert "app can't be read" in made.told() or "app may hold it" in made.told()
    made.azure.faults.clear()
    await made.rotate()
    assert made.by_hand not in made.credentials()


@pytest.mark.parametrize("odd", ODD)
async def test_a_group_that_the_policy_does_not_declare_blocks_a_removal_while_it_is_odd(
    loop: VirtualLoop, odd: str
) -> None:
    made = await _moved(loop, stranger=True)
    listed = sorted(("another", "app", "bystander", "second")).index("another")
    made.azure.faults.add(Fault("aci.containerGroups.get", "changed", argument=odd, times=0))
    made.azure.faults.add(Fault("aci.containerGroups.list", "changed", argument=f"value.{listed}.{odd}", times=0))
    await made.rotate()
    assert made.by_hand in made.credentials()
    assert "another may hold it" in made.told()


def test_a_tag_that_is_a_number_is_read_as_text_and_null_as_no_tag() -> None:
    shown = shows({"tags": {"rotator-key-id": 5, "rotator-previous": None, "rotator-since": True}})
    assert (shown.key_id, shown.previous, shown.since) == ("5", None, None)
    assert labels({"a": 5, "b": True, "c": None, "d": "e"}) == {"a": "5", "b": "true", "d": "e"}
    assert labels(None) == {}


async def test_odd_tags_of_others_keep_no_group_from_its_rotation(loop: VirtualLoop) -> None:
    made = await _moved(loop, stranger=False)
    for operation, where in (("aci.containerGroups.get", ""), ("aci.containerGroups.list", "value.0.")):
        made.azure.faults.add(Fault(operation, "changed", argument=f"{where}tags.owner=5", times=0))
    await made.rotate()
    assert made.by_hand not in made.credentials(), made.told()


async def test_discover_says_which_group_it_can_not_read(loop: VirtualLoop) -> None:
    made = stage(loop)
    made.azure.faults.add(Fault("aci.containerGroups.list", "changed", argument="value.0.properties.containers=5"))
    seen = await made.with_world(lambda run: see(run.world, PUBLIC, [made.policy], [], registries=False))
    assert "app" in str(seen.listed[0].unread) and "properties.containers isn't a list" in str(seen.listed[0].unread)


@pytest.mark.parametrize(
    "odd", ["x", "/subscriptions/s/resourceGroups/g", "/providers/Microsoft.Authorization/roleAssignments/a?b"]
)
async def test_what_calls_itself_a_role_assignment_and_has_another_id_is_not_deleted(
    loop: VirtualLoop, odd: str
) -> None:
    made = stage(loop)
    made.azure.faults.add(Fault("rbac.roleAssignments.list", "changed", argument=f'value.0.id="{odd}"', times=0))
    assert (await made.with_world(revoke)).exit_code == 1
    assert not [call for call in made.app.served if call.operation == "rbac.roleAssignments.delete"]
