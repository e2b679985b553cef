"""Tests of container groups over HTTP (azure-facts B1 to B12): values replaced, hidden and refused by a PUT, values in
reads, and the SDK's results.
"""

import copy
import json
from collections.abc import Callable
from typing import Any, Self, cast

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient as AsyncClient
from azure.mgmt.containerinstance.models import ContainerExecRequest, Resource
from containers import ARM, BRISK, GROUP, ID, IMAGE, REGISTRY, SERVER, SUBSCRIPTION, World
from local_azure import virtual
from local_azure.aci.state import ContainerState
from local_azure.arm.behaviour import REGISTRIES
from local_azure.inprocess import Session, SyncAdapter
from pydantic import TypeAdapter

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
EXTENSION = {"extensionType": "realtime-metrics", "version": "1.0"}
SECRETS: dict[str, Any] = {
    "diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "hidden-1", "metadata": {"Env": "1"}}},
    "volumes": [
        {"name": "secret", "secret": {"Key.One": "aGlkZGVuLTI="}},
        {"name": "files", "azureFile": {"shareName": "s", "storageAccountName": "a", "storageAccountKey": "hidden-3"}},
    ],
    "initContainers": [
        {
            "name": "init",
            "properties": {"image": "busybox", "environmentVariables": [{"name": "I", "secureValue": "hidden-4"}]},
        }
    ],
    "extensions": [
        {"name": "e", "properties": {**EXTENSION, "settings": {"A": 1}, "protectedSettings": {"b": "hidden-5"}}}
    ],
}


@pytest.fixture
def world() -> World:
    return World(BRISK)


def client_of(world: World) -> ContainerInstanceManagementClient:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    transport = RequestsTransport(session=session)
    return ContainerInstanceManagementClient(world, SUBSCRIPTION, transport=transport, polling_interval=0)


def test_b3_a_new_group_is_201_with_an_operation_and_azures_defaults(world: World) -> None:
    answer = world.arm("PUT", f"{ARM}{ID}?api-version=2024-05-01-preview", world.body())
    assert answer.status == 201
    assert answer.body == {
        "properties": {
            "sku": "Standard",
            "isCreatedFromStandbyPool": False,
            "provisioningState": "Pending",
            "provisioningTimeoutInSeconds": 1800,
            "isCustomProvisioningTimeout": False,
            "containers": [
                {
                    "name": "app",
                    "properties": {
                        "image": IMAGE,
                        "ports": [],
                        "environmentVariables": [],
                        "configMap": {"keyValuePairs": {}},
                        "resources": {"requests": {"memoryInGB": 1.5, "cpu": 1.0}},
                    },
                }
            ],
            "initContainers": [],
            "imageRegistryCredentials": [
                {"server": SERVER, "username": world.puller.app_id, "isDelegatedIdentity": False}
            ],
            "osType": "Linux",
            "instanceView": {"events": [], "state": "Pending"},
        },
        "id": ID,
        "name": "mycontainer",
        "type": "Microsoft.ContainerInstance/containerGroups",
        "location": "eastus",
        "tags": {},
    }
    assert next(iter(answer.body)) == "properties"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt1h"] == "299"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"] == "99"
    assert "Location" not in answer.headers
    assert "Retry-After" not in answer.headers


def test_b3_the_operation_says_pending_creating_succeeded_and_its_id_is_the_groups(world: World) -> None:
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    assert "/locations/eastus/operations/" in url
    seen = [world.arm("GET", url).body]
    world.wait(seconds=5)
    seen.append(world.arm("GET", url).body)
    world.wait(seconds=15)
    seen.append(world.arm("GET", url).body)
    assert [body["status"] for body in seen] == ["Pending", "Creating", "Succeeded"]
    assert list(seen[0]) == ["id", "status", "startTime", "properties"]
    assert seen[0] == {
        "id": ID,
        "status": "Pending",
        "startTime": "2026-03-01T12:00:00.0000000Z",
        "properties": {"events": []},
    }
    assert [event["name"] for event in seen[2]["properties"]["events"]] == ["Pulling", "Pulled", "Started"]


def test_b3_polling_an_operation_needs_no_role_as_its_url_is_signed(world: World) -> None:
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    assert world.arm("GET", url, who=world.puller).status == 200
    assert world.arm("GET", ID, who=world.puller).code == "AuthorizationFailed"


def test_b3_a_group_pulls_by_digest_and_runs(world: World) -> None:
    world.deploy()
    digest = world.azure.registries.stored(SERVER, "app", "v1").digest
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]) == (
        "Succeeded",
        {"events": [], "state": "Running"},
    )
    view = properties["containers"][0]["properties"]["instanceView"]
    assert view["currentState"] == {"state": "Running", "startTime": "2026-03-01T12:00:20.000Z", "detailStatus": ""}
    assert view["restartCount"] == 0
    assert view["events"][1] == {
        "count": 1,
        "firstTimestamp": "2026-03-01T12:00:05Z",
        "lastTimestamp": "2026-03-01T12:00:05Z",
        "name": "Pulled",
        "message": f'Successfully pulled image "{SERVER}/app@{digest}"',
        "type": "Normal",
    }


