import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from local_azure.inprocess import pause
from local_azure.virtual import VirtualLoop, run

from rotator import fleet
from rotator.engine import Journal, Run
from rotator.errors import Forbidden, Holder, LeaseHeld, RotatorError, UnsafeStep
from rotator.events import Event, Finished, StepFailed, Vetoed
from rotator.lease import LocalLease
from rotator.ports import Clock, World
from rotator.report.status import rows
from rotator.results import Result
from tests import worlds
from tests.report import fleet as examples

Do = Callable[[Run], Awaitable[Result]]
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@dataclass
class Fleet:
    """Runs of policies a, b, c …, each with a separate principal, and their events."""

    leases: Path
    told: list[Event] = field(default_factory=list)

    def runs(self, names: str, principals: str = "") -> Iterator[Run]:
        for number, name in enumerate(names):
            app_id = f"00000000-0000-4000-8000-{ord((principals or names)[number]):012}"
            policy = worlds.policy({"principal": {"app_id": app_id}}).model_copy(update={"name": name})
            yield Run(cast(World, None), cast(Clock, None), Journal(self.told.append, policy.name), policy)

    def go(self, do: Do, names: str = "abc", principals: str = "", **options: Any) -> tuple[Result, ...]:
        async def main(_: VirtualLoop) -> tuple[Result, ...]:
            return await fleet.run(
                self.runs(names, principals), do, lease=LocalLease(self.leases, lambda: NOW), **options
            )

        return run(main)


