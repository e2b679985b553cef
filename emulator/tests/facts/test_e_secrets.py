"""Tests of secrets (azure-facts E1 to E7): their life, access to them, and backups."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient
from local_azure.arm.behaviour import VAULTS
from local_azure.inprocess import Hop, Session, SyncAdapter
from local_azure.timing import Timing
from management import GROUP, SUBSCRIPTION, TENANT, VAULT, VAULT_URL, Signed, World

V = "api-version=7.4"
OTHER = "https://othervault.vault.azure.net"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[SecretClient]:
    yield from connected(world, VAULT_URL)


def connected(world: World, url: str) -> Iterator[SecretClient]:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    with SecretClient(
        url, world.owner, transport=RequestsTransport(session=session, session_owner=False), retry_total=0
    ) as made:
        yield made


@asynccontextmanager
async def asynchronous(world: World) -> AsyncIterator[AsyncSecretClient]:
    session: Any = Session(Hop(world.app))
    assert not isinstance(session, aiohttp.ClientSession)
    transport = AioHttpTransport(session=session, session_owner=False)
    async with AsyncSecretClient(VAULT_URL, Signed(world.owner), transport=transport, retry_total=0) as made:
        yield made


def other_vault(world: World, name: str = "othervault", subscription: str = SUBSCRIPTION, **properties: Any) -> str:
    path = f"{GROUP.replace(SUBSCRIPTION, subscription)}/providers/{VAULTS}/{name}"
    world.resources.put(path, VAULTS, "eastus", properties)
    return path


def refused(answer: Any) -> tuple[int, str, str]:
    error = answer.body["error"]
    return answer.status, error["code"], error.get("innererror", {}).get("code", "")


def test_e1_any_version_is_taken_and_the_first_did_not_know_the_days(world: World) -> None:
    made = {
        v: world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?api-version={v}", {"value": "x"})
        for v in ("7.0", "7.4", "2026-04-01", "2099-01-01")
    }
    assert {answer.status for answer in made.values()} == {200}
    assert "recoverableDays" not in made["7.0"].body["attributes"]
    assert made["2099-01-01"].body["attributes"]["recoverableDays"] == 90
    assert world.owner.call("GET", f"{VAULT_URL}/secrets").body["error"]["code"] == "BadParameter"


def test_e2_every_operation_of_the_official_client(world: World, client: SecretClient) -> None:
    client.set_secret("pwd", "one", tags={"n": "1"})
    client.set_secret("pwd", "two", content_type="text/plain")
    assert len(list(client.list_properties_of_secret_versions("pwd"))) == 2
    assert client.update_secret_properties("pwd", tags={"n": "3"}).tags == {"n": "3"}
    kept = client.backup_secret("pwd")
    deleted = client.begin_delete_secret("pwd").result()
    assert (deleted.name, client.get_deleted_secret("pwd").recovery_id) == ("pwd", f"{VAULT_URL}/deletedsecrets/pwd")
    assert [each.name for each in client.list_deleted_secrets()] == ["pwd"]
    assert client.begin_recover_deleted_secret("pwd").result().name == "pwd"
    client.begin_delete_secret("pwd").wait()
    client.purge_deleted_secret("pwd")
    assert list(client.list_properties_of_secrets()) == []
    assert client.restore_secret_backup(kept).name == "pwd"
    assert (client.get_secret("pwd").value, client.get_secret("pwd").properties.content_type) == ("two", "text/plain")


def test_e2_every_operation_of_the_official_asynchronous_client(world: World) -> None:
    async def story() -> list[Any]:
        async with asynchronous(world) as client:
            first = await client.set_secret("pwd", "one")
            await client.set_secret("pwd", "two")
            versions = [
                each.version async for each in client.list_properties_of_secret_versions("pwd", max_page_size=1)
            ]
            changed = await client.update_secret_properties("pwd", first.properties.version, enabled=False)
            kept = await client.backup_secret("pwd")
            deleted = await client.delete_secret("pwd")
            listed = [each.name async for each in client.list_deleted_secrets()]
            got = (await client.get_deleted_secret("pwd")).recovery_id
            recovered = await client.recover_deleted_secret("pwd")
            await client.delete_secret("pwd")
            await client.purge_deleted_secret("pwd")
            restored = await client.restore_secret_backup(kept)
            names = [each.name async for each in client.list_properties_of_secrets()]
            value = (await client.get_secret("pwd")).value
            return [
                len(versions),
                changed.enabled,
                deleted.name,
                listed,
                got == deleted.recovery_id,
                recovered.name,
                restored.name,
                names,
                value,
            ]

    assert asyncio.run(story()) == [2, False, "pwd", ["pwd"], True, "pwd", "pwd", ["pwd"], "two"]


def test_e2_a_backup_is_read_by_this_emulator_alone_and_restored_once(world: World, client: SecretClient) -> None:
    for value in ("one", "two"):
        client.set_secret("pwd", value, expires_on=datetime(2027, 1, 1, tzinfo=UTC))
    before = {each.version: each.created_on for each in client.list_properties_of_secret_versions("pwd")}
    kept = client.backup_secret("pwd")
    assert b"one" not in kept and b"pwd" not in kept
    with pytest.raises(
        ResourceExistsError, match=f"There was a conflict restoring the secret '{VAULT_URL}/secrets/pwd/"
    ):
        client.restore_secret_backup(kept)
    other_vault(world)
    for elsewhere in connected(world, OTHER):
        assert elsewhere.restore_secret_backup(kept).name == "pwd"
        assert {each.version: each.created_on for each in elsewhere.list_properties_of_secret_versions("pwd")} == before
        assert elsewhere.get_secret("pwd").value == "two"
        with pytest.raises(HttpResponseError, match="invalid or corrupt"):
            elsewhere.restore_secret_backup(kept[:-4] + b"AAAA")
    stranger = World()
    answer = stranger.owner.call(
        "POST", f"{VAULT_URL}/secrets/restore?{V}", {"value": world.vaults.backup("myvault", "pwd")}
    )
    assert refused(answer) == (400, "Malformed backup blob", "")


def test_e2_a_backup_stays_in_its_subscription(world: World) -> None:
    world.vaults.set("myvault", "pwd", "x")
    away = "00000000-0000-0000-0000-000000000002"
    world.resources.add_subscription(away, "Other")
    world.resources.create_group(away, "myResourceGroup", "eastus")
    path = other_vault(world, "farvault", away)
    world.authorization.assign(path, world.owner.oid, "Key Vault Secrets Officer", at_once=True)
    kept = world.owner.call("POST", f"{VAULT_URL}/secrets/pwd/backup?{V}").body["value"]
    assert refused(
        world.owner.call("POST", f"https://farvault.vault.azure.net/secrets/restore?{V}", {"value": kept})
    ) == (400, "BadParameter", "")


def test_e2_deleted_secrets_carry_their_dates(world: World) -> None:
    path = other_vault(world, softDeleteRetentionInDays=7)
    assert path.endswith("othervault")
    world.vaults.set("othervault", "pwd", "x", tags={"a": "b"})
    body = world.owner.call("DELETE", f"{OTHER}/secrets/pwd?{V}").body
    assert "value" not in body and body["id"].startswith(f"{OTHER}/secrets/pwd/")
    assert body["scheduledPurgeDate"] - body["deletedDate"] == 7 * 86400
    assert (body["attributes"]["recoveryLevel"], body["attributes"]["recoverableDays"]) == (
        "CustomizedRecoverable+Purgeable",
        7,
    )
    [listed] = world.owner.call("GET", f"{OTHER}/deletedsecrets?{V}").body["value"]
    assert (listed["id"], listed["tags"]) == (f"{OTHER}/secrets/pwd", {"a": "b"})


def test_e3_a_vault_that_does_not_exist_or_is_deleted_has_no_host(world: World) -> None:
    world.owner.call("DELETE", f"https://management.azure.com{VAULT}?api-version=2023-07-01")
    assert world.call("GET", f"{VAULT_URL}/secrets?{V}").status == 502


def test_e4_a_secret_is_read_outside_its_dates_and_at_its_limits(world: World, client: SecretClient) -> None:
    past, future = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
    client.set_secret("early", "x", not_before=future)
    client.set_secret("late", "y", expires_on=past)
    assert (client.get_secret("early").value, client.get_secret("late").value) == ("x", "y")
    tags = {f"{n:02}" + "k" * 510: "v" * 512 for n in range(15)}
    made = client.set_secret("a" * 127, "x" * (25 * 1024), tags=tags, content_type="c" * 255)
    assert made.properties.tags == tags
    with pytest.raises(HttpResponseError, match="BadParameter"):
        client.get_secret("a" * 128)


def test_e5_for_a_moment_a_secret_is_neither_here_nor_there(world: World) -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1, secret_moving=5))
    secret, deleted = f"{VAULT_URL}/secrets/pwd", f"{VAULT_URL}/deletedsecrets/pwd"
    world.owner.call("PUT", f"{secret}?{V}", {"value": "x"})
    assert world.owner.call("DELETE", f"{secret}?{V}").status == 200
    assert world.owner.call("GET", f"{deleted}?{V}").status == 404
    assert refused(world.owner.call("PUT", f"{secret}?{V}", {"value": "y"})) == (
        409,
        "Conflict",
        "ObjectIsBeingDeleted",
    )
    early = world.owner.call("POST", f"{deleted}/recover?{V}")
    assert refused(early) == (409, "Conflict", "ObjectIsBeingDeleted")
    assert early.body["error"]["message"] == "Secret pwd is currently being deleted."
    world.clock.advance(timedelta(seconds=5))
    assert refused(world.owner.call("PUT", f"{secret}?{V}", {"value": "y"})) == (
        409,
        "Conflict",
        "ObjectIsDeletedButRecoverable",
    )
    assert world.owner.call("POST", f"{deleted}/recover?{V}").status == 200
    assert world.owner.call("GET", f"{secret}/?{V}").status == 404
    assert refused(world.owner.call("PUT", f"{secret}?{V}", {"value": "y"})) == (
        409,
        "Conflict",
        "ObjectIsBeingRecovered",
    )
    world.clock.advance(timedelta(seconds=5))
    assert world.owner.call("GET", f"{secret}/?{V}").body["value"] == "x"
    again = world.owner.call("POST", f"{deleted}/recover?{V}")
    assert refused(again) == (400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject")
    assert again.body["error"]["message"] == "Secret exists already: pwd"
    world.owner.call("DELETE", f"{secret}?{V}")
    world.clock.advance(timedelta(seconds=5))
    assert world.owner.call("DELETE", f"{deleted}?{V}").status == 204
    assert [world.owner.call("GET", f"{each}?{V}").status for each in (secret + "/", deleted)] == [404, 404]
    assert refused(world.owner.call("PUT", f"{secret}?{V}", {"value": "y"})) == (
        409,
        "Conflict",
        "ObjectIsBeingDeleted",
    )
    world.clock.advance(timedelta(seconds=5))
    assert world.owner.call("PUT", f"{secret}?{V}", {"value": "y"}).status == 200


def test_e5_a_deleted_secret_that_is_disabled_is_only_in_the_list(world: World) -> None:
    world.vaults.set("myvault", "pwd", "x", enabled=False)
    world.owner.call("DELETE", f"{VAULT_URL}/secrets/pwd?{V}")
    shown = world.owner.call("GET", f"{VAULT_URL}/deletedsecrets/pwd?{V}")
    assert refused(shown) == (403, "Forbidden", "SecretDisabled")
    [listed] = world.owner.call("GET", f"{VAULT_URL}/deletedsecrets?{V}").body["value"]
    assert (listed["recoveryId"], listed["attributes"]["enabled"]) == (f"{VAULT_URL}/deletedsecrets/pwd", False)
    assert world.owner.call("POST", f"{VAULT_URL}/deletedsecrets/pwd/recover?{V}").status == 200
    absent = world.owner.call("POST", f"{VAULT_URL}/deletedsecrets/other/recover?{V}").body["error"]
    assert absent["message"].startswith("A secret with (name/id) other was not found in this key vault.")


def test_e5_a_firewall_names_the_address_that_it_refuses(world: World) -> None:
    other_vault(world, networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "192.0.2.0/24"}]})
    answer = world.owner.call("GET", f"{OTHER}/secrets?{V}")
    assert refused(answer) == (403, "Forbidden", "ForbiddenByFirewall")
    assert (
        answer.body["error"]["message"]
        == "Client address is not authorized and caller is not a trusted service.\r\nClient address:"
        " 20.0.0.1\r\nCaller:"
        f" appid={world.owner.app_id};oid={world.owner.oid};iss=https://sts.windows.net/{TENANT}/\r\nVault:"
        " othervault;location=eastus"
    )
    other_vault(world, networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "20.0.0.0/24"}]})
    assert world.owner.call("GET", f"{OTHER}/secrets?{V}").status == 200
    other_vault(world, publicNetworkAccess="Disabled")
    assert refused(world.owner.call("GET", f"{OTHER}/secrets?{V}")) == (403, "Forbidden", "ForbiddenByConnection")
    assert world.call("GET", f"{OTHER}/secrets?{V}").status == 401


def test_e5_an_access_policy_grants_by_operation_and_through_groups(world: World) -> None:
    reader, member = world.identity("reader"), world.identity("member")
    world.directory.join("11111111-0000-4000-8000-000000000001", member.oid)
    policies = [
        {
            "tenantId": TENANT,
            "objectId": reader.oid,
            "permissions": {"secrets": ["get", "backup", "delete", "recover"]},
        },
        {"tenantId": TENANT, "objectId": "11111111-0000-4000-8000-000000000001", "permissions": {"secrets": ["all"]}},
    ]
    other_vault(world, enableRbacAuthorization=False, accessPolicies=policies)
    world.vaults.set("othervault", "pwd", "x")
    statuses = [
        reader.call(*each).status
        for each in (
            ("POST", f"{OTHER}/secrets/pwd/backup?{V}"),
            ("GET", f"{OTHER}/secrets?{V}"),
            ("DELETE", f"{OTHER}/secrets/pwd?{V}"),
            ("GET", f"{OTHER}/deletedsecrets/pwd?{V}"),
            ("DELETE", f"{OTHER}/deletedsecrets/pwd?{V}"),
            ("POST", f"{OTHER}/deletedsecrets/pwd/recover?{V}"),
        )
    ]
    assert statuses == [200, 403, 200, 200, 403, 200]
    who = f"appid={reader.app_id};oid={reader.oid};iss=https://sts.windows.net/{TENANT}/"
    assert (
        reader.call("PUT", f"{OTHER}/secrets/pwd?{V}", {"value": "y"}).body["error"]["message"]
        == f"The user, group or application '{who}' does not have secrets set permission on key vault"
        " 'othervault;location=eastus'. For help resolving this issue, please see"
        " https://go.microsoft.com/fwlink/?linkid=2125287"
    )
    assert member.call("PUT", f"{OTHER}/secrets/pwd?{V}", {"value": "y"}).status == 200
    assert member.call("DELETE", f"{OTHER}/secrets/pwd?{V}").status == 200
    assert refused(member.call("DELETE", f"{OTHER}/deletedsecrets/pwd?{V}")) == (403, "Forbidden", "AccessDenied")


def test_e5_a_fresh_grant_is_refused_for_a_while(world: World) -> None:
    world = World(Timing(secret_valid=0, replicas=1, role_active=115, role_gone=60))
    world.clock.advance(timedelta(minutes=5))
    reader = world.identity("reader")
    world.vaults.set("myvault", "pwd", "x")
    world.authorization.assign(VAULT, reader.oid, "Key Vault Secrets User")
    statuses = []
    for _ in range(3):
        statuses.append(reader.call("GET", f"{VAULT_URL}/secrets/pwd/?{V}").status)
        world.clock.advance(timedelta(seconds=60))
    assert statuses == [403, 403, 200]


def test_e6_three_hundred_sets_in_ten_seconds_and_no_more(world: World) -> None:
    statuses = [world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", {"value": "x"}).status for _ in range(301)]
    assert (statuses.count(200), statuses[-1]) == (300, 429)
    answer = world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", {"value": "x"})
    assert (answer.body["error"]["code"], "Retry-After" in answer.headers) == ("Throttled", False)
    assert world.owner.call("GET", f"{VAULT_URL}/secrets/pwd/?{V}").status == 200
    world.clock.advance(timedelta(seconds=10))
    assert world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", {"value": "x"}).status == 200


def test_e6_a_subscription_has_five_times_as_much_as_a_vault(world: World) -> None:
    vaults = [world.resources.get(other_vault(world, f"vault-{number}")) for number in range(6)]
    for vault in vaults[:5]:
        assert vault
        for _ in range(300):
            world.vaults.gate.spend(vault, creating=True)
    answer = world.owner.call("PUT", f"https://vault-5.vault.azure.net/secrets/pwd?{V}", {"value": "x"})
    assert refused(answer) == (429, "Throttled", "")


def test_e6_a_secret_of_more_than_500_versions_has_no_backup(world: World) -> None:
    for _ in range(501):
        world.vaults.set("myvault", "pwd", "x")
    assert refused(world.owner.call("POST", f"{VAULT_URL}/secrets/pwd/backup?{V}")) == (400, "BadParameter", "")


def test_e7_purge_protection_keeps_a_deleted_secret_to_its_end(world: World, client: SecretClient) -> None:
    other_vault(world, softDeleteRetentionInDays=7, enablePurgeProtection=True)
    for protected in connected(world, OTHER):
        protected.set_secret("pwd", "x")
        assert protected.get_secret("pwd").properties.recovery_level == "CustomizedRecoverable"
        protected.begin_delete_secret("pwd").wait()
        with pytest.raises(HttpResponseError, match="purge protection is enabled"):
            protected.purge_deleted_secret("pwd")
        world.clock.advance(timedelta(days=7))
        with pytest.raises(ResourceNotFoundError):
            protected.get_deleted_secret("pwd")


def test_a_backup_of_what_is_not_there_and_a_restore_of_nothing_are_refused(world: World) -> None:
    assert refused(world.owner.call("POST", f"{VAULT_URL}/secrets/pwd/backup?{V}")) == (404, "SecretNotFound", "")
    assert refused(world.owner.call("POST", f"{VAULT_URL}/secrets/restore?{V}", {})) == (400, "BadParameter", "")
    assert refused(world.owner.call("GET", f"{VAULT_URL}/secrets/under_score/?{V}")) == (400, "BadParameter", "")