def test_b7_hidden_values_are_stored_and_never_answered(world: World) -> None:
    body = world.body(**copy.deepcopy(SECRETS))
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "P", "secureValue": "hidden-6"},
        {"name": "Q", "value": "shown"},
    ]
    answers = [
        world.arm("PUT", ID, body),
        world.arm("GET", ID),
        world.arm("GET", f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups"),
    ]
    answers += [world.arm("PATCH", ID, {"tags": {"a": "1"}})]
    shown = answers[1].body["properties"]
    assert shown["volumes"] == [
        {"name": "secret", "secret": {}},
        {"name": "files", "azureFile": {"shareName": "s", "storageAccountName": "a"}},
    ]
    assert shown["diagnostics"]["logAnalytics"] == {"workspaceId": "w", "metadata": {"Env": "1"}}
    assert shown["containers"][0]["properties"]["environmentVariables"] == [
        {"name": "P"},
        {"name": "Q", "value": "shown"},
    ]
    assert shown["initContainers"][0]["properties"]["environmentVariables"] == [{"name": "I"}]
    assert shown["extensions"] == [{"name": "e", "properties": {**EXTENSION, "settings": {"A": 1}}}]
    stored = json.dumps(world.azure.container_groups.stored(ID))
    answers += [world.arm("DELETE", ID)]
    for hidden in (
        "hidden-1",
        "aGlkZGVuLTI=",
        "hidden-3",
        "hidden-4",
        "hidden-5",
        "hidden-6",
        world.puller.secret,
        "Key.One",
    ):
        assert hidden in stored
        assert not any(hidden.encode() in answer.content for answer in answers)


VARIABLES: tuple[tuple[dict[str, Any], bool], ...] = (
    *(({"name": "V", **one}, False) for one in ({}, {"value": None}, {"secureValue": None}, {"value": None, "secureValue": None})),
    *(({"name": "V", "value": one, "secureValue": other}, False) for one in ("", "a") for other in ("", "b")),
    *(({"name": "V", name: one}, True) for name in ("value", "secureValue", "Value", "SECUREVALUE") for one in ("", "a", " ")),
    *(({"name": "V", name: "a", other: None}, True) for name, other in (("value", "secureValue"), ("secureValue", "value"))),
)  # fmt: skip
"""Variables as a client may write them, and true if Azure accepts them."""


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_b7_a_variable_has_exactly_one_value_in_a_container_of_either_kind(world: World, kind: str) -> None:
    assert len(VARIABLES) >= 20
    for number, (variable, taken) in enumerate(VARIABLES):
        body = world.body(**copy.deepcopy(SECRETS))
        body["properties"][kind][0]["properties"]["environmentVariables"] = [variable, {"name": "W", "value": "w"}]
        answer = world.arm("PUT", f"{ID}{number}", body)
        assert (variable, answer.status < 300) == (variable, taken), answer.body
        if not taken:
            assert answer.body["error"]["code"] == "InvalidEnvironmentVariable"


def test_b7_a_body_read_with_get_and_put_back_has_lost_its_secrets(world: World) -> None:
    world.deploy(**copy.deepcopy(SECRETS))
    body = world.arm("GET", ID).body
    refused = world.arm("PUT", ID, body)
    assert refused.body["error"]["message"].startswith(
        "The request content was invalid and could not be deserialized: 'Required property 'workspaceKey'"
    )
    body["properties"]["diagnostics"]["logAnalytics"]["workspaceKey"] = "again"
    refused = world.arm("PUT", ID, body)
    assert refused.body["error"] == {
        "code": "InvalidImageRegistryPassword",
        "message": "The password in the 'imageRegistryCredentials' of container group 'mycontainer' cannot be empty.",
    }
    body["properties"]["imageRegistryCredentials"][0]["password"] = world.puller.secret
    refused = world.arm("PUT", ID, body)
    assert refused.body["error"] == {
        "code": "InvalidEnvironmentVariable",
        "message": (
            "The environment variable 'I' in container 'init' of container group 'mycontainer' is invalid. One and only"
            " one property of 'value' and 'secureValue' can be specified in an environment variable."
        ),
    }
    for kind in ("containers", "initContainers"):
        for variable in body["properties"][kind][0]["properties"]["environmentVariables"]:
            variable.setdefault("value", "")
    assert world.arm("PUT", ID, body).code == "InvalidAzureFileVolume"
    body["properties"]["volumes"][1]["azureFile"]["storageAccountKey"] = "again"
    assert world.arm("PUT", ID, body).status == 200
    stored = world.azure.container_groups.stored(ID)["properties"]
    assert stored["volumes"][0] == {"name": "secret", "secret": {}}
    assert "instanceView" not in stored
    assert "instanceView" not in stored["containers"][0]["properties"]


def test_property_names_are_matched_in_any_case_and_nulls_are_unset(world: World) -> None:
    body = world.body(restartpolicy="OnFailure", dnsConfig=None)
    body["properties"]["containers"][0]["properties"]["resources"] = {"Requests": {"memoryInGb": 1, "CPU": 1}}
    shown = world.arm("PUT", ID, body).body["properties"]
    assert shown["containers"][0]["properties"]["resources"] == {"requests": {"memoryInGB": 1, "cpu": 1}}
    assert shown["restartPolicy"] == "OnFailure"
    assert "dnsConfig" not in shown


def test_b8_properties_of_a_newer_api_version_are_seen_and_kept_by_that_version_only(world: World) -> None:
    body = world.body(futureThing={"NestedCase": [1, {"x": None}]})
    body["properties"]["containers"][0]["properties"]["futureProbe"] = {"Every": 5}
    new, old = (f"https://management.azure.com{ID}?api-version={each}" for each in ("2026-07-01", "2025-09-01"))
    assert world.arm("PUT", new, body).status == 201
    shown = world.arm("GET", new).body["properties"]
    assert shown["futureThing"] == {"NestedCase": [1, {"x": None}]}
    assert shown["containers"][0]["properties"]["futureProbe"] == {"Every": 5}
    hidden = world.arm("GET", old).body["properties"]
    assert not {"futureThing", "futureProbe"} & {*hidden, *hidden["containers"][0]["properties"]}
    del body["properties"]["containers"][0]["properties"]["futureProbe"]
    refused = world.arm("PUT", old, body)
    member = "Could not find member 'futureThing' on object of type 'ContainerGroupPropertiesDefinition'."
    assert (refused.code, member in refused.body["error"]["message"]) == ("InvalidRequestContent", True)
    world.wait(minutes=5)
    assert world.arm("PUT", old, world.body()).status == 200
    assert "futureThing" not in world.arm("GET", new).body["properties"]


def test_paths_match_in_any_case_and_with_doubled_slashes(world: World) -> None:
    path = ID.replace("resourceGroups", "resourcegroups").replace("/containerGroups", "//containerGroups")
    assert world.arm("PUT", path, world.body()).status == 201
    assert world.arm("GET", ID.upper().replace(SUBSCRIPTION.upper(), SUBSCRIPTION)).body["name"] == "mycontainer"


def test_a_label_gives_a_name_and_an_address_that_updates_keep(world: World) -> None:
    address = {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "mylabel"}
    world.deploy(ipAddress=address)
    shown = world.properties()["ipAddress"]
    assert list(shown) == ["ports", "ip", "type", "dnsNameLabel", "autoGeneratedDomainNameLabelScope", "fqdn"]
    assert shown["fqdn"] == "mylabel.eastus.azurecontainer.io"
    world.deploy(ipAddress=address)
    assert world.properties()["ipAddress"]["ip"] == shown["ip"]
    world.azure.container_groups.move_host(ID)
    assert world.properties()["ipAddress"]["ip"] != shown["ip"]


def broken(world: World, case: str) -> dict[str, Any]:
    body = world.body()
    properties = body["properties"]
    container, [credential] = properties["containers"][0], properties["imageRegistryCredentials"]
    changes: dict[str, Callable[[], object]] = {
        "no location": lambda: body.pop("location"),
        "no os": lambda: properties.pop("osType"),
        "no containers": lambda: properties.pop("containers"),
        "no image": lambda: container["properties"].pop("image"),
        "no resources": lambda: container["properties"].pop("resources"),
        "no cpu": lambda: container["properties"]["resources"]["requests"].pop("cpu"),
        "bad name": lambda: container.update(name="My_App"),
        "no server": lambda: credential.pop("server"),
        "bad server": lambda: credential.update(server="https://x.azurecr.io"),
        "neither": lambda: credential.pop("username"),
        "foreign identity": lambda: (credential.pop("username"), credential.update(identity=IDENTITY)),
        "two credentials": (
            lambda: properties["imageRegistryCredentials"].append({**credential, "server": "other.azurecr.io"})
        ),
        "private": lambda: properties.update(ipAddress={"type": "Private", "ports": [{"port": 80}]}),
        "no array": lambda: properties.update(volumes={}),
        "no command": lambda: properties["containers"][0]["properties"].update(command="run me"),
    }
    changes[case]()
    return body


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("no location", "LocationRequired", "The location property is required"),
        (
            "no os",
            "InvalidOsType",
            "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'.",
        ),
        (
            "no containers",
            "InvalidRequestContent",
            "Required property 'containers' not found in JSON. Path 'properties'",
        ),
        (
            "no image",
            "InvalidRequestContent",
            "Required property 'image' not found in JSON. Path 'properties.containers[0].properties'",
        ),
        (
            "no resources",
            "ResourceRequestsNotSpecified",
            "The resource requests are not specified in container 'app' of contain group 'mycontainer'.",
        ),
        ("no cpu", "ResourceSomeRequestsNotSpecified", "The 'Cpu' request is not specified"),
        (
            "bad name",
            "InvalidContainerName",
            "The container name 'My_App' in container group 'mycontainer' is invalid.",
        ),
        (
            "no server",
            "InvalidRequestContent",
            "Required property 'server' not found in JSON. Path 'properties.imageRegistryCredentials[0]'",
        ),
        ("bad server", "InvalidImageRegistryServer", "It should be a valid host name without protocol."),
        ("neither", "AmbiguousImageResitryCredentialType", "Please set exactly one of username or identity"),
        ("foreign identity", "InvalidImageRegistryIdentity", "not found in container group identity list."),
        (
            "two credentials",
            "MoreImageRegistryCredentialsThanContainers",
            "More image registry credentials provided than containers",
        ),
        (
            "private",
            "PrivateIPAddressNotSupported",
            "Private IP address is only supported when network profile is defined.",
        ),
        ("no array", "InvalidRequestContent", "Path 'properties.volumes'"),
        ("no command", "InvalidRequestContent", "Path 'properties.containers[0].properties.command'"),
    ],
)
def test_b9_a_wrong_body_is_refused_in_azures_words(world: World, case: str, code: str, words: str) -> None:
    answer = world.arm("PUT", ID, broken(world, case))
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.body["error"]["message"]
    assert world.arm("GET", ID).code == "ResourceNotFound"


