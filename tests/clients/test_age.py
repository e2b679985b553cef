"""Tests of the age of a write: the larger of two clocks' measures, checked just before sending, at each repetition."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop, run

from rotator.clients.azuretime import AzureTime
from rotator.errors import NotSent
from rotator.ports import World
from rotator.state import Access, Home, Principal, Secret
from tests.clients.scene import PASSWORD, START, Scene, set_up, sign_in

END = START + timedelta(days=90)
Write = Callable[[Scene, float], Awaitable[Any]]


def principal(at: Scene) -> Principal:
    return Principal(at.app_id, at.application.id, at.service_principal.id)


async def mark(at: Scene, late: float) -> None:
    await at.world.mark_version(
        at.policy, at.azure.vaults.versions("myvault", PASSWORD)[0].id, enabled=False, not_after=late
    )


async def delete_role(at: Scene, late: float) -> None:
    (assignment,) = await at.world.assignments(at.policy)
    await at.world.delete_assignment(assignment, not_after=late)


async def create_role(at: Scene, late: float) -> None:
    (assignment,) = await at.world.assignments(at.policy)
    at.azure.authorization.delete(assignment.id)
    await at.world.create_assignment(assignment, not_after=late)


WRITES: dict[str, Write] = {
    "graph.applications.addPassword": lambda at, late: at.world.add_password(
        principal(at), Home.APPLICATION, "rotator:abc:1", END, not_after=late
    ),
    "graph.applications.removePassword": lambda at, late: at.world.remove_password(
        principal(at), Home.APPLICATION, at.password.key_id, not_after=late
    ),
    "keyvault.secrets.set publish": lambda at, late: at.world.publish(
        at.policy, Secret("a value"), END, None, (), not_after=late
    ),
    "keyvault.secrets.set username": lambda at, late: at.world.publish_username(at.policy, not_after=late),
    "keyvault.secrets.set record": lambda at, late: at.world.record_access(
        at.policy, Access.REVOKED, (), not_after=late
    ),
    "keyvault.secrets.update": mark,
    "aci.containerGroups.createOrUpdate": lambda at, late: at.world.put_group(at.group_id, at.body(), not_after=late),
    "rbac.roleAssignments.delete": delete_role,
    "rbac.roleAssignments.create": create_role,
}
PLAIN = tuple(name for name in WRITES if not name.startswith("rbac.") and "username" not in name)
"""Writes without a read before them, so that they themselves wait for a token."""
REPEATED = ("keyvault.secrets.update", "rbac.roleAssignments.delete", "rbac.roleAssignments.create")


def play(monkeypatch: pytest.MonkeyPatch, test: Callable[[Scene], Awaitable[None]]) -> None:
    async def main(loop: Any) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            at.azure.vaults.set("myvault", PASSWORD, at.password.secret)
            await at.world.observe(at.policy)
            await test(at)

    run(main)


def arrived(at: Scene, name: str) -> int:
    return at.served().count(name.partition(" ")[0])


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_sent_until_its_time_and_not_after(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(at: Scene) -> None:
        with pytest.raises(NotSent) as refused:
            await WRITES[name](at, at.world.moment() - 1)
        assert refused.value.diagnose().state == "Nothing was sent."
        assert arrived(at, name) == 0

    async def in_time(at: Scene) -> None:
        await WRITES[name](at, at.world.moment() + 30)
        assert arrived(at, name) == 1

    play(monkeypatch, late)
    play(monkeypatch, in_time)


@pytest.mark.parametrize("name", PLAIN)
def test_a_token_that_takes_long_is_waited_for_before_the_age_is_looked_at(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(at: Scene) -> None:
        await at.clock.sleep(7200)  # every token has ended
        at.fault("entra.token", "status", status=503, retry_after=60)
        with pytest.raises(NotSent):
            await WRITES[name](at, at.world.moment() + 30)
        assert arrived(at, name) == 0

    play(monkeypatch, test)


@pytest.mark.parametrize("name", REPEATED)
def test_a_repetition_is_checked_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(at: Scene) -> None:
        at.fault(name, "status", status=503, retry_after=60, times=0)
        with pytest.raises(NotSent):
            await WRITES[name](at, at.world.moment() + 100)
        assert arrived(at, name) == 2

    play(monkeypatch, test)


def test_a_machine_that_slept_with_its_clock_standing_still_is_noticed_by_azures_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(at: Scene) -> None:
        await at.world.value(at.policy)
        read = at.world.moment()
        at.azure.clock.advance(timedelta(minutes=30))
        await at.world.value(at.policy)
        with pytest.raises(NotSent):
            await at.world.publish(at.policy, Secret("a value"), END, None, (), not_after=read + 120)
        assert at.served().count("keyvault.secrets.set") == 0

    play(monkeypatch, test)


class Still:
    """Clock that stands still."""

    def __init__(self) -> None:
        self.shown = 1000.0

    def elapsed(self) -> float:
        return self.shown

    async def sleep(self, seconds: float) -> None:
        self.shown += seconds

    def attempt(self) -> str:
        return "1"


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def say(time: AzureTime, host: str, at: datetime) -> None:
    time.hear({"Date": format_datetime(at, usegmt=True)}, host)


def test_the_only_host_is_believed_and_a_date_far_ahead_wants_a_second_opinion() -> None:
    time = AzureTime(Still())
    say(time, "a", NOW)
    assert time.now() == NOW
    say(time, "b", NOW)
    say(time, "b", NOW + timedelta(hours=3))
    assert time.now() == NOW
    say(time, "b", NOW + timedelta(hours=3))
    assert time.now() == NOW, "the same host is no second opinion"
    say(time, "a", NOW + timedelta(hours=3, seconds=2))
    assert time.now() == NOW + timedelta(hours=3)


def test_a_first_date_that_is_wrong_is_outvoted() -> None:
    time = AzureTime(Still())
    say(time, "a", NOW + timedelta(days=4000))
    say(time, "b", NOW)
    assert time.now() == NOW, "nothing is due too early"
    say(time, "c", NOW)
    assert time.now() == NOW


@pytest.mark.parametrize("wrong", [NOW.replace(year=9999), NOW.replace(year=1970), NOW + timedelta(days=3)])
def test_what_is_not_believed_is_not_the_time_of_an_observation(wrong: datetime) -> None:
    time = AzureTime(Still())
    with time.listening() as heard:
        for host, at in (("a", NOW), ("b", NOW), ("b", wrong)):
            say(time, host, at)
    assert time.latest(heard) == NOW


def test_a_jump_that_one_host_shows_makes_what_was_read_old() -> None:
    time = AzureTime(Still())
    say(time, "a", NOW)
    before = time.moment()
    say(time, "b", NOW + timedelta(hours=3))
    assert time.moment() == before, "the first word of a host shows no passing of time"
    say(time, "a", NOW + timedelta(hours=3))
    assert time.moment() == before + 3 * 3600
    say(time, "a", NOW)
    assert time.moment() == before + 3 * 3600, "it never goes back"


def test_the_world_of_the_clients_is_the_world_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with set_up(loop, lambda who, tenant: sign_in(monkeypatch, who, tenant)) as at:
            world: World = at.world
            assert world.moment() >= 0

    run(main)
