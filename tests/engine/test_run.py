"""Tests of a run's foundations: the time of the last look, the age of the mark, and the event of a failure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rotator.engine import Run
from rotator.engine.run import DECISIONS, FRESH, Patience, Sight, access_now, failure
from rotator.errors import Limited, RotatorError, UnsafeStep
from rotator.events import Event, Pausing, StepFailed, Vetoed, Waiting
from rotator.state import Access
from tests.engine.test_permits import Scene, scene
from tests.matrices.effects import Effect
from tests.matrices.process import ALWAYS, LATE_READ, Point, Process, Stop, Strike
from tests.matrices.test_corners import within
from tests.stage import Stage

MARK = "mark.secrets.get"


def test_the_time_of_a_run_is_that_of_its_last_look_and_what_has_passed_since() -> None:
    async def act(at: Scene) -> None:
        begun, moment = at.seen.observed.at, at.run.world.moment()
        assert at.run.time() == begun
        await at.run.clock.sleep(90)
        assert at.run.time() == begun + timedelta(seconds=90)
        sight = Sight(at.run.policy, moment - 30, at.seen.observed, at=moment)
        assert replace(at.run, latest=[sight]).time() == begun + timedelta(seconds=90)
        assert replace(at.run, latest=[replace(sight, at=None)]).time() == begun + timedelta(seconds=120)
        assert replace(at.run, latest=[replace(sight, at=moment + 500)]).time() == begun, "it doesn't go back"
        assert replace(at.run, latest=[]).time() is None

    scene(act)


def test_a_run_without_an_end_has_time() -> None:
    async def act(at: Scene) -> None:
        assert (at.run.left(), at.within(50).left()) == (float("inf"), 50)

    scene(act)


@pytest.mark.parametrize(
    ("strikes", "stop", "reads"),
    [
        ((), None, 1),
        ((), Stop(Point(MARK, 1, "after"), FRESH), 1),
        ((), Stop(Point(MARK, 1, "after"), FRESH + 1), 2),
        ((Strike(MARK, ALWAYS, Effect.HANG),), None, 1 + DECISIONS),
    ],
)
def test_a_mark_is_dated_before_its_reading_and_read_again_where_that_took_long(
    strikes: tuple[Strike, ...], stop: Stop | None, reads: int
) -> None:
    async def act(made: Stage) -> None:
        process = Process(made.app, made=made, strikes=strikes, stop=stop)

        async def main(run: Run) -> None:
            record, read = await access_now(run)
            assert record.access is Access.REVOKED
            assert [operation for operation, _, _ in process.calls] == [MARK] * reads
            assert run.world.moment() - read == (LATE_READ if strikes else stop.seconds if stop and reads == 1 else 0)

        await made.with_world(main, hop=process, clock=process.clock)

    within("revoked", act)


def test_a_look_is_dated_before_its_first_reading() -> None:
    async def act(made: Stage) -> None:
        process = Process(made.app, made=made, stop=Stop(Point("graph.applications.get", 1, "after"), 50.0))

        async def main(run: Run) -> None:
            begun = run.world.moment()
            await run.observe()
            assert (run.latest[-1].read, run.latest[-1].at) == (begun, begun + 50)

        await made.with_world(main, hop=process, clock=process.clock)

    within("at rest", act)


def test_a_pause_is_told_once() -> None:
    async def act(at: Scene) -> None:
        begun, patience = at.run.clock.elapsed(), Patience(at.run, "something lags", 20)
        for _ in range(3):
            await patience.sleep(5)
        assert at.run.clock.elapsed() - begun == 15
        assert [(each.reason, each.seconds) for each in at.told(Pausing)] == [("something lags", 20)]

    scene(act)


def test_a_stopped_step_is_a_veto_a_wait_or_a_failure() -> None:
    async def act(at: Scene) -> None:
        limited = Limited("A limit", service="aci", remedy="Run later.")
        limited.until = at.seen.observed.at
        found: list[Event] = [
            failure(at.run, "deploy", "app", error) for error in (limited, UnsafeStep("No"), RotatorError("No"))
        ]
        wait, veto, failed = found
        assert isinstance(wait, Waiting)
        assert (wait.reason, wait.until, wait.warn) == ("A limit. Run later.", at.seen.observed.at, True)
        assert isinstance(veto, Vetoed)
        assert isinstance(failed, StepFailed)
        assert (veto.target, veto.happened, failed.target, failed.happened) == ("app", "No", "app", "No")

    scene(act)