@pytest.mark.parametrize("change", ["restartPolicy", "osType", "cpu", "subnetIds", "zones"])
def test_b9_some_changes_need_a_new_group(world: World, change: str) -> None:
    world.deploy()
    body = world.body()
    requests = body["properties"]["containers"][0]["properties"]["resources"]["requests"]
    new = {"restartPolicy": "Never", "osType": "Windows", "subnetIds": [{"id": f"{GROUP}/subnets/a"}]}
    if change == "cpu":
        requests["cpu"] = 2
    elif change == "zones":
        body["zones"] = ["1"]
    else:
        body["properties"][change] = new[change]
    answer = world.arm("PUT", ID, body)
    assert (answer.status, answer.code) == (400, "InvalidContainerGroupUpdate")
    assert "you must delete it first and then create a new one." in answer.body["error"]["message"]
    if change == "restartPolicy":
        assert '(old "Always", new "Never")' in answer.body["error"]["message"]


def test_a_second_location_and_a_missing_resource_group_are_refused(world: World) -> None:
    world.deploy()
    elsewhere = world.arm("PUT", ID, {**world.body(), "location": "West US"})
    assert (elsewhere.status, elsewhere.code) == (409, "InvalidResourceLocation")
    answer = world.arm("PUT", ID.replace("myResourceGroup", "other"), world.body())
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")


