"""Tests of the command for events, with real processes."""

import asyncio
import json
import os
import select
import sys
from pathlib import Path

import pytest

from rotator.notify import command, run_hook

SAVE = "import json, os, sys; json.dump({'argv': sys.argv[1:], 'in': sys.stdin.read(), 'env': dict(os.environ), 'cwd': os.getcwd(), 'group': os.getpgid(0) == os.getpid()}, open(sys.argv[1], 'w')); print('x' * 100000)"  # fmt: skip


def test_it_gets_the_event_its_words_as_they_are_and_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "S3CRET")
    saved = tmp_path / "saved.json"
    event = json.dumps({"data": "x" * 200_000}).encode()
    words = (sys.executable, "-c", SAVE, str(saved), "$(touch x)", "a; b")
    assert asyncio.run(run_hook(words, event)) == ""
    found = json.loads(saved.read_text())
    assert found["argv"] == [str(saved), "$(touch x)", "a; b"]
    assert found["in"].encode() == event
    # Python itself may set LC_CTYPE.
    assert {name: value for name, value in found["env"].items() if name != "LC_CTYPE"} == command.ENVIRONMENT
    assert (found["cwd"], found["group"]) == ("/", True)


def test_failures_are_sentences(tmp_path: Path) -> None:
    assert asyncio.run(run_hook((sys.executable, "-c", "raise SystemExit(3)"), b"{}")) == "ended with 3"
    assert (
        asyncio.run(run_hook((str(tmp_path / "nothing"),), b"{}")) == "could not be started (No such file or directory)"
    )
    # A command need not read its input.
    assert asyncio.run(run_hook((sys.executable, "-c", ""), b"x" * 1_000_000)) == ""


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SECONDS", 2.0)
    script = tmp_path / "hang"
    script.write_text(f"#!/bin/sh\nsleep 300 &\necho $! >{tmp_path}/child\nwait\n")
    script.chmod(0o755)
    assert asyncio.run(run_hook((str(script),), b"{}")) == "did not end within 2 s, and was killed"
    assert ends(int((tmp_path / "child").read_text()))


def ends(process: int) -> bool:
    """Tell if a process ends within ten seconds, with any parent."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    ready, _, _ = select.select([descriptor], [], [], 10)
    os.close(descriptor)
    return bool(ready)
