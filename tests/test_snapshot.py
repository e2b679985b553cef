"""Tests of snapshots: a restored world equals the played one, and goes on alike."""

from typing import Any

import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from local_azure.faults import Fault
from local_azure.store import dump
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from tests.snapshot import World, kept, stood, taken
from tests.stage import GROUPS, Stage, play, stage


async def played(loop: VirtualLoop) -> Stage:
    """Return a world with much under way: passwords unknown to some replicas, groups that start, reads that lag."""
    made = stage(loop)
    await made.with_world(lambda run: adopt(run, None))
    made.azure.directory.add_password(made.application, display_name="somebody's")
    for name in GROUPS:
        made.put(name)
    return made


def after_a_rotation(world: World) -> tuple[Any, ...]:
    """Return the visible state of a world and of two runs in it by newly started processes."""

    async def scene(loop: VirtualLoop) -> tuple[Any, ...]:
        made = await world(loop)
        for _ in range(2):
            http_challenge_cache.clear()
            await made.rotate()
            made.pass_(hours=25)
        assert made.application is made.azure.directory.application(made.app_id), (
            "who is on the stage is who is in the world"
        )
        return dump(made.azure), made.app.served, made.told(), made.clock.attempts

    return play(scene)


def test_a_run_from_a_snapshot_is_the_run_from_the_world_itself() -> None:
    snapshot = kept(played)
    expected = after_a_rotation(played)
    assert after_a_rotation(snapshot) == expected
    assert after_a_rotation(snapshot) == expected, "the one before left nothing in it"


async def test_no_snapshot_is_of_a_world_with_a_fault_to_come(loop: VirtualLoop) -> None:
    made = stage(loop)
    made.azure.faults.add(Fault("graph.*", "reset"))
    with pytest.raises(AssertionError):
        taken(made)


def test_a_snapshot_stands_on_any_loop_at_the_same_instant() -> None:
    snapshot = play(_snapshot)
    worlds = [stood(snapshot, VirtualLoop(start)) for start in (0.0, 1000.0)]
    assert worlds[0].azure.clock.now() == worlds[1].azure.clock.now()
    for made in worlds:
        made.loop.close()


async def _snapshot(loop: VirtualLoop) -> bytes:
    return taken(await played(loop))
