"""Tests of the loop of a rotation, look by look: the looks before a removal, the reads that a look repeats, and the
report of a failed one.
"""

from dataclasses import replace
from typing import cast

import pytest
from local_azure.faults import Fault

from rotator.codes import NoteCode, WaitCode
from rotator.engine import Run, compromise, reconcile
from rotator.engine.memory import Memory
from rotator.engine.reconciliation import LOOKS, _decide_again, _paused, _ready, _settle, _take
from rotator.engine.run import DECISIONS, FRESH, PAUSE, Changed, Seen, Undecided, failure
from rotator.errors import NotSent, RotatorError
from rotator.events import Noted, Pausing, StepPostponed
from rotator.ports import PasswordChange, Redeployment, World
from rotator.state import Home
from rotator.steps import Deploy, Intent, Next, Wait
from tests.engine.test_permits import WHY, Asked, Scene, scene
from tests.matrices.effects import Effect
from tests.matrices.people import CHANGES
from tests.matrices.process import Process, Strike
from tests.matrices.test_corners import within
from tests.stage import Stage

ADD, REMOVE, DISABLE = "graph.applications.addPassword", "graph.applications.removePassword", "keyvault.secrets.update"
LISTING, VERSIONS = "graph.applications.get", "keyvault.secrets.versions"


async def watched(made: Stage, *strikes: Strike, intent: Intent | None = None) -> tuple[list[str], int]:
    """Rotate; return the calls in order, and the exit code."""
    process = Process(made.app, made=made, strikes=strikes)
    result = await made.with_world(reconcile, intent or Intent(), hop=process, clock=process.clock)
    return [operation for operation, _, _ in process.calls], result.exit_code


def writes(calls: list[str]) -> list[str]:
    return [each for each in calls if each in (ADD, REMOVE, DISABLE)]


def test_a_removal_follows_two_whole_looks_and_the_last_step_one() -> None:
    async def act(made: Stage) -> None:
        calls, exit_code = await watched(made)
        assert (writes(calls), exit_code) == ([REMOVE, DISABLE], 0)
        before, after = calls[: calls.index(REMOVE)], calls[calls.index(DISABLE) :]
        assert [before.count(each) for each in (LISTING, VERSIONS, "aci.containerGroups.list")] == [2, 2, 2]
        assert [after.count(each) for each in (LISTING, VERSIONS, "aci.containerGroups.list")] == [1, 1, 1]

    within("waiting", act)


def test_a_removed_credential_that_a_lagging_look_shows_is_not_removed_again() -> None:
    async def act(made: Stage) -> None:
        calls, exit_code = await watched(made, Strike(LISTING, 5, Effect.STALE))
        assert (writes(calls), exit_code) == ([REMOVE, DISABLE], 0)
        assert calls[calls.index(REMOVE) :].count(LISTING) == 4, "two that confirm, the lagging one, and the last"

    within("waiting", act)


def test_a_removal_without_an_answer_that_the_next_look_confirms_is_no_failure() -> None:
    async def act(made: Stage) -> None:
        calls, exit_code = await watched(made, Strike(REMOVE, 1, Effect.UNKNOWN_DONE), Strike(LISTING, 3, Effect.STALE))
        assert (writes(calls), exit_code) == ([REMOVE, DISABLE], 0)

    within("waiting", act)


def test_a_run_gives_back_the_permit_of_a_step_that_the_guard_refuses() -> None:
    async def act(made: Stage) -> None:
        CHANGES["take the pull role"](made)
        made.pass_(minutes=30)

        async def main(run: Run) -> Asked:
            asked = Asked(run.world)
            await reconcile(replace(run, world=cast("World", asked)))
            return asked

        asked = await made.with_world(main)
        (added,) = {write for write, _ in asked.permits}
        assert isinstance(added, PasswordChange)
        assert (added.home, added.adds, asked.waived) == (Home.APPLICATION, True, [added])

    within("first", act)


def test_a_look_that_fails_tells_the_alarms_of_the_one_before_and_nothing_else() -> None:
    async def act(made: Stage) -> None:
        CHANGES["add a password"](made)
        await made.with_world(lambda run: compromise(run, []))
        made.events.clear()
        _, exit_code = await watched(made, Strike("graph.servicePrincipals.get", 2, Effect.NO))
        told = {event.code for event in made.events if isinstance(event, Noted)}
        assert (told, exit_code) == ({NoteCode.STILL_OPEN}, 1)

    within("at rest", act)


