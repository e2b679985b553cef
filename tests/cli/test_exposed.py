"""A compromised password that still signs in, told first by every verb that changes something, whatever became of what it was asked for."""

import json

import pytest
from local_azure.faults import Fault

from tests.cli.scene import JOB, NAME, Said, Scene
from tests.cli.test_leases import elsewhere

ALARM = f"{NAME}: COMPROMISED CREDENTIAL STILL WORKS: held by mycontainer, nightly"
VERBS = {
    "adopt": ("adopt", NAME),
    "adopt what isn't there": ("adopt", NAME, "--key-id", "00000000-0000-4000-8000-000000000000"),
    "grant": ("grant", NAME),
    "provision": ("provision", NAME, "--yes"),
    "deploy": ("deploy", NAME, "nightly"),
    "deploy what isn't there": ("deploy", NAME, "gone"),
}


@pytest.fixture(name="exposed")
def _exposed(rotator: Scene) -> Scene:
    """Two groups hold a password that is declared compromised, and whose replacement fails."""
    assert rotator("rotate", NAME, "--adopt").code == 0
    rotator.deploy("nightly", JOB, "Never")
    groups = [{"id": rotator.group_id(name)} for name in ("mycontainer", "gone")]
    rotator.write(container_groups=[*groups, {"id": rotator.group_id("nightly"), "when_finished": "wait"}])
    assert rotator("deploy", NAME, "nightly", "--wait").code == 0
    assert rotator("rotate", NAME, "--no-overlap").code == 0
    failing = Fault("graph.*.addPassword", "status", status=403, code="Authorization_RequestDenied", times=0)
    rotator.azure.faults.add(failing)
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 1
    return rotator


def first(said: Said) -> str:
    """The first line that a person sees."""
    return (said.out or said.err).splitlines()[0]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_it_first_in_its_report_its_json_and_its_events(exposed: Scene, verb: str) -> None:
    (known,) = exposed.live()
    said = exposed(*VERBS[verb])
    assert (said.code, first(said).startswith(ALARM)) == (1, True), (said.out, said.err)
    said = exposed(*VERBS[verb], "--output", "json", "--log-format", "json")
    assert said.code == said.json["exit_code"] == 1
    assert "COMPROMISED CREDENTIAL STILL WORKS: held by mycontainer, nightly" in said.out
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [(each["subject"], each["warn"]) for each in events if each.get("code") == "still_open"] == [(known, True)]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_tells_it_where_it_is_refused_before_it_looks(exposed: Scene, verb: str) -> None:
    assert exposed("revoke", NAME, "--yes", "--no-wait").code == 1
    said = exposed(*VERBS[verb])
    assert said.code == 1
    assert "COMPROMISED CREDENTIAL STILL WORKS" in first(said), (said.out, said.err)


@pytest.mark.parametrize(("verb", "purpose"), [("adopt", ""), ("grant", "-access"), ("provision", "-provision")])
def test_it_is_told_first_by_what_is_left_to_another_run(exposed: Scene, verb: str, purpose: str) -> None:
    with elsewhere(exposed, purpose):
        said = exposed(*VERBS[verb])
    assert (said.code, first(said).startswith(ALARM)) == (1, True), said.out


def test_a_job_that_fails_keeps_its_exit_code(exposed: Scene) -> None:
    exposed.azure.registries.push(exposed.seeded.login_server, "nightly", "v1", exit_code=17, run_seconds=30)
    said = exposed("deploy", NAME, "nightly", "--wait")
    assert (said.code, first(said).startswith(ALARM)) == (17, True)


def test_what_is_no_longer_exposed_is_told_no_more(exposed: Scene) -> None:
    exposed.azure.faults.clear()
    assert "STILL WORKS" not in exposed("rotate", NAME, "--accept-outage", "--yes").out
    for arguments in (VERBS["grant"], VERBS["provision"], VERBS["deploy"]):
        said = exposed(*arguments)
        assert (said.code, "STILL WORKS" in said.out) == (0, False), said.out
