"""Tests of destructive verbs on a real terminal: they ask a person first."""

import json
import os
import pty
import signal
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


@pytest.mark.parametrize("verb", [("revoke", NAME), ("rotate", NAME, "--compromised", "--output", "json")])
def test_a_question_that_is_interrupted_is_no_answer(rotator: Scene, verb: tuple[str, ...]) -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*ROTATOR, *verb], stdin=terminal, stdout=pipe, stderr=pipe, env=environment, text=True, start_new_session=True
    ) as asked:
        assert asked.stderr
        err = ""
        while "[y/N]" not in err:
            err += asked.stderr.read(1)
        asked.send_signal(signal.SIGINT)
        out, more = asked.communicate(timeout=30)
    os.close(master)
    os.close(terminal)
    assert asked.returncode == 130
    assert "Interrupted." in more and "Traceback" not in more
    assert out.strip() == "" or json.loads(out)["error"]["type"] == "Interrupted"
    assert len(rotator.live()) == 1


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
