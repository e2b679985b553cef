"""Tests of a lease store's contract, by Azurite behind Microsoft's client and by its stand-in."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from local_azure.inprocess import pause
from local_azure.virtual import VirtualLoop, run

from rotator.clients.azuretime import AzureTime
from rotator.clients.blob_lease import BlobLeases
from rotator.clients.pipeline import Line
from rotator.cloud import CLOUDS, PUBLIC
from rotator.errors import AzureError, NotFound, OutcomeUnknown, Unavailable
from rotator.ports import LeaseStore
from tests import azurite
from tests.clients.scene import START, Clock
from tests.storage import MemoryLeases

ONE, TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
RECORD = {"host": "a", "pid": "4242", "since": "2026-03-01T12:00:00+00:00", "seconds": "600"}
Minute = Callable[[], Awaitable[None]]
"""Function that lets almost a minute pass."""
Test = Callable[[LeaseStore, Minute], Awaitable[None]]
Over = Callable[[Test], None]


@pytest.fixture(name="storage", scope="module")
def _storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[azurite.Azurite]:
    with azurite.running(tmp_path_factory.mktemp("azurite")) as found:
        yield found


@pytest.fixture(name="over", scope="module", params=["memory", "azurite"])
def _over(request: pytest.FixtureRequest) -> Over:
    """Provide a runner of tests on virtual time, with one kind of stores; each test has separate names."""
    storage: azurite.Azurite | None = None
    if request.param == "azurite":
        storage = request.getfixturevalue("storage")

    def over(test: Test) -> None:
        async def main(loop: VirtualLoop) -> None:
            await test(_store(storage, loop), lambda: pause(59.5))

        run(main)

    return over


def _store(storage: azurite.Azurite | None, loop: VirtualLoop, container: str = azurite.CONTAINER) -> Any:
    if storage is None:
        return MemoryLeases(loop.time)

    def now() -> datetime:
        return START + timedelta(seconds=loop.time())

    if container == azurite.CONTAINER:
        storage.create(container, now)
    clock, session = Clock(loop), storage.session(now)
    line = Line(clock, AzureTime(clock), (session, session), lambda _: None, 15)
    return BlobLeases(line, azurite.Fixed(), PUBLIC, container)


def test_one_run_holds_a_lease_and_the_other_learns_who_it_is(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        assert "held.lock" not in await store.standing()
        assert await store.acquire("held.lock", ONE, RECORD) is None
        assert await store.acquire("held.lock", TWO, {}) == RECORD
        assert (await store.standing())["held.lock"] == RECORD
        assert await store.acquire("another.lock", TWO, {}) is None

    over(test)


def test_a_text_beside_the_leases_is_kept_and_is_no_lease(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        assert await store.kept("told.json") == ""
        for text in ("first", "zweiter ✓" * 1000):
            await store.keep("told.json", text)
            assert await store.kept("told.json") == text
        assert "told.json" not in await store.standing()

    over(test)


def test_a_request_that_is_repeated_takes_a_lease_once(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        for _ in range(2):
            assert await store.acquire("again.lock", ONE, RECORD) is None

    over(test)


def test_a_lease_is_held_for_a_minute_unless_renewed(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        assert await store.acquire("minute.lock", ONE, RECORD) is None
        for _ in range(3):
            await minute()
            assert await store.renew("minute.lock", ONE)
        await minute()
        assert await store.acquire("minute.lock", TWO, {}) == RECORD
        await pause(1)
        assert "minute.lock" not in await store.standing()
        assert await store.acquire("minute.lock", TWO, {"host": "b"}) is None
        assert not await store.renew("minute.lock", ONE)
        assert (await store.standing())["minute.lock"] == {"host": "b"}

    over(test)


def test_a_lease_that_ran_out_is_renewed_if_nobody_took_it_meanwhile(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        assert await store.acquire("late.lock", ONE, RECORD) is None
        await pause(300)
        assert await store.renew("late.lock", ONE)
        assert await store.acquire("late.lock", TWO, {}) == RECORD

    over(test)


def test_a_lease_is_given_back_by_its_holder_alone(over: Over) -> None:
    async def test(store: LeaseStore, minute: Minute) -> None:
        await store.release("back.lock", ONE)
        assert await store.acquire("back.lock", ONE, RECORD) is None
        await store.release("back.lock", TWO)
        assert (await store.standing())["back.lock"] == RECORD
        await store.release("back.lock", ONE)
        assert "back.lock" not in await store.standing()
        assert await store.acquire("back.lock", TWO, {}) is None
        assert not await store.renew("back.lock", ONE)

    over(test)


def test_a_container_that_is_not_there_is_named_with_the_command_that_creates_it(storage: azurite.Azurite) -> None:
    async def main(loop: VirtualLoop) -> None:
        store = _store(storage, loop, f"https://{azurite.ACCOUNT}.blob.core.windows.net/elsewhere")
        for call in (store.acquire("one.lock", ONE, {}), store.standing()):
            with pytest.raises(NotFound, match=r"there is no container https://.*/elsewhere") as raised:
                await call
            assert f"az storage container create --account-name {azurite.ACCOUNT}" in raised.value.remedy

    run(main)


def test_storage_that_does_not_answer_is_given_up_within_half_a_minute(storage: azurite.Azurite) -> None:
    async def main(loop: VirtualLoop) -> None:
        store = _store(storage, loop)
        store._line._sessions[0].down = True
        with pytest.raises(AzureError) as raised:
            await store.acquire("one.lock", ONE, {})
        assert isinstance(raised.value, Unavailable | OutcomeUnknown)
        assert loop.time() <= 30

    run(main)


@pytest.mark.parametrize(
    "address",
    [
        *("http://rotatorstate.blob.core.windows.net/leases", "https://rotatorstate.blob.core.windows.net"),
        *(
            "https://rotatorstate.blob.core.windows.net.evil.example/x1x",
            "https://rotatorstate.blob.core.windows.net/a/b",
        ),
        *("https://rotatorstate.queue.core.windows.net/leases", "https://rotatorstate.blob.core.windows.net/-a-"),
        *(
            "https://rotatorstate.blob.core.windows.net/leases?sig=1",
            "https://u@rotatorstate.blob.core.windows.net/leases",
        ),
        *("https://rotatorstate.blob.core.usgovcloudapi.net/leases", ""),
    ],
)
def test_a_token_is_sent_to_storage_of_the_cloud_and_to_no_other_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"write https://ACCOUNT\.blob\.core\.windows\.net/NAME"):
        PUBLIC.storage("blob", address)


def test_each_cloud_has_storage_of_its_own() -> None:
    for cloud, suffix in zip(CLOUDS.values(), ("windows.net", "usgovcloudapi.net", "chinacloudapi.cn"), strict=True):
        account = f"https://abc.queue.core.{suffix}"
        assert cloud.storage("queue", f"{account}/rotator-1") == (account, "rotator-1")
