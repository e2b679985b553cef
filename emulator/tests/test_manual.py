"""Tests of docs/manual.md: its commands run from top to bottom, its Python runs, and its table of conditions equals the
code's.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "docs" / "manual.md").read_text()
SOURCES = [file.read_text() for file in (ROOT / "local_azure").rglob("*.py")]


def blocks(language: str, heading: str) -> str:
    """Return the code under a heading, as one text."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", MANUAL, re.DOTALL | re.MULTILINE)
    assert found, heading
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", found[1], re.DOTALL | re.MULTILINE))


@pytest.mark.skipif(
    shutil.which("curl") is None,
    reason="the manual's way for programs of any language is shown with curl, which is not here",
)
@pytest.mark.parametrize("heading", ["Faults", "In CI"])
def test_the_commands_of_the_manual_run(heading: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "local-azure"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m local_azure "$@"\n')
    command.chmod(0o755)
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    script = f"set -euo pipefail\ntrap 'local-azure stop 2>/dev/null || true' EXIT\n{blocks('sh', heading)}"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert '"now"' in ran.stdout


def test_the_python_of_the_manual_runs() -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(blocks("python", "Faults"), "docs/manual.md", "exec"), {"__name__": "manual"})
    assert said.getvalue().splitlines() == ["429", "first"]


def test_the_conditions_of_the_manual_are_those_that_services_look_for() -> None:
    table = MANUAL.split("| condition | service |")[1].split("\n\n")[0]
    looked_for = {kind for text in SOURCES for kind in re.findall(r'\.active\("(\w+)"\)', text)}
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == looked_for | {"flip"}, (
        "flip is looked for as stale"
    )
