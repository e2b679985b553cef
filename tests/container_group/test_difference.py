"""Tests of differences: they name the changes, and no secret."""

import copy
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Change, Document
from tests.container_group.documents import PASSWORD, declared, document, edited, sourced


def changed(path: list[Any], value: Any, name: str = "everything") -> tuple[Change, ...]:
    before, after = document(name), document(name)
    node = after
    for part in path[:-1]:
        node = node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return container_group.difference(before, after)


def test_a_document_does_not_differ_from_itself_in_other_letters_or_with_nulls() -> None:
    shown = document("plain")
    other = {key.upper(): value for key, value in shown.items()} | {"ZONES": None}
    assert container_group.difference(shown, other) == ()


def test_what_only_the_service_writes_is_no_difference() -> None:
    assert changed(["properties", "instanceView", "state"], "Stopped") == ()
    assert changed(["systemData"], None) == ()
    assert changed(["properties", "containers", 0, "properties", "instanceView"], {}) == ()


def test_a_change_is_told_with_its_path() -> None:
    path = ["properties", "containers", 1, "properties", "image"]
    image = f"mycontainerregistry.azurecr.io/tools/logger@sha256:{'cd' * 32}"
    assert changed(path, "new:1") == (
        Change("properties.containers[sidecar].properties.image", f'"{image}"', '"new:1"'),
    )
    assert str(changed(["tags", "team"], None)[0]) == 'tags.team: "payments" -> nothing'


def test_order_and_kind_count() -> None:
    ports = [{"protocol": "UDP", "port": 8125}, {"protocol": "TCP", "port": 8080}]
    assert len(changed(["properties", "containers", 0, "properties", "ports"], ports)) == 4
    (one,) = changed(["properties", "containers", 0, "properties", "securityContext", "privileged"], 0)
    assert (one.before, one.after) == ("false", "0")
    (lost,) = changed(["properties", "initContainers", 0, "properties", "command"], ["migrate"])
    assert lost == Change("properties.initContainers[migrate].properties.command[1]", "***", None)


def test_names_that_are_data_have_a_case() -> None:
    (one,) = changed(["properties", "containers", 0, "properties", "configMap", "keyValuePairs", "log.level"], "warn")
    assert (one.path.rpartition("keyValuePairs.")[2], one.before, one.after) == ("log.level", '"info"', '"warn"')
    (other,) = changed(["properties", "containers", 0, "properties", "configMap", "keyValuePairs", "Log.Level"], "warn")
    assert (other.path.rpartition("keyValuePairs.")[2], other.before, other.after) == ("Log.Level", '"debug"', '"warn"')


def test_no_secret_is_told() -> None:
    made, said = declared("everything", secrets=sourced(document("everything")))
    body = edited(document("everything"), made, said)
    for before, after in ((document("everything"), body), (body, document("everything")), (None, body), ({}, body)):
        told = repr(container_group.difference(before, after)) + "".join(
            map(str, container_group.difference(before, after))
        )
        assert PASSWORD.reveal() not in told
        assert "value of" not in told
        assert "dmFsdWUgb2Y" not in told
    plain = container_group.difference(
        {},
        {
            "properties": {
                "containers": [{"name": "a", "properties": {"environmentVariables": [{"name": "A", "value": "hush"}]}}]
            }
        },
    )
    assert [change.after for change in plain if change.path.endswith(".value")] == ["***"]


def test_a_rotation_may_change_the_password_and_our_tags_and_nothing_else() -> None:
    made, said = declared(
        "everything",
        secrets=sourced(document("everything")) | {"containers/app/env/DB_PASSWORD": {"credential": "password"}},
    )
    before = edited(document("everything"), made, said)
    after = copy.deepcopy(before)
    after["tags"] |= {"rotator-key-id": "x", "Rotator-Since": "y"}
    after["properties"]["imageRegistryCredentials"][0]["password"] = "another"
    after["properties"]["containers"][0]["properties"]["environmentVariables"][2]["secureValue"] = "another"
    assert container_group.unasked(Document(before, made, said), after) == ()
    after["properties"]["imageRegistryCredentials"][1]["password"] = "another"
    after["properties"]["containers"][1]["properties"]["environmentVariables"][0]["secureValue"] = "another"
    after["tags"]["team"] = "another"
    assert [change.path for change in container_group.unasked(Document(before, made, said), after)] == [
        "properties.containers[sidecar].properties.environmentVariables[TOKEN].secureValue",
        "properties.imageRegistryCredentials[other.azurecr.io].password",
        "tags.team",
    ]


