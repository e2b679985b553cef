"""Tests of secrets through Resource Manager, as templates make them: set there, read in the vault, never shown by
Resource Manager.
"""

from typing import Any

import pytest
from management import ARM, SUBSCRIPTION, VAULT, VAULT_URL, World

NAME = "from-template"


@pytest.fixture
def world() -> World:
    return World()


def at(name: str = NAME, vault: str = VAULT) -> str:
    return f"{ARM}{vault}/secrets{name and '/' + name}?api-version=2023-07-01"


def put(world: World, value: object = "one", name: str = NAME, **more: Any) -> Any:
    return world.owner.call("PUT", at(name), {"properties": {"value": value, **more.pop("properties", {})}, **more})


def test_a_secret_is_set_by_a_right_on_the_control_plane_and_read_only_in_the_vault(world: World) -> None:
    answer = put(
        world,
        tags={"a": "b"},
        properties={"contentType": "text/plain", "attributes": {"enabled": True, "exp": 1_800_000_000}},
    )
    assert (answer.status, list(answer.body)) == (201, ["id", "name", "type", "location", "tags", "properties"])
    assert (answer.body["id"], answer.body["type"]) == (f"{VAULT}/secrets/{NAME}", "Microsoft.KeyVault/vaults/secrets")
    properties = answer.body["properties"]
    assert list(properties) == ["contentType", "attributes", "secretUri", "secretUriWithVersion"]
    assert (properties["secretUri"], list(properties["attributes"])) == (
        f"{VAULT_URL}/secrets/{NAME}",
        ["enabled", "exp", "created", "updated"],
    )
    assert world.owner.call("GET", at()).body == answer.body
    assert "one" not in str(world.owner.call("GET", at("")).body)
    assert world.vaults.get("myvault", NAME).value == "one"
    assert properties["secretUriWithVersion"].endswith(world.vaults.get("myvault", NAME).id)


def test_every_put_is_a_version_and_a_patch_without_a_value_is_none(world: World) -> None:
    assert [put(world).status, put(world).status] == [201, 200]
    patched = world.owner.call(
        "PATCH", at(), {"properties": {"attributes": {"enabled": False}}, "tags": {"new": "yes"}}
    )
    assert (patched.status, patched.body["properties"]["attributes"]["enabled"], patched.body["tags"]) == (
        200,
        False,
        {"new": "yes"},
    )
    assert len(world.vaults.versions("myvault", NAME)) == 2
    assert world.owner.call("PATCH", at(), {"properties": {"value": "three"}}).status == 200
    assert world.vaults.find("myvault", NAME).value == "three"


def test_what_cannot_be_is_refused(world: World) -> None:
    def code(answer: Any) -> tuple[int, str]:
        return answer.status, answer.body["error"]["code"]

    assert code(world.owner.call("GET", at())) == (404, "SecretNotFound")
    assert code(world.owner.call("PATCH", at(), {})) == (404, "SecretNotFound")
    assert code(world.owner.call("PUT", at(vault=VAULT + "x"), {"properties": {"value": "x"}})) == (
        404,
        "ParentResourceNotFound",
    )
    for body in ({}, {"value": 1}, {"value": "x", "contentType": 1}, {"value": "x", "attributes": {"exp": "soon"}}):
        assert code(world.owner.call("PUT", at(), {"properties": body})) == (400, "BadRequest")
    assert code(put(world, name="no_underscore")) == (400, "BadParameter")
    put(world)
    world.vaults.delete("myvault", NAME)
    assert code(put(world))[0] == 409


def test_who_may_set_and_see_them(world: World) -> None:
    reader, stranger = world.identity("reader"), world.identity("stranger")
    world.authorization.assign(f"/subscriptions/{SUBSCRIPTION}", reader.oid, "Reader", at_once=True)
    put(world)
    assert reader.call("GET", at()).status == 200
    for who, method in ((reader, "PUT"), (stranger, "GET")):
        answer = who.call(method, at(), {"properties": {"value": "x"}})
        assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
    locked = world.owner.call(
        "PUT",
        f"{ARM}{VAULT}/providers/Microsoft.Authorization/locks/l?api-version=2016-09-01",
        {"properties": {"level": "ReadOnly"}},
    )
    assert locked.status == 201
    assert put(world).body["error"]["code"] == "ScopeLocked"
