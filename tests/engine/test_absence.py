"""Tests of absences: an absence that permits a write is believed only if a second reading agrees."""

from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.keyvault.secret import Changes

from rotator.engine import examine, glance, preview, revoke
from rotator.state import Access
from rotator.steps import Intent
from tests.engine.test_life import _nightly, forced, ours, said, settled
from tests.invariants import converges, monitored
from tests.stage import GROUPS, SECRET, Stage

GET, LIST = "aci.containerGroups.get", "aci.containerGroups.list"
WAITING = (*GROUPS, "nightly")


def gone(code: str, operation: str = GET, **more: Any) -> Fault:
    """Return one false 404."""
    return Fault(operation, "status", status=404, code=code, message="Not found.", **more)


async def rotated(made: Stage) -> str:
    """Rotate while a finished job keeps the old credential, and let the overlap pass; return the key id held by the
    job.
    """
    _nightly(made)
    (old,) = ours(made)
    await made.rotate(forced(made))
    assert old in ours(made)
    made.pass_(hours=25)
    made.events.clear()
    return old


@pytest.mark.share(3)
@pytest.mark.parametrize(
    "code", ["ContainerGroupNotFound", "ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound", ""]
)
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_group_that_one_read_does_not_find_keeps_its_credential(code: str, nth: int) -> None:
    async def scene(made: Stage) -> None:
        old = await rotated(made)
        made.azure.faults.add(gone(code, nth=nth))
        await made.rotate(Intent(no_overlap=True))
        assert old in ours(made)
        assert made.azure.container_groups.could_pull(made.group_id("nightly"))

    settled(scene)


def test_a_group_that_read_and_list_do_not_find_blocks_nothing_but_a_subscription_that_is_not_found_blocks() -> None:
    async def scene(made: Stage) -> None:
        old = await rotated(made)
        made.azure.container_groups.delete(made.group_id("nightly"))
        made.azure.faults.add(gone("SubscriptionNotFound", LIST, times=0))
        await made.rotate()
        assert old in ours(made)
        made.with_policy(discover={"unseen": "accept"})
        await made.rotate()
        assert old in ours(made), "accepting an unseen subscription is no proof that a declared group is absent"
        made.azure.faults.clear()
        await made.rotate()
        assert old not in ours(made)

    settled(scene)


def test_an_undeclared_group_that_the_list_shows_and_one_read_does_not_find_keeps_its_credential() -> None:
    async def scene(made: Stage) -> None:
        old = await rotated(made)
        made.with_policy(container_groups=[{"id": made.group_id(name)} for name in GROUPS])
        made.azure.faults.add(gone("ContainerGroupNotFound", nth=3))
        await made.rotate()
        assert old in ours(made)

    settled(scene)


def test_a_list_that_lags_once_does_not_hide_an_undeclared_group() -> None:
    async def scene(made: Stage) -> None:
        old = await rotated(made)
        made.with_policy(container_groups=[{"id": made.group_id(name)} for name in GROUPS])
        made.azure.faults.add(Fault(LIST, "stale"))
        await made.rotate()
        assert old in ours(made)

    settled(scene)


@pytest.mark.parametrize("operation", ["keyvault.secrets.versions", "keyvault.secrets.get"])
def test_a_list_of_versions_and_a_get_that_disagree_retire_nothing(operation: str) -> None:
    async def scene(made: Stage) -> None:
        made.pass_(days=2)
        made.azure.faults.add(gone("SecretNotFound", operation, times=40))
        with monitored(made, GROUPS):
            await made.rotate(Intent(no_overlap=True))
        made.azure.faults.clear()
        await converges(made)

    settled(scene)


def test_a_list_of_versions_that_never_shows_the_newest_is_waited_for_some_minutes() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        await made.rotate(forced(made))
        made.pass_(hours=26)
        versions = made.azure.vaults.versions("myvault", SECRET)
        (nth,) = [place for place, version in enumerate(versions) if version.id == max(versions, key=_made).id]
        made.azure.faults.add(Fault("keyvault.secrets.versions", "changed", argument=f"value.{nth}", times=0))
        began = made.clock.elapsed()
        result = await made.rotate()
        assert old in ours(made)
        assert said(made, "versions_lag")
        assert made.clock.elapsed() - began < 300
        assert result.exit_code == 1
        made.azure.faults.clear()
        await made.rotate()
        assert old not in ours(made)

    settled(scene)


def _made(version: Any) -> Any:
    return version.created


@pytest.mark.parametrize("how", ["404 once", "soft-deleted", "disabled"])
def test_a_mark_of_revocation_that_one_read_does_not_find_counts(how: str) -> None:
    async def scene(made: Stage) -> None:
        await made.with_world(lambda run: revoke(run, wait=False))
        made.azure.authorization.assign(made.seeded.registry_id, made.principal.id, "AcrPull", at_once=True)
        name = f"{SECRET}-access"
        if how == "soft-deleted":
            made.azure.vaults.delete("myvault", name)
            made.pass_(minutes=1)
        if how == "disabled":
            made.azure.vaults.update("myvault", name, None, Changes(enabled=False))
        before = set(ours(made))
        for nth in range(1, 8):
            if how == "404 once":
                made.azure.faults.clear()
                made.azure.faults.add(gone("SecretNotFound", "keyvault.secrets.get", nth=nth))
            since = len(made.app.served)
            await made.rotate(forced(made))
            assert made.writes(since) == []
        assert set(ours(made)) == before
        assert said(made, "revoked") or "access was revoked" in made.told()

    settled(scene)


@pytest.mark.share(3)
@pytest.mark.parametrize("how", ["404 once", "soft-deleted", "disabled"])
@pytest.mark.parametrize("look", [glance, preview, examine])
def test_whoever_tells_what_is_so_sees_a_mark_of_revocation_that_one_read_does_not_find(look: Any, how: str) -> None:
    async def scene(made: Stage) -> None:
        await made.with_world(lambda run: revoke(run, wait=False))
        name = f"{SECRET}-access"
        if how == "soft-deleted":
            made.azure.vaults.delete("myvault", name)
            made.pass_(minutes=1)
        if how == "disabled":
            made.azure.vaults.update("myvault", name, None, Changes(enabled=False))
        for nth in range(1, 4):
            if how == "404 once":
                made.azure.faults.clear()
                made.azure.faults.add(gone("SecretNotFound", "keyvault.secrets.get", nth=nth))
            seen = await made.with_world(look)
            assert seen.observed.access is Access.REVOKED

    settled(scene)
