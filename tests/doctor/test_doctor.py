"""Tests of `rotator doctor`: every check has a world in which it fails, and the printed commands mend the world."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import entry
from local_azure.faults import Fault

from rotator.doctor import CHECKS
from tests.cells import cell
from tests.cli.scene import Scene
from tests.doctor.mending import looked, mend
from tests.doctor.worlds import WORLDS, World

ROOT = Path(__file__).parents[2]


def _worlds() -> Iterator[Any]:
    """Yield every world; `make test` tries the first of each check, and a third of the others."""
    known = set[str]()
    for world in WORLDS:
        yield cell(world, name=world.id, soak=False, share=9 if world.check in known else 1)
        known.add(world.check)


@pytest.mark.parametrize("world", list(_worlds()))
def test_what_a_check_finds_is_mended_by_the_command_that_it_prints(
    world: World, rotator: Scene, tmp_path: Path
) -> None:
    mend(world, rotator, tmp_path / "terminal")


def test_every_check_has_such_a_world() -> None:
    assert {world.check for world in WORLDS} == {check.name for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_every_check_is_documented() -> None:
    listed = (ROOT / "docs" / "codes.md").read_text().partition("## What doctor checks")[2]
    first = "".join(line.split("|")[1] for line in listed.splitlines() if line.startswith("| `"))
    assert re.findall(r"`([a-z_]+)`", first) == [check.name for check in CHECKS]


def test_a_world_that_is_ready_for_its_first_rotation_ends_with_0(rotator: Scene) -> None:
    code, findings = looked(rotator)
    assert code == 0
    assert {each["check"]: each["severity"] for each in findings} == {
        check.name: "advice" if check.name == "identity_instead" else "ok" for check in CHECKS
    }
    assert rotator("rotate").code == 0


def test_an_identity_takes_the_place_of_the_password_at_the_host_from_which_the_group_pulls(rotator: Scene) -> None:
    stored = rotator.azure.container_groups.state.groups[rotator.group_id().lower()].resource
    (entry,) = stored["properties"]["imageRegistryCredentials"]
    entry["server"] = entry["server"].replace(".", ".eastus.geo.", 1)
    (found,) = [each for each in looked(rotator)[1] if each["check"] == "identity_instead"]
    assert re.findall(r"server: ([^,]+)", found["write"]) == [entry["server"]]


def test_what_is_printed_repeats_the_options_that_led_there(rotator: Scene, tmp_path: Path) -> None:
    assert rotator("revoke", "mycontainerregistry", "--yes").code == 0
    there = rotator.policies.rename(tmp_path / "my policies")
    said = rotator("doctor", "--policies", str(there), "--cloud", "public", "--output", "json")
    (found,) = [each for each in said.json["policies"][0]["findings"] if each["check"] == "access_unrevoked"]
    assert found["mend"] == [f"rotator grant mycontainerregistry --policies {shlex.quote(str(there))} --cloud public"]
    assert rotator(*shlex.split(found["mend"][0])[1:]).code == 0


def test_a_policy_and_a_directory_that_look_like_options_are_none(rotator: Scene, tmp_path: Path) -> None:
    assert rotator("revoke", "mycontainerregistry", "--yes").code == 0
    (rotator.policies / "mycontainerregistry.yaml").rename(rotator.policies / "--all.yaml")
    there = rotator.policies.rename(tmp_path / "two\nlines")
    said = rotator("doctor", "--policies", str(there), "--output", "json")
    (found,) = [each for each in said.json["policies"][0]["findings"] if each["check"] == "access_unrevoked"]
    (command,) = found["mend"]
    assert "\n" not in command
    probe = f"rotator() {{ printf '%s\\0' \"$@\"; }}; {command}"
    words = subprocess.run(["/bin/bash", "-c", probe], check=True, capture_output=True, text=True).stdout.split("\0")[
        :-1
    ]
    assert words == ["grant", "--policies", str(there), "--", "--all"]
    assert rotator(*words).code == 0


def test_an_identity_without_any_right_is_told_what_it_needs_and_nothing_that_nobody_saw(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = rotator.azure.directory.create_application("nothing")
    me = rotator.azure.directory.create_service_principal(nothing.app_id)
    password = rotator.azure.directory.add_password(nothing, display_name="x", end=rotator.password.end, at_once=True)
    monkeypatch.setenv("AZURE_CLIENT_ID", nothing.app_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", password.secret)
    code, findings = looked(rotator)
    assert code == 1
    by_check = {each["check"]: each["severity"] for each in findings}
    assert {check for check, severity in by_check.items() if severity == "ok"} == {
        *("signed_in", "another", "clock_right", "leases_kept", "lease_free")
    }
    failing = ("graph_permission", "registry_readable", "vault_readable", "group_readable", "group_writable", "listed")
    assert {by_check[check] for check in failing} == {"fail"}
    assert by_check["principal_found"] == "unknown"
    printed = [command for each in findings for command in each["mend"]]
    assert all("None" not in command for command in printed)
    assert sum(me.id in command for command in printed) == len(printed)


def test_ways_to_sign_in_that_nobody_rotates_are_told_once_and_what_is_refused_is_not_known(rotator: Scene) -> None:
    rotator.azure.directory.update(rotator.application, {"keyCredentials": [entry()]})
    trust = {
        "id": "f1",
        "name": "ci",
        "issuer": "https://token.example",
        "subject": "repo:us/it",
        "description": None,
        "audiences": ["api://x"],
    }
    rotator.application.federated.append(trust)
    code, findings = looked(rotator)
    (told,) = [each for each in findings if each["check"] == "signs_in"]
    (certificate,) = rotator.application.certificates
    assert (code, told["severity"]) == (0, "advice")
    assert told["text"].startswith(
        "its application has 1 certificate and 1 federated credential, which can be used to sign in as "
    )
    assert [way["mend"] for way in told["ways"]] == [
        [f"az ad app credential delete --id {rotator.application.app_id} --key-id {certificate.key_id} --cert"],
        [f"az ad app federated-credential delete --id {rotator.application.app_id} --federated-credential-id f1"],
    ]
    assert "https://token.example repo:us/it" in told["ways"][1]["when"]
    rotator.azure.faults.add(
        Fault("graph.applications.federated*", "status", status=403, code="Authorization_RequestDenied", times=0)
    )
    code, findings = looked(rotator)
    assert code == 0
    assert [each["severity"] for each in findings if each["check"] == "signs_in"] == ["warn", "advice"]
    rotator.azure.directory.update(rotator.application, {"keyCredentials": []})
    (told,) = [each for each in looked(rotator)[1] if each["check"] == "signs_in"]
    assert "sign in as the principal: the federated credentials of its application can't be read (" in told["text"]


def test_without_the_right_to_read_them_it_is_unknown_if_app_management_policies_limit_passwords(
    rotator: Scene,
) -> None:
    (told,) = [each for each in looked(rotator)[1] if each["check"] == "life_allowed"]
    assert (told["severity"], "it is unknown if an app management policy" in told["text"]) == ("ok", True)
    rotator.azure.directory.grant(rotator.seeded.operator.app_id, "Policy.Read.All")
    (told,) = [each for each in looked(rotator)[1] if each["check"] == "life_allowed"]
    assert told["text"] == "no app management policy limits passwords"


def test_a_lock_that_names_no_scope_is_an_answer_that_can_not_be_read(rotator: Scene) -> None:
    rotator.azure.resources.lock(rotator.group_id(), "ReadOnly", "keep")
    rotator.azure.faults.add(Fault("arm.locks.list*", "changed", argument='value.0.id="/keep"', times=0))
    _, findings = looked(rotator)
    (told,) = [each for each in findings if each["check"] == "group_unlocked"]
    assert (told["severity"], "it is unknown if a lock forbids a redeployment" in told["text"]) == ("advice", True)


def test_nobody_waits_for_minutes_for_a_service_that_is_down(rotator: Scene) -> None:
    rotator.azure.faults.planned.append(Fault("keyvault.*", "status", status=503, times=0))
    since = rotator.time.reached
    assert rotator("doctor").code == 1
    assert rotator.time.reached - since < 60


@pytest.mark.parametrize(
    ("operation", "check"),
    [
        ("arm.registries.get", "registry_readable"),
        ("aci.containerGroups.get", "group_readable"),
        ("aci.containerGroups.list", "listed"),
    ],
)
def test_a_refusal_that_no_role_mends_is_not_answered_with_a_role(operation: str, check: str, rotator: Scene) -> None:
    rotator.azure.faults.add(
        Fault(operation, "status", status=403, code="DenyAssignmentAuthorizationFailed", message="denied", times=0)
    )
    code, findings = looked(rotator)
    (found,) = [each for each in findings if each["check"] == check]
    assert (code, found["severity"], found["mend"]) == (1, "fail", ["rotator doctor mycontainerregistry"])
    assert "no role overrides that" in found["text"]


CHALLENGE = "Continuous access evaluation resulted in challenge with result: InteractionRequired"


@pytest.mark.parametrize(
    ("operation", "checks"),
    [
        ("graph.*", {"principal_found"}),
        ("rbac.permissions.list", {"group_writable", "assignable", "settable"}),
        ("keyvault.*", {"vault_readable"}),
    ],
)
def test_a_withdrawn_token_is_not_answered_with_a_role(operation: str, checks: set[str], rotator: Scene) -> None:
    rotator.azure.faults.add(
        Fault(operation, "status", status=401, code="InvalidAuthenticationToken", message=CHALLENGE, times=0)
    )
    told = {each["check"]: each for each in looked(rotator)[1] if each["severity"] != "ok"}
    for each in checks:
        assert told[each]["mend"] == ["rotator doctor mycontainerregistry"]
        assert "Azure withdrew the token early" in told[each]["text"]


def test_no_password_is_deleted_while_it_is_unknown_which_one_is_published(rotator: Scene) -> None:
    (world,) = [each for each in WORLDS if each.check == "unresolved"]
    world.break_(rotator)
    (found,) = [each for each in looked(rotator)[1] if each["check"] == "unresolved"]
    assert found["mend"][0].startswith("az ad app credential delete")
    rotator.azure.faults.add(Fault("keyvault.*", "status", status=401, code="Unauthorized", message=CHALLENGE, times=0))
    told = {each["check"]: each for each in looked(rotator)[1]}
    assert (told["unresolved"]["severity"], told["unresolved"]["mend"]) == (
        "unknown",
        ["rotator doctor mycontainerregistry"],
    )
    assert not {"credential_live", "rivals"} & set(told)
    assert "can't reach it" not in told["vault_readable"]["text"]
