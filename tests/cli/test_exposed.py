"""Tests of a compromised password that still signs in: every writing verb reports it first, whatever its own
outcome.
"""

import json
from dataclasses import replace

import pytest
from local_azure.faults import Fault

from tests.cli.scene import JOB, NAME, Said, Scene
from tests.cli.test_leases import elsewhere

ALARM = f"{NAME}: COMPROMISED CREDENTIAL STILL WORKS: held by mycontainer, nightly"
REFUSED = Fault("keyvault.secrets.versions", "status", times=0, status=403, code="Forbidden", message="Not allowed.")
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
    """Return a scene with two groups that hold a compromised password, and with a failing replacement."""
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
    """Return the first line that a person sees."""
    return (said.out or said.err).splitlines()[0]


@pytest.mark.share(2)
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


@pytest.mark.share(2)
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


def test_a_job_that_took_long_says_that_a_declaration_since_could_not_be_seen(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt").code == 0
    rotator.azure.registries.push(rotator.seeded.login_server, "nightly", "v1", run_seconds=900)
    rotator.deploy("nightly", JOB, "Never")
    rotator.write(container_groups=[{"id": rotator.group_id("nightly"), "when_finished": "wait"}])
    rotator.pass_(minutes=20)
    since = len(rotator.app.served)
    assert rotator("deploy", NAME, "nightly", "--wait").code == 0
    rotator.pass_(minutes=20)
    lists = rotator.served(since).count("keyvault.secrets.versions")
    # The last look: the versions of the password, and of the mark.
    rotator.azure.faults.add(replace(REFUSED, nth=lists - 1))
    said = rotator("deploy", NAME, "nightly", "--wait")
    assert (
        said.code,
        first(said).startswith(f"{NAME}: it is unknown if a compromised credential still works: "),
    ) == (1, True), said.out


def test_a_deployment_that_sees_nothing_says_so_once(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt").code == 0
    rotator.azure.faults.add(REFUSED)
    said = rotator("deploy", NAME)
    assert (
        said.code,
        "a compromised credential" in said.out + said.err,
        said.err.count("refused to list the versions"),
    ) == (1, False, 1), said.err


@pytest.mark.parametrize(("verb", "purpose"), [("grant", "-access"), ("provision", "-provision")])
def test_what_is_left_to_another_run_and_can_not_be_seen_is_told(rotator: Scene, verb: str, purpose: str) -> None:
    assert rotator("rotate", NAME, "--adopt").code == 0
    with elsewhere(rotator, purpose):
        assert rotator(*VERBS[verb]).code == 4
        rotator.azure.faults.add(REFUSED)
        said = rotator(*VERBS[verb])
    assert (said.code, "it is unknown if a compromised credential still works" in said.out) == (1, True), (
        said.out,
        said.err,
    )


def test_what_is_no_longer_exposed_is_told_no_more(exposed: Scene) -> None:
    exposed.azure.faults.clear()
    assert "STILL WORKS" not in exposed("rotate", NAME, "--accept-outage", "--yes").out
    for arguments in (VERBS["grant"], VERBS["provision"], VERBS["deploy"]):
        said = exposed(*arguments)
        assert (said.code, "STILL WORKS" in said.out) == (0, False), said.out
