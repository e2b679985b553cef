"""Tests of two runs on one policy, from the command line: work left to the other run in silence, work left with a
report, and verbs that don't wait.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, Scene


@contextmanager
def elsewhere(rotator: Scene, purpose: str = "", **said: object) -> Iterator[None]:
    """Hold the lease as another run that began now."""
    file = rotator.policies.parent / "leases" / f"{rotator.application.app_id}{purpose}.lock"
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        json.dump({"pid": os.getpid(), "since": rotator.azure.clock.now().isoformat(), "seconds": 3600, **said}, opened)
        opened.flush()
        yield


def compromised(rotator: Scene) -> set[str]:
    """Return the key ids declared compromised in the vault."""
    versions = rotator.azure.vaults.versions("myvault", "mycontainerregistry-pull-pwd")
    return {
        key for version in versions for key in (version.tags or {}).get("rotator-compromised", "").split(",") if key
    }


def test_a_run_that_is_at_work_is_left_alone_and_one_that_hangs_is_not_left_in_silence(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    with elsewhere(rotator):
        rotator.pass_(hours=1)
        said = rotator("rotate")
        assert said.code == 4
        assert f"process {os.getpid()} on this machine, since 2026-03-02 12:" in said.out
        rotator.pass_(hours=1)
        said = rotator("rotate")
    assert said.code == 1
    assert "longer than its run may take" in said.out
    assert f"process {os.getpid()} on this machine, since 2026-03-02 12:" in said.out


def test_what_is_past_its_warning_is_not_left_in_silence(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    rotator.pass_(days=80)
    with elsewhere(rotator):
        said = rotator("rotate")
    assert rotator("status").code == said.code == 1
    assert "a step is overdue (`rotator status` shows it), and process" in said.out


def test_a_policy_that_can_not_be_seen_is_not_left_in_silence(rotator: Scene) -> None:
    rotator.azure.faults.add(Fault("keyvault.secrets.*", "status", status=403, code="Forbidden", times=0))
    with elsewhere(rotator):
        said = rotator("rotate")
    assert said.code == 1
    assert "the policy can't be seen (" in said.out


def test_a_declaration_is_recorded_although_another_run_is_at_work(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    (current,) = rotator.live()
    with elsewhere(rotator):
        said = rotator("rotate", NAME, "--compromised", "--yes")
        assert said.code == 1
        assert "this run replaces nothing that is declared compromised: process" in said.out
        assert "The declaration is recorded: the next run of any process replaces the credential at once" in said.out
        assert compromised(rotator) == {current}
        assert rotator.live() == {current}
        assert rotator("rotate").code == 1, "a compromised credential that still works is no silent matter"
    assert rotator("rotate").code == 0
    assert current not in rotator.live()


def test_a_revocation_behind_another_says_that_the_access_is_still_there(rotator: Scene) -> None:
    with elsewhere(rotator, "-access"):
        said = rotator("revoke", NAME, "--yes", "--no-wait")
    assert said.code == 1
    assert "access was not taken away: process" in said.out
    assert rotator.pulls()
    assert rotator("revoke", NAME, "--yes", "--no-wait").code == 0
    assert not rotator.pulls()


@pytest.mark.parametrize(
    "words", [("revoke", NAME, "--yes", "--no-wait"), ("rotate", NAME, "--compromised", "--yes")], ids=" ".join
)
def test_emergencies_do_not_depend_on_a_lease_directory(rotator: Scene, words: tuple[str, ...]) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    before, leases = rotator.live(), rotator.policies.parent / "leases"
    leases.rename(leases.with_name("aside"))
    leases.write_text("a file")
    assert rotator("rotate").code == 1
    assert rotator(*words).code == 0
    assert not rotator.pulls() or not rotator.live() & before


def test_a_pipe_in_the_place_of_a_lease_holds_nobody_up(rotator: Scene) -> None:
    os.mkfifo(rotator.policies.parent / "leases" / f"{rotator.application.app_id}.lock")
    said = rotator("rotate")
    assert said.code == 1
    assert "not a plain file, so no lease; remove it" in said.out
    found = [
        each
        for each in rotator("doctor", "--output", "json").json["policies"][0]["findings"]
        if each["check"] == "leases_kept"
    ]
    assert [each["severity"] for each in found] == ["fail"]
    assert any("rm -rf" in command for command in found[0]["mend"])


@pytest.mark.parametrize(("hours", "severity", "code"), [(0, "warn", 4), (2, "fail", 1)])
def test_doctor_says_what_a_run_would_end_with(rotator: Scene, hours: int, severity: str, code: int) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    with elsewhere(rotator):
        rotator.pass_(hours=hours)
        (found,) = [
            each
            for each in rotator("doctor", "--output", "json").json["policies"][0]["findings"]
            if each["check"] == "lease_free"
        ]
        assert rotator("rotate").code == code
    assert found["severity"] == severity
    assert f"end with {code}" in found["text"]
    assert f"process {os.getpid()} on this machine, since 2026-03-02 12:" in found["text"]
    assert [way["mend"] for way in found["ways"]][-1] == [f"kill {os.getpid()}"]


def test_doctor_names_a_directory_that_others_may_write_to(rotator: Scene) -> None:
    (rotator.policies.parent / "leases").chmod(0o777)
    (found,) = [
        each
        for each in rotator("doctor", "--output", "json").json["policies"][0]["findings"]
        if each["check"] == "leases_kept"
    ]
    assert found["severity"] == "warn"
    assert "everybody may write to it (mode 0777)" in found["text"]