def test_b2_lists_have_no_instance_view_and_come_in_pages(world: World) -> None:
    world.azure.container_groups.quotas.allow(SUBSCRIPTION, "eastus", "ContainerGroups", 200)
    world.azure.container_groups.quotas.allow(SUBSCRIPTION, "eastus", "StandardCores", 200)
    for number in range(101):
        world.azure.container_groups.state.spent.clear()
        world.azure.container_groups.put(f"{ID}{number:03d}", world.body())
    every = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups"
    first = world.arm("GET", f"{every}?api-version=2024-05-01-preview").body
    second = world.arm("GET", first["nextLink"]).body
    assert (len(first["value"]), len(second["value"]), "nextLink" in second) == (100, 1, False)
    item = first["value"][0]["properties"]
    assert "instanceView" not in item
    assert "instanceView" not in item["containers"][0]["properties"]
    assert item["imageRegistryCredentials"] == [
        {"server": SERVER, "username": world.puller.app_id, "isDelegatedIdentity": False}
    ]


def test_b2_patch_replaces_the_tags_without_a_restart_and_nothing_else(world: World) -> None:
    world.deploy()
    world.arm("PATCH", ID, {"tags": {"a": "1"}})
    answer = world.arm("PATCH", ID, {"tags": {"b": "2"}})
    assert (answer.status, answer.body["tags"], answer.body["properties"]["provisioningState"]) == (
        200,
        {"b": "2"},
        "Succeeded",
    )
    assert world.arm("PATCH", ID, {"properties": {}}).status == 400
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


def test_b2_delete_answers_with_the_last_body_and_204_when_there_is_none(world: World) -> None:
    world.deploy()
    answer = world.arm("DELETE", ID)
    assert (
        answer.status,
        answer.body["id"],
        answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"],
    ) == (200, ID, "99")
    assert world.arm("DELETE", ID).status == 204
    missing = world.arm("GET", ID)
    assert missing.status == 404
    assert missing.body["error"] == {
        "code": "ResourceNotFound",
        "message": "The Resource 'Microsoft.ContainerInstance/containerGroups/mycontainer' under resource group"
        " 'myResourceGroup' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    }


def test_every_operation_needs_its_action(world: World) -> None:
    world.deploy()
    base = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups"
    calls = [
        ("PUT", ID),
        ("GET", ID),
        ("PATCH", ID),
        ("DELETE", ID),
        ("GET", base),
        ("GET", f"{ID}/containers/app/logs"),
    ]
    calls += [("POST", f"{ID}/{verb}") for verb in ("start", "stop", "restart")]
    answers = [world.arm(method, path, world.body(), who=world.puller) for method, path in calls]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "AuthorizationFailed")}
    assert "Microsoft.ContainerInstance/containerGroups/restart/action" in answers[-1].body["error"]["message"]


def test_a_lock_forbids_deletion(world: World) -> None:
    world.deploy()
    world.azure.resources.lock(GROUP)
    answer = world.arm("DELETE", ID)
    assert (answer.status, answer.code) == (409, "ScopeLocked")
    assert world.arm("PUT", ID, world.body()).status == 200


def test_groups_are_in_the_list_of_all_resources(world: World) -> None:
    world.deploy()
    found = world.arm(
        "GET",
        f"/subscriptions/{SUBSCRIPTION}/resources?$filter=resourceType eq"
        " 'Microsoft.ContainerInstance/containerGroups'",
    )
    assert [item["id"] for item in found.body["value"]] == [ID]


NOT_DONE = {
    "aci.containers.executeCommand": ("POST", f"{ID}/containers/app/exec"),
    "aci.containers.attach": ("POST", f"{ID}/containers/app/attach"),
    "aci.containerGroups.getOutboundNetworkDependenciesEndpoints": (
        "GET",
        f"{ID}/outboundNetworkDependenciesEndpoints",
    ),
    "aci.nGroups": ("PUT", f"{GROUP}/providers/Microsoft.ContainerInstance/ngroups/n"),
    "aci.subnetServiceAssociationLink.delete": (
        "DELETE",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s/providers/Microsoft.ContainerInstance/serviceAssociationLinks/default",
    ),
}


@pytest.mark.parametrize("operation", NOT_DONE)
def test_what_is_not_done_says_so_by_name(world: World, operation: str) -> None:
    answer = world.arm(*NOT_DONE[operation], body={})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert operation in answer.body["error"]["message"]


def test_the_sdk_creates_restarts_and_reads_a_group() -> None:
    world = World()
    client = client_of(world)
    made: Any = client.container_groups.begin_create_or_update(
        "myResourceGroup", "mycontainer", cast(Any, world.body())
    ).result()
    assert (made.provisioning_state, made.instance_view.state) == ("Succeeded", "Running")
    client.container_groups.begin_restart("myResourceGroup", "mycontainer").result()
    client.container_groups.stop("myResourceGroup", "mycontainer")
    client.container_groups.begin_start("myResourceGroup", "mycontainer").result()
    assert [group.name for group in client.container_groups.list()] == ["mycontainer"]
    with pytest.raises(HttpResponseError) as refused:
        client.container_groups.begin_create_or_update(
            "myResourceGroup", "mycontainer", cast(Any, world.body(secret="wrong"))
        )
    assert refused.value.error is not None
    assert refused.value.error.code == "InaccessibleImage"
    assert client.container_groups.begin_delete("myResourceGroup", "mycontainer").result().name == "mycontainer"


