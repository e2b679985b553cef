"""Tests of the mark that a revocation reads again before its writes: a stale read neither invents nor hides a grant."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace

import pytest

from rotator.engine import grant, revoke
from rotator.engine.revocation_mark import AGEING, MarkBefore, mark_revoked
from rotator.engine.run import DECISIONS, FRESH, Run
from rotator.errors import NotSent, OutcomeUnknown, UnsafeStep
from rotator.ports import AccessRecord
from rotator.state import Access, Assignment
from tests.matrices.effects import Effect
from tests.matrices.process import ALWAYS, SLEEPING, Point, Process, Stop, Strike
from tests.matrices.test_corners import within
from tests.stage import Stage

SET = "mark.secrets.set"
LAGS = Strike("mark.secrets.get", ALWAYS, Effect.STALE)
Marked = Callable[[Run, AccessRecord, MarkBefore, Process], Awaitable[None]]


async def record(made: Stage) -> AccessRecord:
    return await made.with_world(lambda run: run.world.access(run.policy))


def marked(world: str, act: Marked, *before: Callable[[Run], Awaitable[object]]) -> None:
    """Act in a process that has just marked access as revoked."""

    async def scene(made: Stage) -> None:
        for each in before:
            await made.with_world(each)
        known, process = await record(made), Process(made.app, made=made)

        async def main(run: Run) -> None:
            await act(run, known, await mark_revoked(run, known, known.assignments, run.world.moment()), process)

        await made.with_world(main, hop=process, clock=process.clock)

    within(world, scene)


async def granted(run: Run) -> object:
    return await grant(run, wait=False)


def test_a_read_that_shows_the_grant_of_before_is_no_new_one() -> None:
    async def act(run: Run, known: AccessRecord, mark: MarkBefore, process: Process) -> None:
        process.strikes = (LAGS,)
        assert (known.access, (await run.world.access(run.policy)).access) == (Access.GRANTED, Access.GRANTED)
        assert not await mark.granted(run)
        await mark.permit(run)
        await run.clock.sleep(AGEING + 1)
        assert await mark.not_after(run)

    marked("revoked", act, granted)


def test_a_grant_that_was_seen_stays_seen() -> None:
    async def act(run: Run, known: AccessRecord, mark: MarkBefore, process: Process) -> None:
        assert process.made
        await process.made.with_world(granted)
        assert await mark.granted(run)
        process.strikes = (LAGS,)
        assert (await run.world.access(run.policy)).access is Access.REVOKED
        assert await mark.granted(run)
        assert await mark.not_after(run) is None
        with pytest.raises(UnsafeStep, match="access was granted meanwhile"):
            await mark.permit(run)

    marked("at rest", act)


def test_a_check_counts_for_a_minute_and_a_write_rests_on_the_last_one() -> None:
    async def act(run: Run, known: AccessRecord, mark: MarkBefore, process: Process) -> None:
        begun, asked = run.world.moment(), len(process.calls)
        await run.clock.sleep(AGEING)
        assert await mark.not_after(run) == mark.read + FRESH == begun + FRESH
        assert len(process.calls) == asked + 1, "the wait alone"
        await run.clock.sleep(1)
        assert await mark.not_after(run) == run.world.moment() + FRESH

    marked("at rest", act)


WRITES: dict[str, tuple[str, int, list[str]]] = {
    "of a policy that nobody revoked": ("at rest", 0, [SET]),
    "that says the same": ("revoked", 0, []),
    "that lacks an assignment": ("revoked", 1, [SET]),
}


@pytest.mark.parametrize("which", WRITES)
def test_a_record_is_written_where_it_says_something_else(which: str) -> None:
    world, more, written = WRITES[which]

    async def act(made: Stage) -> None:
        known, process = await record(made), Process(made.app, made=made)

        async def main(run: Run) -> None:
            shown = (await run.observe()).principal.service_principal
            there = [*await run.world.assignments(run.policy, shown), *known.assignments]
            lost = [*known.assignments, *[_other(each) for each in there[:more]]]
            await mark_revoked(run, known, lost, run.world.moment())

        await made.with_world(main, hop=process, clock=process.clock)
        assert [operation for operation, _, writes in process.calls if writes] == written
        now = await record(made)
        assert now.access is Access.REVOKED
        assert len(now.assignments) == len(known.assignments) + more

    within(world, act)


ANSWERS: dict[str, tuple[tuple[Strike, ...], int, bool]] = {
    "that was lost after the write": ((Strike(SET, 1, Effect.UNKNOWN_DONE),), 1, True),
    "that was lost with the write": ((Strike(SET, 1, Effect.UNKNOWN),), 2, True),
    "that is lost for good": ((Strike(SET, ALWAYS, Effect.UNKNOWN),), DECISIONS, False),
}


@pytest.mark.parametrize("which", ANSWERS)
def test_an_answer_stops_no_revocation(which: str) -> None:
    strikes, written, there = ANSWERS[which]

    async def act(made: Stage) -> None:
        known, process = await record(made), Process(made.app, made=made, strikes=strikes)

        async def main(run: Run) -> None:
            with nullcontext() if there else pytest.raises(OutcomeUnknown):
                assert not (await mark_revoked(run, known, known.assignments, run.world.moment())).regranted

        await made.with_world(main, hop=process, clock=process.clock)
        assert [operation for operation, _, writes in process.calls if writes] == [SET] * written
        assert ((await record(made)).access is Access.REVOKED) is there

    within("at rest", act)


def test_a_grant_after_a_lost_answer_is_not_overwritten() -> None:
    async def act(made: Stage) -> None:
        known = await record(made)
        stop = Stop(Point(SLEEPING, 1, "after"), 5.0, lambda: made.with_world(granted))
        process = Process(made.app, made=made, strikes=(Strike(SET, 1, Effect.UNKNOWN_DONE),), stop=stop)

        async def main(run: Run) -> None:
            mark = await mark_revoked(run, known, known.assignments, run.world.moment())
            assert mark.regranted
            assert await mark.not_after(run) is None

        await made.with_world(main, hop=process, clock=process.clock)
        assert (process.stopped, (await record(made)).access) == (True, Access.GRANTED)

    within("at rest", act)


def test_what_another_revocation_recorded_after_a_lost_answer_stays_recorded() -> None:
    async def act(made: Stage) -> None:
        known = await record(made)
        stop = Stop(Point(SLEEPING, 1, "after"), 5.0, lambda: made.with_world(lambda run: revoke(run, wait=False)))
        process = Process(made.app, made=made, strikes=(Strike(SET, 1, Effect.UNKNOWN),), stop=stop)

        async def main(run: Run) -> None:
            await mark_revoked(run, known, (), run.world.moment())

        await made.with_world(main, hop=process, clock=process.clock)
        now = await record(made)
        assert (now.access, len(now.assignments)) == (Access.REVOKED, 1)

    within("at rest", act)


def _other(one: Assignment) -> Assignment:
    """Return the assignment under another id."""

    return replace(one, id=type(one.id)(f"{one.id[:-1]}{'0' if one.id[-1] != '0' else '1'}"))


def test_a_mark_that_rests_on_an_old_read_is_not_sent() -> None:
    async def act(made: Stage) -> None:
        async def main(run: Run) -> None:
            known = await run.world.access(run.policy)
            with pytest.raises(NotSent):
                await mark_revoked(run, known, (), run.world.moment() - FRESH - 1)

        await made.with_world(main)

    within("at rest", act)
