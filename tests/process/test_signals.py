"""Tests of signals to a real process over HTTPS: it ends in order and names its remains, and the next run goes on."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cells import cell
from tests.served import Scene, Served, scene, serving

pytestmark = pytest.mark.xdist_group("signals")  # they share the module's fixtures

EACH = pytest.mark.parametrize(
    "number",
    [
        cell(number, name=number.name, soak=number is not signal.SIGTERM)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    ],
)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("signals") / "state") as served:
        yield served


@pytest.fixture
def rotator(azure: Served, tmp_path: Path) -> Iterator[Scene]:
    yield scene(azure, tmp_path)
    azure.control("DELETE", "/faults")


def until(process: subprocess.Popen[str], words: str) -> str:
    """Read the process's messages until one has the words."""
    assert process.stderr
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended before it said {words!r}: {said}")


@pytest.mark.share(3)
@EACH
def test_a_signal_during_a_proof_takes_back_what_was_added(rotator: Scene, number: signal.Signals) -> None:
    rotator.write(proof={"times": 5, "over": "4m", "deadline": "5m"})
    before = rotator.keys()
    process = rotator.begin("rotate")
    until(process, "added credential")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert f"Interrupted by {number.name}" in err and "rotator asked Graph once to remove it" in err and out == ""
    assert rotator.keys() == before
    assert rotator.published() == rotator.by_hand
    rotator.write()
    assert rotator("rotate").code == 0
    assert rotator.authenticates(rotator.published())


def test_an_interruption_is_one_object_for_programs(rotator: Scene) -> None:
    rotator.write(proof={"times": 5, "over": "4m", "deadline": "5m"})
    process = rotator.begin("rotate", "--output", "json", "--log-format", "json")
    until(process, "credential_added")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert '"type": "Interrupted"' in out and "was added and not published" in out
    assert process.returncode == 143


@pytest.mark.share(2)
@pytest.mark.parametrize("again", [True, False], ids=["a second signal", "the end of the grace"])
def test_a_request_that_never_ends_holds_nobody_up_for_long(rotator: Scene, *, again: bool) -> None:
    rotator.extra = {"ROTATOR_GRACE": "20" if again else "1"}
    rotator.azure.fault("keyvault.secrets.set", "timeout", when="after")
    since = len(rotator.azure.calls())
    process = rotator.begin("rotate")
    rotator.azure.until(
        lambda: any(call["operation"] == "keyvault.secrets.set" for call in rotator.azure.calls()[since:])
    )
    process.send_signal(signal.SIGTERM)
    until(process, "no new request is begun")
    if again:
        process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 143 and "ended at once" in err
    assert rotator.authenticates(rotator.published()), (
        "what was published before the signal is what readers get, and it works"
    )
    rotator.azure.control("DELETE", "/faults")
    assert rotator("rotate").code == 0
    assert rotator.authenticates(rotator.published())
