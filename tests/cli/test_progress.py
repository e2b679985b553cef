"""Tests of the progress of a command on a terminal."""

from collections.abc import Coroutine
from typing import Any

import pytest

from rotator.cli import progress, wiring
from tests.cli.scene import NAME, Scene


def test_on_a_terminal_changes_stay_and_what_is_under_way_moves(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    said = rotator("rotate", NAME)
    assert said.code == 0
    shown = " ".join(said.err.split())
    assert f"{NAME}: added credential" in shown
    assert f"{NAME}: issue application" not in shown
    assert "finished" not in shown


def test_more_is_told_with_v(rotator: Scene) -> None:
    rotator.write(proof={"times": 3, "over": "0s"})
    quiet = rotator("rotate", NAME, "--adopt").err
    rotator.pass_(days=2)
    told = rotator("rotate", NAME, "--force", "-v").err
    assert "proof 3/3" in quiet
    assert "proof 1/3" not in quiet
    assert "proof 1/3" in told
    assert "issue application: done" in told


def test_an_interrupted_run_says_that_the_next_one_goes_on(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(main: Coroutine[Any, Any, object]) -> object:
        main.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(wiring, "run", interrupted)
    said = rotator("rotate", NAME)
    assert said.code == 130
    assert "the next run" in said.err
    assert said.out == ""
