"""Tests of the requests of ``az tag``: tags of any scope, and the names of tags in a subscription."""

import pytest
from containers import ID, SUBSCRIPTION, World

ARM = "https://management.azure.com"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/myvault"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/mycontainerregistry"


@pytest.fixture
def world() -> World:
    return World()


def at(scope: str) -> str:
    return f"{ARM}{scope}/providers/Microsoft.Resources/tags/default?api-version=2021-04-01"


def given(tags: dict[str, object], operation: str | None = None) -> dict[str, object]:
    return {"properties": {"tags": tags}} | ({"operation": operation} if operation else {})


@pytest.mark.parametrize("scope", [f"/subscriptions/{SUBSCRIPTION}", GROUP, VAULT, REGISTRY, ID])
def test_tags_of_any_scope_are_set_merged_replaced_and_deleted(world: World, scope: str) -> None:
    world.deploy()
    made = world.arm("PUT", at(scope), given({"a": "1", "n": 2}))
    assert made.status == 200
    assert made.body == {
        "id": f"{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": {"a": "1", "n": "2"}},
    }
    merged = world.arm("PATCH", at(scope), given({"A": "3", "b": "4"}, "Merge")).body["properties"]["tags"]
    assert merged == {"n": "2", "A": "3", "b": "4"}
    deleted = world.arm("PATCH", at(scope), given({"n": "2", "b": "other"}, "Delete")).body["properties"]["tags"]
    assert deleted == {"A": "3", "b": "4"}
    assert world.arm("PATCH", at(scope), given({"c": "5"}, "Replace")).body["properties"]["tags"] == {"c": "5"}
    assert world.arm("GET", at(scope)).body["properties"]["tags"] == {"c": "5"}
    version = "2021-04-01" if scope.count("/") < 5 else "2023-05-01"
    assert world.arm("GET", f"{ARM}{scope}?api-version={version}").body["tags"] == {"c": "5"}
    assert world.arm("DELETE", at(scope)).status == 200
    assert world.arm("GET", at(scope)).body["properties"]["tags"] == {}


def test_a_subscription_shows_its_tags_once_it_was_tagged(world: World) -> None:
    whole = f"{ARM}/subscriptions/{SUBSCRIPTION}?api-version=2021-04-01"
    assert "tags" not in world.arm("GET", whole).body
    world.arm("PUT", at(f"/subscriptions/{SUBSCRIPTION}"), given({"a": "1"}))
    assert world.arm("GET", whole).body["tags"] == {"a": "1"}
    world.arm("PATCH", at(f"/subscriptions/{SUBSCRIPTION}"), given({"a": "1"}, "Delete"))
    assert world.arm("GET", whole).body["tags"] == {}


def test_tags_of_nothing_and_patches_of_another_kind_are_refused(world: World) -> None:
    assert (answer := world.arm("PUT", at(f"{VAULT}x"), given({}))).status == 404 and answer.code == "ResourceNotFound"
    assert world.arm("PATCH", at(VAULT), given({}, "Add")).status == 400
    assert world.arm("PUT", at(VAULT), given({f"t{n}": "" for n in range(51)})).status == 400


def test_names_of_tags_are_made_listed_with_their_uses_and_deleted(world: World) -> None:
    names = f"{ARM}/subscriptions/{SUBSCRIPTION}/tagNames"
    version = "?api-version=2021-04-01"
    assert [world.arm("PUT", f"{names}/env{version}").status for _ in range(2)] == [201, 200]
    made = world.arm("PUT", f"{names}/env/tagValues/dev{version}")
    assert (made.status, made.body["tagValue"]) == (201, "dev")
    world.arm("PUT", at(VAULT), given({"env": "dev"}))
    (listed,) = [each for each in world.arm("GET", f"{names}{version}").body["value"] if each["tagName"] == "env"]
    assert listed["count"] == {"type": "Total", "value": 1}
    assert [(each["tagValue"], each["count"]["value"]) for each in listed["values"]] == [("dev", 1)]
    assert world.arm("DELETE", f"{names}/env{version}").status == 409
    assert world.arm("DELETE", f"{names}/env/tagValues/dev{version}").status == 200
    assert [world.arm("DELETE", f"{names}/env{version}").status for _ in range(2)] == [200, 204]


def test_a_list_by_tag_says_neither_tags_nor_what_was_asked_for_beside(world: World) -> None:
    world.arm("PATCH", REGISTRY, {"tags": {"env": "one"}})
    path = f"{ARM}/subscriptions/{SUBSCRIPTION}/resources?api-version=2022-09-01&$expand=createdTime&$filter="
    [found] = world.arm("GET", path + "tagName eq 'env' and tagValue eq 'one'").body["value"]
    assert list(found) == ["id", "name", "type", "sku", "location"]
    [found] = world.arm("GET", path + "name eq 'mycontainerregistry'").body["value"]
    assert {"tags", "createdTime", "systemData"} <= set(found)
