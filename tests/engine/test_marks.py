"""Tests of marks on versions in the emulated Azure: added and never removed, also if others write tags at the same
time.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import Hop, pause
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import Journal, Run, adopt, compromise
from rotator.engine.journal import Score
from rotator.engine.marks import SEEN_AFTER, SENT_WITHIN, TIMES, record
from rotator.errors import Conflict
from rotator.plan import STRIPPED, short, strip_marks
from rotator.state import ADOPTED, ATTEMPT, COMPROMISED, HOME, KEY_ID, Version, lineage, marker, tags
from tests import worlds
from tests.cells import cell
from tests.matrices.test_preemption import Held, Moment
from tests.stage import HASTY, SECRET, Stage, play, stage


@dataclass
class World:
    """World with our version above a hand-made one, and a foreign password."""

    made: Stage
    foreign: str
    current: str
    told: Score = field(default_factory=Score)

    def stand(self, act: str) -> bool:
        """Tell if a version has the marks of an act."""
        tag, word = {
            "adopt": (ADOPTED, self.foreign),
            "declare": (COMPROMISED, self.current),
            "declare theirs": (COMPROMISED, self.foreign),
            "strip": (STRIPPED, short(self.made.group_id("app"))),
        }[act]
        return any(word in Version("", worlds.TODAY, tags=tags(v.tags)).listed(tag) for v in self.made.versions())

    async def act(self, name: str, hop: Hop | None = None) -> None:
        """Run one process that marks, as the verbs do; `told` has its exit code."""

        async def strip(run: Run) -> None:
            (newest,) = [v.id for v in self.made.versions() if (v.tags or {}).get(KEY_ID) == self.current]
            await record(run, lambda now: strip_marks(now, newest, self.made.group_id("app")))

        acts: dict[str, Callable[[Run], Awaitable[Any]]] = {
            "adopt": partial(adopt, key_id=self.foreign),
            "declare": partial(compromise, key_ids=[]),
            "declare theirs": partial(compromise, key_ids=[self.foreign]),
            "strip": strip,
        }
        await self.made.with_world(
            lambda run: acts[name](replace(run, journal=Journal(run.journal.hear, run.journal.policy, self.told))),
            hop=hop,
        )


ACTS = ("adopt", "declare", "declare theirs", "strip")
PAIRS = [
    ("adopt", "declare"),
    ("declare", "adopt"),
    ("strip", "declare"),
    ("declare theirs", "adopt"),
    ("declare", "strip"),
]


async def begun(loop: VirtualLoop) -> World:
    made = stage(loop, groups=("app",), timing=HASTY)
    directory, end = made.azure.directory, made.azure.clock.now() + timedelta(days=90)
    mine = lineage(directory.tenant, made.app_id, "myvault.vault.azure.net", SECRET)
    ours = directory.add_password(made.application, display_name=marker(mine, "attempt"), end=end, at_once=True)
    made.azure.vaults.set(
        "myvault", SECRET, ours.secret, {KEY_ID: ours.key_id, HOME: "application", ATTEMPT: "attempt"}
    )
    foreign = directory.add_password(made.principal, display_name="theirs", end=end, at_once=True)
    made.pass_(minutes=5)
    return World(made, foreign.key_id, ours.key_id)


@cache
def calls(act: str) -> list[str]:
    async def scene(loop: VirtualLoop) -> list[str]:
        at = await begun(loop)
        since = len(at.made.app.served)
        await at.act(act)
        return [call.operation for call in at.made.app.served[since:]]

    return play(scene)


def moments(act: str) -> Iterator[tuple[int, Moment]]:
    """Yield the moments before each call of Key Vault, and after each write."""
    for index, operation in enumerate(calls(act)):
        if operation.startswith("keyvault."):
            yield index, "arriving"
        if operation == "keyvault.secrets.update":
            yield index, "leaving"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = tuple(name for name in ("slow", "quick", "index", "moment") if name in metafunc.fixturenames)
    if names == ("index", "moment"):
        metafunc.parametrize(names, list(moments("declare")))
    elif names:
        pairs = [(slow, quick, *moment) for slow, quick in PAIRS for moment in moments(slow)]
        cells = [cell(*each, name="-".join(map(str, each)), soak=at % 4 != 0) for at, each in enumerate(pairs)]
        metafunc.parametrize(names, cells)


@pytest.mark.share(2)
async def test_one_marker_sleeps_while_another_marks(
    loop: VirtualLoop, slow: str, quick: str, index: int, moment: Moment
) -> None:
    """A declaration is never lost; a delayed write may replace other marks, and then its run reports the loss and ends
    with 1.
    """

    at = await begun(loop)
    held = Held(index, moment, lambda: at.act(quick))
    await at.act(slow, held.hop(at.made))
    assert held.over.is_set() and at.stand(slow)
    on_its_way = calls(slow)[index] == "keyvault.secrets.update" and moment == "arriving"
    assert at.stand(quick) or (on_its_way and not quick.startswith("declare"))
    assert at.told.exit_code == int(calls(slow)[index] == "keyvault.secrets.update")


class Network(Hop):
    """Way to Azure with a separate delay for every request and answer."""

    def __init__(self, made: Stage, chance: Random) -> None:
        async def delay(_: Request) -> None:
            await pause(chance.uniform(0, SENT_WITHIN / 2 - 0.1))

        super().__init__(made.app, arriving=delay, leaving=delay)


@pytest.mark.share(2)
@pytest.mark.parametrize("seed", range(24))
async def test_markers_whose_calls_mingle_take_nothing_from_each_other(loop: VirtualLoop, seed: int) -> None:
    at, chance = await begun(loop), Random(seed)
    acts = chance.sample(ACTS, chance.choice([2, 3, 4]))

    async def marker(act: str) -> None:
        await pause(chance.uniform(0, 2 * SEEN_AFTER))
        await at.act(act, Network(at.made, chance))

    for task in [loop.create_task(marker(act)) for act in acts]:
        await task
    assert all(at.stand(act) for act in acts), acts
    assert at.told.exit_code == 0


# a person at the same time


def owner(made: Stage, name: str) -> None:
    """Tag every version with an owner, with all existing tags, as `az keyvault secret set-attributes` does."""
    for each in made.versions():
        made.azure.vaults.update("myvault", SECRET, each.id, _changes({**(each.tags or {}), "owner": name}))


def _changes(found: dict[str, str]) -> Any:
    from local_azure.keyvault.secret import Changes

    return Changes(tags=found)


async def test_a_tag_that_a_person_changes_meanwhile_is_as_they_left_it(
    loop: VirtualLoop, index: int, moment: Moment
) -> None:
    """Only a write already under way may undo the change; the run reports a write that took long."""
    on_its_way = calls("declare")[index] == "keyvault.secrets.update" and moment == "arriving"

    at = await begun(loop)
    owner(at.made, "before")

    async def meanwhile() -> None:
        await pause(SEEN_AFTER)
        owner(at.made, "after")
        await pause(1)

    held = Held(index, moment, meanwhile)
    await at.act("declare", held.hop(at.made))
    assert held.over.is_set() and at.stand("declare")
    lost = [v.id for v in at.made.versions() if (v.tags or {})["owner"] != "after"]
    assert lost == [] or (on_its_way and at.told.exit_code == 1)


async def test_a_read_that_is_too_old_is_read_again_and_nothing_leaves(loop: VirtualLoop) -> None:
    at = await begun(loop)
    index = calls("declare").index("keyvault.secrets.update") - 1

    async def meanwhile() -> None:
        await pause(SENT_WITHIN + 1)

    since = len(at.made.app.served)
    held = Held(index, "leaving", meanwhile)
    await at.act("declare", held.hop(at.made))
    served = [call.operation for call in at.made.app.served[since:]]
    assert served[index] == "keyvault.secrets.get" and served[index + 1] != "keyvault.secrets.update"
    assert at.stand("declare") and at.told.exit_code == 0


async def test_a_mark_that_somebody_takes_away_each_time_is_written_a_bounded_number_of_times_and_named(
    loop: VirtualLoop,
) -> None:
    at = await begun(loop)

    def strip(number: int, operation: str, request: Request) -> None:
        if operation == "keyvault.secrets.update":
            for each in at.made.versions():
                kept = {name: value for name, value in (each.tags or {}).items() if name != COMPROMISED}
                at.made.azure.vaults.update("myvault", SECRET, each.id, _changes(kept))

    at.made.after.append(strip)
    since = len(at.made.app.served)
    with pytest.raises(Conflict, match="is missing, although rotator wrote it"):
        await at.act("declare")
    assert at.made.writes(since) == ["keyvault.secrets.update"] * 2 * TIMES


async def test_a_declaration_that_stands_once_goes_on_although_the_second_version_can_not_be_written(
    loop: VirtualLoop,
) -> None:
    at = await begun(loop)
    at.made.azure.faults.add(
        Fault("keyvault.secrets.update", "status", nth=2, times=0, status=409, code="Conflict", message="Not now.")
    )
    await at.act("declare")
    assert at.stand("declare")


async def test_to_disable_a_version_leaves_its_tags(loop: VirtualLoop) -> None:
    at = await begun(loop)
    owner(at.made, "somebody")
    (current,) = [v for v in at.made.versions() if (v.tags or {}).get(KEY_ID) == at.current]

    async def act(run: Run) -> None:
        await run.world.mark_version(run.policy, current.id, enabled=False)
        assert (await run.world.version(run.policy, current.id)).tags == tags(current.tags), (
            "a disabled one is found in the list"
        )

    await at.made.with_world(act)
    (after,) = [v for v in at.made.versions() if v.id == current.id]
    assert (after.tags, after.enabled) == (current.tags, False)
