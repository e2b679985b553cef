"""Container groups over HTTP: what a PUT replaces and hides, what it refuses, what reads show, and what the SDK makes of it."""

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.containerinstance import ContainerInstanceManagementClient
from containers import BRISK, GROUP, ID, IMAGE, SERVER, SUBSCRIPTION, World
from pydantic import TypeAdapter

from rotator.emulator.aci.state import State
from rotator.emulator.inprocess import SyncAdapter

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
EXTENSION = {"extensionType": "realtime-metrics", "version": "1.0"}
SECRETS: dict[str, Any] = {
    "diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "hidden-1", "metadata": {"Env": "1"}}},
    "volumes": [
        {"name": "secret", "secret": {"Key.One": "aGlkZGVuLTI="}},
        {"name": "files", "azureFile": {"shareName": "s", "storageAccountName": "a", "storageAccountKey": "hidden-3"}},
    ],
    "initContainers": [{"name": "init", "properties": {"image": "busybox", "environmentVariables": [{"name": "I", "secureValue": "hidden-4"}]}}],
    "extensions": [{"name": "e", "properties": {**EXTENSION, "settings": {"A": 1}, "protectedSettings": {"b": "hidden-5"}}}],
}


@pytest.fixture
def world() -> World:
    return World(BRISK)


def client_of(world: World) -> ContainerInstanceManagementClient:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    transport = RequestsTransport(session=session)
    return ContainerInstanceManagementClient(world, SUBSCRIPTION, transport=transport, polling_interval=0)


def test_a_new_group_is_201_with_an_operation_and_azures_defaults(world: World) -> None:
    answer = world.arm("PUT", ID, world.body())
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
                        "resources": {"requests": {"memoryInGB": 1.5, "cpu": 1.0}},
                    },
                }
            ],
            "initContainers": [],
            "imageRegistryCredentials": [{"server": SERVER, "username": world.puller.app_id, "isDelegatedIdentity": False}],
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


def test_the_operation_says_pending_creating_succeeded_and_its_id_is_the_groups(world: World) -> None:
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    assert "/locations/eastus/operations/" in url
    seen = [world.arm("GET", url).body]
    world.wait(seconds=5)
    seen.append(world.arm("GET", url).body)
    world.wait(seconds=15)
    seen.append(world.arm("GET", url).body)
    assert [body["status"] for body in seen] == ["Pending", "Creating", "Succeeded"]
    assert list(seen[0]) == ["id", "status", "startTime", "properties"]
    assert seen[0] == {"id": ID, "status": "Pending", "startTime": "2026-03-01T12:00:00.0000000Z", "properties": {"events": []}}
    assert [event["name"] for event in seen[2]["properties"]["events"]] == ["Pulling", "Pulled", "Started"]


def test_polling_an_operation_needs_no_role_as_its_url_is_signed(world: World) -> None:
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    assert world.arm("GET", url, who=world.puller).status == 200
    assert world.arm("GET", ID, who=world.puller).code == "AuthorizationFailed"


def test_a_group_pulls_by_digest_and_runs(world: World) -> None:
    world.deploy()
    digest = world.azure.registries.stored(SERVER, "app", "v1").digest
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]) == ("Succeeded", {"events": [], "state": "Running"})
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


