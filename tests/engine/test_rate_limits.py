"""Tests of Azure's limits on redeployments: slept through if the time suffices, otherwise left to the next run, never a
failure.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import Session

from rotator.cli import wiring
from rotator.clients import Transports, budgets_of, connect
from rotator.codes import WaitCode
from rotator.events import Waiting
from rotator.function_app import invocation
from rotator.steps import Intent
from tests.engine.test_life import NO_OVERLAP, PUT, settled
from tests.invariants import monitored
from tests.stage import Stage

GET = "aci.containerGroups.get"
GROUPS = ("app", "web", "worker")


def others(made: Stage, number: int) -> None:
    """Use up redeployments of the subscription as other people do."""
    for _ in range(number):
        made.azure.container_groups.budget.spend("put", made.seeded.subscription)


def used_up(made: Stage, left: int) -> None:
    """Use up the hour's redeployments but for `left`; the hour ends in fifty minutes."""
    for number in (100, 100, 100 - left):
        others(made, number)
        made.pass_(minutes=5)


def moved(made: Stage) -> list[str]:
    """Return the groups with the published password."""
    return [name for name in GROUPS if made.password_of(name) == made.published()]


def refused(made: Stage, since: int) -> int:
    return sum(call.operation == PUT and call.status == 429 for call in made.app.served[since:])


def waits(made: Stage) -> list[str]:
    return [event.code for event in made.events if isinstance(event, Waiting) and event.code == WaitCode.LIMITED]


def scene(play: Callable[[Stage], Awaitable[None]]) -> None:
    async def guarded(made: Stage) -> None:
        with monitored(made, GROUPS):
            await play(made)

    settled(guarded, groups=GROUPS)


def early(made: Stage) -> Intent:
    return Intent(force_before=made.azure.clock.now(), no_overlap=True)


@pytest.mark.share(2)
@pytest.mark.parametrize("spent", [98, 99, 100], ids=["for the last group", "for the second", "for the first"])
def test_a_run_with_time_sleeps_through_the_limit_and_then_looks_again(spent: int) -> None:
    async def play(made: Stage) -> None:
        others(made, spent)
        since, begun = len(made.app.served), made.loop.time()
        result = await made.rotate(early(made))
        assert (result.exit_code, moved(made)) == (0, list(GROUPS))
        assert refused(made, since) == (spent == 100), "Azure tells the rest with its first answer"
        assert made.loop.time() - begun >= 300

    scene(play)


@pytest.mark.parametrize("shared", [True, False])
def test_what_one_connection_hears_the_others_of_its_process_know(*, shared: bool) -> None:
    async def play(made: Stage) -> None:
        kept = budgets_of(made.clock, made.seeded.cloud) if shared else None
        made.adapter = lambda made, hop, clock: connect(
            clock, made.seeded.cloud, Transports(lambda: Session(hop)), kept
        )
        used_up(made, left=1)
        assert (await made.rotate(early(made), minutes=30)).exit_code == 0
        assert len(moved(made)) == 1
        since = len(made.app.served)
        assert (await made.rotate(NO_OVERLAP, minutes=30)).exit_code == 0
        assert bool(refused(made, since)) != shared

    scene(play)


@pytest.mark.parametrize("wired", [wiring.connected, invocation.connected], ids=["command line", "function app"])
def test_the_connections_of_a_process_count_together(wired: Callable[[str], tuple[Any, Any]]) -> None:
    async def worlds() -> None:
        async with wired("public")[1] as one, wired("public")[1] as another, wired("usgov")[1] as elsewhere:
            assert one.budgets is another.budgets is not elsewhere.budgets

    asyncio.run(worlds())


def test_a_run_without_time_ends_well_and_the_next_one_goes_on() -> None:
    async def play(made: Stage) -> None:
        used_up(made, left=1)
        result = await made.rotate(early(made), minutes=30)
        assert (result.exit_code, len(moved(made))) == (0, 1)
        assert len(waits(made)) == 2 and "2 postponed" in result.summary
        assert result.next_due
        seconds = (result.next_due - made.azure.clock.now()).total_seconds()
        assert 1800 < seconds <= 3600, "when others redeployed is not known, so an hour from now is certain"
        made.events.clear()
        made.pass_(seconds=seconds)
        assert (await made.rotate(NO_OVERLAP)).exit_code == 0
        assert moved(made) == list(GROUPS) and not waits(made)

    scene(play)


def test_a_group_whose_credential_is_late_calls_for_a_person() -> None:
    async def play(made: Stage) -> None:
        made.pass_(days=80)
        used_up(made, left=0)
        assert (await made.rotate(minutes=30)).exit_code == 1
        assert waits(made)

    scene(play)


@pytest.mark.parametrize(("pause", "minutes"), [(None, 5), (1500, None)], ids=["no end", "a run without an end"])
def test_a_limit_that_never_ends_is_asked_for_a_bounded_time(pause: float | None, minutes: float | None) -> None:
    async def play(made: Stage) -> None:
        made.azure.faults.add(Fault(PUT, "status", times=0, status=429, code="TooManyRequests", retry_after=pause))
        since, begun = len(made.app.served), made.loop.time()
        result = await made.rotate(early(made), minutes=minutes)
        assert (result.exit_code, moved(made)) == (0, [])
        assert 1 < refused(made, since) <= 6 and waits(made)
        assert made.loop.time() - begun <= 60 * (minutes or 130)

    scene(play)


def test_refusals_that_tell_their_end_are_outlasted_while_the_run_has_time() -> None:
    async def play(made: Stage) -> None:
        made.azure.faults.add(Fault(PUT, "status", times=8, status=429, code="TooManyRequests", retry_after=20))
        assert (await made.rotate(early(made), minutes=60)).exit_code == 0, made.told()
        assert moved(made) == list(GROUPS) and not waits(made)

    scene(play)


def test_a_run_that_may_look_no_more_leaves_the_rest_to_the_next_one() -> None:
    async def play(made: Stage) -> None:
        slow = Fault(GET, "status", nth=5, times=0, status=429, code="TooManyRequests", message="No.", retry_after=3000)
        made.azure.faults.add(slow)
        result = await made.rotate(early(made), minutes=30)
        assert (result.exit_code, moved(made)) == (0, []), made.told()
        assert waits(made) and result.next_due
        made.azure.faults.planned.clear()
        made.pass_(seconds=3000)
        assert (await made.rotate(NO_OVERLAP)).exit_code == 0
        assert moved(made) == list(GROUPS)

    scene(play)


def test_a_run_that_may_not_look_at_all_fails_since_nobody_knows_what_is_late() -> None:
    async def play(made: Stage) -> None:
        made.azure.faults.add(Fault(GET, "status", times=0, status=429, code="TooManyRequests", retry_after=3000))
        assert (await made.rotate(early(made), minutes=30)).exit_code == 1

    scene(play)


def test_a_quota_of_what_may_exist_is_a_failure() -> None:
    async def play(made: Stage) -> None:
        made.azure.faults.add(
            Fault(PUT, times=0, kind="status", status=400, code="ContainerGroupQuotaReached", message="No.")
        )
        assert (await made.rotate(early(made))).exit_code == 1
        assert not waits(made)

    scene(play)
