"""Rotation, killed before and after each wire call and then run again: no group is ever down, and every step gets done.

The points are those of a run without faults, so that a new call is a new cell.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from tests.cells import SHARE, Call, calls, cell, sampled
from tests.invariants import converges, monitored
from tests.snapshot import World, kept
from tests.stage import GROUPS, Killed, Stage, play, stage, watched


@kept
async def adopted(loop: VirtualLoop) -> Stage:
    """Return a world whose first rotation is due, with the hand-made credential adopted."""
    made = stage(loop)
    await made.with_world(lambda run: adopt(run, None))
    made.events.clear()
    return made


@kept
async def moved(loop: VirtualLoop) -> Stage:
    """Return the world a day after its first rotation: every group has moved, and the hand-made credential is to be
    retired.
    """
    made = await adopted(loop)
    await made.rotate()
    made.pass_(hours=25)
    return made


async def whole(made: Stage) -> None:
    """Play a rotation from its first call to its last: issue, deploy, the overlap, retire, disable."""
    await made.rotate()
    made.pass_(hours=25)
    await made.rotate()


RUNS: dict[str, tuple[World, Callable[[Stage], Awaitable[Any]]]] = {
    "rotate": (adopted, whole),
    "retire": (moved, Stage.rotate),
}
"""Two runs of a rotation: the world before each, and the acts from there on."""


@cache
def traced(run: str) -> tuple[Call, ...]:
    """Return the calls of a run without faults, in order."""

    async def scene(loop: VirtualLoop) -> tuple[Call, ...]:
        made = await RUNS[run][0](loop)
        since = len(made.app.served)
        await made.rotate()
        return calls(made.app.served[since:])

    return play(scene)


def operations() -> set[str]:
    """Return the operations of a rotation."""
    return {call.operation for run in RUNS for call in traced(run)}


def _points() -> Iterator[Any]:
    for run in RUNS:
        tried = sampled(traced(run))
        for call in traced(run):
            for moment in ("before", "after"):
                yield cell(run, call, moment, name=f"{run}-{call}-{moment}", soak=call.index not in tried, share=SHARE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize(("run", "call", "moment"), list(_points()))


async def test_a_rotation_without_faults_keeps_every_invariant(loop: VirtualLoop) -> None:
    made = await adopted(loop)
    with monitored(made, GROUPS):
        await whole(made)
        await converges(made)
    assert made.by_hand.key_id not in {p.key_id for p in made.credentials()}


async def test_killed(loop: VirtualLoop, run: str, call: Call, moment: str) -> None:
    world, act = RUNS[run]

    made = await world(loop)
    start = len(made.app.served)

    def kill(number: int, named: str, request: object) -> None:
        if number - start - 1 == call.index:
            raise Killed

    with monitored(made, GROUPS):
        with watched(made, **{moment: kill}):
            assert await made.dies(act(made)), f"call {call} was not reached"
        made.pass_(minutes=1)
        await converges(made)
