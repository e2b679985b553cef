"""Tests of unreadable objects, which are neither absent nor empty: each verb and its exit code report them."""

from dataclasses import replace
from pathlib import Path

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, PASSWORD, Scene

FIREWALL = Fault(
    "keyvault.*", "status", times=0, status=403, code="ForbiddenByFirewall", message="Client address is not authorized."
)


@pytest.fixture
def shut(rotator: Scene) -> Scene:
    """Return a scene with a policy at rest, whose vault refuses every request from then on."""
    assert rotator("rotate", "--adopt", "--no-overlap").code == 0
    rotator.azure.faults.add(FIREWALL)
    return rotator


def test_status_says_that_a_policy_whose_vault_is_shut_can_not_be_seen(shut: Scene) -> None:
    said = shut("status", "--output", "json")
    (row,) = said.json["policies"]
    assert (said.code, said.json["exit_code"], row["state"]) == (1, 1, "unreadable")
    assert "ForbiddenByFirewall" in row["error"]["happened"]
    assert "az keyvault network-rule add --name myvault" in row["error"]["remedy"]
    assert (row["credential"], row["groups"]["total"], row["next_due"]) == (None, 0, None)
    text = shut("status")
    assert text.code == 1 and "unreadable" in text.out and "ForbiddenByFirewall" in text.out
    assert "due" not in text.out.splitlines()[1].split()


def test_history_fails_and_names_the_refusal_where_the_vault_is_shut(shut: Scene) -> None:
    said = shut("history", NAME, "--output", "json")
    assert (said.code, said.json["exit_code"]) == (1, 1)
    assert "ForbiddenByFirewall" in said.json["error"]["happened"]
    text = shut("history", NAME)
    assert (text.code, text.out) == (1, "") and "ForbiddenByFirewall" in text.err


def test_plan_says_that_nothing_is_known_and_ends_non_zero(shut: Scene) -> None:
    said = shut("plan", "--exit-code", "--output", "json")
    assert said.code == 1 and "ForbiddenByFirewall" in said.json["policies"][0]["error"]["happened"]
    text = shut("plan").out
    assert "ForbiddenByFirewall" in text and "due now" not in text and "not made by rotator" not in text


@pytest.mark.parametrize(
    "command", [("rotate",), ("rotate", "--force"), ("rotate", NAME, "--compromised", "--yes"), ("deploy", NAME)]
)
def test_what_would_write_fails_and_writes_nothing_where_the_vault_is_shut(
    shut: Scene, command: tuple[str, ...]
) -> None:
    since, live = len(shut.app.served), shut.live()
    said = shut(*command)
    assert said.code == 1 and "ForbiddenByFirewall" in said.out + said.err
    assert "no credential of rotator" not in said.out + said.err
    assert not [call for call in shut.app.served[since:] if call.method in ("PUT", "PATCH", "DELETE")]
    assert shut.live() == live and shut.pulls()


def test_a_refusal_between_two_looks_of_a_run_is_no_reason_to_issue(rotator: Scene) -> None:
    """The list of versions is refused once, after the publication: the run ends with its last knowledge, and the next
    one completes the rotation.
    """
    assert rotator("rotate", "--adopt", "--no-overlap").code == 0
    rotator.pass_(days=1)

    def once_it_is_published(number: int, operation: str, request: object) -> None:
        if operation == "keyvault.secrets.set":
            rotator.azure.faults.add(replace(FIREWALL, operation="keyvault.secrets.versions", nth=2, times=1))

    rotator.app.after = once_it_is_published
    said = rotator("rotate", "--force", "--no-overlap")
    assert said.code == 1 and "ForbiddenByFirewall" in said.out and len(rotator.live()) == 2
    assert rotator("rotate", "--no-overlap").code == 0
    assert len(rotator.live()) == 1
    assert len(rotator.azure.vaults.versions("myvault", PASSWORD)) == 3


@pytest.mark.parametrize(
    ("words", "operation", "nth"),
    [
        (("rotate", "--adopt"), "graph.applications.get", 4),
        (("revoke", NAME, "--yes", "--no-wait"), "rbac.roleAssignments.list", 2),
        (("revoke", NAME, "--yes", "--no-wait"), "arm.registries.get", 2),
        (("revoke", NAME, "--yes", "--no-wait"), "keyvault.secrets.get", 7),
    ],
)
def test_a_look_that_fails_after_a_write_does_not_say_that_nothing_was_changed(
    rotator: Scene, tmp_path: Path, words: tuple[str, ...], operation: str, nth: int
) -> None:
    rotator.azure.faults.add(Fault(operation, "page", status=200, nth=nth, times=0))
    said = rotator(*words, *(["--record", str(tmp_path / "record.json")] if words[0] == "revoke" else []))
    assert said.code == 1 and "  done  " in said.out and "  failed  " in said.out
    assert "State: Nothing was changed" not in said.out + said.err
    assert "Steps that were reported as done are done" in said.out


def test_a_deployment_that_azure_accepted_is_no_unchanged_group_if_its_end_is_not_seen(rotator: Scene) -> None:
    assert rotator("rotate", "--adopt").code == 0
    rotator.azure.faults.add(Fault("aci.containerGroups.get", "page", status=200, nth=4, times=0))
    said = rotator("deploy", NAME)
    assert said.code == 1 and "deployed mycontainer with credential" in said.err
    assert "Azure accepted the deployment of mycontainer" in said.err and "Nothing was changed" not in said.err
    assert "before another deployment" in said.err
