"""Tests of difference and conflict, which compare as Azure does: numbers as texts, words in any letter case,
defaults.
"""

import copy
import json
from collections.abc import Callable
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Change, Document
from rotator.container_group.hidden_values import as_shown
from rotator.container_group.spelling import NUMBERS, TRUTHS, WORDS, spelled
from tests.container_group.documents import APP_ID, PASSWORD, declared, document, manifest
from tests.container_group.grown import grown, listed

WRITTEN = {path: kind for path, (kind, marks) in listed().items() if "read-only" not in marks}
TRUTH, WHOLE, BROKEN = "true|false", "integer", "number"


def of(shown: dict[str, Any]) -> Document:
    found = container_group.manifest_of(*declared("g", manifest=manifest(shown)))
    assert found
    return found


def test_the_tables_are_those_of_the_descriptions() -> None:
    words = {path: tuple(kind.split("|")) for path, kind in WRITTEN.items() if "|" in kind and kind != TRUTH}
    assert dict(WORDS) == words
    assert sorted(NUMBERS) == sorted(path for path, kind in WRITTEN.items() if kind in (WHOLE, BROKEN))
    assert sorted(TRUTHS) == sorted(path for path, kind in WRITTEN.items() if kind == TRUTH)


def as_people_write(resource: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return the group with numbers and booleans as texts, and words in any letter case."""

    def turned(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {name: turned(item, f"{path}.{name}".strip(".")) for name, item in value.items()}
        if isinstance(value, list):
            return [turned(item, f"{path}[]") for item in value]
        kind = WRITTEN.get(path, "text")
        return value if kind in ("text", "object") else random.choice(SPELLINGS[kind in (WHOLE, BROKEN)])(value)

    found: dict[str, Any] = turned(resource, "")
    return found


SPELLINGS: dict[bool, tuple[Callable[[Any], Any], ...]] = {
    True: (str, lambda value: f"{value}.0" if isinstance(value, int) else f"{value}0", lambda value: value),
    False: (lambda value: str(value).lower(), lambda value: str(value).upper(), lambda value: str(value).title()),
}


@pytest.mark.parametrize("seed", range(20))
def test_a_group_in_peoples_spelling_is_what_runs(seed: int) -> None:
    random = Random(seed)
    shown = as_shown(grown(random, APP_ID, PASSWORD.reveal()))
    written = as_people_write(shown, random)
    assert written != shown
    assert container_group.manifest_changes(of(written), shown) == ()
    assert container_group.manifest_conflicts(of(written), shown) == ()


PLAIN: dict[str, Any] = {
    "location": "West Europe",
    "identity": {"type": "None"},
    "tags": {"note": None},
    "properties": {
        "containers": [
            {
                "name": "app",
                "properties": {
                    "image": "mycontainerregistry.azurecr.io/app:1",
                    "command": ["sleep", 10],
                    "environmentVariables": [{"name": "PORT", "value": 80}, {"name": "DEBUG", "value": True}],
                    "resources": {"requests": {"cpu": "2.0", "memoryInGb": "1.5"}},
                    "livenessProbe": {"httpGet": {"path": "/", "port": "80"}, "periodSeconds": "30"},
                },
            }
        ],
        "osType": "linux",
        "restartPolicy": "always",
        "ipAddress": {"type": "public", "ports": [{"port": "80"}]},
        "imageRegistryCredentials": [{"server": "https://mycontainerregistry.azurecr.io/", "username": APP_ID.upper()}],
        "volumes": [{"name": "share", "azureFile": {"shareName": "s", "storageAccountName": "a"}}],
    },
}


def shown_for() -> dict[str, Any]:
    """Return the group that Azure makes of PLAIN, with its defaults."""
    shown = spelled(PLAIN) | {"location": "westeurope", "tags": {"note": ""}}
    del shown["identity"]
    properties = shown["properties"]
    properties |= {"sku": "Standard", "priority": "Regular", "initContainers": []}
    properties["ipAddress"] |= {"ip": "20.1.2.3", "ports": [{"port": 80, "protocol": "TCP"}]}
    properties["imageRegistryCredentials"][0] |= {
        "server": "mycontainerregistry.azurecr.io",
        "username": APP_ID,
        "isDelegatedIdentity": False,
    }
    properties["volumes"][0]["azureFile"]["readOnly"] = False
    probe = properties["containers"][0]["properties"]["livenessProbe"]
    probe["httpGet"]["scheme"] = "http"
    probe |= {"initialDelaySeconds": 0, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
    return shown


def test_what_azure_fills_in_is_no_difference() -> None:
    assert container_group.manifest_changes(of(PLAIN), shown_for()) == ()
    assert container_group.manifest_conflicts(of(PLAIN), shown_for()) == ()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("containers.0.properties.resources.requests.memoryInGb", "2", ["memoryInGB, all containers: 1.5 -> 2"]),
        ("osType", "windows", ['properties.osType: "Linux" -> "Windows"']),
        ("restartPolicy", "onfailure", ['properties.restartPolicy: "Always" -> "OnFailure"']),
        ("ipAddress.ports.0.port", "81", []),
        ("ipAddress.ports.0.protocol", "udp", []),
        ("containers.0.properties.livenessProbe.periodSeconds", "10", []),
        ("containers.0.properties.environmentVariables.0.value", "81", []),
    ],
)
def test_another_value_is_a_difference_in_any_spelling(path: str, value: str, told: list[str]) -> None:
    other = copy.deepcopy(PLAIN)
    node: Any = other["properties"]
    *way, last = path.split(".")
    for part in way:
        node = node[int(part) if part.isdigit() else part]
    node[last] = value
    assert len(container_group.manifest_changes(of(other), shown_for())) == 1
    assert [str(change) for change in container_group.manifest_conflicts(of(other), shown_for())] == told


@pytest.mark.parametrize(
    "path",
    [
        *("diagnostics", "dnsConfig", "confidentialComputeProperties", "encryptionProperties"),
        *("containers.0.properties.securityContext", "containers.0.properties.resources.limits"),
    ],
)
def test_an_empty_object_is_what_none_is_and_one_with_a_value_is_not(path: str) -> None:
    for value, count in (({}, 0), (None, 0), ({"a": "b"}, 1)):
        other = copy.deepcopy(PLAIN)
        node: Any = other["properties"]
        *way, last = path.split(".")
        for part in way:
            node = node[int(part) if part.isdigit() else part]
        node[last] = value
        assert len(container_group.manifest_changes(of(other), shown_for())) == count


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["1"], ["2"], ['zones: ["1"] -> ["2"]']),
        (None, ["1"], ['zones: nothing -> ["1"]']),
        ([], ["1"], ['zones: nothing -> ["1"]']),
        (["1"], ["1"], []),
        (["1"], [1], []),
        (["1"], None, []),
        (["1"], [], []),
    ],
)
def test_a_group_keeps_its_zone(before: Any, after: Any, told: list[str]) -> None:
    shown = {**shown_for(), "zones": before}
    found = container_group.manifest_conflicts(of({**PLAIN, "zones": after}), shown)
    assert [str(change) for change in found] == told
    shown["properties"]["instanceView"] = {"state": "Stopped"}
    assert container_group.manifest_conflicts(of({**PLAIN, "zones": after}), shown) == ()


@pytest.mark.parametrize("name", ["osType", "containers.0.properties.resources"])
def test_what_a_manifest_leaves_out_is_no_reason_to_delete_the_group(name: str) -> None:
    other = copy.deepcopy(PLAIN)
    node: Any = other["properties"]
    *way, last = name.split(".")
    for part in way:
        node = node[int(part) if part.isdigit() else part]
    del node[last]
    assert container_group.manifest_conflicts(of(other), shown_for()) == ()


def test_a_hidden_difference_of_the_kind_alone_says_so() -> None:
    shown, other = document("everything"), document("everything")
    for side, value in ((shown, 1), (other, "1")):
        side["properties"]["diagnostics"]["logAnalytics"]["metadata"] = {"pwd": value}
        side["properties"]["containers"][0]["properties"]["command"] = ["run", value]
    assert container_group.difference(shown, other) == (
        Change("properties.containers[app].properties.command[1]", "*** as number", "*** as text"),
        Change("properties.diagnostics.logAnalytics.metadata.pwd", "1", '"1"'),
    )


def test_a_number_where_azure_has_a_text_and_a_text_where_it_has_a_truth_are_no_difference() -> None:
    shown, other = shown_for(), copy.deepcopy(PLAIN)
    entry = other["properties"]["imageRegistryCredentials"][0]
    shares = [{"name": 1, "gitRepo": {"repository": "r", "revision": 1234567}}, *other["properties"]["volumes"]]
    other["properties"] |= {"volumes": shares, "imageRegistryCredentials": [{**entry, "isDelegatedIdentity": "False"}]}
    shown["properties"]["volumes"].insert(0, {"name": "1", "gitRepo": {"repository": "r", "revision": "1234567"}})
    assert container_group.manifest_changes(of(other), shown) == ()


@pytest.mark.parametrize("value", ["1,5", "0x10", "1_000", "inf", "", "two", None, [], {}])
def test_what_azure_cannot_read_stays(value: Any) -> None:
    body = {"properties": {"osType": value, "ipAddress": {"ports": [{"port": value}]}}}
    assert json.dumps(spelled(body)) == json.dumps(body)
