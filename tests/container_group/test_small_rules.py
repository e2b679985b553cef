"""Tests of the small rules about places, defaults, identities and lines to paste."""

import time
from typing import Any

import pytest

from rotator.container_group.hidden_values import normal
from rotator.container_group.missing_values import wanted_as_objects
from rotator.container_group.normalise import usual
from rotator.container_group.policy_lines import lines_to_add, yaml_key
from rotator.container_group.put_properties import writable
from rotator.container_group.tags import instant
from tests.container_group.documents import declared, group_id, manifest, observed, seen_group
from tests.container_group.shown import at


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Containers/App/env/Key", "containers/app/env/Key"),
        ("Volumes/Certs/secret/A.pem", "volumes/certs/secret/A.pem"),
        ("Volumes/V/azure_file/Storage_Account_Key", "volumes/v/azure_file/storage_account_key"),
        ("Extensions/E/Protected_Settings", "extensions/e/protected_settings"),
    ],
)
def test_only_variables_and_files_have_a_case(path: str, expected: str) -> None:
    assert normal(path) == expected


KEPT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a default is dropped": ({"volumeMounts": [{"readOnly": False}]}, {"volumeMounts": [{}]}),
    "another value stays": ({"volumeMounts": [{"readOnly": True}]}, {"volumeMounts": [{"readOnly": True}]}),
    "a number is no truth value": ({"volumeMounts": [{"readOnly": 0}]}, {"volumeMounts": [{"readOnly": 0}]}),
    "a text is no number": (
        {"livenessProbe": {"periodSeconds": "soon"}},
        {"livenessProbe": {"periodSeconds": "soon"}},
    ),
    "an empty map of settings is dropped": ({"configMap": {"keyValuePairs": {}}}, {}),
    "so is one of nothing": ({"configMap": {}}, {}),
    "settings stay": ({"configMap": {"keyValuePairs": {"a": "b"}}}, {"configMap": {"keyValuePairs": {"a": "b"}}}),
    "a default number is dropped": ({"livenessProbe": {"periodSeconds": 10}}, {"livenessProbe": {}}),
}


@pytest.mark.parametrize("name", KEPT)
def test_defaults_are_dropped_and_nothing_else(name: str) -> None:
    written, expected = KEPT[name]
    body = usual({"properties": {"containers": [{"name": "app", "properties": written}]}})
    assert body["properties"]["containers"][0]["properties"] == expected


def test_an_id_is_one_in_any_letters() -> None:
    body = usual({"properties": {"subnetIds": [{"id": "/Subscriptions/S/"}, {"name": "x"}]}})
    assert body["properties"]["subnetIds"] == [{"id": "/subscriptions/s"}, {"name": "x"}]


def test_of_an_assigned_identity_only_the_name_is_sent() -> None:
    shown = {"/a": None, "/b": {"principalId": "p", "clientId": "c"}, "/c": {}}
    body = writable({"identity": {"type": "UserAssigned", "userAssignedIdentities": shown}})
    assert body["identity"]["userAssignedIdentities"] == {"/a": {}, "/b": {}, "/c": {}}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("containers/app/env/KEY", "containers/app/env/KEY"),
        ("containers/app/env/it's", "'containers/app/env/it''s'"),
        ("containers/app/env/a\x1bb", '"containers/app/env/a\\u001bb"'),
    ],
)
def test_a_key_can_be_pasted(key: str, expected: str) -> None:
    assert yaml_key(key) == expected


SECRET, PULL, CERTS = (
    "containers/app/env/AZURE_CLIENT_SECRET",
    "image_registry_credentials/o.io/password",
    "volumes/c/secret",
)
LINES = {
    "a variable": (["containers/app/env/KEY"], [], ["KEY: {key_vault: g-app-key}"]),
    "one that may be the password": ([SECRET], [], ["{key_vault: g-app-azure-client-secret}", "# or, if it is this"]),
    "one that is the password": ([SECRET], [SECRET], ["{credential: password}"]),
    "the password of another registry": ([PULL], [], ["{key_vault: g-o-io-password}"]),
    "a variable called secret": (["containers/app/env/secret"], [], ["env/secret: {key_vault: g-app"]),
    "a volume": ([CERTS], [], ["secret/FILE: {key_vault: g-c-FILE}  # one such line", "# or, if the volume has no"]),
}


@pytest.mark.parametrize("name", LINES)
def test_each_place_has_its_lines(name: str) -> None:
    paths, password, expected = LINES[name]
    lines = lines_to_add(group_id("g"), paths, within=True, password=password).splitlines()
    assert len(lines) == len(expected)
    assert [words for words, line in zip(expected, lines, strict=True) if words not in line] == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T04:21:00Z", at(21)),
        ("2026-03-01T06:22:00+02:00", at(22)),
        ("2026-03-01T04:23:00", at(23)),
        ("soon", None),
        (7, None),
    ],
)
def test_an_instant_without_a_zone_is_in_utc(value: Any, expected: Any) -> None:
    assert instant(value) == expected


def test_the_hosts_own_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert instant("2026-03-01T04:24:00") == at(24)
    time.tzset()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("${{ keyvault:whole }}", {"whole"}),
        ({"key": "${{ keyvault:part }}"}, set()),
        ("${{ credential:password }}", set()),
        (None, set()),
    ],
)
def test_only_a_secret_that_is_the_whole_value_has_to_be_an_object(settings: Any, expected: set[str]) -> None:
    def extended(inside: dict[str, Any]) -> dict[str, Any]:
        extension = {"name": "e", "properties": {"extensionType": "x", **inside}}
        return {"properties": {"containers": [], "extensions": [extension]}}

    written = extended({} if settings is None else {"protectedSettings": settings})
    made, _ = declared("app", manifest=manifest(written))
    assert wanted_as_objects(made, observed(seen_group("app", extended({})))) == expected
