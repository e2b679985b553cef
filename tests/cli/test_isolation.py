"""Tests of one team's mistake in a shared directory of policies, by the commands of other teams."""

import json

import pytest
from local_azure.faults import Fault

from tests.cli.scene import NAME, PASSWORD, Scene

UNCLOSED = "principal: {app_id: x\nregistries: []\n"
WARNING = "team-x.yaml:2:11: not YAML"


@pytest.fixture(name="shared")
def _shared(rotator: Scene) -> Scene:
    """Return a scene whose directory has an unfinished policy of another team."""
    (rotator.policies / "team-x.yaml").write_text(UNCLOSED)
    return rotator


def absent(rotator: Scene) -> None:
    """Write a policy whose world can't be read, since its principal doesn't exist."""
    rotator.write("absent", principal={"app_id": "00000000-0000-4000-8000-000000000000"}, container_groups=[])
    text = (rotator.policies / "absent.yaml").read_text()
    (rotator.policies / "absent.yaml").write_text(text.replace(PASSWORD, "absent-pwd"))


EMERGENCIES = [("revoke", NAME, "--yes", "--no-wait"), ("rotate", NAME, "--compromised", "--yes")]
OTHERS = [
    ("plan", NAME),
    ("status", NAME),
    ("doctor", NAME),
    ("history", NAME),
    ("validate", NAME),
    ("adopt", NAME),
    ("grant", NAME),
    ("deploy", NAME),
    ("manifest", NAME, "mycontainer"),
    ("provision", NAME, "--yes"),
    ("rotate", NAME, "--dry-run"),
]


@pytest.mark.parametrize("words", [*EMERGENCIES, *OTHERS], ids=" ".join)
def test_a_named_policy_is_served_whatever_stands_beside_it(shared: Scene, words: tuple[str, ...]) -> None:
    alone = shared(*words)
    assert alone.code != 2
    assert alone.raised is None
    assert [line for line in alone.err.splitlines() if line.startswith("warning: ")] == [
        line for line in alone.err.splitlines() if WARNING in line
    ]
    assert WARNING in alone.err
    assert "not served" not in alone.out


def test_a_pause_of_an_earlier_command_holds_no_emergency_up(rotator: Scene) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    before, vault = rotator.live(), "keyvault.secrets.*"
    rotator.azure.faults.add(Fault(vault, "status", times=9, status=429, code="Throttled", retry_after=3000))
    assert rotator("plan", NAME).code == 1
    rotator.azure.faults.clear()
    assert (rotator.policies.parent / "leases" / "pauses.json").exists()
    assert rotator("plan", NAME).code == 0, "a long pause of reads is not obeyed for ever"
    began = rotator.time.elapsed()
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 0
    assert not rotator.live() & before
    assert rotator("revoke", NAME, "--yes").code == 0
    assert not rotator.pulls()
    assert rotator.time.elapsed() - began < 900


def test_the_emergency_verbs_do_what_they_are_for(shared: Scene) -> None:
    assert shared("rotate", NAME, "--adopt", "--no-overlap").code == 0
    before = shared.live()
    assert shared("rotate", NAME, "--compromised", "--yes").code == 0
    assert not shared.live() & before
    assert shared("revoke", NAME, "--yes").code == 0
    assert not shared.pulls()


@pytest.mark.parametrize(
    "words", [("rotate",), ("plan",), ("status",), ("validate",), ("discover",), ("rotate", "--dry-run")], ids=" ".join
)
def test_a_command_about_all_serves_those_that_are_right_and_tells_the_others(
    shared: Scene, words: tuple[str, ...]
) -> None:
    said = shared(*words)
    assert said.code == 2
    assert "team-x: not served (exit 2)" in said.out
    assert WARNING in said.out
    assert (
        said.err.splitlines()[-1]
        == "exit 2: mistakes in the policies of team-x, which were not served. The run over the other policies"
        " ended with 0."
    )
    body = shared(*words, "--output", "json").json
    assert (body["exit_code"], body["exit_codes"], [error["policy"] for error in body["errors"]]) == (
        2,
        [2],
        ["team-x"],
    )
    assert [mistake["line"] for mistake in body["errors"][0]["mistakes"]] == [2]


