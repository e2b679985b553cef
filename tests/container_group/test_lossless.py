"""Tests of edits of random container groups: a group stored afterwards equals the earlier one, but for password and
tags.

`Stored` plays Azure: it keeps the PUT, adds Azure's own values, and hides the values that the documentation calls
hidden. It shares no code with the package under test.
"""

import base64
import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from rotator import container_group
from rotator.container_group import Document
from rotator.policy import KeyVaultSource, Source
from rotator.state import Secret
from tests.cells import drawn
from tests.container_group.documents import (
    APP_ID,
    NEW,
    OLD,
    PASSWORD,
    SERVER,
    SINCE,
    declared,
    group_id,
    observed,
    policy,
    seen_group,
)

NAME = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
ENV = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXT = st.text(max_size=12)
LEAF = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
ANYTHING = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"future[A-Z]{1,4}", fullmatch=True), inner, max_size=3)
    ),
)
FUTURE = st.dictionaries(st.from_regex(r"future[A-Z][a-z]{1,5}", fullmatch=True), ANYTHING, max_size=1)
"""Properties that a later API version adds, in any place."""


@dataclass
class Stored:
    """Group as Azure keeps it, with every secret, and the sources in a policy."""

    resource: dict[str, Any]
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    values: dict[Source, Secret] = field(default_factory=dict)

    def source(self, path: str, value: str) -> None:
        name = f"s{len(self.secrets)}"
        self.secrets[path] = {"key_vault": name}
        self.values[KeyVaultSource(key_vault=name)] = Secret(value)


