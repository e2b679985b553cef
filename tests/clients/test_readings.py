"""Tests of readings for later looks of the same run: recent, positive, and newer than any write of ours."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop, run

from rotator.clients.azuretime import AzureTime
from rotator.clients.readings import CONSTANT, LIFE, SHARED, TIDIED, Readings
from rotator.state import Access, Home, Secret
from tests.clients.scene import PASSWORD, Clock, Scene, set_up, sign_in
from tests.clients.test_age import END, principal

REGISTRY = "arm.registries.get"
LOOK = {
    "aci.containerGroups.get",
    "aci.containerGroups.list",
    REGISTRY,
    "graph.applications.get",
    "graph.servicePrincipals.get",
    "keyvault.secrets.get",
    "keyvault.secrets.versions",
}
"""Requests of a whole look."""


def play(monkeypatch: pytest.MonkeyPatch, test: Callable[[Scene], Awaitable[None]]) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
            await at.world.put_group(at.group_id, at.body())
            await at.world.observe(at.policy)
            await test(at)

    run(main)


async def asked(at: Scene, *, recent: bool = True) -> Counter[str]:
    """Look again; return the requests to Azure."""
    before = len(at.served())
    await at.world.observe_again(at.policy, since=at.world.moment(), recent=recent)
    return Counter(at.served()[before:])


def test_a_look_that_may_rest_on_recent_readings_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        first, begun = await at.world.observe(at.policy), at.world.moment()
        await at.clock.sleep(LIFE - 1)
        assert not await asked(at)
        oldest, again = await at.world.observe_again(at.policy, since=0.0, recent=True)
        assert oldest == begun
        assert (again.credentials, again.versions, again.groups) == (first.credentials, first.versions, first.groups)
        assert (again.at - first.at).total_seconds() == pytest.approx(LIFE - 1, abs=1)

    play(monkeypatch, test)


def test_what_is_older_is_read_again_and_a_registry_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        await at.clock.sleep(LIFE + 1)
        assert set(await asked(at)) == LOOK - {REGISTRY}
        await at.clock.sleep(CONSTANT)
        assert set(await asked(at)) == LOOK

    play(monkeypatch, test)


def test_a_look_that_seconds_another_asks_for_everything_but_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        assert set(await asked(at, recent=False)) == LOOK - {REGISTRY}
        before = len(at.served())
        await at.world.observe(at.policy)
        assert set(at.served()[before:]) - {"entra.token"} == LOOK

    play(monkeypatch, test)


def test_a_list_is_shared_with_other_policies_unless_it_is_older_than_the_look_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(at: Scene) -> None:
        looked = at.world.moment()
        await at.clock.sleep(5)
        await at.world.observe(at.policy)
        for since, shared in ((looked, True), (at.world.moment(), False), (float("-inf"), True)):
            before = len(at.served())
            await at.world.observe_again(at.policy, since=since, recent=False)
            assert ("aci.containerGroups.list" not in at.served()[before:]) == shared
        await at.clock.sleep(SHARED + 1)
        before = len(at.served())
        await at.world.observe_again(at.policy, since=looked, recent=False)
        assert "aci.containerGroups.list" in at.served()[before:]

    play(monkeypatch, test)


async def _disable(at: Scene) -> None:
    version = at.azure.vaults.versions("myvault", PASSWORD)[0].id
    await at.world.mark_version(at.policy, version, enabled=False)


SECRET_READS = Counter({"keyvault.secrets.versions": 1, "keyvault.secrets.get": 1})
WRITES: dict[str, tuple[Callable[[Scene], Awaitable[Any]], Counter[str]]] = {
    "add": (
        lambda at: at.world.add_password(principal(at), Home.APPLICATION, "rotator:abc:1", END),
        Counter(["graph.applications.get"]),
    ),
    "add to the service principal": (
        lambda at: at.world.add_password(principal(at), Home.SERVICE_PRINCIPAL, "rotator:abc:1", END),
        Counter(["graph.servicePrincipals.get"]),
    ),
    "remove": (
        lambda at: at.world.remove_password(principal(at), Home.APPLICATION, at.password.key_id),
        Counter(["graph.applications.get"]),
    ),
    "publish": (lambda at: at.world.publish(at.policy, Secret("a value"), END, None, ()), SECRET_READS),
    "disable": (_disable, SECRET_READS),
    "mark": (lambda at: at.world.record_access(at.policy, Access.REVOKED, ()), Counter(["keyvault.secrets.get"])),
    "put": (lambda at: at.world.put_group(at.group_id, at.body()), Counter(["aci.containerGroups.get"])),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_of_ours_drops_the_readings_of_its_target_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, reads = WRITES[name]

    async def test(at: Scene) -> None:
        await write(at)
        assert await asked(at) == reads

    play(monkeypatch, test)


def test_an_absence_is_never_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        at.azure.container_groups.delete(at.group_id)
        await at.clock.sleep(LIFE + 1)
        await at.world.observe(at.policy)
        assert await asked(at) == Counter(["aci.containerGroups.get"])

    play(monkeypatch, test)


def test_a_read_under_way_while_its_target_is_written_is_not_kept() -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = Clock(loop)
        readings, answers = Readings(AzureTime(clock)), iter(["before", "after"])

        async def slow() -> str:
            answer = next(answers)
            await clock.sleep(5)
            return answer

        reading = asyncio.create_task(readings.read(("secret", "s"), slow))
        await clock.sleep(1)
        with readings.writing(("secret", "s")):
            await clock.sleep(1)
        assert await reading == "before"
        with readings.reusing(recent=True, since=0.0):
            assert await readings.read(("secret", "s"), slow) == "after"

    run(main)


def test_old_readings_are_forgotten() -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = Clock(loop)
        readings = Readings(AzureTime(clock))

        async def answer() -> str:
            return "a" * 1000

        for number in range(1000):
            await readings.read(("group", str(number)), answer)
            await clock.sleep(1)
        assert len(readings._kept) <= LIFE + TIDIED + 2

    run(main)