def waiting(*waits: tuple[str, float], looks: int | None = None) -> Next:
    """Return a decision without a step, with waits by subject and the seconds until the next look."""
    return Next(
        waits=tuple(Wait(WaitCode.SETTLING, who, f"{who} settles", look_again=s, looks=looks) for who, s in waits)
    )


def test_a_run_pauses_for_the_first_change_that_is_under_way_and_says_so_once() -> None:
    async def act(at: Scene) -> None:
        begun = at.run.clock.elapsed()
        for _ in range(2):
            assert await _paused(at.run, at.memory, at.seen, waiting(("b", 15), ("a", 5), looks=3), LOOKS)
        assert at.run.clock.elapsed() - begun == 10
        assert [each.reason for each in at.told(Pausing)] == ["a settles"]
        assert at.memory.looked == {("settling", "a"): 2}
        assert await _paused(at.run, at.memory, at.seen, waiting(("b", 15)), 1)
        assert [each.reason for each in at.told(Pausing)] == ["a settles", "b settles"]

    scene(act)


@pytest.mark.parametrize(("left", "looks"), [(None, LOOKS + 1), (15.0, 1), (14.0, 1)])
def test_a_run_pauses_neither_beyond_its_end_nor_for_ever(left: float | None, looks: int) -> None:
    async def act(at: Scene) -> None:
        begun = at.run.clock.elapsed()
        run = at.run if left is None else at.within(left)
        assert not await _paused(run, at.memory, at.seen, waiting(("a", 15)), looks)
        assert (at.run.clock.elapsed(), at.memory.looked) == (begun, {})
        assert await _paused(at.within(16.0), at.memory, at.seen, waiting(("a", 15)), LOOKS)

    scene(act)


def test_a_look_that_took_too_long_is_repeated_a_few_times() -> None:
    async def act(at: Scene) -> None:
        seen = replace(at.seen, read=at.run.world.moment() - FRESH)
        assert not await _paused(at.run, at.memory, seen, Next(), 1)
        seen = replace(at.seen, read=at.run.world.moment() - FRESH - 1)
        again = [await _paused(at.run, at.memory, seen, Next(), 1) for _ in range(DECISIONS + 2)]
        assert again == [True] * DECISIONS + [False] * 2
        assert not at.told(Pausing)

    scene(act)


def test_a_doubt_about_a_removal_ends_when_a_look_no_longer_lists_the_credential() -> None:
    async def act(at: Scene) -> None:
        doubts = {(kind_, what): failure(at.run, kind_, what, RotatorError("?")) for kind_, what in DOUBTS}
        listed = ("retire", at.made.by_hand.key_id)
        at.memory.undecided = {**doubts, listed: failure(at.run, *listed, RotatorError("?"))}
        _settle(at.memory, at.seen.observed)
        assert set(at.memory.undecided) == {("issue", "application"), ("deploy", "app"), listed}

    scene(act)


DOUBTS = (("issue", "application"), ("deploy", "app"), ("retire", "a credential that is gone"))


@pytest.mark.parametrize(
    ("error", "doubts"),
    [(Changed("It was moved."), False), (Undecided("No answer."), True), (NotSent("Too late.", service="aci"), True)],
)
def test_a_step_that_may_not_have_happened_is_decided_on_again_a_few_times(
    error: NotSent | Undecided, *, doubts: bool
) -> None:
    async def act(at: Scene) -> None:
        asked, begun = ("deploy", at.app.group), at.run.clock.elapsed()
        for nth in range(1, DECISIONS):
            await _decide_again(at.run, at.memory, at.app, error)
            assert (bool(at.memory.undecided), at.memory.known.refused, at.memory.lost) == (doubts, frozenset(), set())
            assert at.run.clock.elapsed() - begun == nth * PAUSE
        assert len(at.told(StepPostponed)) == DECISIONS - 1
        await _decide_again(at.run, at.memory, at.app, error)
        assert {*at.memory.undecided} == {asked} == {*at.memory.known.refused}
        assert at.run.clock.elapsed() - begun == (DECISIONS - 1) * PAUSE
        assert len(at.told(StepPostponed)) == DECISIONS - 1

    scene(act)