def test_a_lost_secret_is_a_difference_that_a_rotation_must_not_make() -> None:
    made, said = declared("everything", secrets=sourced(document("everything")))
    before = edited(document("everything"), made, said)
    for path in (
        ["volumes", 2, "secret", "one"],
        ["volumes", 0, "azureFile", "storageAccountKey"],
        ["diagnostics", "logAnalytics", "workspaceKey"],
    ):
        after = copy.deepcopy(before)
        node = after["properties"]
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]
        (one,) = container_group.unasked(Document(before, made, said), after)
        assert (one.before, one.after) == ("***", None)


def test_what_a_get_would_show_of_a_body() -> None:
    made, said = declared("everything", secrets=sourced(document("everything")))
    shown = container_group.as_shown(edited(document("everything"), made, said))
    assert container_group.hidden(shown) == container_group.hidden(document("everything"))
    assert shown["properties"]["volumes"][2] == {"name": "certs", "secret": {}}


A, B = {"name": "a", "v": 1}, {"name": "b", "v": 2}
COMPARED: dict[str, tuple[Any, Any, list[str]]] = {
    "an item before the others moves none": ([A, B], [{"name": "c"}, A, B], ['[c].name: nothing -> "c"']),
    "another order is one change": ([A, B], [B, A], [" (order): a, b -> b, a"]),
    "items without a name are compared by place": ([A, {"v": 2}], [A, {"v": 3}], ["[1].v: 2 -> 3"]),
    "a name that two items have tells neither": (
        [A, {"name": "a", "v": 2}],
        [{"name": "a", "v": 9}, {"name": "a", "v": 2}],
        ["[a].v: 1 -> 9"],
    ),
    "a name is unique on both sides or none": (
        [A],
        [A, {"name": "a", "v": 2}],
        ['[a].name: nothing -> "a"', "[a].v: nothing -> 2"],
    ),
    "an object for a text": ({"a": 1}, "text", [': *** -> "text"']),
    "an object that is gone": ({"a": 1}, None, [".a: 1 -> nothing"]),
    "an object that is new": (None, {"a": 1}, [".a: nothing -> 1"]),
    "an empty object that is gone": ({}, None, [": {} -> nothing"]),
    "letters are shown as they are": ("caf\u00e9", "the", [': "caf\u00e9" -> "the"']),
    "an address without its user": (
        "https://me:pat@host/repo",
        "https://host/repo",
        [': "https://***@host/repo" -> "https://host/repo"'],
    ),
    "keys in data have a case, further down as well": (
        {"settings": {"deep": {"Key": 1}}},
        {"settings": {"deep": {"key": 1}}},
        [".settings.deep.Key: 1 -> nothing", ".settings.deep.key: nothing -> 1"],
    ),
    "protected settings are one secret": (
        {"protectedSettings": {"a": 1}},
        {"protectedSettings": {"b": 1}},
        [".protectedSettings: *** -> ***"],
    ),
    "protected settings as a text": (
        {"protectedSettings": "one"},
        {"protectedSettings": "other"},
        [".protectedSettings: *** -> ***"],
    ),
    "two secrets": ({"secureValue": "one"}, {"secureValue": "other"}, [".secureValue: *** -> ***"]),
    "a secret as another kind": (
        {"secureValue": "1"},
        {"secureValue": 1},
        [".secureValue: *** as text -> *** as number"],
    ),
}


@pytest.mark.parametrize("name", COMPARED)
def test_each_change_is_told_by_itself(name: str) -> None:
    before, after, expected = COMPARED[name]
    changes = container_group.difference(*({"properties": {"extensions": side}} for side in (before, after)))
    assert [str(change).removeprefix("properties.extensions") for change in changes] == expected
