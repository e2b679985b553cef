"""Test of stock ``az`` against the emulator, beside rotator: each sees the other's changes.

The test runs where ``az`` is: on PATH, or named by the environment variable ROTATOR_AZ. The Azure CLI is no dependency
of rotator.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from descriptions import SPECS

ROOT = Path(__file__).parents[2]
AZ = os.environ.get("ROTATOR_AZ") or shutil.which("az")

HOOK, SUPPORT = (ROOT / "emulator" / "tests" / place for place in ("descriptions/hook", ""))
SOURCES = (ROOT, ROOT / "emulator")
SCRIPTS = [script for script in sorted(Path(__file__).parent.glob("*.sh")) if script.name != "shell.sh"]


def _path(*folders: Path) -> str:
    return os.pathsep.join(map(str, folders))


def _command(directory: Path, name: str, *words: str) -> None:
    """Write a command for a separate PATH, so that neither program finds the other's files."""
    script = directory / name
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    script.chmod(0o755)


@pytest.mark.skipif(AZ is None, reason="the Azure CLI is not here: put az on PATH, or name it in ROTATOR_AZ")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_documented_az_commands_work(script: Path, tmp_path: Path) -> None:
    """Each script is a page of documentation; ``chain`` is a whole rotation, with rotator between the commands
    of az.
    """
    assert AZ is not None
    (commands := tmp_path / "bin").mkdir()
    _command(commands, "az", str(Path(AZ).absolute()))
    _command(commands, "rotator", sys.executable, "-m", "rotator")
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": _path(*SOURCES),
    }
    findings = tmp_path / "findings"
    if SPECS:
        environment |= {
            "LOCAL_AZURE_SPECS": str(SPECS.absolute()),
            "ROTATOR_FINDINGS": str(findings),
            "PYTHONPATH": _path(HOOK, SUPPORT, *SOURCES),
        }
    (state := tmp_path / "state").mkdir()
    ran = subprocess.run([script, state], env=environment, capture_output=True, text=True, check=False, timeout=1500)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert "works." in ran.stdout
    if SPECS:
        judged, *found = findings.read_text().splitlines()
        assert int(judged.removeprefix("judged ")) > 20
        assert found == []