def test_hidden_values_are_stored_and_never_answered(world: World) -> None:
    body = world.body(**copy.deepcopy(SECRETS))
    body["properties"]["containers"][0]["properties"]["environmentVariables"] = [
        {"name": "P", "secureValue": "hidden-6"},
        {"name": "Q", "value": "shown"},
    ]
    answers = [world.arm("PUT", ID, body), world.arm("GET", ID), world.arm("GET", f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups")]
    answers += [world.arm("PATCH", ID, {"tags": {"a": "1"}})]
    shown = answers[1].body["properties"]
    assert shown["volumes"] == [{"name": "secret", "secret": {}}, {"name": "files", "azureFile": {"shareName": "s", "storageAccountName": "a"}}]
    assert shown["diagnostics"]["logAnalytics"] == {"workspaceId": "w", "metadata": {"Env": "1"}}
    assert shown["containers"][0]["properties"]["environmentVariables"] == [{"name": "P"}, {"name": "Q", "value": "shown"}]
    assert shown["initContainers"][0]["properties"]["environmentVariables"] == [{"name": "I"}]
    assert shown["extensions"] == [{"name": "e", "properties": {**EXTENSION, "settings": {"A": 1}}}]
    stored = json.dumps(world.azure.container_groups.stored(ID))
    answers += [world.arm("DELETE", ID)]
    for hidden in ("hidden-1", "aGlkZGVuLTI=", "hidden-3", "hidden-4", "hidden-5", "hidden-6", world.puller.secret, "Key.One"):
        assert hidden in stored
        assert not any(hidden.encode() in answer.content for answer in answers)


def test_what_a_put_leaves_out_goes_back_to_its_default(world: World) -> None:
    body = world.body(**copy.deepcopy(SECRETS), ipAddress={"type": "Public", "ports": [{"port": 80, "protocol": "TCP"}]})
    body["tags"] = {"team": "a"}
    assert world.arm("PUT", ID, body).status == 201
    world.wait(seconds=20)
    again = world.arm("PUT", ID, world.body())
    assert again.status == 200
    assert "azure-asyncoperation" in again.headers
    stored = world.azure.container_groups.stored(ID)
    assert (stored["tags"], stored["properties"].get("volumes"), stored["properties"].get("ipAddress")) == ({}, None, None)


def test_a_body_read_with_get_and_put_back_has_lost_its_secrets(world: World) -> None:
    world.deploy(**copy.deepcopy(SECRETS))
    body = world.arm("GET", ID).body
    refused = world.arm("PUT", ID, body)
    assert refused.body["error"]["message"].startswith(
        "The request content was invalid and could not be deserialized: 'Required property 'workspaceKey'"
    )
    del body["properties"]["diagnostics"]
    refused = world.arm("PUT", ID, body)
    assert refused.body["error"] == {
        "code": "InvalidImageRegistryPassword",
        "message": "The password in the 'imageRegistryCredentials' of container group 'mycontainer' cannot be empty.",
    }
    body["properties"]["imageRegistryCredentials"][0]["password"] = world.puller.secret
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


def test_properties_newer_than_the_emulator_come_back_as_given(world: World) -> None:
    body = world.body(futureThing={"NestedCase": [1, {"x": None}]})
    body["properties"]["containers"][0]["properties"]["futureProbe"] = {"Every": 5}
    world.arm("PUT", ID, body)
    shown = world.properties()
    assert shown["futureThing"] == {"NestedCase": [1, {"x": None}]}
    assert shown["containers"][0]["properties"]["futureProbe"] == {"Every": 5}


def test_paths_match_in_any_case_and_with_doubled_slashes(world: World) -> None:
    path = ID.replace("resourceGroups", "resourcegroups").replace("/containerGroups", "//containerGroups")
    assert world.arm("PUT", path, world.body()).status == 201
    assert world.arm("GET", ID.upper().replace(SUBSCRIPTION.upper(), SUBSCRIPTION)).body["name"] == "mycontainer"


def test_a_label_gives_a_name_and_an_address_that_updates_keep(world: World) -> None:
    address = {"type": "Public", "ports": [{"port": 80}], "dnsNameLabel": "my"}
    world.deploy(ipAddress=address)
    shown = world.properties()["ipAddress"]
    assert list(shown) == ["ports", "ip", "type", "dnsNameLabel", "autoGeneratedDomainNameLabelScope", "fqdn"]
    assert shown["fqdn"] == "my.eastus.azurecontainer.io"
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
        "two credentials": lambda: properties["imageRegistryCredentials"].append({**credential, "server": "other.azurecr.io"}),
        "private": lambda: properties.update(ipAddress={"type": "Private", "ports": [{"port": 80}]}),
        "no array": lambda: properties.update(volumes={}),
    }
    changes[case]()
    return body


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("no location", "LocationRequired", "The location property is required"),
        ("no os", "InvalidOsType", "The 'osType' for container group '<null>' is invalid. The value must be one of 'Windows,Linux'."),
        ("no containers", "InvalidRequestContent", "Required property 'containers' not found in JSON. Path 'properties'"),
        ("no image", "InvalidRequestContent", "Required property 'image' not found in JSON. Path 'properties.containers[0].properties'"),
        (
            "no resources",
            "ResourceRequestsNotSpecified",
            "The resource requests are not specified in container 'app' of contain group 'mycontainer'.",
        ),
        ("no cpu", "ResourceSomeRequestsNotSpecified", "The 'Cpu' request is not specified"),
        ("bad name", "InvalidContainerName", "The container name 'My_App' in container group 'mycontainer' is invalid."),
        ("no server", "InvalidRequestContent", "Required property 'server' not found in JSON. Path 'properties.imageRegistryCredentials[0]'"),
        ("bad server", "InvalidImageRegistryServer", "It should be a valid host name without protocol."),
        ("neither", "AmbiguousImageResitryCredentialType", "Please set exactly one of username or identity"),
        ("foreign identity", "InvalidImageRegistryIdentity", "not found in container group identity list."),
        ("two credentials", "MoreImageRegistryCredentialsThanContainers", "More image registry credentials provided than containers"),
        ("private", "PrivateIPAddressNotSupported", "Private IP address is only supported when network profile is defined."),
        ("no array", "InvalidRequestContent", "Path 'properties.volumes'"),
    ],
)
def test_a_wrong_body_is_refused_in_azures_words(world: World, case: str, code: str, words: str) -> None:
    answer = world.arm("PUT", ID, broken(world, case))
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.body["error"]["message"]
    assert world.arm("GET", ID).code == "ContainerGroupNotFound"


