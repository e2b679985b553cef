"""Test of Microsoft's clients for Node, which take the emulator for Azure: the manual's script runs unchanged.

The test runs where Node is and where the environment variable LOCAL_AZURE_NODE names a directory with the packages
(``npm install`` of those that the manual lists). They are no dependency.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = os.environ.get("LOCAL_AZURE_NODE")
NODE = shutil.which("node")


@pytest.mark.skipif(
    not (MODULES and NODE),
    reason="Microsoft's packages for Node are not here: name their directory in LOCAL_AZURE_NODE",
)
def test_the_manuals_script_for_node_runs(tmp_path: Path) -> None:
    script = re.search(r"^```js\n(.*?)^```", (ROOT / "docs" / "manual.md").read_text(), re.DOTALL | re.MULTILINE)
    assert script
    (tmp_path / "tour.mjs").write_text(script[1])
    (tmp_path / "node_modules").symlink_to(Path(str(MODULES)) / "node_modules")
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LOCAL_AZURE_DIR": str(tmp_path / "state"),
    }
    local = f"{sys.executable} -m local_azure"
    lines = (
        "set -euo pipefail",
        f"{local} start --detach --timing prompt >/dev/null",
        f"trap '{local} stop >/dev/null' EXIT",
        f'eval "$({local} env --as admin)"',
        'export NODE_EXTRA_CA_CERTS="$SSL_CERT_FILE"',
        "node tour.mjs",
    )
    ran = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["hello-world v1", "nodegroup Succeeded", "nodegroup", "400 InaccessibleImage"]
