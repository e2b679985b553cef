"""Tests of an interrupted run, at any of its calls: a sent write is awaited, no further one begins, and remaining
credentials are named.
"""

import asyncio

import pytest
from local_azure.inprocess import Hop, pause
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import adopt, reconcile
from rotator.steps import Intent
from tests.cells import cell
from tests.engine.test_outcomes import unpublished
from tests.invariants import converges, monitored
from tests.matrices.test_crash_matrix import adopted
from tests.stage import GROUPS, Stage, play, stage

READS = ("GET", "HEAD")


def interrupted(made: Stage, index: int) -> Hop:
    """Return a way to Azure that cancels the run during its request `index`, before the request has an effect."""
    task, calls = asyncio.current_task(), list[Request]()

    async def arriving(request: Request) -> None:
        calls.append(request)
        if len(calls) == index + 1 and task:
            task.cancel()
            await pause(1)

    return Hop(made.app, latency=lambda request: 1.0, arriving=arriving)


def count() -> int:
    """Return the number of calls of a rotation."""

    async def scene(loop: VirtualLoop) -> int:
        made = await adopted(loop)
        since = len(made.app.served)
        await made.rotate()
        return len(made.app.served) - since

    return play(scene)


async def cancelled(made: Stage, index: int) -> None:
    """Run until the cancellation."""
    hop = interrupted(made, index)
    task = asyncio.current_task()
    assert task
    try:
        await made.with_world(reconcile, hop=hop)
    except asyncio.CancelledError:
        task.uncancel()


PARTS = 16
"""Tests among which the calls are dealt out; `make test` plays the first."""


@pytest.mark.parametrize("part", [cell(part, name=str(part), soak=part > 0) for part in range(PARTS)])
def test_a_run_that_is_interrupted_leaves_nothing_unnamed(part: int) -> None:
    total = count()
    for index in range(part, total, PARTS):

        async def scene(loop: VirtualLoop, index: int = index) -> None:
            made = await adopted(loop)
            with monitored(made, GROUPS):
                since = len(made.app.served)
                await cancelled(made, index)
                after = made.writes(since + index + 1)
                assert after in (
                    [],
                    ["graph.applications.removePassword"],
                ), f"writes after the interruption at {index}: {after}"
                left = unpublished(made)
                assert all(key in made.told() and '"code": "interrupted"' in made.told() for key in left), index
                made.pass_(hours=25)
                await converges(made, Intent(no_overlap=True))

        play(scene)


@pytest.mark.parametrize(
    "operation", ["graph.applications.addPassword", "keyvault.secrets.set", "aci.containerGroups.createOrUpdate"]
)
async def test_a_write_that_was_sent_is_awaited(loop: VirtualLoop, operation: str) -> None:
    made = stage(loop)
    await made.with_world(lambda run: adopt(run, None))
    task = asyncio.current_task()

    async def leaving(request: Request) -> None:
        if made.app.served[-1].operation == operation and task and not task.cancelling():
            task.cancel()
            await pause(20)

    since = len(made.app.served)
    with pytest.raises(asyncio.CancelledError):
        await made.with_world(reconcile, hop=Hop(made.app, leaving=leaving))
    assert task
    task.uncancel()
    writes = made.writes(since)
    assert operation in writes
    told = {"graph.applications.addPassword": "credential_added", "keyvault.secrets.set": "version_published"}
    assert told.get(operation, "group_accepted") in made.told()
    if operation == "graph.applications.addPassword":
        assert writes[-1] == "graph.applications.removePassword"
        assert unpublished(made) == []
    else:
        assert writes[-1] == operation
