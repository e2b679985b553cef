"""Tests of a container group's pulls: their credential, their moment, and refusals at a PUT, a host move, by planned
faults.
"""

import pytest
from containers import BRISK, GROUP, ID, World

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"


@pytest.fixture
def world() -> World:
    return World(BRISK)


def test_public_images_need_no_credential(world: World) -> None:
    for image in (
        "mcr.microsoft.com/azuredocs/aci-helloworld",
        "nginx",
        "library/nginx:1",
        "docker.io/library/nginx@sha256:" + "a" * 64,
    ):
        world.deploy(image, imageRegistryCredentials=[])
        assert world.view()["currentState"]["state"] == "Running"


def test_whether_a_group_could_move_is_known_without_moving_it(world: World) -> None:
    world.deploy()
    groups = world.azure.container_groups
    assert groups.could_pull(ID)
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    assert not groups.could_pull(ID)
    assert groups.refused == []


def test_a_pull_counts_as_of_its_own_instant_however_late_somebody_looks(world: World) -> None:
    assert world.arm("PUT", ID, world.body()).status == 201
    world.wait(hours=30)
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    world.wait(hours=30)
    assert world.view()["currentState"] == {
        "state": "Running",
        "startTime": "2026-03-01T12:00:20.000Z",
        "detailStatus": "",
    }
    assert world.azure.container_groups.refused == []


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("inaccessible", 400, "InaccessibleImage"),
        ("transitioning", 409, "ContainerGroupTransitioning"),
        ("quota", 400, "ContainerGroupQuotaReached"),
    ],
)
def test_planned_refusals_change_nothing(world: World, kind: str, status: int, code: str) -> None:
    world.fault(kind)
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.code) == (status, code)
    assert world.arm("PUT", ID, world.body()).status == 201


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
