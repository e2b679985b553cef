"""Tests of Key Vault's data plane, through its official client and byte by byte."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.keyvault.secrets import SecretClient
from local_azure.arm.behaviour import VAULTS
from local_azure.faults import Fault
from local_azure.inprocess import SyncAdapter
from local_azure.keyvault.behaviour import VaultState
from management import ARM, GROUP, START, SUBSCRIPTION, TENANT, VAULT, VAULT_URL, World
from pydantic import TypeAdapter

V = "api-version=7.4"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[SecretClient]:
    session = requests.Session()
    session.mount("https://", SyncAdapter(world.app))
    transport = RequestsTransport(session=session, session_owner=False)
    with SecretClient(VAULT_URL, world.owner, transport=transport, retry_total=0) as made:
        yield made


def test_e3_a_request_without_a_token_is_challenged(world: World) -> None:
    answer = world.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}")
    assert answer.status == 401
    assert (
        answer.headers["WWW-Authenticate"]
        == f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", resource="https://vault.azure.net"'
    )
    assert answer.body == {
        "error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
    }
    assert {"x-ms-keyvault-region", "x-ms-keyvault-service-version", "x-ms-keyvault-network-info"} <= set(
        answer.headers
    )
    assert world.vaults.versions("myvault", "pwd") == []
    elsewhere = f"{VAULT_URL}/keys/name/create?{V}"
    assert (world.call("POST", elsewhere).status, world.owner.call("POST", elsewhere).status) == (401, 501)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("keys", 200, {"value": [], "nextLink": None}),
        ("keys/k/versions", 200, {"value": [], "nextLink": None}),
        ("deletedkeys", 200, {"value": [], "nextLink": None}),
        ("keys/k/1", 404, "KeyNotFound"),
        ("deletedkeys/k", 404, "KeyNotFound"),
        ("certificates", 200, {"value": [], "nextLink": None}),
        ("certificates/issuers", 200, {"value": [], "nextLink": None}),
        ("certificates/contacts", 404, "ContactsNotFound"),
        ("certificates/c", 404, "CertificateNotFound"),
        ("certificates/c/pending", 404, "PendingCertificateNotFound"),
    ],
)
def test_a_vault_has_no_keys_and_certificates_and_says_so_to_those_who_may_read_them(
    world: World, path: str, status: int, said: object
) -> None:
    answer = world.owner.call("GET", f"{VAULT_URL}/{path}?{V}")
    assert (answer.status, answer.body if status == 200 else answer.body["error"]["code"]) == (status, said)
    refused = world.identity("nobody").call("GET", f"{VAULT_URL}/{path}?{V}")
    assert (refused.status, refused.body["error"]["innererror"]["code"]) == (403, "ForbiddenByRbac")


def test_e3_the_official_client_passes_the_challenge_and_reads_what_it_set(client: SecretClient) -> None:
    expires = datetime(2026, 6, 1, tzinfo=UTC)
    made = client.set_secret(
        "pwd", "s3cret", tags={"rotator-key-id": "k"}, content_type="text/plain", expires_on=expires
    )
    read = client.get_secret("pwd")
    assert (read.value, read.id) == ("s3cret", made.id)
    assert (read.properties.tags, read.properties.content_type, read.properties.expires_on) == (
        {"rotator-key-id": "k"},
        "text/plain",
        expires,
    )
    assert (read.properties.recovery_level, read.properties.recoverable_days) == ("Recoverable+Purgeable", 90)
    assert client.get_secret("pwd", made.properties.version).value == "s3cret"


def test_e2_a_bundle_has_azures_fields_in_azures_order(world: World) -> None:
    answer = world.owner.call(
        "PUT",
        f"{VAULT_URL}/secrets/pwd?{V}",
        {"value": "x", "contentType": "c", "attributes": {"exp": 1780000000}, "tags": {}},
    )
    assert list(answer.body) == ["value", "contentType", "id", "attributes", "tags"]
    created = int((world.clock.now()).timestamp())
    assert answer.body["attributes"] == {
        "enabled": True,
        "exp": 1780000000,
        "created": created,
        "updated": created,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    }
    assert answer.body["id"].startswith(f"{VAULT_URL}/secrets/pwd/") and len(answer.body["id"].rsplit("/", 1)[1]) == 32
    assert world.owner.call("GET", f"{VAULT_URL}/secrets/PWD/?{V}").body["value"] == "x"


def test_e2_a_list_of_secrets_shows_the_newest_version_of_each_without_its_id(world: World) -> None:
    for number in range(2):
        body = {
            "value": "x",
            "contentType": f"c{number}",
            "attributes": {"exp": 1780000000 + number},
            "tags": {"n": str(number)},
        }
        world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", body)
    listed = world.owner.call("GET", f"{VAULT_URL}/secrets?{V}").body["value"]
    (shown,) = (each for each in listed if each["id"].endswith("/pwd"))
    assert shown["id"] == f"{VAULT_URL}/secrets/pwd"
    assert (shown["contentType"], shown["attributes"]["exp"], shown["tags"]) == ("c1", 1780000001, {"n": "1"})


def test_e2_every_set_is_a_new_version_and_the_newest_is_the_last_even_within_a_second(
    world: World, client: SecretClient
) -> None:
    made = [client.set_secret("pwd", "same").properties.version for _ in range(8)]
    assert len(set(made)) == 8
    assert client.get_secret("pwd").properties.version == made[-1]
    listed = [p.version for p in client.list_properties_of_secret_versions("pwd")]
    assert listed == sorted(str(version) for version in made)
    assert listed != made
    assert len({p.created_on for p in client.list_properties_of_secret_versions("pwd")}) == 1


def test_e2_pages_are_linked_with_the_port_and_the_last_link_is_null(world: World, client: SecretClient) -> None:
    for number in range(30):
        world.vaults.set("myvault", f"s{number:02}", "x")
    first = world.owner.call("GET", f"{VAULT_URL}/secrets?{V}").body
    assert len(first["value"]) == 25
    assert first["nextLink"].startswith("https://myvault.vault.azure.net:443/secrets?api-version=7.4&$skiptoken=")
    assert "value" not in first["value"][0] and first["value"][0]["id"] == f"{VAULT_URL}/secrets/s00"
    second = world.owner.call("GET", first["nextLink"]).body
    assert (len(second["value"]), second["nextLink"]) == (5, None)
    assert len(list(client.list_properties_of_secrets(max_page_size=7))) == 30
    assert world.owner.call("GET", f"{VAULT_URL}/secrets?{V}&maxresults=26").body["error"]["code"] == "BadParameter"


def test_e5_a_disabled_version_is_listed_and_not_read(world: World, client: SecretClient) -> None:
    made = client.set_secret("pwd", "x")
    client.update_secret_properties("pwd", made.properties.version, enabled=False)
    answer = world.owner.call("GET", f"{VAULT_URL}/secrets/pwd/?{V}")
    assert answer.status == 403
    assert answer.body == {
        "error": {
            "code": "Forbidden",
            "message": "Operation get is not allowed on a disabled secret.",
            "innererror": {"code": "SecretDisabled"},
        }
    }
    assert [p.enabled for p in client.list_properties_of_secret_versions("pwd")] == [False]


def test_e2_a_patch_changes_what_it_names_and_answers_without_the_value(world: World) -> None:
    old = world.vaults.set("myvault", "pwd", "x", tags={"a": "1"}, content_type="c")
    world.vaults.set("myvault", "pwd", "y")
    world.clock.advance(timedelta(seconds=9))
    body = world.owner.call("PATCH", f"{VAULT_URL}/secrets/pwd/{old.id}?{V}", {"tags": {"b": "2"}}).body
    assert "value" not in body
    assert (body["tags"], body["contentType"], body["attributes"]["enabled"]) == ({"b": "2"}, "c", True)
    assert body["attributes"]["updated"] - body["attributes"]["created"] in (9, 10)
    assert world.vaults.get("myvault", "pwd").value == "y"
    newest = world.owner.call("PATCH", f"{VAULT_URL}/secrets/pwd/?{V}", {"contentType": "d"}).body
    assert newest["contentType"] == "d" and not newest["id"].endswith(old.id)


def test_e5_what_is_not_there_is_404(world: World, client: SecretClient) -> None:
    with pytest.raises(
        ResourceNotFoundError, match=r"A secret with \(name/id\) pwd was not found in this key vault"
    ) as refused:
        client.get_secret("pwd")
    assert refused.value.error is not None and refused.value.error.code == "SecretNotFound"
    assert list(client.list_properties_of_secret_versions("pwd")) == []
    made = world.vaults.set("myvault", "pwd", "x")
    assert world.owner.call("GET", f"{VAULT_URL}/secrets/pwd/{made.id[::-1]}?{V}").status == 404


def test_e5_a_deleted_name_is_taken_until_it_is_recovered_or_purged(world: World, client: SecretClient) -> None:
    client.set_secret("pwd", "x")
    deleted = client.begin_delete_secret("pwd").result()
    assert deleted.recovery_id == f"{VAULT_URL}/deletedsecrets/pwd"
    answer = world.owner.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", {"value": "y"})
    assert (answer.status, answer.body["error"]["innererror"]["code"]) == (409, "ObjectIsDeletedButRecoverable")
    assert answer.body["error"]["message"].startswith("Secret pwd is currently in a deleted but recoverable state")
    assert [d.name for d in client.list_deleted_secrets()] == ["pwd"]
    client.begin_recover_deleted_secret("pwd").wait()
    assert client.get_secret("pwd").value == "x"
    client.begin_delete_secret("pwd").wait()
    client.purge_deleted_secret("pwd")
    assert client.set_secret("pwd", "y").value == "y"
    assert len(list(client.list_properties_of_secret_versions("pwd"))) == 1


def test_e7_soft_delete_ends_by_itself(world: World) -> None:
    world.vaults.set("myvault", "pwd", "x")
    world.vaults.delete("myvault", "pwd")
    world.clock.advance(timedelta(days=90))
    assert world.owner.call("GET", f"{VAULT_URL}/deletedsecrets/pwd?{V}").status == 404
    assert world.vaults.set("myvault", "pwd", "y").value == "y"


def test_e5_without_the_role_403_says_what_was_asked_of_what(world: World) -> None:
    reader = world.identity("reader")
    world.authorization.assign(VAULT, reader.oid, "Key Vault Secrets User")
    world.vaults.set("myvault", "pwd", "x")
    assert reader.call("GET", f"{VAULT_URL}/secrets/pwd/?{V}").body["value"] == "x"
    answer = reader.call("PUT", f"{VAULT_URL}/secrets/pwd?{V}", {"value": "y"})
    assert answer.status == 403
    assert answer.body["error"]["innererror"] == {"code": "ForbiddenByRbac"}
    assert (
        answer.body["error"]["message"]
        == "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role"
        " definitions were changed recently, please observe propagation time.\r\nCaller:"
        f" appid={reader.app_id};oid={reader.oid};iss=https://sts.windows.net/{TENANT}/\r\nAction:"
        " 'Microsoft.KeyVault/vaults/secrets/setSecret/action'\r\nResource:"
        f" '{VAULT.lower()}/secrets/pwd'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason:"
        " null \r\nVault: myvault;location=eastus\r\n"
    )


def test_e7_an_owner_of_the_subscription_reads_no_secret(world: World) -> None:
    contributor = world.identity("contributor")
    world.authorization.assign(GROUP, contributor.oid, "Owner")
    assert contributor.call("GET", f"{VAULT_URL}/secrets?{V}").status == 403


def test_e5_a_vault_with_access_policies_asks_them_and_no_role(world: World) -> None:
    reader = world.identity("reader")
    policy = {"tenantId": TENANT, "objectId": reader.oid, "permissions": {"secrets": ["Get", "List"]}}
    path = f"{GROUP}/providers/{VAULTS}/policies"
    world.resources.put(path, VAULTS, "eastus", {"enableRbacAuthorization": False, "accessPolicies": [policy]})
    world.vaults.set("policies", "pwd", "x")
    base = "https://policies.vault.azure.net/secrets/pwd"
    assert reader.call("GET", f"{base}/?{V}").body["value"] == "x"
    answer = reader.call("PUT", f"{base}?{V}", {"value": "y"})
    assert (answer.status, answer.body["error"]["innererror"]["code"]) == (403, "AccessDenied")
    assert world.owner.call("GET", f"{base}/?{V}").status == 403


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("pwd", {"value": "x" * (25 * 1024 + 1)}),
        ("pwd", {"value": "x", "contentType": "c" * 256}),
        ("pwd", {"value": "x", "tags": {str(n): "" for n in range(16)}}),
        ("pwd", {"value": "x", "tags": {"a": "b" * 513}}),
        ("under_score", {"value": "x"}),
        ("pwd", {"content": "x"}),
        ("pwd", {"value": "x", "tags": {"a": 1}}),
        ("pwd", {"value": "x", "attributes": {"exp": "tomorrow"}}),
        ("pwd", ["x"]),
    ],
)
def test_e4_what_exceeds_the_limits_is_a_bad_parameter(world: World, name: str, body: object) -> None:
    answer = world.owner.call("PUT", f"{VAULT_URL}/secrets/{name}?{V}", body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadParameter")
    assert world.vaults.names("myvault") == []


def test_a_stale_read_misses_the_last_write_and_nothing_else(world: World, client: SecretClient) -> None:
    for value in ("one", "two"):
        client.set_secret("pwd", value)
    world.faults.add(Fault("keyvault.secrets.get", "stale", nth=1))
    assert client.get_secret("pwd").value == "one"
    assert client.get_secret("pwd").value == "two"


def test_e5_lag_of_a_grant_refuses_and_passes(world: World) -> None:
    world.faults.add(Fault("keyvault.*", "rbac_lag"))
    statuses = [world.owner.call("GET", f"{VAULT_URL}/secrets?{V}").status for _ in range(2)]
    assert statuses == [403, 200]


def test_an_injected_refusal_comes_in_key_vaults_envelope(world: World, client: SecretClient) -> None:
    world.faults.add(
        Fault(
            "keyvault.secrets.set", "status", status=429, code="Throttled", message="Too many requests.", retry_after=1
        )
    )
    with pytest.raises(HttpResponseError, match="Throttled") as refused:
        client.set_secret("pwd", "x")
    assert refused.value.status_code == 429


def test_a_vault_that_does_not_exist_has_no_host(world: World) -> None:
    assert world.call("GET", f"https://absent.vault.azure.net/secrets?{V}").status == 502
    assert world.call("GET", f"https://myvault.vault.azure.cn/secrets?{V}").status == 502


def test_keys_and_certificates_cannot_be_made_here(world: World) -> None:
    for method, path in (("POST", "keys/k/create"), ("POST", "certificates/c1/create"), ("GET", "storage")):
        assert world.owner.call(method, f"{VAULT_URL}/{path}?{V}").status == 501


def test_the_state_survives_json_and_no_repr_shows_a_value(world: World) -> None:
    world.vaults.set("myvault", "pwd", "s3cret", exp=START)
    adapter = TypeAdapter(VaultState)
    assert adapter.validate_json(adapter.dump_json(world.vaults.state)) == world.vaults.state
    assert "s3cret" not in repr(world.vaults.state)


@pytest.mark.parametrize("version", ["2023-07-01", "2022-07-01", "2026-02-01", "2026-05-01"])
def test_e8_the_control_plane_retires_its_api_versions_on_a_day(world: World, version: str) -> None:
    day = datetime(2027, 2, 27, tzinfo=UTC)
    provider = f"{ARM}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.KeyVault"
    urls = [f"{ARM}{path}?api-version={version}" for path in (VAULT, VAULT.rpartition("/")[0], f"{VAULT}/secrets")]
    urls.append(f"{provider}/deletedVaults?api-version={version}")
    world.clock.advance(day - timedelta(seconds=1) - world.clock.now())
    assert [world.owner.call("GET", url).status for url in urls] == [200] * 4
    before = world.owner.call("GET", f"{provider}?api-version=2022-09-01").body["resourceTypes"][0]["apiVersions"]
    assert {"2026-02-01", "2023-07-01"} <= set(before)
    world.clock.advance(timedelta(seconds=1))
    answers = [world.owner.call("GET", url) for url in urls]
    retired = version < "2026-02-01"
    assert [answer.status for answer in answers] == [400 if retired else 200] * 4
    if retired:
        error = answers[0].body["error"]
        assert error["code"] == "NoRegisteredProviderFound"
        assert (
            f"API version '{version}' for type 'vaults'. The supported api-versions are '2026-02-01'."
            in error["message"]
        )
        assert world.owner.call("PUT", urls[0], {"location": "eastus"}).status == 400
    after = world.owner.call("GET", f"{provider}?api-version=2022-09-01").body["resourceTypes"][0]["apiVersions"]
    assert after == ["2026-02-01"]
    assert world.owner.call("GET", f"{VAULT_URL}/secrets?api-version=7.4").status == 200
