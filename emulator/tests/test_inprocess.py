"""Tests of the real SDKs through the in-process seams: requests arrive, errors are raised as over a wire, time is
virtual.
"""

import asyncio
import datetime
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
from azure.core.exceptions import (
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import ClientSecretCredential as SyncCredential
from azure.identity.aio import ClientSecretCredential
from azure.keyvault.secrets import SecretClient as SyncSecretClient
from azure.keyvault.secrets.aio import SecretClient
from local_azure.app import App
from local_azure.azure import Azure
from local_azure.clock import Clock
from local_azure.faults import Fault
from local_azure.inprocess import GraphTransport, Hop, Session, SyncAdapter
from local_azure.seed import fill
from local_azure.seeded import Seeded
from local_azure.services import build
from local_azure.timing import PROMPT
from local_azure.virtual import Stuck, VirtualLoop, run
from local_azure.wire import Request

START = datetime.datetime(2026, 1, 5, 9, 0, tzinfo=datetime.UTC)


class Killed(BaseException):
    """Death of a process in the middle of a call."""


@dataclass
class World:
    """Seeded Azure on a virtual loop, and the vault's client as the operator."""

    azure: Azure
    app: App
    seeded: Seeded
    hop: Hop
    loop: VirtualLoop
    vault: SecretClient


def in_virtual_time(test: Callable[[World], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Return a test on virtual time, with a World."""

    def ran() -> None:
        run(lambda loop: test(_world(loop)))

    ran.__name__, ran.__doc__ = test.__name__, test.__doc__
    return ran


def _world(loop: VirtualLoop) -> World:
    azure = Azure.build(Clock(START, loop.time), timing=PROMPT)
    seeded = fill(azure)
    app = build(azure)
    hop = Hop(app)
    transport = AioHttpTransport(session=Session(hop), session_owner=False)
    who = seeded.operator
    credential = ClientSecretCredential(seeded.tenant, who.app_id, who.secret, transport=transport)
    return World(azure, app, seeded, hop, loop, SecretClient(seeded.vault_url, credential, transport=transport))


@in_virtual_time
async def test_a_secret_set_through_the_sdk_is_in_the_vault(world: World) -> None:
    await world.vault.set_secret("name", "väl/ue", tags={"a": "b"})
    kept = world.azure.vaults.get("myvault", "name")
    assert (kept.value, kept.tags) == ("väl/ue", {"a": "b"})
    assert (await world.vault.get_secret("name")).value == "väl/ue"
    names = [secret.name async for secret in world.vault.list_properties_of_secrets()]
    assert names == ["name"]


@in_virtual_time
async def test_a_call_takes_the_latency_that_was_asked_for_and_no_real_time(world: World) -> None:
    await world.vault.set_secret("name", "value")
    world.hop.latency = lambda request: 0.25
    before = world.loop.time()
    await world.vault.get_secret("name")
    assert world.loop.time() - before == pytest.approx(0.25)


@in_virtual_time
async def test_every_answer_has_the_virtual_date(world: World) -> None:
    await asyncio.sleep(86_400)
    dates: list[str] = []
    await world.vault.set_secret(
        "name", "value", raw_response_hook=lambda response: dates.append(response.http_response.headers["date"])
    )
    assert set(dates) == {"Tue, 06 Jan 2026 09:00:00 GMT"}


@in_virtual_time
async def test_a_broken_connection_is_a_service_request_error(world: World) -> None:
    await world.vault.set_secret("name", "value")
    world.azure.faults.add(Fault("keyvault.secrets.get", "reset"))
    with pytest.raises(ServiceRequestError):
        await world.vault.get_secret("name", retry_total=0)


@in_virtual_time
async def test_a_fault_in_the_place_of_another_one_counts_its_own_calls(world: World) -> None:
    await world.vault.set_secret("name", "value")
    for _ in range(2):
        planned = Fault("keyvault.secrets.get", "reset")
        world.azure.faults.add(planned)
        with pytest.raises(ServiceRequestError):
            await world.vault.get_secret("name", retry_total=0)
        assert (await world.vault.get_secret("name", retry_total=0)).value == "value"
        world.azure.faults.planned.remove(planned)


@in_virtual_time
async def test_an_answer_that_is_lost_has_had_its_effect(world: World) -> None:
    await world.vault.set_secret("name", "old")
    world.azure.faults.add(Fault("keyvault.secrets.set", "lost"))
    with pytest.raises(ServiceRequestError):
        await world.vault.set_secret("name", "new", retry_total=0)
    assert world.azure.vaults.get("myvault", "name").value == "new"


@in_virtual_time
async def test_silence_lasts_as_long_as_the_client_waits_and_is_a_timeout(world: World) -> None:
    await world.vault.set_secret("name", "value")
    world.azure.faults.add(Fault("keyvault.secrets.get", "timeout"))
    before = world.loop.time()
    with pytest.raises(ServiceResponseTimeoutError):
        await world.vault.get_secret("name", retry_total=0, read_timeout=7)
    assert world.loop.time() - before == pytest.approx(7)


@in_virtual_time
async def test_an_option_that_aiohttp_does_not_have_is_refused_as_aiohttp_does(world: World) -> None:
    with pytest.raises(TypeError, match="retry_on_methods"):
        await Session(world.hop).request("GET", world.seeded.vault_url, retry_on_methods=["POST"])


@in_virtual_time
async def test_an_echo_quotes_the_request_instead_of_its_effect_or_after_it(world: World) -> None:
    await world.vault.set_secret("name", "old")
    for fault, kept in (
        (Fault("keyvault.secrets.set", "echo", status=502), "old"),
        (Fault("keyvault.secrets.set", "echo", "after"), "new"),
    ):
        world.azure.faults.add(fault)
        with pytest.raises(HttpResponseError) as failed:
            await world.vault.set_secret("name", "new", retry_total=0)
        assert failed.value.response
        assert failed.value.response.status_code == fault.status
        page = failed.value.response.text()
        assert "PUT /secrets/name" in page
        assert "authorization: Bearer ey" in page
        assert '"value": "new"' in page
        assert world.azure.vaults.get("myvault", "name").value == kept
        world.azure.faults.clear()
    world.azure.faults.add(Fault("keyvault.secrets.set", "echo", status=400, argument="message"))
    with pytest.raises(HttpResponseError) as failed:
        await world.vault.set_secret("name", "newest")
    assert failed.value.error
    assert "newest" in str(failed.value.error.message)


@in_virtual_time
async def test_a_status_fault_comes_in_the_services_envelope_with_retry_after(world: World) -> None:
    await world.vault.set_secret("name", "value")
    world.azure.faults.add(Fault("keyvault.secrets.get", "status", status=429, code="Throttled", retry_after=9))
    with pytest.raises(HttpResponseError) as raised:
        await world.vault.get_secret("name", retry_total=0)
    headers = getattr(raised.value.response, "headers", {})
    assert (raised.value.status_code, headers["Retry-After"]) == (429, "9")


@in_virtual_time
async def test_a_kill_passes_through_the_sdk_as_it_is(world: World) -> None:
    def kill(number: int, operation: str, request: Request) -> None:
        raise Killed

    await world.vault.set_secret("name", "value")
    world.app.after = kill
    with pytest.raises(Killed):
        await world.vault.set_secret("name", "late")
    assert world.azure.vaults.get("myvault", "name").value == "late"


@in_virtual_time
async def test_one_client_can_be_held_back_while_the_other_goes_on(world: World) -> None:
    order: list[str] = []

    async def hold(request: Request) -> None:
        await asyncio.sleep(10)

    async def write(vault: SecretClient, value: str) -> None:
        await vault.set_secret("name", value)
        order.append(value)

    await world.vault.set_secret("name", "first")
    who, slow = world.seeded.operator, Session(Hop(world.app, arriving=hold))
    transport = AioHttpTransport(session=slow, session_owner=False)
    credential = ClientSecretCredential(world.seeded.tenant, who.app_id, who.secret, transport=transport)
    held = SecretClient(world.seeded.vault_url, credential, transport=transport)
    await asyncio.gather(write(held, "slow"), write(world.vault, "quick"))
    assert order == ["quick", "slow"]


@in_virtual_time
async def test_httpx_gets_its_own_errors(world: World) -> None:
    async with httpx.AsyncClient(transport=GraphTransport(world.hop)) as client:
        world.azure.faults.add(Fault("entra.token", "reset", times=1))
        world.azure.faults.add(Fault("entra.token", "timeout", nth=2))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(f"https://login.microsoftonline.com/{world.seeded.tenant}/oauth2/v2.0/token")
        before = world.loop.time()
        with pytest.raises(httpx.ReadTimeout):
            await client.post(f"https://login.microsoftonline.com/{world.seeded.tenant}/oauth2/v2.0/token", timeout=3)
        assert world.loop.time() - before == pytest.approx(3)
        answer = await client.get("https://graph.microsoft.com/v1.0/applications")
        assert answer.status_code == 401


def test_the_synchronous_sdks_work_and_get_their_own_errors() -> None:
    azure = Azure.build(Clock(START, lambda: 0.0), timing=PROMPT)
    seeded, app = fill(azure), build(azure)
    session = requests.Session()
    session.mount("https://", SyncAdapter(app))
    transport = RequestsTransport(session=session, session_owner=False)
    credential = SyncCredential(seeded.tenant, seeded.operator.app_id, seeded.operator.secret, transport=transport)
    vault = SyncSecretClient(seeded.vault_url, credential, transport=transport)
    vault.set_secret("name", "value")
    assert vault.get_secret("name").value == "value"
    azure.faults.add(Fault("keyvault.secrets.get", "reset"))
    with pytest.raises(ServiceResponseError):
        vault.get_secret("name", retry_total=0)


def test_virtual_time_refuses_threads_and_deadlocks() -> None:
    async def thread(loop: VirtualLoop) -> None:
        await asyncio.to_thread(lambda: None)

    async def deadlock(loop: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(thread)
    with pytest.raises(Stuck):
        run(deadlock)
