"""Tests of `rotator enqueue` and `rotator work`: the messages added and taken, the exit codes, and the notices."""

import json

import pytest
from local_azure.faults import Fault

from rotator.cli import wiring
from tests.cli.scene import NAME, Scene
from tests.storage import QUEUE, MemoryQueue


@pytest.fixture(name="queue")
def _queue(rotator: Scene, monkeypatch: pytest.MonkeyPatch) -> MemoryQueue:
    """Provide one queue for every command."""
    queue = MemoryQueue(lambda: rotator.azure.clock.now().timestamp())
    monkeypatch.setattr(wiring, "queue", lambda world, address: queue)
    monkeypatch.setenv("ROTATOR_QUEUE", QUEUE)
    return queue


def texts(queue: MemoryQueue) -> list[str]:
    return [each.message.text for each in queue.waiting]


def test_what_is_due_is_added_taken_and_rotated_and_what_rests_is_not_added(rotator: Scene, queue: MemoryQueue) -> None:
    said = rotator("enqueue")
    assert (said.code, texts(queue)) == (0, [NAME])
    assert f"1 of 1 policies added to {QUEUE}" in said.out
    before = rotator.live()
    said = rotator("work", "--max-duration", "30m")
    assert said.code == 0
    assert texts(queue) == []
    assert len(rotator.live() - before) == 1
    said = rotator("enqueue", "--output", "json")
    assert (said.code, json.loads(said.out)["added"], texts(queue)) == (0, [], [])
    said = rotator("work")
    assert (said.code, said.out.strip()) == (0, "")


def test_a_policy_that_can_not_be_seen_is_added_so_that_its_run_says_why(rotator: Scene, queue: MemoryQueue) -> None:
    rotator.azure.faults.add(Fault("keyvault.secrets.*", "status", status=403, code="Forbidden", times=0))
    said = rotator("enqueue")
    assert (said.code, texts(queue)) == (1, [NAME])
    assert f"unseen     {NAME}: " in said.out
    said = rotator("work", "--output", "json")
    assert said.code == 1
    assert json.loads(said.out)["policies"][0]["failures"]
    assert texts(queue) == [NAME]


def test_a_survey_writes_the_metrics_of_the_fleet_and_counts_what_waits_past_its_warning(
    rotator: Scene, queue: MemoryQueue
) -> None:
    metrics = rotator.policies.parent / "rotator.prom"
    assert rotator("enqueue", "--metrics", str(metrics)).code == 0
    assert f'policy="{NAME}"' in metrics.read_text()
    assert rotator("rotate", NAME, "--adopt", "--no-overlap").code == 0
    rotator.pass_(days=80)
    said = rotator("enqueue", "--metrics", str(metrics))
    assert (said.code, rotator("status").code, texts(queue)[-1]) == (1, 1, NAME)


def test_what_fails_again_and_again_is_told_to_people(rotator: Scene, queue: MemoryQueue) -> None:
    rotator.azure.faults.add(Fault("keyvault.secrets.set", "status", status=403, code="Forbidden", times=0))
    rotator("enqueue")
    told = []
    for _ in range(5):
        said = rotator("work")
        told.append((said.code, "the message of this policy was received 5 times" in said.out))
        rotator.pass_(minutes=11)
    assert told == [(1, False)] * 4 + [(1, True)]
    assert (texts(queue), queue.aside) == ([], [NAME])
    said = rotator("enqueue")
    assert said.code == 1
    assert "az storage message clear --account-name rotatorstate --queue-name rotator-poison" in said.out


def test_a_message_about_no_policy_is_dropped_and_said(rotator: Scene, queue: MemoryQueue) -> None:
    rotator("enqueue")
    queue.waiting[0].message = type(queue.waiting[0].message)("1", "", "\x1b[2J../x", 0)
    said = rotator("work")
    assert said.code == 0
    assert "no policy in this directory is called \\x1b[2J../x" in said.out
    assert texts(queue) == []


def test_a_worker_with_less_time_than_a_proof_may_take_says_so_and_serves_the_others(
    rotator: Scene, queue: MemoryQueue
) -> None:
    rotator("enqueue")
    rotator.write(
        "slow",
        principal={"app_id": f"{'0' * 8}-0000-0000-0000-{'0' * 12}"},
        container_groups=[],
        key_vault={"url": rotator.seeded.vault_url, "password_secret": "slow"},
        proof={"deadline": "20m"},
    )
    before = rotator.live()
    said = rotator("work", "--max-duration", "15m")
    assert said.code == 1
    assert "--max-duration of this worker is shorter than a proof may take in these policies: slow" in said.out
    assert len(rotator.live() - before) == 1


@pytest.mark.parametrize("command", ["enqueue", "work"])
def test_a_queue_that_can_not_be_reached_ends_with_1(rotator: Scene, queue: MemoryQueue, command: str) -> None:
    queue.down = True
    said = rotator(command)
    assert said.code == 1
    assert "gave no answer" in said.out + said.err


@pytest.mark.parametrize("command", ["enqueue", "work"])
@pytest.mark.parametrize(
    "address",
    ["", "rotator", "https://rotatorstate.blob.core.windows.net/rotator", "https://a:hunter2@b/c?sig=hunter2"],
)
def test_an_address_of_no_queue_is_a_usage_error(
    rotator: Scene, monkeypatch: pytest.MonkeyPatch, command: str, address: str
) -> None:
    said = rotator(command, "--queue", address)
    assert said.code == 2 and "hunter2" not in said.err
    assert "write https://ACCOUNT.queue.core.windows.net/NAME, the account" in said.err.replace("\n", "").replace(
        "│", ""
    )
