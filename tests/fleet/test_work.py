"""Tests of workers on a queue, with shared leases: in memory, and in Azurite; the invariants hold throughout."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import Hop, pause
from local_azure.wire import Request

from rotator import fleet
from rotator.engine import Journal, Run, reconcile
from rotator.errors import Holder, LeaseHeld, Unavailable
from rotator.events import Noted
from rotator.fleet import Worker
from rotator.fleet.queue import AGAIN, MOST, VISIBLE
from rotator.lease import LIFE, RenewedLease
from rotator.ports import Lease
from tests import azurite
from tests.engine.test_life import settled
from tests.invariants import converges, monitored
from tests.stage import GROUPS, Killed, Stage, watched
from tests.storage import MemoryLeases, MemoryQueue

SET, PUT = "keyvault.secrets.set", "aci.containerGroups.createOrUpdate"
NAME = "mycontainerregistry"


@dataclass
class Hosts:
    """World with a due rotation, its queue and its leases."""

    made: Stage
    queue: Any
    leases: Any

    async def work(self, host: str = "one", minutes: float = 120, lease: Lease | None = None) -> Worker:
        """Run `rotator work` on one host; return the worker."""

        async def act(one: Run) -> Worker:
            def begin(policy: Any) -> Run:
                return replace(one, journal=Journal(self.made.events.append, policy.name), latest=[])

            clock = one.clock
            leases = lease or RenewedLease(self.leases, clock, self.made.azure.clock.now, host)
            until = clock.elapsed() + one.left()
            worker = Worker(self.queue, clock, leases, {NAME: one.policy}, begin, reconcile, until)
            await worker.work(2)
            return worker

        return await self.made.with_world(act, hop=Hop(self.made.app), minutes=minutes)

    def codes(self) -> list[str]:
        return [each.code.value for each in self.made.events if isinstance(each, Noted)]


@pytest.fixture(name="storage", scope="module")
def _storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    with azurite.running(tmp_path_factory.mktemp("azurite")) as found:
        yield found


Play = Callable[[Callable[[Hosts], Awaitable[None]]], None]


@pytest.fixture(name="play")
def _play(request: pytest.FixtureRequest) -> Play:
    """Provide a player of scenes in a world at rest for 61 days, with storage in memory or, if the test asks for it, in
    Azurite.
    """
    over = getattr(request, "param", "memory")
    storage: azurite.Azurite | None = request.getfixturevalue("storage") if over == "azurite" else None
    name = "".join(each for each in request.node.name.lower() if each.isalnum())[-50:]

    def play(test: Callable[[Hosts], Awaitable[None]]) -> None:
        async def scene(made: Stage) -> None:
            made.pass_(days=61)
            if storage:
                now, clock = made.azure.clock.now, made.clock
                hosts = Hosts(made, azurite.queue(storage, clock, now, name), azurite.leases(storage, clock, now, name))
            else:
                hosts = Hosts(made, MemoryQueue(made.loop.time), MemoryLeases(made.loop.time))
            with monitored(made, GROUPS):
                await test(hosts)
                await converges(made)

        settled(scene)

    return play


both = pytest.mark.parametrize("play", ["memory", "azurite"], indirect=True)


def rotated(made: Stage) -> bool:
    """Tell if both groups hold the published credential, added today."""
    (newest,) = [each for each in made.credentials() if each.secret == made.published()]
    held = {made.tags_of(name)["rotator-key-id"] for name in GROUPS}
    return held == {newest.key_id} and made.azure.clock.now() - newest.start < timedelta(days=1)


@both
def test_two_workers_with_a_message_each_about_one_policy_rotate_it_once(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        before = len(hosts.made.versions())
        await fleet.enqueue(hosts.queue, [NAME, NAME])
        one, two = await asyncio.gather(hosts.work("one"), hosts.work("two"))
        codes = sorted(worker.results[NAME].exit_code for worker in (one, two) if worker.results)
        assert codes in ([0, 4], [4])
        assert len(hosts.made.versions()) == before + 1
        assert rotated(hosts.made)
        await pause(VISIBLE + 1)
        assert await hosts.queue.take(30) is None

    play(test)


@both
def test_a_worker_killed_in_mid_rotation_leaves_its_message_to_another(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        def kill(number: int, operation: str, request: Request) -> None:
            if operation == SET:
                _forbid(hosts, down=True)  # a dead process returns no lease
                raise Killed

        await fleet.enqueue(hosts.queue, [NAME])
        with watched(hosts.made, after=kill):
            assert await hosts.made.dies(hosts.work("one"))
        _forbid(hosts, down=False)
        assert (await hosts.work("two")).results == {}
        await pause(VISIBLE)
        worker = await hosts.work("two")
        assert worker.results[NAME].exit_code == 0
        assert rotated(hosts.made)

    play(test)


def _forbid(hosts: Hosts, *, down: bool) -> None:
    """Cut off the storage, or connect it again."""
    for each in (hosts.queue, hosts.leases):
        reached = each if isinstance(each, MemoryQueue | MemoryLeases) else each._line._sessions[0]
        reached.down = down


@both
def test_a_message_whose_run_fails_is_tried_again_and_at_last_moved_aside_and_told(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        hosts.made.azure.faults.add(Fault(SET, "status", status=403, code="Forbidden", times=0))
        await fleet.enqueue(hosts.queue, [NAME])
        for number in range(1, MOST + 1):
            worker = await hosts.work()
            assert worker.results[NAME].exit_code == 1
            assert ("poisoned" in hosts.codes()) == (number == MOST)
            assert (await hosts.work()).results == {}
            await pause(AGAIN + 1)
        assert (await hosts.work()).results == {}
        assert await hosts.queue.poisoned() == (NAME,)
        hosts.made.azure.faults.clear()

    play(test)


def test_a_message_whose_workers_died_each_time_is_moved_aside_without_another_try(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        await fleet.enqueue(hosts.queue, [NAME])
        for _ in range(MOST):
            assert await hosts.queue.take(30)
            await pause(31)
        before = len(hosts.made.app.served)
        worker = await hosts.work()
        assert worker.results[NAME].exit_code == 1
        assert hosts.made.writes(before) == []
        assert hosts.codes() == ["poisoned"]
        assert await hosts.queue.poisoned() == (NAME,)

    play(test)


@both
def test_a_lease_lost_in_mid_rotation_fails_the_run_and_its_message_comes_back(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        async def lose() -> None:
            await hosts.made.clock.sleep(3)
            (name,) = await hosts.leases.standing()
            if isinstance(hosts.leases, MemoryLeases):
                hosts.leases.blobs[name].id = "broken"
            else:
                await _broken(hosts.leases, name)

        await fleet.enqueue(hosts.queue, [NAME])
        _, worker = await asyncio.gather(lose(), hosts.work())
        assert worker.results[NAME].exit_code == 1
        assert "this run has lost the lease" in hosts.made.told()
        assert not rotated(hosts.made)
        await pause(AGAIN + LIFE)
        assert (await hosts.work("two")).results[NAME].exit_code == 0
        assert rotated(hosts.made)

    play(test)


async def _broken(leases: Any, name: str) -> None:
    """Break a lease, as an administrator can."""
    from azure.storage.blob.aio import BlobLeaseClient

    async with leases._blob(name) as blob:
        await BlobLeaseClient(blob).break_lease(lease_break_period=0)


def test_a_name_that_no_policy_has_is_dropped_and_said(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        await fleet.enqueue(hosts.queue, ["../elsewhere", NAME])
        worker = await hosts.work()
        assert worker.unknown == ["../elsewhere"]
        assert worker.results[NAME].exit_code == 0
        await pause(VISIBLE + AGAIN)
        assert await hosts.queue.take(30) is None

    play(test)


class Busy:
    """Lease held by another run."""

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[None]:
        if name:
            raise LeaseHeld("another run holds it", Holder(datetime(2026, 3, 4, tzinfo=UTC)))
        yield


def test_a_policy_that_another_run_is_at_work_on_is_done_for_this_worker(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        await fleet.enqueue(hosts.queue, [NAME])
        worker = await hosts.work(lease=Busy())
        assert worker.results[NAME].exit_code == 4
        await pause(VISIBLE + AGAIN)
        assert await hosts.queue.take(30) is None

    play(test)


def test_a_rotation_that_takes_longer_than_a_message_is_kept_from_others_is_done_once(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        hosts.made.with_policy(proof={"times": 5, "over": "15m", "deadline": "20m"})
        await fleet.enqueue(hosts.queue, [NAME])

        async def late() -> Worker:
            await hosts.made.clock.sleep(VISIBLE + 60)
            return await hosts.work("two")

        one, two = await asyncio.gather(hosts.work("one"), late())
        assert one.results[NAME].exit_code == 0
        assert two.results == {}
        assert rotated(hosts.made)

    play(test)


def test_a_run_that_ends_for_want_of_time_is_asked_for_again(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        await fleet.enqueue(hosts.queue, [NAME])
        hosts.made.with_policy(proof={"times": 5, "over": "4m", "deadline": "5m"})
        worker = await hosts.work(minutes=5.01)
        assert worker.results[NAME].exit_code == 0
        message = await hosts.queue.take(30)
        assert (message is not None) == (not rotated(hosts.made))
        if message:
            assert message.tries == 1
            await hosts.queue.done(message)

    play(test)


def test_a_queue_that_can_not_be_reached_is_trouble_and_no_run_is_begun(play: Play) -> None:
    async def test(hosts: Hosts) -> None:
        await fleet.enqueue(hosts.queue, [NAME])
        _forbid(hosts, down=True)
        worker = await hosts.work()
        assert worker.results == {}
        assert worker.trouble
        assert all(isinstance(each, Unavailable) or "no answer" in each.happened for each in worker.trouble)
        _forbid(hosts, down=False)

    play(test)
