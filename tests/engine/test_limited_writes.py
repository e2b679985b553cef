"""Tests of a limit on requests at any write of a run: awaited if the time suffices, otherwise undone; never a
failure.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.codes import ReasonCode
from rotator.engine import Run, deploy_now
from rotator.engine.limits import refused
from rotator.engine.memory import Memory
from rotator.engine.run import DECISIONS, Seen
from rotator.errors import Limited, Throttled
from rotator.steps import Deploy, Reason
from tests.bare import bare, provisioned, settle
from tests.engine.test_life import NO_OVERLAP, PUT, ours, settled
from tests.engine.test_rate_limits import early, others, used_up, waits
from tests.invariants import monitored
from tests.stage import Stage, play

ADD, REMOVE = "graph.applications.addPassword", "graph.applications.removePassword"
SET = "keyvault.secrets.set"
SOON, LATE = 400, 3000
"""Pauses shorter and longer than a run of thirty minutes."""


def limit(made: Stage, operation: str, seconds: float | None, times: int = 1) -> None:
    """Refuse an operation by a limit."""
    made.azure.faults.add(
        Fault(operation, "status", times=times, status=429, code="TooManyRequests", message="No.", retry_after=seconds)
    )


def answers(made: Stage, since: int, operation: str) -> list[int]:
    return [call.status for call in made.app.served[since:] if call.operation == operation]


def scene(play: Callable[[Stage], Awaitable[None]]) -> None:
    async def guarded(made: Stage) -> None:
        with monitored(made, ("app",)):
            await play(made)

    settled(guarded, groups=("app",))


@pytest.mark.share(2)
@pytest.mark.parametrize("operation", [ADD, SET, REMOVE])
@pytest.mark.parametrize("seconds", [SOON, None], ids=["for a while", "for an unknown time"])
def test_a_limit_that_ends_within_the_run_is_slept_through(operation: str, seconds: int | None) -> None:
    async def play(made: Stage) -> None:
        (old,) = ours(made)
        limit(made, operation, seconds)
        since, begun = len(made.app.served), made.loop.time()
        result = await made.rotate(early(made), minutes=30)
        assert result.exit_code == 0, made.told()
        assert made.loop.time() - begun >= (seconds or 30)
        (new,) = ours(made)
        assert new != old and made.password_of("app") == made.published() and not waits(made)
        assert len([status for status in answers(made, since, ADD) if status != 429]) == 1, "added once, and kept"

    scene(play)


@pytest.mark.parametrize("operation", [ADD, SET])
def test_a_limit_that_ends_too_late_undoes_the_addition_and_the_next_run_goes_on(operation: str) -> None:
    async def play(made: Stage) -> None:
        before = ours(made)
        limit(made, operation, LATE)
        result = await made.rotate(early(made), minutes=30)
        assert (result.exit_code, ours(made)) == (0, before), made.told()
        assert waits(made) and result.next_due
        made.azure.faults.planned.clear()
        made.events.clear()
        made.pass_(seconds=LATE)
        assert (await made.rotate(early(made))).exit_code == 0
        assert len(ours(made)) == 1 and ours(made) != before and not waits(made)

    scene(play)


def test_a_removal_that_a_limit_refuses_waits_for_a_later_run() -> None:
    async def play(made: Stage) -> None:
        limit(made, REMOVE, LATE, times=0)
        result = await made.rotate(early(made), minutes=30)
        assert (result.exit_code, len(ours(made))) == (0, 2), made.told()
        assert waits(made) and result.next_due
        made.azure.faults.planned.clear()
        made.pass_(seconds=LATE)
        assert (await made.rotate(NO_OVERLAP)).exit_code == 0
        assert len(ours(made)) == 1

    scene(play)


def test_an_addition_that_is_late_calls_for_a_person() -> None:
    async def play(made: Stage) -> None:
        made.pass_(days=80)
        limit(made, SET, LATE)
        assert (await made.rotate(minutes=30)).exit_code == 1
        assert waits(made)

    scene(play)


def test_what_can_not_be_taken_back_is_a_failure_that_names_it() -> None:
    async def play(made: Stage) -> None:
        limit(made, SET, LATE)
        limit(made, REMOVE, LATE, times=0)
        assert (await made.rotate(early(made), minutes=30)).exit_code == 1
        assert any(f"Credential {key_id} was added and could not be removed" in made.told() for key_id in ours(made))

    scene(play)


def test_a_look_for_a_lost_addition_that_a_limit_stops_forgets_nothing() -> None:
    async def play(made: Stage) -> None:
        made.azure.faults.add(Fault(ADD, "lost"))

        def stop_reads(number: int, operation: str, request: Request) -> None:
            if operation == ADD:
                limit(made, "graph.applications.get", LATE, times=0)

        made.before.append(stop_reads)
        since = len(made.app.served)
        assert (await made.rotate(early(made), minutes=30)).exit_code == 1
        assert len(answers(made, since, ADD)) == 1 and "it is unknown if the password was added" in made.told()

    scene(play)


@pytest.mark.parametrize("spent", [100, 300], ids=["for five minutes", "for the hour"])
def test_a_deployment_by_hand_waits_for_its_permit(spent: int) -> None:
    async def play(made: Stage) -> None:
        others(made, 100) if spent == 100 else used_up(made, left=0)
        since = len(made.app.served)
        deployed = await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
        assert deployed.key_id in ours(made)
        assert [status for status in answers(made, since, PUT) if status < 300] == [200]

    scene(play)


@pytest.mark.parametrize("pause", [60, None, 3000])
def test_a_deployment_by_hand_that_a_limit_outlasts_names_the_time_from_which_it_may_be_done(pause: int | None) -> None:
    async def play(made: Stage) -> None:
        limit(made, PUT, pause, times=0)
        since, begun = len(made.app.served), made.azure.clock.now()
        with pytest.raises(Limited) as caught:
            await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False), minutes=5)
        ended = made.azure.clock.now()
        assert len(answers(made, since, PUT)) == (1 if pause == 3000 else 5)
        assert (ended - begun).total_seconds() <= 300
        assert caught.value.until and caught.value.until >= begun + timedelta(seconds=300)
        assert "rotator deploy" in caught.value.remedy

    scene(play)


def test_a_deployment_by_hand_without_an_end_gives_up_two_hours_after_the_first_refusal() -> None:
    async def play(made: Stage) -> None:
        limit(made, PUT, 1500, times=0)
        since, begun = len(made.app.served), made.loop.time()
        with pytest.raises(Limited):
            await made.with_world(lambda run: deploy_now(run, made.group_id("app"), wait=False))
        assert len(answers(made, since, PUT)) == 5 and 6000 <= made.loop.time() - begun <= 7200

    scene(play)


def test_a_refusal_by_a_limit_is_no_decision_on_a_step() -> None:
    async def act(run: Run) -> None:
        seen, memory = Seen(await run.observe(), run.world.moment()), Memory()
        step = Deploy(run.policy.container_groups[0].id, "key", Reason(ReasonCode.FORCED, "asked for"))
        for _ in range(2 * DECISIONS):
            await refused(run, seen, memory, step, Throttled("No.", service="aci"))
        assert not memory.decided and not memory.known.limited and not memory.known.refused

    async def play(made: Stage) -> None:
        await made.with_world(act)

    scene(play)


@pytest.mark.share(2)
@pytest.mark.parametrize("pause", [60, None, 0])
def test_refusals_are_outlasted_however_many_they_are_while_the_run_has_time(pause: int | None) -> None:
    async def play(made: Stage) -> None:
        limit(made, PUT, pause, times=12)
        result = await made.rotate(early(made), minutes=60)
        assert result.exit_code == 0 and made.password_of("app") == made.published(), made.told()

    scene(play)


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "operation",
    ["graph.applications.upsert", "graph.servicePrincipals.create", ADD, SET, PUT, "rbac.roleAssignments.create"],
)
def test_provisioning_waits_for_limits(operation: str, tmp_path: Path) -> None:
    async def begin(loop: VirtualLoop) -> None:
        made = bare(loop, tmp_path)
        limit(made, operation, SOON)
        assert (await provisioned(made, tmp_path)).exit_code == 0, made.told()
        settle(made, tmp_path)
        assert any(call.status == 429 and call.operation == operation for call in made.app.served), operation
        assert len(made.credentials()) == 1 and made.azure.container_groups.could_pull(made.group_id("app"))

    play(begin)


@pytest.mark.parametrize("operation", ["graph.applications.upsert", PUT])
def test_provisioning_that_a_limit_outlasts_is_postponed_and_no_success(operation: str, tmp_path: Path) -> None:
    async def begin(loop: VirtualLoop) -> None:
        made = bare(loop, tmp_path)
        limit(made, operation, LATE)
        result = await provisioned(made, tmp_path, minutes=30)
        assert result.exit_code == 1 and "postponed" in result.summary and "failed" not in result.summary, made.told()
        assert waits(made) and "`rotator " in made.told()
        made.pass_(seconds=LATE)
        assert (await provisioned(made, tmp_path)).exit_code == 0, made.told()

    play(begin)
