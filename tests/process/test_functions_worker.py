"""Tests of the function app, indexed and called by Microsoft's own worker library, over HTTPS against a served
Azure.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.served import ROOT, Scene, Served, scene, serving
from tests.storage import QUEUE

PYTHON = ROOT / ".venv" / "functions" / "bin" / "python"
pytestmark = [
    pytest.mark.xdist_group("functions_worker"),
    pytest.mark.skipif(
        not [*PYTHON.parents[1].glob("lib/python3.*/site-packages/azure_functions_runtime")],
        reason="no Python 3.13 with azure-functions-runtime and function/requirements.txt in .venv/functions (.ci/run)",
    ),
]
TIMER = {"function": "rotate", "trigger": "timerTrigger"}
STATUS = {"function": "status", "trigger": "httpTrigger"}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "state") as served:
        yield served


@dataclass
class Host:
    """Folder of the app, with the world of its policy."""

    made: Scene

    def __call__(self, *calls: dict[str, Any], **settings: str) -> tuple[int, list[Any], str]:
        """Start a worker, index the app, and call its functions; return the exit code, the answers and the log."""
        for name in ("function_app.py", "host.json"):
            shutil.copy(ROOT / "function" / name, self.made.path)
        environment = {
            **self.made.environment(),
            "PYTHONPATH": str(ROOT),
            "AzureWebJobsScriptRoot": str(self.made.path),
            "TMPDIR": str(self.made.path),
            **settings,
        }
        done = subprocess.run(
            [str(PYTHON), str(ROOT / "tests" / "process" / "functions_host.py"), str(self.made.path)],
            env=environment,
            input=json.dumps(calls),
            cwd=self.made.path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def published(self) -> str:
        """Return the key id of the newest version; empty for none."""
        return str((self.made.versions()[-1].get("tags") or {}).get("rotator-key-id", ""))


@pytest.fixture
def host(azure: Served, tmp_path: Path) -> Host:
    return Host(scene(azure, tmp_path))


def test_the_library_indexes_the_triggers_and_a_timer_rotates(host: Host) -> None:
    code, (indexed, ticked, shown), log = host(TIMER, STATUS)
    assert (code, indexed["failed"], ticked) == (0, "", {"failed": "", "returned": None}), log
    assert set(indexed["indexed"]) == {"rotate", "status"}
    (timer,) = indexed["indexed"]["rotate"]
    assert (timer["type"], timer["schedule"], timer["useMonitor"]) == ("timerTrigger", "0 0 */6 * * *", True)
    assert [each["type"] for each in indexed["indexed"]["status"]] == ["httpTrigger", "http"]
    assert host.published()
    assert shown["returned"]["status"] == 200
    assert json.loads(shown["returned"]["body"])["policies"][0]["policy"] == host.made.name
    assert host.made.by_hand not in log


def test_a_message_rotates_the_policy_that_it_names_after_an_invocation_was_cut_off(host: Host) -> None:
    message = {"function": "reconcile", "trigger": "queueTrigger", "text": host.made.name}
    code, (indexed,), log = host({**message, "dies": '"event": "version_published"'}, ROTATOR_QUEUE=QUEUE)
    (trigger,) = indexed["indexed"]["reconcile"]
    assert (trigger["type"], trigger["queueName"], trigger["connection"]) == (
        "queueTrigger",
        "rotator",
        "AzureWebJobsStorage",
    )
    assert code == 9, log
    published = host.published()
    assert published
    code, (_, again, unknown), log = host({**message, "tries": 2}, {**message, "text": "nobody"}, ROTATOR_QUEUE=QUEUE)
    assert (code, again["failed"], unknown["failed"]) == (0, "", ""), log
    assert host.published() == published
    assert len(host.made.keys()) == 2
    assert host.made.authenticates(str(host.made.published()))
    assert "which is no policy in this directory" in log


def test_a_failure_is_the_invocation_s(host: Host) -> None:
    host.made.write(registries=[{"id": f"{host.made.azure.seeded.registry_id}absent"}])
    message = {"function": "reconcile", "trigger": "queueTrigger", "text": host.made.name, "tries": 5}
    code, (_, served, shown), log = host(message, STATUS, ROTATOR_QUEUE=QUEUE)
    assert (code, served["failed"].partition(":")[0], shown["returned"]["status"]) == (0, "RotationFailed", 503), log
    assert '"code": "poisoned"' in log
