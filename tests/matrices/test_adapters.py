"""Tests of the two adapters, which reach the same world: one story ends in the same digest on both."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, compromise, grant, reconcile, revoke
from rotator.steps import Intent
from tests.cells import cell
from tests.matrices.digest import digest
from tests.matrices.fast import fast
from tests.stage import GROUPS, Adapter, Stage, play, stage

Story = Callable[[Stage], Awaitable[Any]]


async def _first(made: Stage) -> None:
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate()


async def _whole(made: Stage) -> None:
    await _first(made)
    made.pass_(hours=25)
    await made.rotate()


async def _compromised(made: Stage) -> None:
    await _whole(made)
    made.pass_(days=3)
    await made.with_world(lambda run: compromise(run, []))
    await made.rotate()


async def _revoked(made: Stage) -> None:
    await _first(made)
    made.pass_(hours=2)
    await made.with_world(lambda run: revoke(run, wait=True))
    await made.rotate(Intent(force_before=made.azure.clock.now()))
    await made.with_world(grant)


def _faulty(*faults: Fault) -> Story:
    async def story(made: Stage) -> None:
        await made.with_world(lambda run: adopt(run, None))
        for fault in faults:
            made.azure.faults.add(fault)
        await made.rotate()
        made.azure.faults.clear()
        made.pass_(hours=26)
        await made.rotate()

    return story


STORIES: dict[str, Story] = {
    "a first rotation": _first,
    "a rotation to its end": _whole,
    "a compromised credential": _compromised,
    "a revocation and a grant": _revoked,
    "a lost addition": _faulty(Fault("graph.applications.addPassword", "lost")),
    "a lost publication": _faulty(Fault("keyvault.secrets.set", "lost")),
    "a publication that never arrived": _faulty(Fault("keyvault.secrets.set", "reset")),
    "a group in transition": _faulty(Fault("aci.containerGroups.createOrUpdate", "transitioning")),
    "a pull that fails for good": _faulty(Fault("aci.containerGroups.createOrUpdate", "failed_pull", argument="0")),
    "a lost deployment": _faulty(Fault("aci.containerGroups.createOrUpdate", "lost", nth=2)),
    "a stale list of versions": _faulty(Fault("keyvault.secrets.versions", "stale", nth=4)),
    "a group that one read doesn't find": _faulty(
        Fault("aci.containerGroups.get", "status", status=404, code="ContainerGroupNotFound", nth=7)
    ),
}


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "story", [cell(story, name=name, soak=at % 2 > 0) for at, (name, story) in enumerate(STORIES.items())]
)
def test_a_story_ends_in_the_same_digest_on_both(story: Story) -> None:
    def ends(adapter: Adapter | None) -> tuple[str, Counter[str]]:
        async def scene(loop: VirtualLoop) -> tuple[str, Counter[str]]:
            made = stage(loop)
            made.adapter = adapter
            await story(made)
            return digest(made), Counter(made.writes())

        return play(scene)

    assert ends(fast) == ends(None)


async def test_a_digest_tells_worlds_apart(loop: VirtualLoop) -> None:
    made = stage(loop)
    before = digest(made)
    made.azure.container_groups.patch_tags(made.group_id(GROUPS[0]), {"owner": "another"})
    assert digest(made) != before
    assert made.by_hand.secret not in digest(made)
    await made.with_world(reconcile)
