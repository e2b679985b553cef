"""The life of a container group: updates, restart, stop and start, jobs that end, containers that crash."""

import pytest
from containers import BRISK, ID, SERVER, World


@pytest.fixture
def world() -> World:
    return World(BRISK)


def test_an_update_restarts_in_place_and_keeps_the_history(world: World) -> None:
    world.deploy()
    answer = world.arm("PUT", ID, world.body())
    assert (answer.status, answer.body["properties"]["provisioningState"]) == (200, "Pending")
    assert world.view()["currentState"]["state"] == "Running"
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 2), ("Pulled", 2), ("Started", 2), ("Killing", 1)]
    assert world.view()["events"][3]["message"] == "Killing container app (platform initiated)."


def test_a_group_under_way_refuses_changes_but_not_deletion(world: World) -> None:
    world.deploy(seconds=0)
    answers = [world.arm("PUT", ID, world.body()), *(world.arm("POST", f"{ID}/{verb}") for verb in ("restart", "start", "stop"))]
    assert {(answer.status, answer.code) for answer in answers} == {(409, "ContainerGroupTransitioning")}
    assert answers[0].body["error"]["message"] == "The container group 'mycontainer' is still transitioning, please retry later."
    assert world.arm("DELETE", ID).status == 200


def test_a_restart_shows_the_old_state_first_and_pulls_nothing_that_is_unchanged(world: World) -> None:
    world.deploy()
    answer = world.arm("POST", f"{ID}/restart")
    assert (answer.status, answer.content) == (204, b"")
    properties = world.properties()
    assert (properties["provisioningState"], properties["instanceView"]["state"]) == ("Updating", "Running")
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 2), ("Killing", 1)]
    assert world.arm("GET", answer.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    world.azure.registries.push(SERVER, "app", "v1")
    world.arm("POST", f"{ID}/restart")
    world.wait(seconds=20)
    assert [event["name"] for event in world.view()["events"]].count("Pulled") == 2


def test_a_restart_with_a_dead_credential_is_refused_and_the_group_runs_on(world: World) -> None:
    world.deploy()
    world.azure.directory.remove_password(world.puller.application, world.puller.key_id)
    answer = world.arm("POST", f"{ID}/restart")
    assert (answer.status, answer.code) == (400, "InaccessibleImage")
    assert world.view()["currentState"]["state"] == "Running"
    assert len(world.azure.container_groups.refused) == 1


def test_stop_ends_the_containers_and_start_deploys_as_new(world: World) -> None:
    world.deploy()
    assert world.arm("POST", f"{ID}/start").status == 204
    stopped = world.arm("POST", f"{ID}/stop")
    assert (stopped.status, "azure-asyncoperation" in stopped.headers) == (204, False)
    properties, view = world.properties(), world.view()
    assert (properties["instanceView"]["state"], properties["provisioningState"]) == ("Stopped", "Succeeded")
    assert view["currentState"]["detailStatus"] == "Container stopped per client request"
    assert (view["currentState"]["state"], view["previousState"]["state"]) == ("Terminated", "Running")
    assert world.azure.container_groups.move_host(ID)
    started = world.arm("POST", f"{ID}/start")
    assert started.status == 202
    world.wait(seconds=20)
    assert world.arm("GET", started.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


def test_a_put_on_a_stopped_group_deploys_it_as_new_even_with_another_policy(world: World) -> None:
    world.deploy()
    world.arm("POST", f"{ID}/stop")
    assert world.arm("PUT", ID, world.body(restartPolicy="Never")).status == 200
    world.wait(seconds=20)
    assert world.events() == [("Pulling", 1), ("Pulled", 1), ("Started", 1)]


@pytest.mark.parametrize(("tag", "code", "state", "detail"), [("ok", 0, "Succeeded", "Completed"), ("bad", 2, "Failed", "Error")])
def test_a_run_once_group_ends_with_its_images_exit_code(world: World, tag: str, code: int, state: str, detail: str) -> None:
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


def test_a_redeploy_of_a_finished_job_runs_it_again_and_a_move_does_not(world: World) -> None:
    world.deploy(f"{SERVER}/job:ok", restartPolicy="Never", seconds=60)
    assert world.azure.container_groups.move_host(ID)
    assert world.properties()["instanceView"]["state"] == "Succeeded"
    world.deploy(f"{SERVER}/job:ok", restartPolicy="Never", seconds=60)
    assert world.view()["currentState"]["startTime"] == "2026-03-01T12:01:20.000Z"
    assert world.arm("GET", f"{ID}/containers/app/logs").body == {"content": "one\ntwo\nthree\n"}
    assert world.arm("GET", f"{ID}/containers/app/logs?tail=1").body == {"content": "three\n"}
    assert world.arm("GET", f"{ID}/containers/none/logs").status == 404


def test_a_failing_job_is_started_again_on_failure_with_back_off(world: World) -> None:
    world.deploy(f"{SERVER}/job:bad", restartPolicy="OnFailure", seconds=50)
    view = world.view()
    assert view["currentState"] == {"state": "Waiting", "detailStatus": "CrashLoopBackOff: Back-off 10s restarting failed"}
    assert view["previousState"]["exitCode"] == 2
    world.wait(seconds=10)
    assert world.view()["restartCount"] == 1
    world.wait(days=365)
    assert world.view()["restartCount"] > 90_000
    assert world.properties()["instanceView"]["state"] == "Running"


def test_a_crash_under_always_restarts(world: World) -> None:
    world.deploy()
    world.azure.container_groups.crash(ID, "app", 137)
    assert world.view()["previousState"]["exitCode"] == 137
    world.wait(seconds=10)
    assert (world.view()["currentState"]["state"], world.view()["restartCount"]) == ("Running", 1)
    world.arm("POST", f"{ID}/stop")
    with pytest.raises(ValueError, match="not running"):
        world.azure.container_groups.crash(ID, "app")


def test_containers_wait_for_the_init_container(world: World) -> None:
    world.deploy(initContainers=[{"name": "init", "properties": {"image": "busybox"}}], seconds=60)
    properties = world.properties()
    assert properties["initContainers"][0]["properties"]["instanceView"]["currentState"]["detailStatus"] == "Completed"
    assert properties["instanceView"]["state"] == "Running"
