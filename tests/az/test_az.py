"""Stock ``az`` takes the emulator for Azure, and rotator for nobody: each sees what the other has done.

It runs where ``az`` is: on PATH, or named by the environment variable ROTATOR_AZ. The Azure CLI is no dependency of rotator.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AZ = os.environ.get("ROTATOR_AZ") or shutil.which("az")


@pytest.mark.skipif(AZ is None, reason="the Azure CLI is not here: put az on PATH, or name it in ROTATOR_AZ")
def test_the_documented_az_commands_and_rotator_agree_about_the_world(tmp_path: Path) -> None:
    assert AZ is not None
    path = os.pathsep.join([str(Path(AZ).parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    script = Path(__file__).with_name("chain.sh")
    ran = subprocess.run([script, tmp_path / "state"], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
