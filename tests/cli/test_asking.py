"""Verbs that take something away ask a person, on a real terminal."""

import os
import pty
import subprocess
import sys

import pytest
import typer

from rotator.cli import options
from tests.cli.scene import NAME, Scene

ROTATOR = [sys.executable, "-c", "from rotator.cli import main; main()"]


def test_a_no_on_a_terminal_changes_nothing(rotator: Scene) -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    with subprocess.Popen(
        [*ROTATOR, "revoke", NAME],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as asked:
        os.write(master, b"n\n")
        out, err = asked.communicate()
    os.close(master)
    os.close(terminal)
    assert asked.returncode == 1
    assert out.strip() == ""
    assert "Delete the roles with which" in err
    assert "Aborted" in err


@pytest.mark.parametrize(
    ("arguments", "question"),
    [(("revoke", NAME), "Delete the roles"), (("rotate", NAME, "--compromised"), "compromised?")],
)
def test_a_yes_goes_on(
    arguments: tuple[str, ...], question: str, rotator: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rotator("rotate", NAME).code == 0
    asked: list[str] = []

    def confirm(text: str, *, abort: bool, err: bool) -> bool:
        assert abort
        assert err
        asked.append(text)
        return True

    monkeypatch.setattr(options, "on_terminal", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    since = len(rotator.app.served)
    assert rotator(*arguments).code == 0
    assert len(asked) == 1
    assert question in asked[0]
    assert rotator.served(since)