def test_a_command_about_all_does_its_work(shared: Scene) -> None:
    assert shared("rotate", "--adopt", "--no-overlap").code == 2
    assert shared.password.key_id not in shared.live()
    assert shared.pulls()


def test_neither_exit_code_hides_the_other(shared: Scene) -> None:
    absent(shared)
    said = shared("rotate")
    assert said.code == 2
    assert "absent: 1 failed (exit 1)" in said.out
    assert "team-x: not served (exit 2)" in said.out
    assert said.err.splitlines()[-1].startswith("exit 2: mistakes in the policies of team-x")
    assert said.err.splitlines()[-1].endswith("ended with 1.")
    body = shared("rotate", "--output", "json").json
    assert (body["exit_code"], body["exit_codes"]) == (2, [2, 1])
    assert {policy["policy"]: policy["exit_code"] for policy in body["policies"]} == {"absent": 1, NAME: 0}


def test_what_stops_a_command_altogether_does_not_hide_the_mistake(
    shared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rotator.cli import wiring
    from rotator.errors import Unavailable

    def refuse(cloud: str) -> object:
        raise Unavailable("no answer", service="entra")

    monkeypatch.setattr(wiring, "connected", refuse)
    said = shared("plan", "--output", "json")
    assert (said.code, said.json["exit_codes"], said.json["error"]["happened"]) == (2, [2, 1], "no answer")
    assert [error["policy"] for error in said.json["errors"]] == ["team-x"]


def test_without_a_policy_that_can_be_served_there_is_an_error_and_no_report(shared: Scene) -> None:
    said = shared("plan", "team-x", "--output", "json")
    assert (said.code, said.json["error"]["type"], said.json["errors"], said.json["exit_codes"]) == (
        2,
        "PolicyError",
        [],
        [2],
    )
    assert "No request was made" in said.err
    assert not shared.served()


def test_programs_are_told_in_their_form(shared: Scene) -> None:
    said = shared("rotate", NAME, "--log-format", "json")
    first = json.loads(said.err.splitlines()[0])
    assert (first["v"], first["event"], first["line"]) == (1, "mistake", 2)
    last = json.loads(shared("rotate", "--log-format", "json").err.splitlines()[-1])
    assert (last["event"], last["type"], last["state"]) == (
        "error",
        "PolicyError",
        "The run over the other policies ended with 0.",
    )


def test_very_many_mistakes_of_others_are_no_flood(rotator: Scene) -> None:
    for number in range(30):
        (rotator.policies / f"team-{number}.yaml").write_text(UNCLOSED)
    warnings = [line for line in rotator("plan", NAME).err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 21
    assert warnings[-1] == "warning: 10 more mistakes in other policies; `rotator validate` shows them"


def test_only_what_is_served_is_asked_about(shared: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("rotator.cli.commands.rotate.ask", lambda question, yes: asked.append(question))
    assert shared("rotate", NAME, "team-x", "--compromised").code == 2
    assert asked == [f"Declare the current credential of {NAME} compromised? It can't be taken back."]


def test_discover_drafts_nothing_for_a_principal_that_a_broken_policy_speaks_of(rotator: Scene) -> None:
    file = rotator.policies / f"{NAME}.yaml"
    file.write_text(file.read_text() + "x: 1\n")
    rotator.write("other", principal={"app_id": "00000000-0000-4000-8000-000000000000"}, container_groups=[])
    (rotator.policies / "other.yaml").write_text(
        (rotator.policies / "other.yaml").read_text().replace(PASSWORD, "other-pwd")
    )
    said = rotator("discover", "--write", "--drafts", str(rotator.policies.parent / "drafts"), "--output", "json")
    assert said.code == 2
    assert [(draft["file"], draft["written"], draft["why"]) for draft in said.json["drafts"]] == [
        (str(file), False, "it has this principal already")
    ]
    assert not (rotator.policies.parent / "drafts").exists()
