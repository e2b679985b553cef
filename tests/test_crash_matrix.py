"""A rotation, killed before and after every wire call it makes, and then run again: nothing is ever down, and everything is finished.

The points are those of a run without faults, so a call that is added is a cell that is added.
"""

import pytest

from rotator.engine import adopt
from tests.invariants import converges, monitored
from tests.stage import GROUPS, Killed, Stage, play, stage, watched
from tests.virtual import VirtualLoop


async def adopted(loop: VirtualLoop) -> Stage:
    """The world in which the first rotation is due, with the hand-made credential handed over."""
    made = stage(loop)
    await made.with_world(lambda run: adopt(run, None))
    made.events.clear()
    return made


async def whole(made: Stage) -> None:
    """A rotation from its first call to its last: issue, deploy, the overlap, retire, disable."""
    await made.rotate()
    made.pass_(hours=25)
    await made.rotate()


def calls() -> list[str]:
    """The operations of a rotation without faults, in order."""

    async def scene(loop: VirtualLoop) -> list[str]:
        made = await adopted(loop)
        since = len(made.app.served)
        await whole(made)
        return [call.operation for call in made.app.served[since:]]

    return play(scene)


CALLS = calls()


def test_a_rotation_without_faults_keeps_every_invariant() -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = await adopted(loop)
        with monitored(made, GROUPS):
            await whole(made)
            await converges(made)
        assert made.by_hand.key_id not in {p.key_id for p in made.credentials()}

    play(scene)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("index", "operation"), list(enumerate(CALLS)), ids=[f"{i:03d}-{op}" for i, op in enumerate(CALLS)])
def test_killed(index: int, operation: str, moment: str) -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = await adopted(loop)
        start = len(made.app.served)

        def kill(number: int, named: str, request: object) -> None:
            if number - start - 1 == index:
                raise Killed

        with monitored(made, GROUPS):
            with watched(made, **{moment: kill}):
                assert await made.dies(whole(made)), f"call {index} ({operation}) was not reached"
            made.pass_(minutes=1)
            await converges(made)

    play(scene)
