"""Tests of writing one mark, step by step: the requests, the later reads, and the tags after a failure."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from rotator.codes import NoteCode
from rotator.engine import Run
from rotator.engine.marks import SEEN_AFTER, SENT_WITHIN, TIMES, record
from rotator.errors import AzureError, Conflict, Forbidden, NotSent, OutcomeUnknown, Throttled, Unavailable
from rotator.events import Noted, VersionMarked
from rotator.plan import MOST_TAGS, Mark
from rotator.ports import World
from rotator.state import ADOPTED, Version, tags
from tests import worlds
from tests.answering import Answering
from tests.engine.test_permits import Scene, scene

FULL = {f"of-others-{nth:02}": "x" for nth in range(MOST_TAGS)}
ADOPTION = Mark("v1", ADOPTED, ("a",))


def versions(*named: str, **others: str) -> tuple[Version, ...]:
    return tuple(Version(name, worlds.TODAY, tags=tags(others)) for name in named or ("v1",))


class Writing(Answering):
    """`Answering` with slow writes."""

    run: Run
    slow = 0.0
    sent: list[tuple[str, dict[str, str], float, float]]

    async def mark_version(self, policy: Any, version: str, *, tags: Any, not_after: float) -> Any:
        now = self.run.world.moment()
        self.sent.append((version, dict(tags), now, not_after - now))
        await self.run.clock.sleep(self.slow)
        return await self.__getattr__("mark_version")(policy, version)


def writing(act: Callable[[Run, Writing, Scene], Awaitable[None]], slow: float = 0.0, **answers: Any) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {"versions": versions(), "version": versions()[0], "mark_version": None}
        told = Writing(at.run.world, **given | answers)
        run = replace(at.run, world=cast("World", told))
        told.run, told.sent, told.slow = run, [], slow
        await act(run, told, at)

    scene(main)


def lacking(times: int, *marks: Mark) -> Callable[[tuple[Version, ...]], tuple[Mark, ...]]:
    """Return a function that asks for the marks at the first looks, and for none afterwards."""
    left = [times]

    def wanted(now: tuple[Version, ...]) -> tuple[Mark, ...]:
        left[0] -= 1
        return marks or (ADOPTION,) if left[0] >= 0 else ()

    return wanted


@pytest.mark.parametrize("times", [0, 1, 3, TIMES])
def test_a_mark_is_written_until_a_later_look_finds_it(times: int) -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        begun = run.clock.elapsed()
        await record(run, lacking(times))
        assert [(version, found[ADOPTED], left) for version, found, _, left in told.sent] == [
            ("v1", "a", SENT_WITHIN)
        ] * times
        assert run.clock.elapsed() - begun == times * SEEN_AFTER
        assert (len(at.told(VersionMarked)), told.questions.count("versions")) == (times, times + 1)
        assert not at.told(Noted)

    writing(act)


def test_a_mark_that_others_always_undo_is_a_conflict() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        with pytest.raises(Conflict, match=f"is missing, although rotator wrote it {TIMES} times"):
            await record(run, lacking(TIMES + 1))
        assert len(told.sent) == TIMES

    writing(act)


@pytest.mark.parametrize("kind", [OutcomeUnknown, Throttled, Unavailable])
def test_a_write_without_a_yes_is_looked_for_and_made_again(kind: type[AzureError]) -> None:
    error = kind("No answer.", service="keyvault")

    async def act(run: Run, told: Writing, at: Scene) -> None:
        begun = run.clock.elapsed()
        with pytest.raises(kind) as caught:
            await record(run, lacking(TIMES + 1))
        assert caught.value.happened == error.happened
        assert (len(told.sent), run.clock.elapsed() - begun) == (TIMES, TIMES * (SEEN_AFTER + told.slow))
        assert not at.told(VersionMarked)
        assert [event.code for event in at.told(Noted)] == [NoteCode.LATE_MARK] * (TIMES if told.slow else 0)

    writing(act, mark_version=error)
    writing(act, slow=SEEN_AFTER, mark_version=error)


def test_a_write_that_is_refused_ends_the_marking() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        with pytest.raises(Forbidden):
            await record(run, lacking(TIMES))
        assert len(told.sent) == 1

    writing(act, mark_version=Forbidden("No.", service="keyvault"))


def test_a_write_that_is_not_sent_is_not_waited_for() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        begun = run.clock.elapsed()
        await record(run, lacking(2))
        assert (len(told.sent), run.clock.elapsed() - begun) == (2, SEEN_AFTER)

    writing(act, mark_version=[NotSent("Too late.", service="keyvault"), None])


@pytest.mark.parametrize("first", [True, False])
def test_of_several_marks_one_that_is_sent_is_waited_for(*, first: bool) -> None:
    full, free = versions("v1", **FULL)[0], versions("v2")[0]
    marks = (Mark("v1", ADOPTED, ("a",)), Mark("v2", ADOPTED, ("a",)))

    async def act(run: Run, told: Writing, at: Scene) -> None:
        begun = run.clock.elapsed()
        await record(run, lacking(1, *(marks if first else marks[::-1])))
        assert [version for version, *_ in told.sent] == ["v2"]
        assert run.clock.elapsed() - begun == SEEN_AFTER

    writing(act, version=[full, free] if first else [free, full])


def test_a_mark_without_room_is_not_written() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        begun = run.clock.elapsed()
        with pytest.raises(Conflict):
            await record(run, lacking(TIMES + 1))
        assert (told.sent, run.clock.elapsed()) == ([], begun)

    writing(act, version=versions("v1", **FULL)[0])


def test_a_mark_that_must_stand_takes_the_place_of_a_tag_and_says_so() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        await record(run, lacking(1, replace(ADOPTION, must=True)))
        (note,) = at.told(Noted)
        assert (note.code, f"of-others-{MOST_TAGS - 1} of version v1" in note.text) == (NoteCode.TAGS_DROPPED, True)

    writing(act, version=versions("v1", **FULL)[0])


@pytest.mark.parametrize(("slow", "late"), [(SEEN_AFTER - 1, False), (SEEN_AFTER, True)])
def test_a_late_write_says_that_tags_of_others_may_be_lost(slow: float, *, late: bool) -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        await record(run, lacking(1))
        assert [(event.code, event.warn) for event in at.told(Noted)] == [(NoteCode.LATE_MARK, True)] * late

    writing(act, slow=slow)


def test_a_write_counts_from_before_its_read() -> None:
    async def act(run: Run, told: Writing, at: Scene) -> None:
        async def version(*_: Any) -> Version:
            await run.clock.sleep(2)
            return versions()[0]

        told.version = version  # type: ignore[attr-defined]
        await record(run, lacking(1))
        assert [left for *_, left in told.sent] == [SENT_WITHIN - 2]

    writing(act)
