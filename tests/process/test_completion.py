"""Tests of completion in shells: names of policies and groups, on a terminal, also beside a broken file."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import needed
from tests.served import SOURCES

COMPLETE = "_ROTATOR_COMPLETE"
WRAPPER = f"""#!/bin/sh
[ -n "${COMPLETE}" ] || {{ echo "RAN <$*>"; exit; }}
exec env PYTHONPATH={SOURCES} {sys.executable} -c '
import sys
from rotator.cli import main
sys.argv[0] = "rotator"
main()' "$@"
"""
POLICY = """
principal: {app_id: 5d3c0a52-0000-4000-8000-000000000000}
registries:
  - id: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r
key_vault: {url: https://myvault.vault.azure.net, password_secret: pull-pwd}
container_groups:
  - id: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/nightly
"""
SHELLS = {
    "bash": ("bash", ["--norc", "--noprofile", "-i"], ""),
    "zsh": ("zsh", ["-f", "-i"], "autoload -Uz compinit; compinit -u -D"),
    "zsh from its path": ("zsh", ["-f", "-i"], "fpath=($PWD/functions $fpath); autoload -Uz compinit; compinit -u -D"),
    "fish": ("fish", ["--no-config", "-i"], ""),
}


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    """Make a directory with a command, policies, one of them broken and one a pipe, and an undeclared manifest."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rotator").write_text(WRAPPER)
    (tmp_path / "bin" / "rotator").chmod(0o755)
    policies = tmp_path / "policies"
    (policies / "manifests").mkdir(parents=True)
    (policies / "payments.yaml").write_text(POLICY)
    (policies / "broken.yaml").write_text("principal: {app_id: [\n")
    os.mkfifo(policies / "pipe.yaml")
    (policies / "manifests" / "paymaster.yaml").write_text("location: eastus\n")
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8", "PS1": "$ "}


def asked(home: Path, words: str) -> list[str]:
    """Return the completions of words, without a shell."""
    given = {**environment(home), COMPLETE: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [home / "bin" / "rotator"], cwd=home, env=given, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_names_come_from_files_and_groups_from_their_policy(home: Path) -> None:
    assert asked(home, "rotator rotate ") == ["broken", "payments"]
    assert asked(home, "rotator rotate payments p") == []
    assert asked(home, "rotator deploy payments ni") == ["nightly"]
    assert asked(home, "rotator deploy broken ") == []
    (home / "policies").rename(home / "elsewhere")
    assert asked(home, "rotator status --policies elsewhere pa") == ["payments"]
    assert asked(home, "rotator status ") == []
    assert asked(home, "rotator sta") == ["status"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes_a_policy_on_a_terminal(home: Path, shell: str) -> None:
    program, options, before = SHELLS[shell]
    path = needed(program, program)
    given = {**environment(home), COMPLETE: f"source_{program}"}
    script = subprocess.run([home / "bin" / "rotator"], env=given, capture_output=True, text=True, check=True).stdout
    (home / "functions").mkdir()
    (home / "functions" / "_rotator").write_text(script)
    source = "" if "path" in shell else "source ./functions/_rotator"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(home)
        os.execve(path, [program, *options], environment(home))
    try:
        typed = f"{before}\n{source}\necho rea''dy\n"
        os.write(terminal, typed.encode())
        read_until(terminal, "ready")
        os.write(terminal, b"rotator history pay\t")
        read_until(terminal, "payments")
        os.write(terminal, b"\n")
        read_until(terminal, "RAN <history payments>")
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal: int, words: str) -> None:
    """Read from a terminal until it shows the words."""
    shown = ""
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"{words!r} isn't shown: {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