def test_b10_the_sdk_takes_a_busy_group_for_an_existing_one(world: World) -> None:
    world.deploy(seconds=0)
    with pytest.raises(ResourceExistsError) as busy:
        client_of(world).container_groups.begin_restart("myResourceGroup", "mycontainer")
    assert busy.value.error is not None
    assert busy.value.error.code == "ContainerGroupTransitioning"


def test_state_survives_json(world: World) -> None:
    world.deploy(**copy.deepcopy(SECRETS), ipAddress={"type": "Public", "ports": [{"port": 80}]})
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    world.azure.container_groups.move_host(ID)
    world.arm("PUT", f"{ID}2", world.body())
    state, kind = world.azure.container_groups.state, TypeAdapter(ContainerState)
    assert kind.validate_json(kind.dump_json(state)) == state


def test_b9_a_group_under_way_refuses_changes_but_not_deletion(world: World) -> None:
    world.deploy(seconds=0)
    answers = [
        world.arm("PUT", ID, world.body()),
        *(world.arm("POST", f"{ID}/{verb}") for verb in ("restart", "start", "stop")),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(409, "ContainerGroupTransitioning")}
    assert (
        answers[0].body["error"]["message"]
        == "The container group 'mycontainer' is still transitioning, please retry later."
    )
    assert world.arm("DELETE", ID).status == 200


def test_b4_a_restart_shows_the_old_state_first_and_pulls_nothing_that_is_unchanged(world: World) -> None:
    world.deploy()
    answer = world.arm("POST", f"{ID}/restart")
    assert (answer.status, answer.content) == (204, b"")
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]["state"]) == ("Updating", "Running")
    assert [world.arm("POST", f"{ID}/{verb}").status for verb in ("restart", "stop")] == [204, 409]
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 2), ("Killing", 1)]
    assert world.arm("GET", answer.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    world.azure.registries.push(SERVER, "app", "v1")
    world.arm("POST", f"{ID}/restart")
    world.wait(seconds=20)
    assert [event["name"] for event in world.view()["events"]].count("Pulled") == 2


def test_b9_a_restart_with_a_dead_credential_is_refused_and_the_group_runs_on(world: World) -> None:
    world.deploy()
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    answer = world.arm("POST", f"{ID}/restart")
    assert (answer.status, answer.code) == (400, "InaccessibleImage")
    assert world.view()["currentState"]["state"] == "Running"
    assert len(world.azure.container_groups.refused) == 1


@pytest.mark.parametrize(
    ("tag", "code", "state", "detail"), [("ok", 0, "Succeeded", "Completed"), ("bad", 2, "Failed", "Error")]
)
def test_b6_a_run_once_group_ends_with_its_images_exit_code(
    world: World, tag: str, code: int, state: str, detail: str
) -> None:
    world.deploy(f"{SERVER}/job:{tag}", restartPolicy="Never")
    assert world.properties()["instanceView"]["state"] == "Running"
    world.wait(seconds=30)
    properties, view = world.properties(), world.view()
    assert (properties["instanceView"]["state"], properties["provisioningState"]) == (state, "Succeeded")
    assert view["currentState"] == {
        "state": "Terminated",
        "startTime": "2026-03-01T12:00:20.000Z",
        "exitCode": code,
        "finishTime": "2026-03-01T12:00:50.000Z",
        "detailStatus": detail,
    }
    assert view["events"][-1]["message"] == f"Container app terminated with ExitCode {code}."
    assert view["events"][-1]["name"] == "Killing"


@pytest.mark.parametrize("why", ["secret", "role", "tag", "registry", "server", "firewall"])
def test_b9_an_image_the_stored_credential_cannot_reach_is_refused_at_once_and_changes_nothing(
    world: World, why: str
) -> None:
    world.deploy()
    before = world.azure.container_groups.stored(ID)
    image = {"tag": f"{SERVER}/app:v9", "registry": "nowhere.azurecr.io/app:v1"}.get(why, IMAGE)
    body = world.body(image, secret="wrong" if why == "secret" else None)
    if why == "role":
        world.azure.authorization.delete(world.role.id)
    if why == "server":
        body["properties"]["imageRegistryCredentials"][0]["server"] = "other.azurecr.io"
    if why == "firewall":
        world.azure.resources.put(REGISTRY, REGISTRIES, "eastus", {"publicNetworkAccess": "Disabled"})
    answer = world.arm("PUT", ID, body)
    assert answer.status == 400
    assert answer.body["error"] == {
        "code": "InaccessibleImage",
        "message": (
            f"The image '{image}' in container group 'mycontainer' is not accessible. Please check the image and"
            " registry credential."
        ),
    }
    [refused] = world.azure.container_groups.refused
    assert (refused.group, refused.image, refused.at) == (ID, image, world.clock.now())
    assert world.azure.container_groups.stored(ID) == before


def test_b9_several_inaccessible_images_are_reported_together(world: World) -> None:
    body = world.body()
    second = copy.deepcopy(body["properties"]["containers"][0])
    second["name"], second["properties"]["image"] = "side", f"{SERVER}/app:v9"
    body["properties"]["containers"][0]["properties"]["image"] = f"{SERVER}/none:v1"
    body["properties"]["containers"].append(second)
    answer = world.arm("PUT", ID, body)
    assert answer.code == "MultipleErrorsOccurred"
    assert answer.body["error"]["message"].count("'BadRequest':'InaccessibleImage':") == 2


def test_b5_a_failed_pull_fault_fails_some_times_and_the_operation_succeeds_all_the_same(world: World) -> None:
    world.fault("failed_pull", argument="3")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(seconds=6)
    assert world.view()["currentState"]["state"] == "Waiting"
    world.wait(minutes=5)
    assert world.arm("GET", url).body["status"] == "Succeeded"
    assert ("Failed", 3) in world.events()
    assert world.view()["currentState"]["state"] == "Running"


def test_b10_a_failed_operation_may_carry_no_error_and_the_containers_run(world: World) -> None:
    world.fault("failed_lro")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(seconds=20)
    operation = world.arm("GET", url).body
    assert (operation["status"], "error" in operation) == ("Failed", False)
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]["state"]) == ("Failed", "Running")


