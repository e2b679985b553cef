"""Tests of `deploy`, the nightly script's verb: the choice of the group, the wait, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from local_azure.faults import Fault
from ruamel.yaml import YAML

from tests.cli.scene import JOB, NAME, Scene

LOGS = "Microsoft.ContainerInstance/containerGroups/containers/logs/read"


@pytest.fixture(name="nightly")
def _nightly(rotator: Scene) -> Scene:
    """Return a scene after the first rotation, with a second group: a job with a manifest."""
    _manifest(rotator.policies / "nightly.manifest", rotator)
    groups = [{"id": rotator.group_id()}, {"id": rotator.group_id("nightly"), "manifest": "nightly.manifest"}]
    rotator.write(container_groups=groups)
    assert rotator("rotate", NAME, "--adopt").code == 0
    return rotator


def _manifest(file: Path, rotator: Scene) -> None:
    entry = {
        "server": rotator.seeded.login_server,
        "username": "${{ credential:username }}",
        "password": "${{ credential:password }}",
    }
    container = {
        "name": "job",
        "properties": {"image": JOB, "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}}},
    }
    properties: dict[str, Any] = {
        "containers": [container],
        "osType": "Linux",
        "restartPolicy": "Never",
        "imageRegistryCredentials": [entry],
    }
    document = {"apiVersion": "2023-05-01", "location": "eastus", "name": "nightly", "properties": properties}
    with file.open("w") as opened:
        YAML().dump({**document, "type": "Microsoft.ContainerInstance/containerGroups"}, opened)


def test_without_a_name_it_is_the_group_with_a_manifest(nightly: Scene) -> None:
    said = nightly("deploy", NAME, "--wait")
    assert said.code == 0
    assert said.out.startswith("nightly: deployed with credential ")
    assert nightly.azure.container_groups.exists(nightly.group_id("nightly"))
    assert nightly.pulls("nightly")


def test_its_logs_are_printed_and_its_exit_code_is_passed_on(nightly: Scene) -> None:
    nightly.azure.registries.push(
        nightly.seeded.login_server, "nightly", "v1", exit_code=17, run_seconds=30, logs="half done\n"
    )
    said = nightly("deploy", NAME, "nightly", "--logs")
    assert said.code == 17
    assert said.out.splitlines()[1:] == ["half done"]
    said = nightly("deploy", NAME, "nightly", "--logs", "--output", "json")
    assert (said.json["exit_code"], said.json["job_exit_code"], said.json["logs"]) == (17, 17, {"job": "half done\n"})


def test_a_jobs_exit_code_can_be_told_from_rotators_own(nightly: Scene) -> None:
    job = nightly.azure.registries
    for code, ended in ((1, 101), (3, 103), (143, 243), (6, 6), (3221225786, 255)):
        job.push(nightly.seeded.login_server, "nightly", "v1", exit_code=code, run_seconds=30)
        said = nightly("deploy", NAME, "nightly", "--wait")
        more = "" if code == ended else f" (exit {ended})"
        assert said.code == ended
        assert said.out.strip().endswith(f"; the job ended with {code}{more}")
    said = nightly("deploy", NAME, "nightly", "--wait", "--output", "json")
    assert (said.json["exit_code"], said.json["job_exit_code"]) == (255, 3221225786)


def test_a_refused_deployment_ends_with_3(nightly: Scene) -> None:
    registries, since = nightly.azure.registries, len(nightly.app.served)
    registries.push(nightly.seeded.login_server, "nightly", "v1", run_seconds=3600)
    assert nightly("deploy", NAME, "nightly").code == 0
    began = nightly.served(since).count("aci.containerGroups.createOrUpdate")
    assert began == 1
    at_work = nightly("deploy", NAME, "nightly", "--output", "json")
    assert (at_work.code, at_work.json["error"]["type"]) == (3, "UnsafeStep")
    assert "never interrupts a job" in at_work.err
    whose = nightly("deploy", NAME, "--image", "app=mycontainerregistry.azurecr.io/nightly:v1")
    assert (whose.code, "declares 2 container groups; name one of: " in " ".join(whose.err.split())) == (2, True)
    unserved = nightly("deploy", NAME, "mycontainer", "--image", "app=mycontainerregistry.azurecr.io/absent:v9")
    assert (unserved.code, unserved.out) == (3, "")
    nightly.write(container_groups=[{"id": nightly.group_id("gone")}])
    gone = nightly("deploy", NAME)
    assert (gone.code, "manifest: FILE" in gone.err) == (3, True)
    assert nightly.served(since).count("aci.containerGroups.createOrUpdate") == began


def test_a_manifest_whose_secret_is_missing_is_refused(nightly: Scene) -> None:
    file = nightly.policies / "nightly.manifest"
    file.write_text(
        file.read_text().replace(
            "image: ", "environmentVariables: [{name: DB, secureValue: '${{ keyvault:db }}'}]\n      image: ", 1
        )
    )
    said = nightly("deploy", NAME)
    assert said.code == 3, said.err
    assert not nightly.azure.container_groups.exists(nightly.group_id("nightly"))


def test_logs_that_may_not_be_read_are_no_failed_deployment(nightly: Scene) -> None:
    nightly.azure.faults.add(Fault("aci.containers.listLogs", "status", status=403, code="AuthorizationFailed"))
    said = nightly("deploy", NAME, "--logs")
    assert said.code == 1
    assert said.out.startswith("nightly: deployed with credential ")
    assert "only its logs couldn't be read" in said.out
    assert LOGS in said.out


def test_a_group_without_a_manifest_is_deployed_as_it_is(nightly: Scene) -> None:
    before = nightly.azure.container_groups.get(nightly.group_id())["properties"]["containers"]
    said = nightly("deploy", NAME, "MyContainer")
    assert said.code == 0
    after = nightly.azure.container_groups.get(nightly.group_id())["properties"]["containers"]
    assert [one["properties"]["image"] for one in after] == [one["properties"]["image"] for one in before]
    assert nightly.pulls()


def test_a_revoked_policy_deploys_nothing(nightly: Scene) -> None:
    assert nightly("revoke", NAME, "--yes", "--no-wait").code == 0
    said = nightly("deploy", NAME)
    assert said.code == 3
    assert "rotator grant" in said.err
    assert not nightly.azure.container_groups.exists(nightly.group_id("nightly"))


def test_before_the_first_rotation_it_says_what_comes_first(rotator: Scene) -> None:
    said = rotator("deploy", NAME)
    assert said.code == 3
    assert "`rotator rotate mycontainerregistry` first" in said.err


def test_a_limit_that_lasts_longer_than_it_may_take_is_no_success_and_names_the_time(nightly: Scene) -> None:
    put = "aci.containerGroups.createOrUpdate"
    nightly.azure.faults.add(Fault(put, "status", times=1, status=429, code="TooManyRequests", retry_after=3000))
    said = nightly("deploy", NAME, "nightly", "--max-duration", "10m", "--output", "json")
    error = json.loads(said.out)["error"]
    assert (said.code, error["type"]) == (1, "Limited")
    assert error["next_due"] and not nightly.azure.container_groups.exists(nightly.group_id("nightly"))
    assert nightly("deploy", NAME, "nightly", "--max-duration", "10m").code == 1, "the next process obeys Azure, too"
    nightly.pass_(minutes=45)
    assert nightly("deploy", NAME, "nightly", "--max-duration", "10m").code == 0
