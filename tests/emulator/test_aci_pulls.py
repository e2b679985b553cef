"""Which credential a container group pulls with, when, and how refusals show: at a PUT, a host move, by planned faults."""

import copy

import pytest
from containers import BRISK, GROUP, ID, IMAGE, REGISTRY, SERVER, World

from rotator.emulator.arm.behaviour import REGISTRIES

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"


@pytest.fixture
def world() -> World:
    return World(BRISK)


@pytest.mark.parametrize("why", ["secret", "role", "tag", "registry", "server", "firewall"])
def test_an_image_the_stored_credential_cannot_reach_is_refused_at_once_and_changes_nothing(world: World, why: str) -> None:
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
        "message": f"The image '{image}' in container group 'mycontainer' is not accessible. Please check the image and registry credential.",
    }
    [refused] = world.azure.container_groups.refused
    assert (refused.group, refused.image, refused.at) == (ID, image, world.clock.now())
    assert world.azure.container_groups.stored(ID) == before


def test_several_inaccessible_images_are_reported_together(world: World) -> None:
    body = world.body()
    second = copy.deepcopy(body["properties"]["containers"][0])
    second["name"], second["properties"]["image"] = "side", f"{SERVER}/app:v9"
    body["properties"]["containers"][0]["properties"]["image"] = f"{SERVER}/none:v1"
    body["properties"]["containers"].append(second)
    answer = world.arm("PUT", ID, body)
    assert answer.code == "MultipleErrorsOccurred"
    assert answer.body["error"]["message"].count("'BadRequest':'InaccessibleImage':") == 2


def test_public_images_need_no_credential(world: World) -> None:
    for image in ("mcr.microsoft.com/azuredocs/aci-helloworld", "nginx", "library/nginx:1", "docker.io/library/nginx@sha256:" + "a" * 64):
        world.deploy(image, imageRegistryCredentials=[])
        assert world.view()["currentState"]["state"] == "Running"


def test_a_host_move_pulls_with_the_stored_credential_and_refuses_once_it_is_dead(world: World) -> None:
    world.deploy()
    groups = world.azure.container_groups
    assert groups.move_host(ID)
    world.wait(minutes=1)
    assert world.view()["currentState"]["state"] == "Running"
    assert world.view()["previousState"]["exitCode"] == 7147
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    assert world.view()["currentState"]["state"] == "Running"
    assert not groups.move_host(ID)
    assert [(refused.username, refused.reason[:12]) for refused in groups.refused] == [(world.puller.app_id, "UNAUTHORIZED")]
    view = world.view()
    assert view["currentState"]["state"] == "Waiting"
    assert world.properties()["instanceView"]["state"] == "Pending"
    assert ("Killing", 2) in world.events()


def test_whether_a_group_could_move_is_known_without_moving_it(world: World) -> None:
    world.deploy()
    groups = world.azure.container_groups
    assert groups.could_pull(ID)
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    assert not groups.could_pull(ID)
    assert groups.refused == []


def test_a_refused_host_tries_again_and_recovers_once_the_credential_may_pull(world: World) -> None:
    world.deploy()
    world.azure.authorization.delete(world.role.id)
    assert not world.azure.container_groups.move_host(ID)
    world.wait(seconds=75)
    failed = next(event for event in world.view()["events"] if event["name"] == "Failed")
    assert (failed["count"], failed["type"]) == (4, "Warning")
    assert failed["message"].startswith(f'Failed to pull image "{SERVER}/app@sha256:')
    assert (failed["firstTimestamp"], failed["lastTimestamp"]) == ("2026-03-01T12:00:20Z", "2026-03-01T12:01:30Z")
    assert len(world.azure.container_groups.refused) == 4
    world.azure.authorization.assign(REGISTRY, world.puller.oid, "AcrPull", at_once=True)
    world.wait(minutes=5)
    assert world.view()["currentState"]["state"] == "Running"
    assert len(world.azure.container_groups.refused) == 4


def test_a_pull_counts_as_of_its_own_instant_however_late_somebody_looks(world: World) -> None:
    assert world.arm("PUT", ID, world.body()).status == 201
    world.wait(hours=30)
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    world.wait(hours=30)
    assert world.view()["currentState"] == {"state": "Running", "startTime": "2026-03-01T12:00:20.000Z", "detailStatus": ""}
    assert world.azure.container_groups.refused == []


def test_the_host_pulls_the_digest_of_the_put_though_the_tag_has_moved(world: World) -> None:
    world.deploy()
    old = world.azure.registries.stored(SERVER, "app", "v1").digest
    world.azure.registries.push(SERVER, "app", "v1")
    assert world.azure.container_groups.move_host(ID)
    assert old in world.view()["events"][0]["message"]
    assert world.azure.registries.stored(SERVER, "app", "v1").digest != old