@pytest.mark.parametrize(
    "version", ["2023-05-01", "2024-05-01-preview", "2025-09-01", "2026-05-01", "2018-10-01", "2099-01-01-preview"]
)
def test_b1_any_api_version_is_taken(world: World, version: str) -> None:
    owner = {"Authorization": f"Bearer {world.token(world.owner)}"}
    assert (
        world.send("PUT", f"https://management.azure.com{ID}?api-version={version}", world.body(), owner).status == 201
    )
    assert (
        world.send("GET", f"https://management.azure.com{ID}?api-version={version}", headers=owner).body["name"]
        == "mycontainer"
    )


def test_b2_every_operation_of_the_sdk_does_what_azure_does_or_answers_501() -> None:
    world = World()
    world.azure.registries.push(SERVER, "app", "v1", logs="hello\n")
    with client_of(world) as typed:
        client = cast(Any, typed)
        groups, names = client.container_groups, ("myResourceGroup", "mycontainer")
        made = groups.begin_create_or_update(*names, world.body()).result()
        assert (made.provisioning_state, groups.get(*names).name) == ("Succeeded", "mycontainer")
        assert (
            [group.name for group in groups.list()]
            == [group.name for group in groups.list_by_resource_group(names[0])]
            == ["mycontainer"]
        )
        assert groups.update(*names, Resource(tags={"a": "1"})).tags == {"a": "1"}
        groups.begin_restart(*names).result()
        groups.stop(*names)
        groups.begin_start(*names).result()
        assert client.containers.list_logs(*names, "app").content == "hello\n"
        usages = {
            str(usage.name and usage.name.value): usage.current_value for usage in client.location.list_usage("eastus")
        }
        assert usages["ContainerGroups"] == 1
        cached = {str(image.image) for image in client.location.list_cached_images("eastus")}
        assert "mcr.microsoft.com/windows/servercore:ltsc2019" in cached
        assert {
            each.capabilities.max_gpu_count for each in client.location.list_capabilities("eastus") if each.capabilities
        } == {0, 4}
        assert any(str(each.name).endswith("containerGroups/write") for each in client.operations.list())
        not_done: list[Callable[[], object]] = [
            lambda: client.containers.execute_command(*names, "app", ContainerExecRequest(command="sh")),
            lambda: client.containers.attach(*names, "app"),
            lambda: groups.get_outbound_network_dependencies_endpoints(*names),
            lambda: client.subnet_service_association_link.begin_delete(names[0], "net", "sub"),
        ]
        for call in not_done:
            with pytest.raises(HttpResponseError) as refused:
                call()
            assert refused.value.status_code == 501
        assert groups.begin_delete(*names).result().name == "mycontainer"


class Signer:
    """Credential with the owner's token, as azure-identity's asynchronous ones."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return self.world.get_token(*scopes)

    async def close(self) -> None:
        """Close nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def everything(world: World) -> list[Any]:
    transport = AioHttpTransport(session=cast(Any, Session(world.app)), session_owner=False)
    async with AsyncClient(Signer(world), SUBSCRIPTION, transport=transport, polling_interval=0) as client:
        groups, names, seen = client.container_groups, ("myResourceGroup", "mycontainer"), list[Any]()
        made = await (await groups.begin_create_or_update(*names, cast(Any, world.body()))).result()
        seen += [made.provisioning_state, [group.name async for group in groups.list()]]
        seen += [(await groups.update(*names, Resource(tags={"a": "1"}))).tags, (await groups.get(*names)).name]
        await (await groups.begin_restart(*names)).result()
        await groups.stop(*names)
        await (await groups.begin_start(*names)).result()
        seen += [
            (await client.containers.list_logs(*names, "app")).content,
            len([each async for each in client.location.list_usage("eastus")]),
        ]
        for call in (
            client.containers.attach(*names, "app"),
            groups.get_outbound_network_dependencies_endpoints(*names),
        ):
            with pytest.raises(HttpResponseError) as refused:
                await call
            seen.append(refused.value.status_code)
        return [*seen, (await (await groups.begin_delete(*names)).result()).name]


def test_b2_every_operation_of_the_asynchronous_sdk_does_too() -> None:
    world = World()
    seen = virtual.run(lambda _: everything(world))
    assert seen == ["Succeeded", ["mycontainer"], {"a": "1"}, "mycontainer", "", 10, 501, 501, "mycontainer"]


WHOLE: dict[str, Any] = {
    "sku": "Confidential",
    "priority": "Regular",
    "restartPolicy": "OnFailure",
    "confidentialComputeProperties": {"ccePolicy": "eA=="},
    "dnsConfig": {"nameServers": ["10.0.0.1"], "searchDomains": "a.b", "options": "ndots:2"},
    "encryptionProperties": {"vaultBaseUrl": "https://v", "keyName": "k", "keyVersion": "1", "identity": IDENTITY},
    "identityAcls": {"defaultAccess": "System", "acls": [{"identity": IDENTITY, "access": "User"}]},
    "containerGroupProfile": {"id": "/p", "revision": 2},
    "standbyPoolProfile": {"id": "/s", "failContainerGroupCreateOnReuseFailure": True},
    "extensions": [{"name": "e", "properties": {**EXTENSION, "settings": {"A": 1}}}],
    "subnetIds": [{"id": f"{GROUP}/subnets/a", "name": "a"}],
    "ipAddress": {"ports": [{"port": 80, "protocol": "UDP"}], "type": "Private"},
}
RUN: dict[str, Any] = {
    "command": ["sh", "-c", "true"],
    "configMap": {"keyValuePairs": {"Key": "value"}},
    "ports": [{"port": 80, "protocol": "UDP"}],
    "securityContext": {
        "privileged": False,
        "capabilities": {"add": ["CAP_X"], "drop": []},
        "runAsUser": 1,
        "seccompProfile": "eA==",
    },
    "livenessProbe": {
        "exec": {"command": ["x"]},
        "initialDelaySeconds": 1,
        "periodSeconds": 2,
        "successThreshold": 1,
        "timeoutSeconds": 3,
    },
    "readinessProbe": {
        "httpGet": {"path": "/", "port": 80, "scheme": "https", "httpHeaders": [{"name": "A", "value": "b"}]}
    },
}


