"""Tests of leases in a container, from the command line: the holder, the runs kept out, and the verbs that go on
without a lease.
"""

import json

import pytest

from rotator.cli import wiring
from tests.cli.scene import NAME, Scene
from tests.storage import WHERE, MemoryLeases


@pytest.fixture(name="store")
def _store(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> MemoryLeases:
    """Provide one container of leases for every command."""
    store = MemoryLeases(lambda: rotator.azure.clock.now().timestamp())
    monkeypatch.setattr(wiring, "lease_store", lambda world, container: store)
    monkeypatch.setenv("ROTATOR_LEASE_CONTAINER", WHERE)
    return store


def elsewhere(rotator: Scene, store: MemoryLeases, purpose: str = "") -> None:
    """Hold the lease as a run on another machine."""
    blob = store.blobs.setdefault(
        f"{rotator.application.app_id}{purpose}.lock", type(next(iter(store.blobs.values())))()
    )
    blob.id, blob.until = "another", rotator.azure.clock.now().timestamp() + 60
    since = rotator.azure.clock.now().isoformat()
    blob.record = {"host": "build-7", "pid": "4242", "since": since, "seconds": "3600"}


def test_a_run_on_another_machine_is_left_alone_and_shown(rotator: Scene, store: MemoryLeases) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    assert rotator("status").out.count("is at work") == 0
    elsewhere(rotator, store)
    said = rotator("rotate")
    assert said.code == 4
    assert "process 4242 on build-7, since 2026-03-02 12:" in said.out
    shown = rotator("status")
    assert f"{NAME}: process 4242 on build-7, since 2026-03-02 12:" in shown.out
    (held,) = json.loads(rotator("status", "--output", "json").out)["leases"]
    assert (held["policy"], held["host"], held["process"], held["overdue"]) == (NAME, "build-7", 4242, False)
    found = json.loads(rotator("doctor", "--output", "json").out)["policies"][0]["findings"]
    (free,) = [each for each in found if each["check"] == "lease_free"]
    assert "process 4242 on build-7" in free["text"]
    rotator.pass_(minutes=2)
    assert rotator("rotate").code == 0


def test_a_container_that_can_not_be_reached_fails_all_but_emergencies(rotator: Scene, store: MemoryLeases) -> None:
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    store.down = True
    before = rotator.live()
    said = rotator("rotate")
    assert said.code == 1
    assert f"the lease container {WHERE} can't be used" in said.out
    assert rotator("status").code == 1
    assert "runs at work: unknown" in rotator("status").out
    found = json.loads(rotator("doctor", "--output", "json").out)["policies"][0]["findings"]
    (kept,) = [each for each in found if each["check"] == "leases_kept"]
    assert kept["mend"][0].startswith("az storage container create --account-name rotatorstate --name leases")
    assert rotator.live() == before
    assert rotator("rotate", NAME, "--compromised", "--yes").code == 0
    assert not rotator.live() & before
    assert rotator("revoke", NAME, "--yes", "--no-wait").code in (0, 1)
    assert not rotator.azure.authorization.state.assignments or "revoked" in rotator("status").out


@pytest.mark.parametrize(
    "address",
    [
        "leases",
        "http://rotatorstate.blob.core.windows.net/leases",
        f"{WHERE}/x",
        f"{WHERE}?sp=rw&sig=hunter2",
        WHERE.replace("//", "//me:hunter2@"),
    ],
)
def test_an_address_of_no_container_is_a_usage_error(rotator: Scene, address: str) -> None:
    said = rotator("rotate", "--lease-container", address)
    assert said.code == 2 and "hunter2" not in said.err
    assert "https://ACCOUNT.blob.core.windows.net/NAME" in said.err.replace("\n", "").replace("│", "")


def test_the_extra_that_is_missing_is_named(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("rotator.clients.storage.import_module", missing)
    said = rotator("rotate", "--lease-container", WHERE)
    assert said.code == 1
    assert "azure-storage-blob isn't installed" in said.out
