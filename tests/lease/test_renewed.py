"""Tests of a renewed lease: the runs kept out, the writes stopped by a lost lease, and the verbs that go on without
one.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from local_azure.inprocess import Hop, pause
from local_azure.virtual import VirtualLoop, run
from local_azure.wire import Request

from rotator import fleet
from rotator.engine import Run, reconcile
from rotator.errors import Holder, LeaseHeld, NotSent, RotatorError
from rotator.lease import BELIEVED, EVERY, LIFE, WRITES, RenewedLease, holder, leased
from rotator.ports import World
from rotator.results import Result
from rotator.steps import Intent
from tests.engine.test_life import settled
from tests.invariants import converges, monitored
from tests.stage import Clock, Killed, Stage, watched
from tests.storage import MemoryLeases

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
READS = frozenset(
    {
        *(
            "moment",
            "repeat_until",
            "tell_waits",
            "permit",
            "waive",
            "observe",
            "observe_again",
            "survey",
            "examine",
            "subscriptions",
            "groups_of",
            "registries_of",
            "principals",
        ),
        *("credentials", "sign_ins", "identities", "signed_in", "registries", "username", "versions", "value"),
        *("secret", "version", "prove", "pull", "group", "newer_groups", "logs", "permissions", "rights", "access"),
        *("assignments", "standing", "registry_access", "role"),
    }
)


def on_time(test: Callable[[MemoryLeases, RenewedLease, RenewedLease], Awaitable[None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        store = MemoryLeases(loop.time)
        await test(store, *(RenewedLease(store, Clock(loop), lambda: NOW, host) for host in ("one", "two")))

    run(main)


def test_a_second_run_is_kept_out_and_told_who_is_at_work_where_since_when() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        async with one.hold("x", HOUR):
            await pause(1000)
            with pytest.raises(LeaseHeld, match=r"process \d+ on one, since 2026-03-04 12:00 UTC .* the lease x in"):
                async with two.hold("x", HOUR):
                    raise AssertionError
            (found,) = (await two.standing()).values()
            assert (found.host, found.since, found.allowed) == ("one", NOW, HOUR)
            async with two.hold("y", HOUR):
                assert set(await one.standing()) == {"x", "y"}
        assert await one.standing() == {}
        async with two.hold("x", HOUR):
            assert [who.host for who in (await one.standing()).values()] == ["two"]

    on_time(test)


def test_a_lease_whose_holder_died_is_free_after_a_minute_and_no_sooner() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        assert await store.acquire("x.lock", "dead", {"host": "gone"}) is None
        await pause(LIFE - 1)
        with pytest.raises(LeaseHeld, match="another process on gone holds the lease x"):
            await two.hold("x", HOUR).__aenter__()
        await pause(1)
        async with two.hold("x", HOUR) as held:
            assert held.left() > 0

    on_time(test)


def test_one_silence_of_the_store_is_believed_for_all_policies_of_a_run_and_not_for_ever() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        async def held(name: str) -> str:
            try:
                async with one.hold(name, HOUR):
                    return ""
            except RotatorError as error:
                return error.happened

        silent = f"the lease container {store.where} can't be used: Azure Blob Storage gave no answer"
        store.down = True
        assert await asyncio.gather(*(held(f"{number}") for number in range(200))) == [silent] * 200
        assert store.asked == 1
        store.down = False
        assert await held("x") == silent
        await pause(BELIEVED)
        assert not any(await asyncio.gather(*(held(f"{number}") for number in range(200))))
        store.down = True
        assert (await held("x"), await held("y")) == (silent, silent)
        assert store.asked == 202

    on_time(test)


def test_a_lease_counts_from_its_own_request_although_it_waited_for_those_of_other_policies() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        async def left(name: str) -> float:
            async with one.hold(name, HOUR) as kept:
                return kept.left()

        store.seconds = 40.0
        assert await asyncio.gather(*map(left, "abc")) == [20.0] * 3

    on_time(test)


def test_a_lease_that_another_run_took_is_lost_at_the_next_renewal() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        async with one.hold("x", HOUR) as held:
            store.blobs["x.lock"].id = "another"
            await pause(EVERY + 1)
            assert held.left() <= 0
            assert "another run has taken it" in held.ended()
            await pause(1000)
            assert held.left() <= 0
        assert store.blobs["x.lock"].id == "another"

    on_time(test)


def test_a_lease_counts_from_before_its_renewal_and_comes_back_if_nobody_took_it() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        async with one.hold("x", HOUR) as held:
            await pause(EVERY + 1)
            assert held.left() == pytest.approx(LIFE - 1)
            store.down = True
            await pause(LIFE)
            assert held.left() <= 0
            assert "wasn't renewed within 60 s" in held.ended()
            store.down = False
            await pause(EVERY)
            assert held.left() > 0

    on_time(test)


def test_a_store_that_can_not_be_reached_is_said_with_its_address() -> None:
    async def test(store: MemoryLeases, one: RenewedLease, two: RenewedLease) -> None:
        store.down = True
        with pytest.raises(RotatorError, match=r"the lease container https://.*/leases can't be used: .*no answer"):
            await one.hold("x", HOUR).__aenter__()

    on_time(test)


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        ({}, "another process on another machine"),
        (
            {"host": "a%20b", "pid": "12", "since": "2026-03-04T11:00:00+00:00", "seconds": "60"},
            "process 12 on a b, since",
        ),
        ({"pid": "-1", "since": "yesterday", "seconds": "1e9"}, "another process on another machine"),
        ({"pid": "9" * 30, "since": "2026-03-04T11:00:00", "seconds": "9" * 30}, "another process on another machine"),
    ],
)
def test_a_record_of_whatever_kind_names_a_holder(record: dict[str, str], shown: str) -> None:
    assert str(holder(record, NOW)).startswith(shown)
    assert isinstance(holder(record, NOW), Holder)


# the world of a run with a lease


@dataclass
class Until:
    """Lease held for so many seconds."""

    seconds: float

    def left(self) -> float:
        return self.seconds

    def ended(self) -> str:
        return "the lease is lost"


class Written:
    """World that records each call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def moment(self) -> float:
        return 1000.0

    async def publish(self, policy: Any, *, not_after: float | None = None) -> str:
        self.calls.append(("publish", {"not_after": not_after}))
        return "done"

    async def own(self, home: Any) -> None:
        self.calls.append(("own", {}))

    async def versions(self, policy: Any) -> str:
        return "read"


