"""Tests of five commands, from a policy that only names its application to a rotation after a revocation and a
grant.
"""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rotator.cli.commands import provision as providing
from tests.bare import MANIFEST
from tests.cli.scene import NAME, PASSWORD, Scene

CALLED = "made-by-provision"


@pytest.fixture(name="drafted")
def _drafted(rotator: Scene) -> Scene:
    """Return a scene whose policy names an application to be made, and a group to be made from its manifest."""
    (rotator.policies / "manifests").mkdir()
    (rotator.policies / "manifests" / "app.yaml").write_text(MANIFEST)
    vault = {"url": rotator.seeded.vault_url, "password_secret": "fresh-pwd", "username_secret": "fresh-usr"}
    rotator.write(
        principal={"display_name": CALLED},
        key_vault=vault,
        container_groups=[{"id": rotator.group_id("fresh"), "manifest": "manifests/app.yaml"}],
    )
    return rotator


def file(scene: Scene) -> Path:
    return scene.policies / f"{NAME}.yaml"


def test_five_commands_from_nothing_to_a_rotation(drafted: Scene) -> None:
    before = file(drafted).read_text()
    said = drafted("provision", NAME, "--yes")
    assert said.code == 0, said.err
    after = file(drafted).read_text()
    (added,) = [line for line in after.splitlines(keepends=True) if line not in before.splitlines(keepends=True)]
    assert after.replace(added, "") == before
    assert f"wrote {added.strip().replace(': ', ' ')} into" in said.out
    assert drafted.pulls("fresh")
    assert "nothing was missing" in drafted("provision", NAME).out
    for command in (
        ("rotate",),
        ("revoke", NAME, "--yes"),
        ("grant", NAME),
        ("rotate", NAME, "--force", "--no-overlap"),
    ):
        assert drafted(*command).code == 0, command
        drafted.pass_(minutes=20)
    assert drafted.pulls("fresh")


def test_a_dry_run_shows_what_is_missing_and_changes_nothing(drafted: Scene) -> None:
    before = file(drafted).read_bytes()
    since = len(drafted.served())
    said = drafted("provision", NAME, "--dry-run")
    assert said.code == 0
    for words in (
        f"create an application called {CALLED}",
        "write its app id into",
        "give the principal a role",
        "issue a new credential",
        "fresh-usr",
        "7. deploy ",
    ):
        assert words in said.out
    body = drafted("provision", NAME, "--dry-run", "--output", "json").json
    assert [step["step"] for step in body["policies"][0]["missing"]] == [
        "create",
        "save",
        "create",
        "grant",
        "issue",
        "publish",
        "deploy",
    ]
    writing = ("create", "upsert", "addPassword", "set", "createOrUpdate")
    assert not [operation for operation in drafted.served(since) if operation.rsplit(".", 1)[-1] in writing]
    assert file(drafted).read_bytes() == before


def test_it_asks_before_it_makes_anything_and_not_where_nothing_is_missing(drafted: Scene) -> None:
    said = drafted("provision", NAME)
    assert (said.code, "--yes" in said.err) == (2, True)
    assert file(drafted).read_text().count("app_id") == 0


def test_a_file_that_can_not_be_written_stops_it_before_anything_is_made(
    drafted: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providing, "os", SimpleNamespace(access=lambda *_: False, W_OK=os.W_OK))
    said = drafted("provision", NAME, "--yes")
    assert (said.code, "writable" in said.err) == (2, True)
    assert not [app for app in drafted.azure.directory.state.applications.values() if app.display_name == CALLED]


@pytest.mark.parametrize("command", ["validate", "plan", "status", "rotate"])
def test_every_other_verb_refuses_a_draft_and_names_provision(drafted: Scene, command: str) -> None:
    said = drafted(command)
    assert said.code == 2
    assert f"rotator provision {NAME}" in said.err
    assert drafted.served() == []


def test_a_hand_made_principal_lacks_only_what_it_lacks(rotator: Scene) -> None:
    before = file(rotator).read_text()
    assert "nothing was missing" in rotator("provision", NAME).out
    assert (file(rotator).read_text(), len(rotator.live()), rotator.azure.vaults.get("myvault", PASSWORD).value) == (
        before,
        1,
        rotator.password.secret,
    )
