"""Tests of commands on many policies: the services' lists first, then a look at each policy that the lists don't prove
to be at rest.
"""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, PASSWORD, Said, Scene

LISTS = {
    "graph.batch": 1,
    "keyvault.secrets.list": 1,
    "keyvault.deletedSecrets.list": 1,
    "aci.containerGroups.list": 1,
}
"""Requests of a run with nothing due, for any number of policies."""


@pytest.fixture(name="two")
def _two(rotator: Scene) -> Scene:
    """Return a scene with two policies, each rotated once, and at rest."""
    azure = rotator.azure
    application = azure.directory.create_application("second")
    principal = azure.directory.create_service_principal(application.app_id)
    for owned in (application.id, principal.id):
        azure.directory.add_owner(owned, rotator.seeded.operator.object_id)
    azure.authorization.assign(rotator.seeded.registry_id, principal.id, "AcrPull", at_once=True)
    end = azure.clock.now() + timedelta(days=300)
    password = azure.directory.add_password(application, display_name="by hand", end=end)
    azure.vaults.set("myvault", "second-pwd", password.secret)
    rotator.write("second", principal={"app_id": application.app_id}, container_groups=[])
    file = rotator.policies / "second.yaml"
    file.write_text(file.read_text().replace(PASSWORD, "second-pwd"))
    assert rotator("rotate", "--adopt", "--no-overlap").code == 0
    rotator.pass_(minutes=10)
    assert rotator("rotate").code == 0
    rotator.pass_(minutes=10)
    return rotator


def second_app_id(rotator: Scene) -> str:
    """Return the app id of the second policy's principal."""
    found = rotator.azure.directory.state.applications.values()
    return next(each.app_id for each in found if each.display_name == "second")


def asked(rotator: Scene, *words: str) -> tuple[Counter[str], Said]:
    """Return the requests of a command without those for tokens, and its output."""
    before = len(rotator.app.served)
    said = rotator(*words)
    return Counter(each for each in rotator.served(before) if not each.startswith("entra.")), said


def test_nothing_due_costs_one_reading_of_each_list(two: Scene) -> None:
    for verb in ("rotate", "plan", "status"):
        calls, said = asked(two, verb)
        assert {name: min(number, 1) for name, number in calls.items()} == LISTS, verb
        assert said.code == 0, verb
    assert f"{NAME}: at rest (exit 0)" in two("rotate").out
    told = "2 of them are at rest by the services' lists; the oldest full look is from"
    assert told in two("status").out
    assert "at rest    by the services' lists" in two("plan").out


def test_what_is_told_of_policies_at_rest_is_what_a_look_tells(two: Scene) -> None:
    lists = {verb: two(verb, "--output", "json").json["policies"] for verb in ("status", "plan", "rotate")}
    (Path(two.policies).parent / "leases" / "looks.json").unlink()
    looks = {verb: two(verb, "--output", "json").json["policies"] for verb in ("status", "plan")}
    for verb, phase in (("status", "dependents"), ("plan", "phase")):
        for listed, looked in zip(lists[verb], looks[verb], strict=True):
            changing = {"at", "looked", "groups", "credential"}
            assert {name: listed[name] for name in listed.keys() - changing} == {
                name: looked[name] for name in looked.keys() - changing
            }
            assert listed["looked"] < listed["at"]
            assert looked["looked"] == looked["at"]
            assert json.dumps(listed["groups"]).replace("unknown", "running") == json.dumps(looked["groups"]), phase
    assert [(each["exit_code"], each["summary"]) for each in lists["rotate"]] == [(0, "at rest")] * 2
    due = {each["policy"]: each["next_due"] for each in looks["plan"]}
    assert {each["policy"]: each["next_due"] for each in lists["rotate"]} == due


def test_metrics_of_policies_at_rest_are_those_of_a_look(two: Scene, tmp_path: Path) -> None:
    def measured() -> dict[str, str]:
        file = tmp_path / "rotator.prom"
        file.unlink(missing_ok=True)
        assert two("rotate", "--metrics", str(file)).code == 0
        lines = [line.rpartition(" ") for line in file.read_text().splitlines() if not line.startswith("#")]
        return {name: value for name, _, value in lines if "_run_" not in name and "last_" not in name}

    lists = measured()
    (Path(two.policies).parent / "leases" / "looks.json").unlink()
    assert lists == measured()
    assert lists['rotator_state{policy="second"}'] == "6"
    assert 'rotator_next_due_timestamp_seconds{policy="second"}' in lists


def test_one_policy_and_one_that_is_not_at_rest_are_looked_at(two: Scene) -> None:
    calls, _ = asked(two, "rotate", NAME)
    assert calls["graph.batch"] == 0
    two.azure.container_groups.patch_tags(two.group_id(), {"owner": "somebody"})
    calls, said = asked(two, "rotate", "--output", "json")
    assert calls["aci.containerGroups.createOrUpdate"] == 1
    assert calls["graph.applications.get"] > 0
    summaries = {each["policy"]: each["summary"] for each in said.json["policies"]}
    assert summaries == {NAME: "1 done", "second": "at rest"}


def test_each_policy_is_looked_at_once_a_day_at_a_time_of_its_own(two: Scene) -> None:
    looked = Counter[str]()
    for hour in range(0, 48, 2):
        two.pass_(hours=2)
        calls, said = asked(two, "rotate", "--output", "json")
        assert calls["graph.batch"] == 1, hour
        for each in said.json["policies"]:
            looked[each["policy"]] += each["summary"] != "at rest"
    assert looked == {NAME: 2, "second": 2}


def test_a_list_that_fails_is_told_once_and_costs_looks(two: Scene) -> None:
    for operation in LISTS:
        two.azure.faults.add(Fault(operation, "status", status=403, code="Forbidden", times=0))
        calls, said = asked(two, "rotate")
        two.azure.faults.clear()
        assert calls["arm.registries.get"] == 2, operation
        assert said.err.count("The policies that need this list are read one by one") == 1, operation
        assert said.code == 0, operation


def test_a_principal_that_is_nowhere_is_told_by_its_own_look(two: Scene) -> None:
    file = two.policies / "second.yaml"
    kept = file.read_text()
    file.write_text(kept.replace(second_app_id(two), "00000000-0000-4000-8000-000000000000"))
    calls, said = asked(two, "status")
    assert "one by one" not in said.err
    assert calls["graph.batch"] == 1
    assert "no application or service principal with app id" in said.out
    assert said.code == 1


def test_a_vault_with_far_more_secrets_is_not_walked_through(two: Scene) -> None:
    for number in range(200):
        two.azure.vaults.set("myvault", f"another-{number}", "value")
    calls, said = asked(two, "status")
    assert calls["keyvault.secrets.list"] <= 7
    assert calls["arm.registries.get"] == 2
    assert "one by one" not in said.err
    assert said.code == 0


def test_a_page_says_how_old_its_parts_are(two: Scene, tmp_path: Path) -> None:
    assert two("status", "--html", str(tmp_path / "page.html")).code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count("At rest by the services' lists; each container group and older version was last read") == 2


def test_a_damaged_file_of_looks_costs_looks(two: Scene) -> None:
    file = Path(two.policies).parent / "leases" / "looks.json"
    kept = file.read_text()
    for damaged in ("", "{", "[]", '{"looks": []}', '{"looks": {"a": 1}}', kept.replace("+00:00", "")):
        file.write_text(damaged)
        calls, _ = asked(two, "status")
        assert calls["arm.registries.get"] == 2, damaged
    file.write_text(kept)
    assert asked(two, "status")[0]["arm.registries.get"] == 0
