"""Tests of `.ci/run`: its installations, and that the rest runs after a failed one; every program inside is a
stand-in.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THERE = ("promtool", "chromium", "npm", "zsh", "fish", "groff", "systemd-analyze", "cron", "python3.13")
WORKER = [
    "python3.13 -c ",
    "python3.13 -m venv .venv/functions",
    "python -m pip install -q --require-hashes -r function/requirements.txt",
    "python -m pip install -q --no-deps azure-functions-runtime==1.3.0 azurefunctions-extensions-base==1.2.0",
]
AZURITE = "npm install --silent --no-audit --no-fund --no-save --prefix .venv/azurite azurite@3.35.0"


def run(directory: Path, *there: str, user: int = 0, apt: int = 0) -> tuple[str, list[str]]:
    """Return the output and the calls of `.ci/run`, with the given programs on PATH."""
    (directory / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", directory / ".ci" / "run")
    programs, called = directory / "bin", directory / "called"
    programs.mkdir()
    made = '[ "$2" = venv ] || exit 0; mkdir -p "$3/bin"; cp "$0" "$3/bin/python"'
    bodies = {
        "python3.13": made,
        "make": "",
        "id": f"echo {user}; exit",
        "apt-get": f"exit {apt}",
        "sudo": 'shift; "$@"',
    }
    for name in (*there, *[each for each in bodies if each != "python3.13"]):
        record = "" if name == "id" else f'echo "${{0##*/}} $*" >>{called}; '
        (programs / name).write_text(f"#!/bin/sh\n{record}{bodies.get(name, '')}\n")
        (programs / name).chmod(0o755)
    for name in ("sh", "dirname", "mkdir", "cp"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [str(directory / ".ci" / "run")], env={"PATH": str(programs)}, capture_output=True, text=True, check=True
    )
    return done.stderr, in_turn(called.read_text().splitlines())


def in_turn(called: list[str]) -> list[str]:
    """Sort the concurrent installations and `make check site` into one order; `make test` waits for all of them."""
    assert called[-1] == "make test"
    order = [AZURITE, *WORKER, "make check site", "make test"]
    return sorted(called, key=lambda line: order.index(line) if line in order else -1)


def test_nothing_is_installed_where_all_is_there(tmp_path: Path) -> None:
    assert run(tmp_path, *THERE) == ("", [AZURITE, *WORKER, "make check site", "make test"])


@pytest.mark.parametrize(("user", "before"), [(0, []), (1000, ["sudo -n apt-get"])])
def test_what_is_missing_is_installed_by_its_package(tmp_path: Path, user: int, before: list[str]) -> None:
    said, called = run(tmp_path, "google-chrome", *THERE[2:], user=user)
    assert said == ""
    install = "install -qq -y --no-install-recommends prometheus"
    expected = [
        line for what in ("update -qq", install) for line in (*(f"{one} {what}" for one in before), f"apt-get {what}")
    ]
    assert called == [*expected, AZURITE, *WORKER, "make check site", "make test"]


def test_what_can_not_be_installed_is_said_and_the_rest_runs(tmp_path: Path) -> None:
    said, called = run(tmp_path, apt=100)
    assert sorted(said.splitlines()) == [
        "Not installed: azure-functions-runtime",
        "Not installed: azurite",
        "Not installed: prometheus chromium npm zsh fish groff-base systemd cron",
    ], "in any order: two of them are installed side by side"
    assert called[-2:] == ["make check site", "make test"]