def test_a_managed_identity_pulls_by_its_role(world: World) -> None:
    body = world.body(imageRegistryCredentials=[{"server": SERVER, "identity": IDENTITY}])
    body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    world.azure.resources.put(IDENTITY, "Microsoft.ManagedIdentity/userAssignedIdentities", "eastus", {"principalId": "0" * 32, "clientId": "c"})
    assert world.arm("PUT", ID, body).code == "InaccessibleImage"
    world.azure.authorization.assign(REGISTRY, "0" * 32, "AcrPull", at_once=True)
    answer = world.arm("PUT", ID, body)
    assert answer.status == 201
    assert answer.body["identity"]["userAssignedIdentities"][IDENTITY] == {"principalId": "0" * 32, "clientId": "c"}


def test_a_password_reference_is_read_from_the_vault_or_refused_clearly(world: World) -> None:
    world.azure.vaults.set("myvault", "pull", world.puller.secret)
    reference = {"name": "pw", "identity": IDENTITY, "secretReferenceUri": "https://myvault.vault.azure.net/secrets/pull"}
    credential = {"server": SERVER, "username": world.puller.app_id, "passwordReference": "pw"}
    assert world.arm("PUT", ID, world.body(imageRegistryCredentials=[credential])).status == 501
    assert world.arm("PUT", ID, world.body(imageRegistryCredentials=[credential], secretReferences=[reference])).status == 201
    world.wait(seconds=20)
    shown = world.properties()
    assert shown["imageRegistryCredentials"][0]["passwordReference"] == "pw"
    assert shown["instanceView"]["state"] == "Running"


def test_a_failed_pull_fault_fails_some_times_and_the_operation_succeeds_all_the_same(world: World) -> None:
    world.fault("failed_pull", argument="3")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(seconds=6)
    assert world.view()["currentState"]["state"] == "Waiting"
    world.wait(minutes=5)
    assert world.arm("GET", url).body["status"] == "Succeeded"
    assert ("Failed", 3) in world.events()
    assert world.view()["currentState"]["state"] == "Running"


def test_a_pull_that_fails_for_ever_fails_the_operation_after_half_an_hour_but_can_be_replaced(world: World) -> None:
    world.fault("failed_pull", argument="0")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(minutes=29)
    assert world.arm("GET", url).body["status"] == "Creating"
    world.wait(minutes=1)
    assert world.arm("GET", url).body["status"] == "Failed"
    assert world.properties()["provisioningState"] == "Failed"
    world.wait(days=30)
    assert world.properties()["instanceView"]["state"] == "Pending"
    world.deploy()
    assert world.properties()["instanceView"]["state"] == "Running"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("inaccessible", 400, "InaccessibleImage"), ("transitioning", 409, "ContainerGroupTransitioning"), ("quota", 400, "ContainerGroupQuotaReached")],
)
def test_planned_refusals_change_nothing(world: World, kind: str, status: int, code: str) -> None:
    world.fault(kind)
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.code) == (status, code)
    assert world.arm("PUT", ID, world.body()).status == 201


def test_a_failed_operation_may_carry_no_error_and_the_containers_run(world: World) -> None:
    world.fault("failed_lro")
    url = world.arm("PUT", ID, world.body()).headers["azure-asyncoperation"]
    world.wait(seconds=20)
    operation = world.arm("GET", url).body
    assert (operation["status"], "error" in operation) == ("Failed", False)
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]["state"]) == ("Failed", "Running")


def test_a_policy_may_strip_tags(world: World) -> None:
    world.fault("strip_tags")
    body = {**world.body(), "tags": {"rotator-key-id": "k"}}
    assert world.arm("PUT", ID, body).body["tags"] == {}


def test_a_stale_read_answers_the_version_before(world: World) -> None:
    world.arm("PUT", ID, {**world.body(), "tags": {"n": "1"}})
    world.fault("stale", "aci.containerGroups.get")
    assert world.arm("GET", ID).status == 404
    world.wait(seconds=20)
    world.arm("PUT", ID, {**world.body(), "tags": {"n": "2"}})
    world.fault("stale", "aci.containerGroups.get")
    assert world.arm("GET", ID).body["tags"] == {"n": "1"}
    assert world.arm("GET", ID).body["tags"] == {"n": "2"}


def test_a_crash_fault_pulls_well_and_then_loops(world: World) -> None:
    world.fault("crash")
    world.deploy(seconds=21)
    view = world.view()
    assert view["currentState"]["detailStatus"] == "CrashLoopBackOff: Back-off 10s restarting failed"
    assert world.properties()["provisioningState"] == "Succeeded"
    assert world.azure.container_groups.refused == []
