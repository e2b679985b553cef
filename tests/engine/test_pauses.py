"""Tests of waiting runs: each names the reason for its wait, and is never silent for half a minute."""

from collections.abc import Awaitable, Callable
from math import inf
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.engine import Journal, adopt, grant, reconcile, revoke
from rotator.engine.run import Run
from rotator.events import Event, Pausing
from rotator.report.progress import line
from tests.engine.test_revoke_absent import OBJECTS
from tests.stage import Clock, Stage, stage

SILENT = 30.0
"""Longest silence in seconds."""


async def watched(made: Stage, act: Callable[[Run], Awaitable[Any]]) -> tuple[list[str], float]:
    """Return the lines of a run, and its longest sleep without a line or an announced wait."""
    told, slept, longest = list[str](), [0.0], [0.0]
    real = made.clock

    class Watched(Clock):
        async def sleep(self, seconds: float) -> None:
            slept[0] += seconds
            longest[0] = max(longest[0], slept[0])
            await real.sleep(seconds)

    def tell(event: Event) -> None:
        told.extend(text for text in [line(event)] if text)
        slept[0] = -inf if isinstance(event, Pausing) else 0.0

    async def main(run: Run) -> None:
        await act(
            Run(run.world, Watched(made.loop), Journal(tell, run.policy.name), run.policy, run.intent, run.deadline)
        )

    await made.with_world(main)
    return told, longest[0]


STORIES: dict[str, tuple[list[Fault], Callable[[Run], Awaitable[Any]], str]] = {
    "a revocation": ([], revoke, "a pull is tried until it is refused"),
    "a revocation of all that signs in": (
        [],
        lambda run: revoke(run, credentials=True),
        "one read does not prove that",
    ),
    "a principal that is not found": (
        [Fault(operation, "status", status=404, code="Request_ResourceNotFound", times=0) for operation in OBJECTS],
        revoke,
        "rotator looks for the principal once more",
    ),
    "an add without an answer": (
        [Fault("graph.applications.addPassword", "lost")],
        reconcile,
        "rotator looks for a credential named",
    ),
    "an add that never came": (
        [Fault("graph.applications.addPassword", "timeout")],
        reconcile,
        "rotator looks for a credential named",
    ),
    "a publication that never came": (
        [Fault("keyvault.secrets.set", "timeout")],
        reconcile,
        "rotator looks for its new version",
    ),
    "a redeployment": ([], reconcile, "is watched until it is healthy or has failed"),
}


@pytest.mark.share(2)
@pytest.mark.parametrize("story", STORIES)
async def test_nobody_waits_without_being_told_for_what(loop: VirtualLoop, story: str) -> None:
    made = stage(loop, groups=("app",))
    await made.with_world(lambda run: adopt(run, None))
    faults, act, says = STORIES[story]
    made.azure.faults.planned.extend(faults)
    told, longest = await watched(made, act)
    assert says in "\n".join(told), "\n".join(told)
    assert longest <= SILENT, f"{longest} s of silence in\n" + "\n".join(told)


async def test_a_grant_says_that_it_tries_a_pull(loop: VirtualLoop) -> None:
    made = stage(loop, groups=("app",))
    await made.with_world(lambda run: adopt(run, None))
    await made.with_world(revoke)
    told, longest = await watched(made, grant)
    assert sum("waiting up to 15 min: a pull is tried until it succeeds" in text for text in told) == 1
    assert longest <= SILENT