def objects(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for objects with the properties, sometimes with an unknown one."""
    return st.tuples(FUTURE, st.fixed_dictionaries(parts)).map(lambda pair: pair[0] | pair[1])


def variables() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.one_of(
        objects(name=ENV, value=TEXT),
        objects(name=ENV, secureValue=TEXT),
        objects(name=ENV, secureValueReference=NAME),
        objects(name=ENV, secureValue=TEXT),
    )
    return st.lists(one, max_size=4, unique_by=lambda variable: variable["name"])


def containers(least: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    image = NAME.map(lambda name: f"{name}.azurecr.io/{name}:1")
    inner = objects(
        image=image,
        environmentVariables=variables(),
        command=st.lists(TEXT, max_size=2),
        configMap=objects(keyValuePairs=st.dictionaries(TEXT, TEXT, max_size=2)),
    )
    return st.lists(
        objects(name=NAME, properties=inner), min_size=least, max_size=3, unique_by=lambda container: container["name"]
    )


def volumes() -> st.SearchStrategy[list[dict[str, Any]]]:
    files = st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,6}", fullmatch=True), TEXT, min_size=1, max_size=3)
    encoded = files.map(
        lambda found: {name: base64.b64encode(content.encode()).decode() for name, content in found.items()}
    )
    one = st.one_of(
        objects(name=NAME, secret=encoded),
        objects(name=NAME, azureFile=objects(shareName=NAME, storageAccountName=NAME, storageAccountKey=TEXT)),
        objects(name=NAME, azureFile=objects(shareName=NAME, storageAccountName=NAME, storageAccountKeyReference=NAME)),
        objects(name=NAME, emptyDir=FUTURE),
    )
    return st.lists(one, max_size=3, unique_by=lambda volume: volume["name"])


def entries() -> st.SearchStrategy[list[dict[str, Any]]]:
    mine, server = st.sampled_from([SERVER, "second.azurecr.io"]), NAME.map(lambda name: f"{name}.azurecr.io")
    one = st.one_of(
        objects(server=mine, username=st.sampled_from([APP_ID, APP_ID.upper()]), password=st.just("old password")),
        objects(server=server, username=NAME, password=TEXT),
        objects(server=server, identity=NAME),
        objects(server=server, username=st.just(APP_ID), passwordReference=NAME),
    )
    return st.lists(one, max_size=4, unique_by=lambda entry: entry["server"])


def extensions() -> st.SearchStrategy[list[dict[str, Any]]]:
    inner = objects(extensionType=NAME, version=NAME, settings=FUTURE, protectedSettings=FUTURE)
    return st.lists(objects(name=NAME, properties=inner), max_size=2, unique_by=lambda extension: extension["name"])


TAGS = st.dictionaries(
    st.sampled_from(["team", "Rotator-Key-Id", "rotator-since", "rotator-failed", "x"]),
    st.sampled_from([OLD, NEW, "", "y"]),
    max_size=4,
)
ASSIGNED: st.SearchStrategy[dict[str, Any]] = st.dictionaries(NAME, st.just({}), max_size=2)
DIAGNOSTICS = objects(logAnalytics=objects(workspaceId=NAME, workspaceKey=TEXT, workspaceResourceId=TEXT))
WORKSPACE = {"key": "Key", "resource_id": "ResourceId"}
PROPERTIES = objects(
    containers=containers(1),
    initContainers=containers(0),
    volumes=volumes(),
    imageRegistryCredentials=entries(),
    extensions=extensions(),
    diagnostics=DIAGNOSTICS | st.just({}),
    osType=st.just("Linux"),
    ipAddress=objects(
        type=st.just("Public"), ip=st.just("20.0.0.1"), ports=st.lists(objects(port=st.integers(1, 65535)), max_size=2)
    ),
)
RESOURCE = objects(
    location=NAME,
    tags=TAGS,
    zones=st.lists(NAME, max_size=1),
    identity=objects(type=st.just("UserAssigned"), userAssignedIdentities=ASSIGNED),
    properties=PROPERTIES,
)


def kept(resource: dict[str, Any]) -> Stored:
    """Return the group with a source for each of its secrets but the principal's own password."""
    stored, properties = Stored(resource), resource["properties"]
    for path, value in (*secret_variables(properties), *secret_volumes(properties)):
        stored.source(path, value)
    for entry in properties["imageRegistryCredentials"]:
        if "password" in entry and entry["username"].lower() != APP_ID:
            stored.source(f"image_registry_credentials/{entry['server']}/password", entry["password"])
    for extension in properties["extensions"]:
        stored.source(
            f"extensions/{extension['name']}/protected_settings",
            json.dumps(extension["properties"]["protectedSettings"]),
        )
    if "logAnalytics" in properties["diagnostics"]:
        for path, name in (
            (f"diagnostics/log_analytics/workspace_{part}", f"workspace{spelled}")
            for part, spelled in WORKSPACE.items()
        ):
            stored.source(path, properties["diagnostics"]["logAnalytics"][name])
    return stored


def secret_variables(properties: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, name in (("containers", "containers"), ("init_containers", "initContainers")):
        for container in properties[name]:
            for variable in container["properties"]["environmentVariables"]:
                if "secureValue" in variable:
                    yield f"{kind}/{container['name']}/env/{variable['name']}", variable["secureValue"]


def secret_volumes(properties: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in properties["volumes"]:
        for file, content in volume.get("secret", {}).items():
            yield f"volumes/{volume['name']}/secret/{file}", base64.b64decode(content).decode()
        if "storageAccountKey" in volume.get("azureFile", {}):
            yield f"volumes/{volume['name']}/azure_file/storage_account_key", volume["azureFile"]["storageAccountKey"]


def answer(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the group as a GET shows it."""
    shown = copy.deepcopy(stored)
    properties = shown["properties"]
    for container in (*properties["containers"], *properties["initContainers"]):
        container["properties"]["instanceView"] = {
            "currentState": {"state": "Running", "startTime": "2026-03-01T00:00:00Z"},
            "events": [],
        }
        for variable in container["properties"]["environmentVariables"]:
            variable.pop("secureValue", None)
    for volume in properties["volumes"]:
        volume.get("azureFile", {}).pop("storageAccountKey", None)
        if "secret" in volume:
            volume["secret"] = {}
    for entry in properties["imageRegistryCredentials"]:
        entry.pop("password", None)
    for extension in properties["extensions"]:
        del extension["properties"]["protectedSettings"]
    analytics = properties["diagnostics"].get("logAnalytics", {})
    analytics.pop("workspaceKey", None)
    analytics.pop("workspaceResourceId", None)
    properties["ipAddress"]["fqdn"] = "x.azurecontainer.io"
    flags = {
        "isCreatedFromStandbyPool": False,
        "isCustomProvisioningTimeout": False,
        "provisioningTimeoutInSeconds": 1800,
    }
    properties |= {"provisioningState": "Succeeded", "instanceView": {"state": "Running", "events": []}, **flags}
    for assigned in shown["identity"]["userAssignedIdentities"].values():
        assigned |= {"principalId": "p", "clientId": "c"}
    shown["identity"] |= {"principalId": "p", "tenantId": "t"}
    return shown | {
        "id": group_id("g"),
        "name": "g",
        "type": "Microsoft.ContainerInstance/containerGroups",
        "systemData": {"createdBy": "x"},
    }


def without_the_rotation(resource: dict[str, Any]) -> str:
    """Return the resource as text, in the order of its properties, without the principal's password and our tags."""
    left = copy.deepcopy(resource)
    for entry in left["properties"]["imageRegistryCredentials"]:
        if entry.get("username", "").lower() == APP_ID:
            entry.pop("password", None)
    left["tags"] = {name: value for name, value in left["tags"].items() if not name.lower().startswith("rotator-")}
    return json.dumps(left, sort_keys=True)


@drawn(100, resource=RESOURCE)
def test_a_random_group_loses_nothing(resource: dict[str, Any]) -> None:
    stored = kept(resource)
    shown = answer(resource)
    before = json.dumps(shown)
    made, said = declared("g", secrets=stored.secrets)
    assert set(container_group.sources(Document(shown, made, said))) == set(stored.values)
    body = container_group.edit(
        Document(shown, made, said), values=stored.values, password=PASSWORD, key_id=NEW, since=SINCE
    )
    assert without_the_rotation(body) == without_the_rotation(resource)
    mine = [
        entry for entry in body["properties"]["imageRegistryCredentials"] if entry.get("username", "").lower() == APP_ID
    ]
    assert all(entry.get("password") == (None if "passwordReference" in entry else PASSWORD.reveal()) for entry in mine)
    assert container_group.unasked(Document(resource, made, said), body) == ()
    assert container_group.shows(body).key_id == NEW
    assert json.dumps(shown) == before


@drawn(40, resource=RESOURCE, data=st.data())
def test_a_random_group_with_one_source_less_is_vetoed(resource: dict[str, Any], data: st.DataObject) -> None:
    stored = kept(resource)
    if not stored.secrets:
        return
    lost = data.draw(st.sampled_from(sorted(stored.secrets)))
    volume = lost.rpartition("/")[0] if lost.split("/")[2] == "secret" else lost
    left = {
        path: source for path, source in stored.secrets.items() if not path.startswith(f"{volume}/") and path != lost
    }
    made, said = declared("g", secrets=left)
    assert container_group.unsourced(Document(answer(resource), made, said)) == (volume,)


@drawn(40, resource=RESOURCE, other=RESOURCE)
def test_a_difference_is_empty_only_between_equals_and_shows_no_secret(
    resource: dict[str, Any], other: dict[str, Any]
) -> None:
    assert container_group.difference(resource, copy.deepcopy(resource)) == ()
    told = container_group.difference(resource, other)
    assert container_group.difference(other, resource) == tuple(
        type(one)(one.path, one.after, one.before) for one in told
    )
    assert "old password" not in repr(told)


WORDS = """properties tags containers initContainers name environmentVariables volumes secret azureFile imageRegistryCredentials username server
password instanceView currentState events lastTimestamp message exitCode identity userAssignedIdentities extensions diagnostics logAnalytics"""
KNOWN = st.sampled_from(WORDS.split())
MUDDLE = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN, inner, max_size=4))


@drawn(120, document=st.dictionaries(KNOWN, MUDDLE, max_size=4))
def test_no_json_breaks_the_reading(document: dict[str, Any]) -> None:
    shown = document
    container_group.hidden(shown)
    container_group.shows(shown)
    container_group.verdict(shown, SINCE)
    assert container_group.difference(shown, container_group.writable(shown)) == ()
    container_group.dependents(policy({"name": "g"}), observed(seen_group("g", shown), seen_group("h", shown)))