def test_b8_every_property_of_the_descriptions_is_kept_and_shown(world: World) -> None:
    body = world.body(**copy.deepcopy(WHOLE))
    body["zones"], properties = ["1"], body["properties"]
    properties["containers"][0]["properties"] |= copy.deepcopy(RUN)
    properties["containers"][0]["properties"]["resources"]["limits"] = {"cpu": 2, "memoryInGB": 2}
    answer = world.arm("PUT", ID, body)
    assert answer.status == 201, answer.content
    shown = world.arm("GET", ID).body
    assert shown["properties"]["ipAddress"].pop("ip").startswith("10.0.0.")
    assert (shown["zones"], {name: shown["properties"][name] for name in WHOLE}) == (["1"], WHOLE)
    container = shown["properties"]["containers"][0]["properties"]
    assert {name: container[name] for name in RUN} == RUN
    assert container["resources"]["limits"] == {"cpu": 2, "memoryInGB": 2}


REFERENCE = {"name": "pw", "identity": IDENTITY, "secretReferenceUri": "https://myvault.vault.azure.net/secrets/pull"}


def referring(world: World, **changes: Any) -> dict[str, Any]:
    """Return a group whose registry password is in the vault, with an identity for the vault."""
    credential = {"server": SERVER, "username": world.puller.app_id, "passwordReference": "pw"}
    body = world.body(imageRegistryCredentials=[credential], secretReferences=[{**REFERENCE, **changes}])
    return {**body, "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}}


@pytest.fixture
def reader(world: World) -> World:
    """Return a world with an identity that may read the vault's secrets, and the password in the vault."""
    who = world.principal("identity")
    found = {"principalId": who.oid, "clientId": who.app_id}
    world.azure.resources.put(IDENTITY, "Microsoft.ManagedIdentity/userAssignedIdentities", "eastus", found)
    world.azure.authorization.assign(
        f"{GROUP}/providers/Microsoft.KeyVault/vaults/myvault", who.oid, "Key Vault Secrets User", at_once=True
    )
    world.azure.vaults.set("myvault", "pull", world.puller.secret)
    return world


def test_b8_a_secret_reference_is_read_with_the_groups_identity_whenever_the_group_is_deployed(reader: World) -> None:
    body, groups = referring(reader), reader.azure.container_groups
    container = body["properties"]["containers"][0]["properties"]
    container["environmentVariables"] = [{"name": "P", "secureValueReference": "pw"}]
    file = {"shareName": "s", "storageAccountName": "a", "storageAccountKeyReference": "pw"}
    body["properties"]["volumes"] = [
        {"name": "files", "azureFile": file},
        {"name": "secrets", "secretReference": {"file": "pw"}},
    ]
    assert reader.arm("PUT", ID, body).status == 201
    reader.wait(seconds=20)
    shown = reader.properties()
    assert (shown["instanceView"]["state"], shown["imageRegistryCredentials"][0]["passwordReference"]) == (
        "Running",
        "pw",
    )
    assert (shown["secretReferences"], shown["volumes"]) == ([REFERENCE], body["properties"]["volumes"])
    assert reader.puller.secret not in json.dumps(shown)
    reader.azure.vaults.set("myvault", "pull", "another")
    assert groups.move_host(ID)
    reader.wait(seconds=20)
    assert reader.arm("POST", f"{ID}/restart").code == "InaccessibleImage"
    reader.azure.vaults.set("myvault", "pull", reader.puller.secret)
    assert reader.arm("POST", f"{ID}/restart").status == 204


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("unknown", "SecretReferenceNotFound"),
        ("twice", "DuplicateSecretReferences"),
        ("not the group's", "InvalidSecretReferenceIdentity"),
        ("no secret", "InvalidSecretReferenceUri"),
        ("missing", "SecretReferenceInaccessible"),
        ("no role", "SecretReferenceInaccessible"),
    ],
)
def test_b8_a_secret_reference_that_cannot_be_read_is_refused(reader: World, case: str, code: str) -> None:
    uris = {"no secret": "https://elsewhere.example/secrets/pull", "missing": REFERENCE["secretReferenceUri"] + "er"}
    body = referring(reader, **({"secretReferenceUri": uris[case]} if case in uris else {}))
    if case == "unknown":
        body["properties"]["secretReferences"] = []
    if case == "twice":
        body["properties"]["secretReferences"] *= 2
    if case == "not the group's":
        del body["identity"]
    if case == "no role":
        for assignment in reader.azure.authorization.assignments():
            if "vaults" in assignment.scope:
                reader.azure.authorization.delete(assignment.id)
    answer = reader.arm("PUT", ID, body)
    assert (answer.status, answer.code) == (400, code)
    assert reader.arm("GET", ID).status == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sku": "Big"}, "Error converting value \"Big\" to type 'ContainerGroupSku'. Path 'properties.sku'"),
        ({"priority": "High"}, "'ContainerGroupPriority'"),
        (
            {"ipAddress": {"type": "Open", "ports": []}},
            "'ContainerGroupIpAddressType'. Path 'properties.ipAddress.type'",
        ),
        (
            {"ipAddress": {"type": "Public", "ports": [{"port": "http"}]}},
            "Could not convert string to integer: http. Path 'properties.",
        ),
        ({"ipAddress": {"type": "Public", "ports": [{"protocol": "TCP"}]}}, "Required property 'port' not found"),
        ({"encryptionProperties": {"keyName": "k"}}, "Required property 'vaultBaseUrl' not found"),
        (
            {"identityAcls": {"acls": [{"identity": "i", "access": "Some"}]}},
            "'IdentityAccessLevel'. Path 'properties.identityAcls.acls[0].access'",
        ),
    ],
    ids=str,
)
def test_b9_what_is_not_of_its_type_is_refused_with_its_place(world: World, change: dict[str, Any], words: str) -> None:
    answer = world.arm("PUT", ID, world.body(**change))
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")
    assert words in answer.body["error"]["message"]


