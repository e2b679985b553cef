import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from rotator import fleet
from rotator.engine import Result, Run
from rotator.errors import Forbidden, RotatorError, UnsafeStep
from rotator.events import Event, Finished, StepFailed, Vetoed
from rotator.lease import LocalLease
from rotator.ports import Clock, World
from tests import worlds
from tests.virtual import VirtualLoop, run

Do = Callable[[Run], Awaitable[Result]]


@dataclass
class Fleet:
    """Runs of policies a, b, c …, each with a principal of its own, and what they told."""

    leases: Path
    told: list[Event] = field(default_factory=list)

    def runs(self, names: str, principals: str = "") -> Iterator[Run]:
        for number, name in enumerate(names):
            app_id = f"00000000-0000-4000-8000-{ord((principals or names)[number]):012}"
            policy = worlds.policy({"principal": {"app_id": app_id}}).model_copy(update={"name": name})
            yield Run(cast(World, None), cast(Clock, None), self.told.append, policy)

    def go(self, do: Do, names: str = "abc", principals: str = "", **options: Any) -> tuple[Result, ...]:
        async def main(_: VirtualLoop) -> tuple[Result, ...]:
            return await fleet.run(self.runs(names, principals), do, lease=LocalLease(self.leases), **options)

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
        return await fleet.run(lazily(), do, lease=LocalLease(many.leases), concurrency=3)

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


def test_work_of_another_kind_does_not_wait(many: Fleet) -> None:
    async def revoking(one: Run) -> Result:
        inner = await fleet.run([one], fine, lease=LocalLease(many.leases), purpose="access")
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


@pytest.mark.parametrize(("codes", "code"), [([0, 4, 3], 3), ([3, 1, 2], 2), ([4, 0], 4), ([3, 1], 1), ([5, 4], 4), ([5, 0], 5), ([0], 0), ([], 0)])
def test_the_gravest_exit_code_wins(codes: list[int], code: int) -> None:
    assert fleet.exit_code(codes) == code