def test_every_method_of_the_world_is_known_as_a_read_or_a_write() -> None:
    methods = {name for name, _ in inspect.getmembers(World, inspect.isfunction) if not name.startswith("_")}
    assert methods == WRITES | READS
    assert not WRITES & READS


@pytest.mark.parametrize(("asked", "sent"), [(None, 1030.0), (1010.0, 1010.0), (1120.0, 1030.0)])
def test_no_write_leaves_this_machine_after_the_end_of_its_lease(asked: float | None, sent: float) -> None:
    async def main(_: VirtualLoop) -> None:
        world = Written()
        found: Any = leased(cast(World, world), Until(30))
        assert await found.publish(None, not_after=asked) == "done"
        await found.own(None)
        assert world.calls == [("publish", {"not_after": sent}), ("own", {})]

    run(main)


def test_no_write_begins_without_the_lease_and_reads_go_on() -> None:
    async def main(_: VirtualLoop) -> None:
        world = Written()
        found: Any = leased(cast(World, world), Until(0))
        for write in (found.publish, found.own):
            with pytest.raises(NotSent, match="a write was held back: the lease is lost"):
                await write(None)
        assert await found.versions(None) == "read"
        assert world.calls == []

    run(main)


# rotations


def leasing(made: Stage, store: MemoryLeases, host: str = "one") -> RenewedLease:
    return RenewedLease(store, made.clock, made.azure.clock.now, host)


async def rotated(
    made: Stage, store: MemoryLeases, host: str = "one", *, force: bool = False, **options: Any
) -> Result:
    async def act(one: Run) -> Result:
        one = replace(one, intent=Intent(force_before=made.azure.clock.now()) if force else Intent())
        (result,) = await fleet.run([one], reconcile, lease=leasing(made, store, host), **options)
        return result

    return await made.with_world(act, hop=Hop(made.app))


ADD, SET, PUT = "graph.applications.addPassword", "keyvault.secrets.set", "aci.containerGroups.createOrUpdate"


@pytest.mark.share(2)
@pytest.mark.parametrize(("how", "at"), [("unreachable", ADD), ("broken", ADD), ("broken", SET), ("broken", PUT)])
def test_a_lease_lost_in_mid_rotation_ends_the_writes_and_no_invariant_is_broken(how: str, at: str) -> None:
    async def scene(made: Stage) -> None:
        store, lost = MemoryLeases(made.loop.time), list[float]()

        def lose(number: int, operation: str, request: Request) -> None:
            if operation == at and not lost:
                lost.append(made.loop.time())
                if how == "unreachable":
                    store.down = True
                else:
                    for blob in store.blobs.values():
                        blob.id = "broken"
            limit = lost[0] + (LIFE if how == "unreachable" else EVERY) + 1 if lost else 0
            reading = request.method in ("GET", "HEAD") or operation.startswith(("entra.", "acr."))
            assert reading or not lost or made.loop.time() <= limit, (
                f"{operation} {made.loop.time() - lost[0]:.0f} s later"
            )

        with monitored(made, ("app", "second")):
            with watched(made, before=lose):
                result = await rotated(made, store, force=True)
            assert lost
            assert result.exit_code == 1
            await converges(made)

    settled(scene)


def test_a_holder_killed_in_mid_rotation_keeps_others_out_for_a_minute_and_then_no_longer() -> None:
    async def scene(made: Stage) -> None:
        store = MemoryLeases(made.loop.time)

        def kill(number: int, operation: str, request: Request) -> None:
            if operation == "keyvault.secrets.set":
                store.down = True  # a dead process releases no lease
                raise Killed

        with monitored(made, ("app", "second")):
            with watched(made, after=kill):
                assert await made.dies(rotated(made, store, force=True))
            store.down = False
            assert (await rotated(made, store, "two")).exit_code == 4
            await pause(LIFE)
            assert (await rotated(made, store, "two")).exit_code == 0
            await converges(made)

    settled(scene)


def test_a_store_that_can_not_be_reached_fails_a_rotation_and_not_what_is_urgent() -> None:
    async def scene(made: Stage) -> None:
        store = MemoryLeases(made.loop.time, down=True)
        since = len(made.app.served)
        assert (await rotated(made, store, force=True)).exit_code == 1
        assert made.writes(since) == []
        result = await rotated(made, store, force=True, urgent=fleet.Urgent("undone", "As before."))
        assert result.exit_code == 0
        assert made.writes(since) != []

    settled(scene)
