"""Tests of the demonstration, played for real as by `make demo`, and of its claims, each of which must be able
to fail.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from local_azure.directory import StateDirectory

from rotator import demo
from rotator.demo import claims
from rotator.demo.claims import Claim
from rotator.demo.documented import Admin, GroupToCreate
from rotator.demo.scene import Stage, stage
from rotator.demo.sight import StateShown
from rotator.demo.story import STORY, Chapter, rotator
from rotator.demo.voice import Voice

pytestmark = [
    pytest.mark.xdist_group("waiting"),  # one worker waits in real time while the others compute
    pytest.mark.filterwarnings(
        "ignore:GetQueryParameters is deprecated:DeprecationWarning"
    ),  # msgraph-sdk's own models
    pytest.mark.filterwarnings(
        "ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning"
    ),
]
ROOT = Path(__file__).parents[2]
LATER = [claim for chapter in STORY[3:8] for claim in chapter.claims]
SO_ALREADY = {claims.lost_nothing, claims.other_is_the_same, claims.no_pull_was_refused}
"""Claims of later chapters that hold from the beginning."""


def told(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_claim_of_the_demonstration_holds_and_nothing_of_it_stays(tmp_path: Path) -> None:
    done = told("-m", "rotator", "demo", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    marks = re.findall(r"^   ([✓✗]) (.*)$", done.stdout, re.MULTILINE)
    assert marks == [("✓", claim.text) for chapter in STORY for claim in chapter.claims]
    assert re.findall(r"^\d+\. (.*)$", done.stdout, re.MULTILINE) == [chapter.title for chapter in STORY]
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_demonstration_that_is_ended_halfway_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "rotator", "demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as playing:
        assert any("$ rotator plan" in line for line in playing.stdout or ())
        (directory,) = tmp_path.iterdir()
        assert StateDirectory(directory / "emulator").serving()
        playing.terminate()
    assert playing.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [("demo",), ("emulator",), ("emulator", "start", "--detach"), ("emulator", "--help"), ("emulator", "no-such")],
    ids=" ".join,
)
def test_without_the_local_azure_a_command_says_in_one_sentence_what_to_install(command: tuple[str, ...]) -> None:
    absent = (
        "import sys, importlib.util as u; find = u.find_spec; u.find_spec = lambda name: None if name == 'local_azure'"
        " else find(name)"
    )
    done = told("-c", f"{absent}; sys.argv = {['rotator', *command]}; from rotator.cli import main; main()")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"rotator (demo|emulator) needs the local Azure, .* -m pip install \./emulator '\.\[emulator\]'\n", done.stderr
    )


@pytest.fixture(scope="module")
def begun() -> Iterator[Stage]:
    """Provide the stage after eleven months without an act of rotator."""
    with stage(Voice()) as made:
        for chapter in STORY[:2]:
            for act in chapter.acts:
                act(made)
        yield made


def test_a_story_with_a_claim_that_fails_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Chapter(
        "A chapter",
        "",
        (rotator("no-such-verb"),),
        (Claim("black is white", lambda _: False), Claim("so it is", lambda _: True)),
    )
    monkeypatch.setattr(demo, "STORY", (wrong,))
    assert not demo.play()
    said = capsys.readouterr().out
    assert "✗ exit code 0 (it was 2)" in said
    assert "✗ black is white" in said
    assert "2 claims failed." in said


@pytest.mark.parametrize("claim", LATER, ids=lambda claim: claim.text)
def test_a_later_claim_does_not_hold_before_rotator_has_done_anything(claim: Claim, begun: Stage) -> None:
    still = claim.holds in SO_ALREADY or claim.text.startswith(
        ("Azure moves mycontainer to", "Azure moves reports", "reports still", "the nightly job was")
    )
    assert claim.holds(begun) is still


def test_what_must_not_change_is_compared(begun: Stage) -> None:
    assert claims.everything_runs(begun)
    other = begun.made["other"]
    with begun.as_admin():
        Admin(begun.seeded).create(
            [
                GroupToCreate("reports", "aci-helloworld:v1", other),
                GroupToCreate("mycontainer", "aci-helloworld:v1", begun.made["pull"]),
            ]
        )
    begun.later()
    assert not claims.nothing_changed(begun)
    assert not claims.other_is_the_same(begun)
    assert not claims.lost_nothing(begun)
    assert not claims.undisturbed("mycontainer")(begun)


def test_time_that_passes_a_password_leaves_no_twenty_days(begun: Stage) -> None:
    begun.let_pass(timedelta(days=1))
    assert not claims.ends_soon(begun)
    begun.let_pass(timedelta(days=20))
    assert not claims.pulls_again("mycontainer")(begun)
    assert not claims.no_pull_was_refused(begun)
    assert not claims.everything_runs(begun)


def test_a_secret_on_the_screen_is_noticed(begun: Stage) -> None:
    assert claims.no_secret_was_shown(begun)
    begun.voice.said.append(f"the password is {begun.made['other'].password}.")
    assert not claims.no_secret_was_shown(begun)


def test_a_look_beyond_azure_is_noticed(begun: Stage) -> None:
    assert claims.nothing_else_was_asked(begun)
    connection = http.client.HTTPSConnection("127.0.0.1", begun.emulator.running().port)
    connection.set_tunnel("example.org", 443)
    with pytest.raises(OSError, match="403"):
        connection.request("GET", "/")
    connection.close()
    assert not claims.nothing_else_was_asked(begun)


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2027-11-10T23:59:55+00:00", True),
        ("2027-11-11T00:03:00+00:00", True),
        ("2027-11-10T23:00:00+00:00", False),
        ("2027-11-12T00:03:00+00:00", False),
    ],
)
def test_a_demonstration_over_midnight_has_the_same_twenty_days(now: str, holds: bool) -> None:
    credential = {"keyId": "k", "start": "2026-11-30T23:59:50Z", "end": "2027-11-30T23:59:50Z"}
    shown = StateShown({"now": now, "principals": [{"appId": "a", "credentials": [credential]}]}, {})
    stage_: Any = SimpleNamespace(now=shown, made={"pull": SimpleNamespace(app_id="a", key_id="k")})
    assert claims.ends_soon(stage_) is holds
