"""Tests from the official SDKs' own suites: seven of each object, in pages, with exactly the set attributes, and every
40x.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from graphed import signed_in
from local_azure.inprocess import Hop, Session, SyncAdapter
from management import VAULT_URL, Signed, World
from msgraph.graph_service_client import GraphServiceClient
from tenancy import ALL, Tenancy

NAMES = [f"secret{number}" for number in range(7)]
ATTRIBUTES = (
    "name",
    "vault_url",
    "content_type",
    "enabled",
    "not_before",
    "expires_on",
    "created_on",
    "updated_on",
    "recovery_level",
    "key_id",
    "tags",
)


def same(properties: Any) -> tuple[object, ...]:
    """Return the properties of a secret that the suites compare."""
    return tuple(getattr(properties, name) for name in ATTRIBUTES)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[SecretClient]:
    yield from connected(world, world.owner)


def connected(world: World, who: Any) -> Iterator[SecretClient]:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    with SecretClient(
        VAULT_URL, who, transport=RequestsTransport(session=session, session_owner=False), retry_total=0
    ) as made:
        yield made


def test_seven_secrets_are_listed_deleted_recovered_and_purged_as_they_were_set(client: SecretClient) -> None:
    dates: dict[str, Any] = {
        "not_before": datetime(2015, 2, 2, 8, tzinfo=UTC),
        "expires_on": datetime(2050, 2, 2, 8, tzinfo=UTC),
    }
    made = {
        name: same(
            client.set_secret(name, f"value of {name}", content_type="password", tags={"n": name}, **dates).properties
        )
        for name in NAMES
    }
    assert {each.name: same(each) for each in client.list_properties_of_secrets(max_page_size=6)} == made
    for name in NAMES:
        client.begin_delete_secret(name).wait()
    deleted = list(client.list_deleted_secrets(max_page_size=6))
    assert {each.name: same(each.properties) for each in deleted} == made
    assert all(each.deleted_date and each.scheduled_purge_date and each.recovery_id for each in deleted)
    for name in NAMES:
        client.begin_recover_deleted_secret(name).wait()
    assert {name: same(client.get_secret(name).properties) for name in NAMES} == made
    for name in NAMES:
        client.begin_delete_secret(name).wait()
        client.purge_deleted_secret(name)
    assert (list(client.list_properties_of_secrets()), list(client.list_deleted_secrets())) == ([], [])


def test_seven_versions_are_listed_and_each_is_updated_by_itself(client: SecretClient) -> None:
    made = {
        version.id: same(version.properties)
        for version in (client.set_secret("versions", str(number)) for number in range(7))
    }
    listed = list(client.list_properties_of_secret_versions("versions", max_page_size=6))
    assert {each.id: same(each) for each in listed} == made
    first = listed[0]
    changed = client.update_secret_properties(
        "versions", first.version, enabled=False, content_type="text/plain", tags={"foo": "bar"}
    )
    assert (changed.id, changed.enabled, changed.content_type, changed.tags) == (
        first.id,
        False,
        "text/plain",
        {"foo": "bar"},
    )
    others = {
        each.id: same(each) for each in client.list_properties_of_secret_versions("versions") if each.id != first.id
    }
    assert others == {name: value for name, value in made.items() if name != first.id}


@pytest.mark.parametrize(
    "operation",
    [
        lambda client: client.get_secret("missing"),
        lambda client: client.get_secret("there", "0" * 32),
        lambda client: client.update_secret_properties("missing", enabled=False),
        lambda client: client.begin_delete_secret("missing"),
        lambda client: client.get_deleted_secret("there"),
        lambda client: client.begin_recover_deleted_secret("missing"),
        lambda client: client.purge_deleted_secret("missing"),
        lambda client: client.backup_secret("missing"),
    ],
)
def test_what_is_not_there_is_404_by_its_code(
    client: SecretClient, operation: Callable[[SecretClient], object]
) -> None:
    client.set_secret("there", "x")
    with pytest.raises(ResourceNotFoundError) as refused:
        operation(client)
    assert refused.value.error is not None
    assert refused.value.error.code == "SecretNotFound"


def test_what_is_not_allowed_is_403_and_says_by_what(world: World, client: SecretClient) -> None:
    client.set_secret("closed", "x", enabled=False)
    with pytest.raises(HttpResponseError, match="not allowed on a disabled secret") as disabled:
        client.get_secret("closed")
    assert disabled.value.status_code == 403
    for stranger in connected(world, world.identity("stranger")):
        with pytest.raises(HttpResponseError, match="ForbiddenByRbac") as refused:
            stranger.get_secret("closed")
        assert refused.value.status_code == 403


def test_the_asynchronous_client_sees_the_same(world: World) -> None:
    async def story() -> list[object]:
        transport = AioHttpTransport(session=cast("Any", Session(Hop(world.app))), session_owner=False)
        async with AsyncSecretClient(VAULT_URL, Signed(world.owner), transport=transport, retry_total=0) as vault:
            made = {name: same((await vault.set_secret(name, "x")).properties) for name in NAMES}
            listed = {each.name: same(each) async for each in vault.list_properties_of_secrets(max_page_size=3)}
            for name in NAMES:
                await vault.delete_secret(name)
            deleted = {each.name: same(each.properties) async for each in vault.list_deleted_secrets(max_page_size=3)}
            for name in NAMES:
                await vault.recover_deleted_secret(name)
            recovered = {name: same((await vault.get_secret(name)).properties) for name in NAMES}
            return [listed == made, deleted == made, recovered == made]

    assert asyncio.run(story()) == [True, True, True]


async def _walk(world: Tenancy) -> dict[str, object]:
    """Read seven users by the page iterator of msgraph-core, and one of them by its name."""
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from msgraph.generated.models.password_profile import PasswordProfile
    from msgraph.generated.models.user import User
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder
    from msgraph_core.tasks.page_iterator import PageIterator  # type: ignore[import-untyped]

    adapter, http = signed_in(world)
    client: Any = GraphServiceClient(request_adapter=adapter)
    # No test signs in with it.
    profile = PasswordProfile(password="Password-1", force_change_password_next_sign_in=False)
    for name in NAMES:
        own: dict[str, Any] = {
            "display_name": name,
            "user_principal_name": f"{name}@contoso.onmicrosoft.com",
            "mail_nickname": name,
        }
        await client.users.post(User(**own, account_enabled=True, password_profile=profile))
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(top=3, select=["displayName"])
    first = await client.users.get(RequestConfiguration(query_parameters=query))
    seen: list[str] = []

    def look(user: User) -> bool:
        seen.append(str(user.display_name))
        return True

    await PageIterator(first, adapter).iterate(look)
    one = await client.users.by_user_id("SECRET3@contoso.onmicrosoft.com").get()
    await http.aclose()
    return {"seen": seen, "one": one.display_name}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_msgraph_sdk_iterates_over_the_pages_of_users() -> None:
    world = Tenancy(ALL, "User.ReadWrite.All")
    assert asyncio.run(_walk(world)) == {"seen": NAMES, "one": "secret3"}
