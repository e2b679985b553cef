"""Tests of `adopt`, repeated and at the same time, in the emulated Azure."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache, partial

import pytest
from local_azure.inprocess import Hop
from local_azure.keyvault.secret import Changes
from local_azure.timing import Timing
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from rotator.plan import Adoption
from rotator.state import ADOPTED
from rotator.steps import Intent
from tests.cells import cell
from tests.matrices.test_preemption import Held
from tests.stage import HASTY, SECRET, Stage, lagging, play, stage

SLOW = lagging(secret_gone=900.0)
"""Timing with a removed password that authenticates for another quarter of an hour."""


def theirs(made: Stage) -> str:
    """Add a foreign password to the service principal, without a hint in Graph; return its key id."""
    end = made.azure.clock.now() + timedelta(days=365)
    added = made.azure.directory.add_password(made.principal, display_name="theirs", end=end, at_once=True)
    made.pass_(minutes=5)
    return added.key_id


def adopted_of(made: Stage) -> set[str]:
    return {key for version in made.versions() for key in (version.tags or {}).get(ADOPTED, "").split(",") if key}


async def adopting(made: Stage, hop: Hop | None = None) -> Adoption:
    return await made.with_world(lambda run: adopt(run, None), hop=hop)


def played(scene: Callable[[Stage, str], Awaitable[None]], timing: Timing | None = None) -> None:
    """Play a scene in a world with a published password of the application, and a foreign one of the service
    principal.
    """

    async def begin(loop: VirtualLoop) -> None:
        made = stage(loop, groups=("app",), timing=timing)
        await scene(made, theirs(made))

    play(begin)


def test_the_same_password_is_adopted_however_often_it_is_asked_for() -> None:
    async def scene(made: Stage, other: str) -> None:
        assert (await adopting(made)).key_ids == (made.by_hand.key_id,)
        since = len(made.app.served)
        for _ in range(3):
            again = await adopting(made)
            assert (again.already, again.key_ids, again.others) == (True, (made.by_hand.key_id,), (other,))
        assert made.writes(since) == []

    played(scene)


def test_what_is_retired_was_adopted_while_its_value_still_authenticates_and_ever_after() -> None:
    async def scene(made: Stage, other: str) -> None:
        await adopting(made)
        assert (await made.rotate(Intent(no_overlap=True))).exit_code == 0
        assert made.by_hand not in made.credentials()
        (version,) = [v for v in made.versions() if ADOPTED in (v.tags or {})]
        made.azure.vaults.update("myvault", SECRET, version.id, Changes(enabled=True))
        assert made.azure.tokens.authenticates_everywhere(made.app_id, version.value)
        assert (await adopting(made)).already
        made.pass_(hours=1)
        assert not made.azure.tokens.authenticates_everywhere(made.app_id, version.value)
        assert (await adopting(made)).already
        assert adopted_of(made) == {made.by_hand.key_id}
        assert other in {p.key_id for p in made.credentials()}

    played(scene, SLOW)


def test_several_that_were_adopted_by_name_were_adopted() -> None:
    async def scene(made: Stage, other: str) -> None:
        await made.rotate()
        third = theirs(made)
        for key_id in (made.by_hand.key_id, other):
            await made.with_world(partial(adopt, key_id=key_id))
        again = await adopting(made)
        assert (again.already, set(again.key_ids), again.others) == (True, {made.by_hand.key_id, other}, (third,))

    played(scene)


@cache
def calls_of_an_adoption() -> int:
    async def scene(loop: VirtualLoop) -> int:
        made = stage(loop, groups=("app",), timing=HASTY)
        theirs(made)
        since = len(made.app.served)
        await adopting(made)
        return len(made.app.served) - since

    return play(scene)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "index" in metafunc.fixturenames:
        indices = range(calls_of_an_adoption())
        metafunc.parametrize("index", [cell(each, name=str(each), soak=each % 4 != 0) for each in indices])


@pytest.mark.share(3)
def test_two_adoptions_at_once_are_one_also_where_the_first_is_retired_already(index: int) -> None:
    """The second adoption sleeps at one of its calls while the first adopts, rotates and removes."""

    async def scene(made: Stage, other: str) -> None:
        made.with_policy(proof={"times": 1, "over": "0s", "deadline": "5m"})

        async def meanwhile() -> None:
            await adopting(made)
            await made.rotate(Intent(no_overlap=True))
            assert made.by_hand not in made.credentials()

        held = Held(index, "arriving", meanwhile)
        assert (await adopting(made, held.hop(made))).key_ids == (made.by_hand.key_id,)
        assert held.over.is_set() and (await adopting(made)).already
        assert adopted_of(made) == {made.by_hand.key_id}

    played(scene, HASTY)