@pytest.mark.parametrize(("left", "decides"), [(PAUSE, False), (PAUSE + 1, True)])
def test_a_step_is_not_decided_on_again_without_time(left: float, *, decides: bool) -> None:
    async def act(at: Scene) -> None:
        error = Undecided("No answer.", lost="rotator:name")
        await _decide_again(at.within(left), at.memory, at.app, error)
        assert at.memory.lost == {"rotator:name"}
        assert bool(at.memory.known.refused) != decides
        assert bool(at.told(StepPostponed)) == decides

    scene(act)


def deployments(made: Stage) -> tuple[Deploy, ...]:
    (key_id,) = (each.key_id for each in made.credentials())
    return tuple(Deploy(made.group_id(name), key_id, WHY) for name in ("app", "second"))


PUT = "aci.containerGroups.createOrUpdate"
BUSY = Fault(PUT, "status", nth=2, status=429, code="TooManyRequests", message="No.", retry_after=20)
TAKEN: dict[str, tuple[list[Fault], tuple[Strike, ...], bool]] = {
    "both": ([], (), True),
    "one, the other is refused": ([], (Strike(PUT, 2, Effect.NO),), False),
    "one, the other meets a limit": ([BUSY], (), False),
}


@pytest.mark.parametrize("which", TAKEN)
def test_the_next_look_rests_on_readings_only_where_every_step_is_known_to_have_happened(which: str) -> None:
    faults, strikes, all_done = TAKEN[which]

    async def act(made: Stage) -> None:
        made.azure.faults.planned.extend(faults)
        process = Process(made.app, made=made, strikes=strikes)

        async def main(run: Run) -> None:
            read, memory = run.world.moment(), Memory()
            seen = Seen(await run.observe(), read)
            assert await _take(run, seen, memory, deployments(made)) == all_done
            assert made.writes().count(PUT) >= 2

        await made.with_world(main, hop=process, clock=process.clock)

    within("at rest", act)


def test_steps_that_the_guard_refuses_or_a_limit_stops_are_not_taken() -> None:
    async def act(made: Stage) -> None:
        async def main(run: Run) -> None:
            asked = Asked(run.world)
            run = replace(run, world=cast("World", asked))
            read, memory, since = run.world.moment(), Memory(), len(made.app.served)
            seen = Seen(await run.observe(), read)
            (one, two) = deployments(made)
            stranger = replace(two, key_id=made.by_hand.key_id)
            assert not await _take(run, seen, memory, (one, stranger))
            assert made.writes(since) == [PUT]
            assert memory.known.refused == {("deploy", stranger.group)}
            asked.refuses(Redeployment(one.group), 30.0)
            assert not await _take(run, seen, memory, (one,))
            assert made.writes(since) == [PUT]

        await made.with_world(main)

    within("at rest", act)


@pytest.mark.parametrize(("age", "looks"), [(FRESH / 2, False), (FRESH / 2 + 1, True)])
def test_what_was_seen_long_before_a_proof_is_looked_at_again(age: float, *, looks: bool) -> None:
    async def act(made: Stage) -> None:
        async def main(run: Run) -> None:
            memory, read = Memory(), run.world.moment()
            seen = Seen(await run.observe(), read)
            await run.clock.sleep(age)
            made.azure.container_groups.delete(made.group_id("second"))
            ready, steps = await _ready(run, seen, memory, deployments(made))
            assert (ready.observed is not seen.observed) == looks
            assert ready.known.proof and ready.known.proof.ok
            assert steps == (() if looks else deployments(made)), "nothing is due any more"
            assert ready.known.proof_at == ready.observed.at

        await made.with_world(main)

    within("at rest", act)


def test_readings_of_the_last_minute_are_not_made_again_after_a_long_proof() -> None:
    async def act(made: Stage) -> None:
        async def main(run: Run) -> None:
            memory, read = Memory(), run.world.moment()
            seen = Seen(await run.observe(), read - FRESH)
            memory.seen_at, since = run.world.moment(), len(made.app.served)
            await _ready(run, seen, memory, deployments(made))
            assert "graph.applications.get" not in [call.operation for call in made.app.served[since:]]

        await made.with_world(main)

    within("at rest", act)
