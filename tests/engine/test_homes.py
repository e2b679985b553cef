"""Tests of passwords that az adds to application or service principal: each is found, adopted, replaced and removed
there; a foreign one stays.
"""

from datetime import timedelta
from functools import partial

import pytest
from local_azure.graph.objects import Password
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt
from rotator.errors import UnsafeStep
from tests.invariants import monitored
from tests.stage import SECRET, Stage, stage


def reset(made: Stage, *, published: bool) -> Password:
    """Do as `az ad sp credential reset --append`: add a second password to the service principal, whose hint Graph
    doesn't show.
    """
    end = made.azure.clock.now() + timedelta(days=365)
    added = made.azure.directory.add_password(made.principal, display_name="appended", end=end, at_once=True)
    made.pass_(minutes=1)
    if published:
        made.azure.vaults.set("myvault", SECRET, added.secret)
        made.pass_(minutes=1)
    return added


def hold(made: Stage, name: str, secret: str) -> None:
    made.azure.container_groups.put(made.group_id(name), made.body(made.app_id, secret), "2025-09-01")
    made.pass_(minutes=10)
    made.azure.container_groups.settle()


async def test_two_passwords_on_two_objects_are_adopted_replaced_and_removed_and_a_third_stays(
    loop: VirtualLoop,
) -> None:
    made = stage(loop)
    third = reset(made, published=False)
    second = reset(made, published=True)
    hold(made, "second", second.secret)
    with pytest.raises(UnsafeStep) as refused:
        await made.with_world(lambda run: adopt(run, None))
    assert all(each.key_id in str(refused.value.diagnose()) for each in (made.by_hand, second, third)), (
        "each is a choice"
    )
    for each in (made.by_hand, second):
        assert (await made.with_world(partial(adopt, key_id=each.key_id))).key_ids == (each.key_id,)
    with monitored(made, ("app", "second")):
        assert (await made.rotate()).exit_code == 0, made.told()[-2000:]
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0, made.told()[-2000:]
    (ours,) = [p for p in made.credentials() if (p.display_name or "").startswith("rotator:")]
    assert {p.key_id for p in made.credentials()} == {
        ours.key_id,
        third.key_id,
    }, "nobody's password is lost, and none is forgotten"
    assert third.key_id in made.told(), "and the one that stays is named"
    assert [p.key_id for p in made.principal.passwords if p.gone_from is None] == [third.key_id]


@pytest.mark.parametrize("on_principal", [False, True])
async def test_the_published_password_is_found_on_either_object(loop: VirtualLoop, on_principal: bool) -> None:
    made = stage(loop, groups=("app",))
    appended = reset(made, published=False)
    wanted = made.by_hand
    if on_principal:
        made.azure.directory.remove_password(made.application, made.by_hand.key_id)
        made.azure.vaults.set("myvault", SECRET, appended.secret)
        made.pass_(minutes=5)
        wanted = appended
    assert (await made.with_world(lambda run: adopt(run, None))).key_ids == (wanted.key_id,)
