"""Tests of the verbs in a person's use, with the world afterwards."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, PASSWORD, Scene

WRITES = (
    "addPassword",
    "removePassword",
    "secrets.set",
    "secrets.update",
    "createOrUpdate",
    "roleAssignments.create",
    "roleAssignments.delete",
)


def writes(operations: list[str]) -> list[str]:
    return [operation for operation in operations if operation.lower().endswith(tuple(name.lower() for name in WRITES))]


def rotated(rotator: Scene) -> None:
    """Play the whole first rotation, and check its end."""
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0


def test_a_run_that_ends_while_the_first_group_is_on_trial_is_due_when_that_has_run(rotator: Scene) -> None:
    groups = [{"id": rotator.group_id()}, {"id": rotator.group_id("second")}]
    rotator.write(container_groups=groups, proof={"times": 1, "over": "0s", "deadline": "10s"})
    rotator.deploy("second")
    said = rotator("rotate", NAME, "--adopt", "--max-duration", "20s", "--output", "json")
    (told,) = said.json["policies"]
    assert [wait["code"] for wait in told["waits"] if wait["subject"].endswith("second")] == ["canary"]
    due = datetime.fromisoformat(told["next_due"]) - rotator.azure.clock.now()
    assert timedelta() < due <= timedelta(seconds=30)
    (seen,) = rotator("status", "--output", "json").json["policies"]
    assert datetime.fromisoformat(seen["next_due"]) - rotator.azure.clock.now() <= timedelta(seconds=30)
    rotator.azure.clock.advance(due)
    (told,) = rotator("rotate", NAME, "--output", "json").json["policies"]
    assert [
        change["group"].rpartition("/")[2] for change in told["changes"] if change["event"] == "group_accepted"
    ] == ["second"]


def test_the_first_rotation_is_one_command(rotator: Scene) -> None:
    said = rotator("rotate", NAME, "--adopt", "--no-overlap")
    assert said.code == 0
    assert rotator.password.key_id not in rotator.live()
    assert len(rotator.live()) == 1
    assert rotator.pulls()
    (new,) = rotator.live()
    assert f"added credential {new}" in said.out
    assert f"removed credential {rotator.password.key_id}" in said.out
    assert "next due" in said.out


def test_and_again_it_changes_nothing(rotator: Scene) -> None:
    rotated(rotator)
    assert writes(rotator.served())
    since = len(rotator.app.served)
    said = rotator("rotate", NAME, "--adopt", "--no-overlap")
    assert said.code == 0
    assert writes(rotator.served(since)) == []
    assert "nothing was adopted" in said.out


def test_step_by_step_with_the_overlap_and_the_next_run(rotator: Scene) -> None:
    assert rotator("plan", "--exit-code").code == 5
    assert rotator("adopt", NAME).code == 0
    assert rotator("rotate").code == 0
    assert len(rotator.live()) == 2
    assert rotator("plan", "--exit-code").code == 0
    rotator.pass_(days=1, minutes=1)
    assert rotator("plan", "--exit-code").code == 5
    assert rotator("rotate").code == 0
    assert len(rotator.live()) == 1
    assert rotator.pulls()


def test_adopting_again_changes_nothing(rotator: Scene) -> None:
    assert rotator("adopt", NAME).code == 0
    since = len(rotator.app.served)
    for again in ((), ("--key-id", rotator.password.key_id)):
        said = rotator("adopt", NAME, *again)
        assert said.code == 0
        assert f"credential {rotator.password.key_id} was adopted before" in said.out
    assert writes(rotator.served(since)) == []


def test_looking_writes_nothing(rotator: Scene) -> None:
    for arguments in (("plan",), ("status",), ("rotate", "--dry-run"), ("rotate", "--dry-run", "--force")):
        assert rotator(*arguments).code == 0
    assert rotator.served()
    assert writes(rotator.served()) == []


def test_force_rotates_early_and_only_once(rotator: Scene) -> None:
    rotated(rotator)
    before = rotator.live()
    rotator.pass_(days=1)
    assert rotator("rotate", NAME, "--force", "--no-overlap").code == 0
    assert len(rotator.live()) == 1
    assert not rotator.live() & before


def test_a_compromised_credential_is_gone_at_once(rotator: Scene) -> None:
    rotated(rotator)
    before = rotator.live()
    said = rotator("rotate", NAME, "--compromised", "--yes")
    assert said.code == 0
    assert not rotator.live() & before
    assert rotator.pulls()


def test_what_somebody_else_made_is_not_adopted_by_the_same_command_again(rotator: Scene) -> None:
    principal = rotator.azure.directory.principal(rotator.application.app_id)
    assert principal
    end = rotator.azure.clock.now() + timedelta(days=365)
    theirs = rotator.azure.directory.add_password(principal, display_name="theirs", end=end)
    for nth in range(3):
        said = rotator("rotate", NAME, "--adopt", "--no-overlap")
        assert said.code == 0
        assert ("nothing was adopted" in said.out) == (nth > 0)
        assert ("--key-id KEY_ID` makes one a credential of this policy" in said.out) == (nth > 0)
    assert theirs in principal.passwords and theirs.gone_from is None
    assert rotator.password.key_id not in rotator.live()


def test_a_declaration_given_again_finishes_what_the_first_began(rotator: Scene) -> None:
    rotated(rotator)
    (first,) = rotator.live()
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 0
    (second,) = rotator.live()
    since = len(rotator.app.served)
    again = rotator("rotate", NAME, "--compromised", "--yes")
    assert (again.code, writes(rotator.served(since))) == (0, [])
    assert f"credential {second} is not declared compromised now" in again.out
    assert f"rotator rotate {NAME} --compromised --key-id {second}" in again.out
    assert rotator("rotate", NAME, "--compromised", "--key-id", first, "--yes").code == 0, (
        "nor is a name that was declared before a mistake"
    )
    assert rotator("rotate", NAME, "--compromised", "--key-id", second, "--yes").code == 0
    assert not rotator.live() & {first, second}
    (third,) = rotator.live()
    rotator.pass_(hours=25)
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 0
    assert third not in rotator.live(), "a day later it is another declaration"


def test_a_compromised_foreign_credential_is_adopted_and_goes(rotator: Scene) -> None:
    assert rotator("rotate").code == 0
    assert rotator("rotate", NAME, "--compromised", "--key-id", rotator.password.key_id, "--yes").code == 0
    assert rotator.password.key_id not in rotator.live()
    assert rotator.pulls()


def test_a_run_that_may_not_last_long_begins_nothing_that_does(rotator: Scene) -> None:
    rotator("rotate", "--max-duration", "30s")
    assert "graph.applications.addPassword" not in rotator.served()
    assert rotator.live() == {rotator.password.key_id}


@contextmanager
def _elsewhere(rotator: Scene, name: str) -> Iterator[None]:
    """Hold the lease as another run."""
    with (rotator.policies.parent / "leases" / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_what_another_run_is_at_work_on_is_left_to_it(rotator: Scene) -> None:
    with _elsewhere(rotator, rotator.application.app_id):
        said = rotator("rotate")
        assert said.code == 4
        assert "left to another run" in said.out
        assert writes(rotator.served()) == []
        assert rotator("revoke", NAME, "--yes", "--no-wait").code == 0
    assert not rotator.pulls()


def test_one_policys_failure_stops_no_other(rotator: Scene) -> None:
    vault = {"url": "https://othervault.vault.azure.net", "password_secret": "other-pwd"}
    rotator.write(
        "absent", principal={"app_id": "99999999-0000-4000-8000-000000000000"}, key_vault=vault, container_groups=[]
    )
    said = rotator("rotate", "--adopt", "--no-overlap", "--output", "json")
    assert said.code == 1
    absent, mine = said.json["policies"]
    assert (absent["policy"], absent["exit_code"], mine["exit_code"]) == ("absent", 1, 0)
    assert all(absent["failures"][0][part] for part in ("happened", "state", "remedy"))
    assert rotator.password.key_id not in rotator.live()
    assert rotator("status").out.splitlines()[1].split()[:2] == ["absent", "unreadable"]
    assert rotator("plan").code == 1


def test_a_veto_ends_with_3_and_its_remedy_and_changes_nothing(rotator: Scene) -> None:
    rotator.azure.vaults.set("myvault", PASSWORD, "the password of somebody else")
    said = rotator("plan")
    assert said.code == 3
    assert "Correct `key_vault.password_secret`" in said.out
    assert rotator("rotate").code == 3
    assert writes(rotator.served()) == []


def test_the_report_for_programs_has_what_changed(rotator: Scene) -> None:
    said = rotator("rotate", NAME, "--adopt", "--no-overlap", "--output", "json")
    (policy,) = said.json["policies"]
    assert [event["event"] for event in policy["changes"]] == [
        "version_marked",
        "credential_added",
        "version_published",
        "group_accepted",
        "group_settled",
        "credential_removed",
        "version_disabled",
    ]
    assert policy["next_due"].endswith("Z")
    assert said.json["exit_code"] == policy["exit_code"] == said.code == 0


def test_progress_is_a_line_of_json_per_event_if_asked_for(rotator: Scene) -> None:
    said = rotator("rotate", NAME, "--log-format", "json", "-vv")
    told = [json.loads(text) for text in said.err.splitlines()]
    assert {one["v"] for one in told} == {1}
    names = [one["event"] for one in told if one["event"] != "log"]
    assert names[0] == "step_started"
    assert names[-1] == "finished"
    assert "proving" in names
    assert any(one["logger"].startswith("azure.") for one in told if one["event"] == "log")


def test_progress_goes_to_stderr_and_is_plain_where_there_is_no_terminal(rotator: Scene) -> None:
    said = rotator("rotate", NAME)
    assert said.err.partition(" ")[2].startswith(f"{NAME}: issue application: ")
    assert "\x1b" not in said.err
    assert said.out.startswith(f"{NAME}: 1 done (exit 0)\n")


def test_revoke_takes_the_access_away_and_grant_restores_it(rotator: Scene, tmp_path: Path) -> None:
    rotated(rotator)
    record = tmp_path / "record.json"
    said = rotator("revoke", NAME, "--yes", "--record", str(record))
    assert said.code == 0
    assert "a pull is refused" in said.out
    assert not rotator.pulls()
    kept = json.loads(record.read_text())
    assert (kept["version"], kept["access"], len(kept["assignments"])) == (1, "revoked", 1)
    assert kept["assignments"][0]["scope"] == rotator.seeded.registry_id
    since = len(rotator.app.served)
    assert rotator("rotate", NAME, "--force").code == 0
    assert writes(rotator.served(since)) == []
    assert rotator("grant", NAME).code == 0
    assert rotator.pulls()


def test_a_record_that_can_not_be_written_stops_a_revoke_before_it_begins(rotator: Scene, tmp_path: Path) -> None:
    said = rotator("revoke", NAME, "--yes", "--record", str(tmp_path / "nowhere" / "record.json"))
    assert said.code == 1
    assert "nowhere/record.json: No such file or directory" in said.err
    assert rotator.served() == []
    assert rotator.pulls()


@pytest.mark.parametrize("kind", ["pipe", "a link to a pipe", "device"])
def test_a_record_that_is_no_plain_file_is_refused_before_anything_is_asked(
    rotator: Scene, tmp_path: Path, kind: str
) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    record = {"pipe": pipe, "a link to a pipe": link, "device": Path("/dev/null")}[kind]
    said = rotator("revoke", NAME, "--record", str(record))
    assert said.code == 2
    assert f"--record {record}: not a plain file" in "".join(said.err.replace("│", "").split("\n")).replace("  ", " ")
    assert rotator.served() == []
    assert rotator.pulls()


def test_a_failure_of_azure_is_told_in_three_paragraphs(rotator: Scene) -> None:
    rotator.azure.faults.add(Fault("keyvault.secrets.*", "status", status=403, code="Forbidden", times=0))
    said = rotator("rotate")
    assert said.code in (1, 3)
    assert "State: " in said.out
    assert "What to do: " in said.out
    assert rotator.live() == {rotator.password.key_id}


def test_a_step_that_fails_after_another_was_done_denies_only_its_own_changes(rotator: Scene) -> None:
    rotator.azure.faults.add(
        Fault("graph.*.addPassword", "status", status=403, code="Authorization_RequestDenied", times=0)
    )
    said = rotator("rotate", NAME, "--adopt")
    assert (said.code, "rotator-adopted=" in said.out) == (1, True)
    assert "State: Nothing was changed for this step." in said.out
    assert "State: Nothing was changed.\n" not in said.out