def test_b9_numbers_may_be_texts_and_enumerations_in_any_case(world: World) -> None:
    body = world.body(restartPolicy="onfailure", osType="linux", sku="standard")
    body["properties"]["containers"][0]["properties"]["resources"]["requests"] = {"cpu": "0.5", "memoryInGB": "1"}
    body["identity"] = {"type": "systemassigned"}
    shown = world.azure.container_groups.put(ID, body).body
    properties = shown["properties"]
    assert (properties["restartPolicy"], properties["osType"], properties["sku"]) == ("OnFailure", "Linux", "Standard")
    assert properties["containers"][0]["properties"]["resources"]["requests"] == {"cpu": 0.5, "memoryInGB": 1.0}
    assert shown["identity"]["type"] == "SystemAssigned"
    assert shown["identity"]["principalId"]
    assert world.arm("PUT", f"{ID}_2", world.body()).code == "InvalidContainerGroupName"


def test_b12_values_are_read_from_texts_and_shown_as_what_they_are(world: World) -> None:
    probe = {"httpGet": {"path": "/", "port": "80", "scheme": "HTTP"}, "periodSeconds": "30", "failureThreshold": "2"}
    mount = {"name": "files", "mountPath": "/m", "readOnly": "True"}
    body = world.body(
        ipAddress={"type": "public", "ports": [{"port": "80", "protocol": "udp"}]},
        volumes=[{"name": "files", "emptyDir": {}}],
    )
    run = body["properties"]["containers"][0]["properties"]
    run |= {"ports": [{"port": "80", "protocol": "udp"}], "livenessProbe": probe, "volumeMounts": [mount]}
    run |= {
        "environmentVariables": [{"name": "N", "value": 80}, {"name": "T", "value": True}],
        "command": ["sleep", 10],
    }
    shown = world.azure.container_groups.put(ID, body).body["properties"]
    found = shown["containers"][0]["properties"]
    assert shown["ipAddress"]["type"] == "Public"
    assert shown["ipAddress"]["ports"] == found["ports"] == [{"protocol": "UDP", "port": 80}]
    assert found["livenessProbe"] == {
        "periodSeconds": 30,
        "failureThreshold": 2,
        "httpGet": {"path": "/", "port": 80, "scheme": "http"},
    }
    assert found["volumeMounts"] == [{**mount, "readOnly": True}]
    assert [each["value"] for each in found["environmentVariables"]] == ["80", "true"]
    assert found["command"] == ["sleep", "10"]
    wrong = {**run, "volumeMounts": [{**mount, "readOnly": "perhaps"}]}
    refused = world.arm(
        "PUT", ID, {**body, "properties": {**body["properties"], "containers": [{"name": "app", "properties": wrong}]}}
    )
    assert (refused.status, refused.code) == (400, "InvalidRequestContent")


def test_b9_an_error_of_the_registry_passes(world: World) -> None:
    world.fault("registry_error")
    answer = world.arm("PUT", ID, world.body("nginx"))
    assert (answer.status, answer.code) == (409, "RegistryErrorResponse")
    message = "An error response is received from the docker registry 'index.docker.io'. Please retry later."
    assert answer.body["error"]["message"] == message
    assert world.arm("PUT", ID, world.body("nginx")).status == 201


def test_b9_a_refused_restart_says_what_it_failed_to_do(world: World) -> None:
    world.deploy()
    world.azure.authorization.delete(world.role.id)
    said = world.arm("POST", f"{ID}/restart").body["error"]["message"]
    assert said.startswith(
        "Failed to restart container group 'mycontainer'. Multiple error occurred:"
        " 'BadRequest':'InaccessibleImage':'The image"
    )


def test_b10_what_the_sdk_raises(world: World) -> None:
    client = client_of(world)
    with pytest.raises(ResourceNotFoundError):
        client.container_groups.get("myResourceGroup", "none")
    world.fault("failed_lro")
    poller = client.container_groups.begin_create_or_update(
        "myResourceGroup", "mycontainer", cast(Any, world.body()), polling=False
    )
    assert poller.result().provisioning_state == "Pending"
    world.wait(seconds=20)
    world.fault("status", "aci.containerGroups.get", status=401, code="ExpiredAuthenticationToken")
    with pytest.raises(ClientAuthenticationError):
        client.container_groups.get("myResourceGroup", "mycontainer")
    prompt = World()
    prompt.fault("failed_lro")
    with pytest.raises(HttpResponseError, match="Operation returned an invalid status 'OK'") as failed:
        client_of(prompt).container_groups.begin_create_or_update(
            "myResourceGroup", "mycontainer", cast(Any, prompt.body())
        ).result()
    assert failed.value.error is None


def test_b11_a_group_that_has_settled_can_be_changed_again(world: World) -> None:
    world.deploy(seconds=10)
    assert world.arm("POST", f"{ID}/restart").code == "ContainerGroupTransitioning"
    world.wait(seconds=10)
    assert world.arm("POST", f"{ID}/restart").status == 204