@pytest.mark.parametrize("change", ["restartPolicy", "osType", "cpu", "subnetIds"])
def test_some_changes_need_a_new_group(world: World, change: str) -> None:
    world.deploy()
    body = world.body()
    requests = body["properties"]["containers"][0]["properties"]["resources"]["requests"]
    new = {"restartPolicy": "Never", "osType": "Windows", "subnetIds": [{"id": "/subnets/a"}]}
    if change == "cpu":
        requests["cpu"] = 2
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


def test_lists_have_no_instance_view_and_come_in_pages(world: World) -> None:
    for number in range(101):
        world.azure.container_groups.state.spent.clear()
        world.azure.container_groups.put(f"{ID}{number:03d}", world.body())
    first = world.arm("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/containerGroups").body
    second = world.arm("GET", first["nextLink"]).body
    assert (len(first["value"]), len(second["value"]), "nextLink" in second) == (100, 1, False)
    item = first["value"][0]["properties"]
    assert "instanceView" not in item
    assert "instanceView" not in item["containers"][0]["properties"]
    assert item["imageRegistryCredentials"] == [{"server": SERVER, "username": world.puller.app_id, "isDelegatedIdentity": False}]


def test_patch_replaces_the_tags_without_a_restart_and_nothing_else(world: World) -> None:
    world.deploy()
    world.arm("PATCH", ID, {"tags": {"a": "1"}})
    answer = world.arm("PATCH", ID, {"tags": {"b": "2"}})
    assert (answer.status, answer.body["tags"], answer.body["properties"]["provisioningState"]) == (200, {"b": "2"}, "Succeeded")
    assert world.arm("PATCH", ID, {"properties": {}}).status == 400
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


def test_delete_answers_with_the_last_body_and_204_when_there_is_none(world: World) -> None:
    world.deploy()
    answer = world.arm("DELETE", ID)
    assert (answer.status, answer.body["id"], answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"]) == (200, ID, "99")
    assert world.arm("DELETE", ID).status == 204
    missing = world.arm("GET", ID)
    assert missing.status == 404
    assert missing.body == {"error": {"code": "ContainerGroupNotFound", "message": "The container group 'mycontainer' does not exist."}}


def test_every_operation_needs_its_action(world: World) -> None:
    world.deploy()
    base = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups"
    calls = [("PUT", ID), ("GET", ID), ("PATCH", ID), ("DELETE", ID), ("GET", base), ("GET", f"{ID}/containers/app/logs")]
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
    found = world.arm("GET", f"/subscriptions/{SUBSCRIPTION}/resources?$filter=resourceType eq 'Microsoft.ContainerInstance/containerGroups'")
    assert [item["id"] for item in found.body["value"]] == [ID]


def test_exec_attach_and_usages_are_not_implemented(world: World) -> None:
    world.deploy()
    paths = [("POST", f"{ID}/containers/app/exec"), ("POST", f"{ID}/containers/app/attach")]
    paths += [("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations/eastus/usages")]
    assert {world.arm(method, path).status for method, path in paths} == {501}


def test_the_hundred_and_first_put_in_five_minutes_is_throttled(world: World) -> None:
    for _ in range(100):
        world.azure.container_groups.budget.spend("put", SUBSCRIPTION)
        world.wait(seconds=1)
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, "TooManyRequests", "200")
    assert answer.headers["x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"] == "0"
    world.wait(seconds=200)
    assert world.arm("PUT", ID, world.body()).status == 201


def test_the_sdk_creates_restarts_and_reads_a_group() -> None:
    world = World()
    client = client_of(world)
    made: Any = client.container_groups.begin_create_or_update("myResourceGroup", "mycontainer", cast(Any, world.body())).result()
    assert (made.provisioning_state, made.instance_view.state) == ("Succeeded", "Running")
    client.container_groups.begin_restart("myResourceGroup", "mycontainer").result()
    client.container_groups.stop("myResourceGroup", "mycontainer")
    client.container_groups.begin_start("myResourceGroup", "mycontainer").result()
    assert [group.name for group in client.container_groups.list()] == ["mycontainer"]
    with pytest.raises(HttpResponseError) as refused:
        client.container_groups.begin_create_or_update("myResourceGroup", "mycontainer", cast(Any, world.body(secret="wrong")))
    assert refused.value.error is not None
    assert refused.value.error.code == "InaccessibleImage"
    assert client.container_groups.begin_delete("myResourceGroup", "mycontainer").result().name == "mycontainer"


def test_the_sdk_takes_a_busy_group_for_an_existing_one(world: World) -> None:
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
    state, kind = world.azure.container_groups.state, TypeAdapter(State)
    assert kind.validate_json(kind.dump_json(state)) == state