@pytest.fixture(name="many")
def _many(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


async def fine(one: Run) -> Result:
    return Result(one.policy.name, 0, "fine")


def failing(error: Exception, name: str = "b") -> Do:
    async def do(one: Run) -> Result:
        if one.policy.name == name:
            raise error
        return await fine(one)

    return do


def codes(results: tuple[Result, ...]) -> dict[str, int]:
    return {result.policy: result.exit_code for result in results}


def test_results_come_in_the_order_of_the_policies_whoever_is_first(many: Fleet) -> None:
    async def slow_first(one: Run) -> Result:
        for _ in range(10 - ord(one.policy.name) % 10):
            await asyncio.wait([asyncio.get_running_loop().create_task(fine(one))])
        return await fine(one)

    assert list(codes(many.go(slow_first, "dcba"))) == ["d", "c", "b", "a"]


def test_who_waits_aside_leaves_the_place_to_the_others_and_comes_back_at_once(many: Fleet) -> None:
    order: list[str] = []

    async def do(one: Run) -> Result:
        order.append(f"{one.policy.name} begins")
        if one.policy.name == "a":
            async with one.aside():
                await pause(10)
        order.append(f"{one.policy.name} goes on")
        await pause(20)
        return await fine(one)

    assert list(codes(many.go(do, concurrency=1))) == ["a", "b", "c"]
    assert order == [
        *("a begins", "b begins", "b goes on", "a goes on"),
        *("c begins", "c goes on"),
    ]


def test_no_more_run_at_a_time_than_allowed_and_the_rest_is_not_even_made(many: Fleet) -> None:
    running: set[str] = set()
    most: list[int] = []
    made: list[str] = []

    async def do(one: Run) -> Result:
        running.add(one.policy.name)
        most.append(len(running))
        assert len(made) <= len(most) - 1 + 3
        await asyncio.wait([asyncio.get_running_loop().create_task(fine(one))])
        running.remove(one.policy.name)
        return await fine(one)

    def lazily() -> Iterator[Run]:
        for one in many.runs("abcdefghij"):
            made.append(one.policy.name)
            yield one

    async def main(_: VirtualLoop) -> tuple[Result, ...]:
        return await fleet.run(lazily(), do, lease=LocalLease(many.leases, lambda: NOW), concurrency=3)

    assert len(run(main)) == 10
    assert max(most) == 3


def test_a_failure_of_one_policy_stops_no_other(many: Fleet) -> None:
    results = many.go(failing(Forbidden("may not", service="graph", state="As before.", remedy="Allow it.")))
    assert codes(results) == {"a": 0, "b": 1, "c": 0}
    assert many.told == [
        StepFailed(policy="b", step="run", target="b", happened="may not", state="As before.", remedy="Allow it."),
        Finished(policy="b", exit_code=1, summary="1 failed"),
    ]


def test_an_unsafe_step_is_a_veto(many: Fleet) -> None:
    assert codes(many.go(failing(UnsafeStep("it holds the last one")))) == {"a": 0, "b": 3, "c": 0}
    assert [type(event) for event in many.told] == [Vetoed, Finished]


def test_a_bug_is_told_by_its_type_and_never_by_its_message(many: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rotator")
    assert codes(many.go(failing(KeyError("hunter2")))) == {"a": 0, "b": 1, "c": 0}
    (failed,) = [event for event in many.told if isinstance(event, StepFailed)]
    assert "KeyError" in failed.happened
    assert "hunter2" not in repr(many.told)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [KeyError]


def test_a_principal_that_another_run_is_at_work_on_is_left_to_it(many: Fleet) -> None:
    begun: list[str] = []

    async def do(one: Run) -> Result:
        begun.append(one.policy.name)
        await asyncio.wait([asyncio.get_running_loop().create_task(fine(one))])
        return await fine(one)

    assert codes(many.go(do, "abc", principals="xxz")) == {"a": 0, "b": 4, "c": 0}
    assert begun == ["a", "c"]
    assert next(event for event in many.told if isinstance(event, Finished)).exit_code == 4


@dataclass
class Held:
    """Lease held by another run for an hour, or out of reach."""

    holder: Holder | None = None
    error: RotatorError | None = None

    @asynccontextmanager
    async def hold(self, name: str, for_: timedelta) -> AsyncIterator[None]:
        del for_
        if self.error or self.holder:
            raise self.error or LeaseHeld(f"{self.holder} holds the lease {name}", self.holder)
        yield


def held(many: Fleet, lease: Held, do: Do = fine, **options: Any) -> Result:
    async def main(_: VirtualLoop) -> tuple[Result, ...]:
        return await fleet.run(many.runs("a"), do, lease=lease, **options)

    (result,) = run(main)
    return result


HOUR = timedelta(hours=1)
BUSY = Held(Holder(NOW, 4242, NOW - HOUR, HOUR))
HANGS = Held(Holder(NOW, 4242, NOW - 2 * HOUR, HOUR))


async def never(one: Run) -> Result:
    raise AssertionError(one)


def happened(many: Fleet) -> str:
    (failed,) = [event for event in many.told if isinstance(event, StepFailed)]
    return failed.happened


def test_a_lease_that_is_held_longer_than_its_run_may_take_is_no_silent_matter(many: Fleet) -> None:
    assert held(many, BUSY, never).exit_code == 4
    assert held(many, HANGS, never).exit_code == 1
    assert happened(many).startswith(
        "process 4242 on this machine, since 2026-03-04 10:00 UTC (2 h 0 min), holds the lease"
    )


def test_what_is_past_its_warning_is_not_left_to_another_run_in_silence(many: Fleet) -> None:
    async def pressing(one: Run) -> str:
        return f"{one.policy.name} has an overdue step"

    async def quiet(_: Run) -> str:
        return ""

    assert held(many, BUSY, never, pressing=quiet).exit_code == 4
    assert held(many, BUSY, never, pressing=pressing).exit_code == 1
    assert happened(many).startswith(
        "a has an overdue step, and process 4242 on this machine, since 2026-03-04 11:00 UTC"
    )


def test_what_is_urgent_is_done_first_and_says_what_is_undone(many: Fleet) -> None:
    done: list[str] = []

    async def first(one: Run) -> int:
        done.append(one.policy.name)
        return 0

    urgent = fleet.Urgent("declared, and not replaced yet", "It is recorded.", first)
    assert held(many, BUSY, never, urgent=urgent).exit_code == 1
    assert done == ["a"]
    (failed,) = [event for event in many.told if isinstance(event, StepFailed)]
    assert failed.happened.startswith("declared, and not replaced yet: process 4242 on this machine, since")
    assert failed.state == "It is recorded."


def test_what_is_urgent_is_done_although_no_lease_can_be_kept(many: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    broken = Held(error=RotatorError("the lease directory can't be used"))
    assert held(many, broken, never).exit_code == 1
    assert held(many, broken, fine, urgent=fleet.Urgent("undone", "As before.")).exit_code == 0
    assert "goes on without a lease" in caplog.text


def test_what_the_first_part_of_urgent_work_counts_is_in_the_end(many: Fleet) -> None:
    async def first(_: Run) -> int:
        return 1

    (result,) = many.go(fine, "a", urgent=fleet.Urgent("undone", "As before.", first))
    assert result.exit_code == 1


def test_work_of_another_kind_does_not_wait(many: Fleet) -> None:
    async def revoking(one: Run) -> Result:
        inner = await fleet.run([one], fine, lease=LocalLease(many.leases, lambda: NOW), purpose="access")
        return inner[0]

    assert codes(many.go(revoking, "a")) == {"a": 0}


def test_looking_puts_an_error_in_the_place_of_what_can_not_be_seen(many: Fleet) -> None:
    async def see(one: Run) -> str:
        if one.policy.name == "b":
            raise Forbidden("may not", service="graph")
        if one.policy.name == "c":
            raise ZeroDivisionError
        return one.policy.name

    async def main(_: VirtualLoop) -> tuple[str | RotatorError, ...]:
        return await fleet.look(many.runs("abc"), see)

    first, second, third = run(main)
    assert first == "a"
    assert isinstance(second, Forbidden)
    assert isinstance(third, RotatorError)
    assert "ZeroDivisionError" in third.happened


@pytest.mark.parametrize(
    ("codes", "code"),
    [([0, 4, 3], 3), ([3, 1, 2], 2), ([4, 0], 4), ([3, 1], 1), ([5, 4], 4), ([5, 0], 5), ([0], 0), ([], 0)],
)
def test_the_gravest_exit_code_wins(codes: list[int], code: int) -> None:
    assert fleet.exit_code(codes) == code


@pytest.mark.parametrize(("before", "then", "ends"), [(1, 3, 1), (3, 1, 1), (3, 0, 3), (0, 3, 3), (1, 0, 1), (0, 0, 0)])
def test_neither_of_two_exit_codes_of_one_policy_hides_the_graver(
    many: Fleet, before: int, then: int, ends: int
) -> None:
    async def first(one: Run) -> int:
        del one
        return before

    async def do(one: Run) -> Result:
        if then == 3:
            raise UnsafeStep("it isn't safe", remedy="Look.")
        return Result(one.policy.name, then, "")

    assert codes(many.go(do, "a", urgent=fleet.Urgent("nothing", "as before", first))) == {"a": ends}
    assert fleet.after(Result("a", then, ""), before).exit_code == ends


def test_what_is_due_is_queued_by_urgency_and_what_can_not_be_seen_last() -> None:
    seen = [*examples.fleet(), ("unseen", Forbidden("refused", service="Key Vault"))]
    rank = {row.policy: number for number, row in enumerate(rows(seen))}
    queued = fleet.due(seen)
    shown = {name: what for name, what in seen if not isinstance(what, RotatorError)}
    due = [name for name in queued if name in shown]
    assert due == sorted(
        (name for name, what in shown.items() if what.plan.steps or what.vetoes), key=lambda name: rank[name]
    )
    assert {*queued[len(due) :]} == {name for name, _ in seen} - shown.keys()
    assert rank["unseen"] < rank[due[-1]]
