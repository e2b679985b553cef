"""Tests of ``--quiet``, which prints only if a person is needed, and of unknown verbs, answered with similar ones."""

import pytest
from local_azure.faults import Fault

from rotator.cli.verbs import MEANT
from tests.cli.scene import NAME, Scene
from tests.house.test_docs import COMMAND


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_is_printed_while_no_person_is_needed(rotator: Scene, form: str) -> None:
    (rotator.policies / "broken.yaml").write_text("principal: 1\n")
    for command in (
        ("rotate", NAME, "--adopt"),
        ("status", NAME),
        ("plan", NAME),
        ("validate", NAME),
        ("history", NAME),
    ):
        said = rotator(*command, "-q", "-o", form)
        assert (said.code, said.out, said.err) == (0, "", ""), command
    said = rotator("rotate", "-q", "-o", form)
    assert said.code == 2
    assert "broken.yaml" in said.out


def test_the_report_alone_is_printed_if_a_person_is_needed(rotator: Scene) -> None:
    rotator.azure.faults.add(Fault("graph.*.addPassword", "status", status=403, code="Authorization_RequestDenied"))
    said = rotator("rotate", "--quiet")
    assert said.code == 1
    assert said.out.startswith(f"{NAME}: 1 failed")
    assert said.err == ""


def test_each_verb_that_people_try_is_answered_with_one_that_there_is(rotator: Scene) -> None:
    known = {*COMMAND.commands, "--help", "--version"}  # type: ignore[attr-defined]
    assert {meant for meant in MEANT.values() if meant not in known} == set()
    assert set(MEANT) & set(known) == set()
    since = len(rotator.app.served)
    for tried, meant in (*MEANT.items(), ("statsu", "status"), ("rotat", "rotate"), ("help", "--help")):
        said = rotator(tried, NAME)
        assert (said.code, said.out) == (2, "")
        assert f"Did you mean `rotator {meant}`?" in " ".join(said.err.split()), said.err
    assert "Did you mean `rotator rotate --help`?" in rotator("help", "rotate").err
    assert "No such command" in rotator("xyzzy").err
    assert rotator.served(since) == []
