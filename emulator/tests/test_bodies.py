"""Tests of bodies as people really send them: tags of any type, names at the wrong level, identities without ids, bad
JSON, commands.
"""

from typing import Any

import pytest
from containers import ARM, BRISK, GROUP, ID, SUBSCRIPTION, World

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/second1"
WRITTEN: dict[str, dict[str, Any]] = {
    ID: {},
    REGISTRY: {"location": "eastus", "sku": {"name": "Basic"}},
    IDENTITY: {"location": "eastus"},
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/second1": {
        "location": "eastus",
        "properties": {"sku": {"family": "A", "name": "standard"}, "accessPolicies": []},
    },
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other": {"location": "eastus"},
}


@pytest.fixture
def world() -> World:
    return World()


def body(world: World, path: str) -> dict[str, Any]:
    return world.body() if path == ID else dict(WRITTEN[path])


@pytest.mark.parametrize("path", WRITTEN)
def test_tags_of_any_type_become_texts_and_lists_with_a_filter_go_on(world: World, path: str) -> None:
    tags = {"release": 1.1, "build": 20240117, "prod": True, "commit": float("inf"), "none": None}
    made = world.arm("PUT", path, {**body(world, path), "tags": tags})
    assert made.body["tags"] == {
        "release": "1.1",
        "build": "20240117",
        "prod": "true",
        "commit": "Infinity",
        "none": "",
    }
    where = f"{ARM}/subscriptions/{SUBSCRIPTION}/resources?api-version=2024-11-01"
    assert world.arm("GET", f"{where}&$filter=tagName eq 'build' and tagValue eq '20240117'").status == 200
    if path != REGISTRY:
        assert world.arm("PATCH", path, {"tags": {"n": 1}}).body["tags"] == {"n": "1"}


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (["a=b"], "Cannot deserialize the current JSON array"),
        ({"a": {"b": "c"}}, "Error reading string. Unexpected token: StartObject. Path 'tags.a'"),
        ("text", 'Error converting value "text" to type'),
    ],
)
@pytest.mark.parametrize("path", WRITTEN)
def test_tags_that_are_no_texts_are_refused(world: World, path: str, tags: object, words: str) -> None:
    refused = world.arm("PUT", path, {**body(world, path), "tags": tags})
    assert (refused.status, refused.code) == (400, "InvalidRequestContent")
    assert words in refused.body["error"]["message"]
    assert refused.headers["x-ms-failure-cause"] == "gateway"


def test_a_tags_name_has_no_marks_of_an_address(world: World) -> None:
    refused = world.arm("PUT", ID, {**world.body(), "tags": {"a/b": "1"}})
    assert (refused.status, refused.code) == (400, "InvalidTagNameCharacters")


def test_names_at_the_top_that_azure_does_not_know_are_dropped(world: World) -> None:
    wrong = {
        "imageRegistryCredentials": [{"password": "secret"}],
        "apiVersion": "2018-10-01",
        "additional_properties": {},
    }
    made = world.arm("PUT", ID, {**world.body(), **wrong, "zones": ["1"]})
    assert set(made.body) == {"properties", "id", "name", "type", "location", "tags", "zones"}
    assert not set(wrong) & set(world.azure.container_groups.stored(ID))


@pytest.mark.parametrize("kind", ["UserAssigned", "SystemAssigned, UserAssigned"])
@pytest.mark.parametrize("named", [None, {}])
@pytest.mark.parametrize("path", [ID, REGISTRY])
def test_an_identity_type_without_identities_is_refused(
    world: World, path: str, named: dict[str, Any] | None, kind: str
) -> None:
    identity = {"type": kind, "userAssignedIdentities": named}
    refused = world.arm("PUT", path, {**body(world, path), "identity": identity})
    words = f"The identity ids must not be null or empty for '{kind}' identity type."
    assert (refused.status, refused.body) == (400, {"error": {"code": "MissingIdentityIds", "message": words}})


def test_identities_of_a_type_that_has_none_are_refused(world: World) -> None:
    identity = {"type": "SystemAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    assert world.arm("PUT", ID, {**world.body(), "identity": identity}).code == "FailedIdentityOperation"


@pytest.mark.parametrize(
    ("command", "state", "code", "log"),
    [
        (["/bin/sh", "-c", "echo hello; sleep 5; exit 3"], "Failed", 3, "hello\n"),
        (["/bin/sh -c 'exit 2'"], "Failed", 2, ""),
        (["echo", "hello", "world"], "Succeeded", 0, "hello world\n"),
        (["sh", "-c", "true && false"], "Failed", 1, ""),
        (["/bin/sh", "-c", "while true; do sleep 20; done"], "Running", None, ""),
        (["/bin/sh", "-c", "while true; do echo hello; sleep 1200; done"], "Running", None, "hello\n" * 3),
        (["/bin/sh", "-c", "echo hello; sleep 15; done"], "Failed", 2, '/bin/sh: syntax error: unexpected "done"\n'),
        (["tail", "-f", "/dev/null"], "Running", None, ""),
        (["python", "train.py"], "Succeeded", 0, ""),
    ],
)
def test_a_container_ends_as_its_command_says(command: list[str], state: str, code: int | None, log: str) -> None:
    world = World(BRISK)
    made = world.body("alpine:latest", restartPolicy="Never")
    made["properties"]["containers"][0]["properties"]["command"] = command
    assert world.arm("PUT", ID, made).status == 201
    world.wait(hours=1)
    now = world.view()["currentState"]
    assert (world.properties()["instanceView"]["state"], now.get("exitCode")) == (state, code)
    assert ("finishTime" in now) is (state != "Running")
    assert world.arm("GET", f"{ID}/containers/app/logs").body == {"content": log}
