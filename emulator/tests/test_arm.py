"""Tests of Resource Manager: the common behaviour of management calls, and the resources of registry and vault."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from local_azure.arm.behaviour import ResourceState
from management import ARM, GROUP, REGISTRY, SUBSCRIPTION, TENANT, VAULT, World
from pydantic import TypeAdapter

SUB = f"/subscriptions/{SUBSCRIPTION}"


@pytest.fixture
def world() -> World:
    return World()


def url(path: str, version: str = "2024-11-01", wanted: str = "") -> str:
    return f"{ARM}{path}?api-version={version}" + (f"&$filter={quote(wanted)}" if wanted else "")


def test_without_a_token_401_names_the_missing_header_and_where_to_sign_in(world: World) -> None:
    answer = world.call("GET", url("/subscriptions"))
    assert answer.status == 401
    assert answer.body == {
        "error": {
            "code": "AuthenticationFailed",
            "message": "Authentication failed. The 'Authorization' header is missing.",
        }
    }
    assert f'authorization_uri="https://login.windows.net/{TENANT}"' in answer.headers["WWW-Authenticate"]


def test_a_token_for_another_audience_or_past_its_end_is_refused(world: World) -> None:
    token = world.owner.get_token("https://vault.azure.net/.default").token
    answer = world.call("GET", url("/subscriptions"), headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")
    token = world.owner.get_token("https://management.azure.com/.default").token
    world.clock.advance(timedelta(hours=2))
    answer = world.call("GET", url("/subscriptions"), headers={"Authorization": f"Bearer {token}"})
    assert (answer.status, answer.body["error"]["code"]) == (401, "ExpiredAuthenticationToken")


@pytest.mark.parametrize(
    "resource",
    ["https://management.azure.com/", "https://management.core.windows.net/", "https://management.usgovcloudapi.net"],
)
def test_tokens_for_every_name_of_resource_manager_are_taken(world: World, resource: str) -> None:
    token = world.owner.get_token(f"{resource}/.default").token
    assert world.call("GET", url("/subscriptions"), headers={"Authorization": f"Bearer {token}"}).status == 200


def test_a_missing_api_version_is_400(world: World) -> None:
    answer = world.owner.call("GET", ARM + REGISTRY)
    assert (answer.status, answer.body["error"]["code"]) == (400, "MissingApiVersionParameter")


def test_every_answer_carries_ids_and_what_is_left_of_the_rate_limit(world: World) -> None:
    headers = world.owner.call("GET", url(REGISTRY)).headers
    assert {"x-ms-request-id", "x-ms-correlation-request-id", "Strict-Transport-Security", "Date"} <= set(headers)
    assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert world.owner.call("DELETE", url(f"{REGISTRY}/providers/Microsoft.Authorization/locks/x")).headers[
        "x-ms-ratelimit-remaining-subscription-deletes"
    ]


def test_subscriptions_are_listed_to_whoever_has_a_role_in_them(world: World) -> None:
    [found] = world.owner.call("GET", url("/subscriptions", "2022-12-01")).body["value"]
    assert (found["id"], found["subscriptionId"], found["tenantId"], found["state"]) == (
        SUB,
        SUBSCRIPTION,
        TENANT,
        "Enabled",
    )
    puller, stranger = world.identity("puller"), world.identity("stranger")
    world.authorization.assign(REGISTRY, puller.oid, "AcrPull")
    assert len(puller.call("GET", url("/subscriptions")).body["value"]) == 1
    assert stranger.call("GET", url("/subscriptions")).body["value"] == []
    assert stranger.call("GET", url(SUB)).status == 403


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions/00000000-0000-0000-0000-00000000dead", 404, "SubscriptionNotFound"),
        ("/subscriptions/nonsense/resourceGroups", 400, "InvalidSubscriptionId"),
        (f"{SUB}/resourceGroups/absent", 404, "ResourceGroupNotFound"),
        (f"{SUB}/resourceGroups/absent/providers/Microsoft.KeyVault/vaults/v12", 404, "ResourceGroupNotFound"),
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/absent", 404, "ResourceNotFound"),
        (f"{SUB}/providers/Microsoft.Nothing", 404, "InvalidResourceNamespace"),
        (f"{SUB}/providers/Microsoft.Compute", 501, "NotImplemented"),
        (f"{GROUP}/providers/Microsoft.Resources/links/x", 501, "NotImplemented"),
    ],
)
def test_what_is_not_there_is_refused_in_azures_words(world: World, path: str, status: int, code: str) -> None:
    answer = world.owner.call("GET", url(path))
    assert (answer.status, answer.body["error"]["code"]) == (status, code)


def test_a_stranger_does_not_learn_whether_a_group_exists(world: World) -> None:
    stranger = world.identity("stranger")
    for group in ("absent", "myResourceGroup"):
        answer = stranger.call("GET", url(f"{SUB}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/v12"))
        assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")


def test_a_type_that_no_provider_has_is_invalid(world: World) -> None:
    answer = world.owner.call("GET", url(f"{GROUP}/providers/Microsoft.KeyVault/safes/s", "2023-07-01"))
    assert (answer.status, answer.body["error"]["code"]) == (404, "InvalidResourceType")
    assert "in the namespace 'Microsoft.KeyVault' for api version '2023-07-01'" in answer.body["error"]["message"]


def test_ids_are_found_in_any_case_and_with_doubled_slashes(world: World) -> None:
    found = world.owner.call("GET", url(REGISTRY.upper().replace("/PROVIDERS/", "//providers//"))).body
    assert found["id"] == REGISTRY
    assert world.owner.call("GET", url(GROUP.replace("resourceGroups", "resourcegroups"))).body["location"] == "eastus"


def test_a_registry_has_its_login_server_and_shows_its_role_mode_since_2025(world: World) -> None:
    old = world.owner.call("GET", url(REGISTRY, "2023-07-01")).body
    assert old["properties"]["loginServer"] == "mycontainerregistry.azurecr.io"
    assert (old["properties"]["adminUserEnabled"], old["sku"]) == (False, {"name": "Standard", "tier": "Standard"})
    assert "roleAssignmentMode" not in old["properties"]
    new = world.owner.call("GET", url(REGISTRY, "2025-11-01")).body
    assert new["properties"]["roleAssignmentMode"] == "LegacyRegistryPermissions"
    assert world.resources.registry("MyContainerRegistry.azurecr.io") is world.resources.get(REGISTRY)
    assert world.resources.registry("mycontainerregistry.azurecr.us") is None


def test_a_registry_is_made_changed_and_listed(world: World) -> None:
    path = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/second1"
    body = {"location": "eastus", "sku": {"name": "Premium"}, "properties": {"adminUserEnabled": True}}
    assert [world.owner.call("PUT", url(path, "2024-11-01-preview"), body).status for _ in range(2)] == [201, 201]
    changed = world.owner.call(
        "PATCH", url(path, "2024-11-01-preview"), {"tags": {"a": "b"}, "properties": {"anonymousPullEnabled": True}}
    ).body
    assert changed["tags"] == {"a": "b"}
    assert (changed["properties"]["adminUserEnabled"], changed["properties"]["anonymousPullEnabled"]) == (True, True)
    for scope in (SUB, GROUP):
        listed = world.owner.call("GET", url(f"{scope}/providers/Microsoft.ContainerRegistry/registries")).body["value"]
        assert [r["name"] for r in listed] == ["mycontainerregistry", "second1"]


def test_registry_and_vault_names_are_unique_in_the_whole_cloud(world: World) -> None:
    world.resources.create_group(SUBSCRIPTION, "other", "eastus")
    for path, code in ((REGISTRY, "AlreadyInUse"), (VAULT, "VaultAlreadyExists")):
        answer = world.owner.call(
            "PUT", url(path.replace("myResourceGroup", "other")), {"location": "eastus", "sku": {"name": "Basic"}}
        )
        assert (answer.status, answer.body["error"]["code"]) == (409, code)


def test_a_vault_has_its_address_tenant_and_soft_delete(world: World) -> None:
    properties = world.owner.call("GET", url(VAULT, "2023-07-01")).body["properties"]
    assert (properties["vaultUri"], properties["tenantId"]) == ("https://myvault.vault.azure.net/", TENANT)
    assert (
        properties["enableSoftDelete"],
        properties["softDeleteRetentionInDays"],
        properties["enableRbacAuthorization"],
    ) == (True, 90, True)


def test_a_vault_of_an_older_api_version_uses_access_policies_by_default(world: World) -> None:
    path = f"{GROUP}/providers/Microsoft.KeyVault/vaults/"
    old = world.owner.call("PUT", url(path + "old-vault", "2023-07-01"), {"location": "eastus", "properties": {}})
    new = world.owner.call(
        "PUT", url(path + "new-vault", "2026-02-01"), {"location": "usgovvirginia", "properties": {}}
    )
    assert [a.body["properties"].get("enableRbacAuthorization") for a in (old, new)] == [None, True]
    assert new.body["properties"]["vaultUri"] == "https://new-vault.vault.usgovcloudapi.net/"


def test_resources_are_found_by_type_and_name(world: World) -> None:
    wanted = "resourceType eq 'Microsoft.ContainerRegistry/registries' and name eq 'MYCONTAINERREGISTRY'"
    [found] = world.owner.call("GET", url(f"{SUB}/resources", wanted=wanted)).body["value"]
    assert (found["id"], found["type"], "properties" in found) == (
        REGISTRY,
        "Microsoft.ContainerRegistry/registries",
        False,
    )
    assert world.owner.call("GET", url(f"{SUB}/resources", wanted="substringof('a', name)")).status == 501


def test_lists_show_only_what_the_caller_may_read(world: World) -> None:
    puller = world.identity("puller")
    world.authorization.assign(REGISTRY, puller.oid, "Reader")
    assert [r["name"] for r in puller.call("GET", url(f"{SUB}/resources")).body["value"]] == ["mycontainerregistry"]
    assert puller.call("GET", url(f"{SUB}/providers/Microsoft.KeyVault/vaults")).status == 403
    assert puller.call("GET", url(f"{SUB}/resourceGroups")).body["value"] == []


def test_a_group_is_made_found_and_stays_where_it_is(world: World) -> None:
    group = f"{SUB}/resourceGroups/second"
    assert world.owner.call("HEAD", url(group)).status == 404
    assert [world.owner.call("PUT", url(group), {"location": "westus"}).status for _ in range(2)] == [201, 200]
    assert world.owner.call("HEAD", url(group)).status == 204
    assert (
        world.owner.call("PUT", url(group), {"location": "eastus"}).body["error"]["code"]
        == "InvalidResourceGroupLocation"
    )
    assert [g["name"] for g in world.owner.call("GET", url(f"{SUB}/resourceGroups")).body["value"]] == [
        "myResourceGroup",
        "second",
    ]


def test_a_read_only_lock_forbids_writes_too(world: World) -> None:
    world.resources.lock(GROUP, "ReadOnly", "frozen")
    answer = world.owner.call("PATCH", url(REGISTRY), {"tags": {}})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ScopeLocked")
    [lock] = world.owner.call("GET", url(f"{REGISTRY}/providers/Microsoft.Authorization/locks")).body["value"]
    assert lock["properties"] == {"level": "ReadOnly"}


def test_a_provider_is_registered(world: World) -> None:
    answer = world.owner.call("GET", url(f"{SUB}/providers/microsoft.containerinstance"))
    assert (answer.body["namespace"], answer.body["registrationState"]) == ("Microsoft.ContainerInstance", "Registered")
    assert world.owner.call("POST", url(f"{SUB}/providers/Microsoft.ContainerInstance/register")).status == 200


def test_the_endpoints_are_an_object_to_anyone_and_a_list_when_asked(world: World) -> None:
    one = world.call("GET", f"{ARM}/metadata/endpoints?api-version=2022-09-01").body
    assert (one["name"], one["suffixes"]["keyVaultDns"], one["suffixes"]["acrLoginServer"]) == (
        "AzureCloud",
        "vault.azure.net",
        "azurecr.io",
    )
    assert one["resourceManager"] == "https://management.azure.com/"
    assert (len(one), len(one["suffixes"]), one["graphAudience"]) == (19, 14, "https://graph.windows.net/")
    assert world.call("GET", f"{ARM}/metadata/endpoints?as=list").body[0]["name"] == "AzureCloud"
    sovereign = world.call("GET", "https://management.usgovcloudapi.net/metadata/endpoints?api-version=2022-09-01").body
    assert sovereign["authentication"]["loginEndpoint"] == "https://login.microsoftonline.us"


@pytest.mark.parametrize("body", [["a"], {"location": "eastus", "properties": "p"}, {"properties": {}}])
def test_a_body_that_makes_no_sense_is_400(world: World, body: object) -> None:
    path = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/second1"
    assert world.owner.call("PUT", url(path), body).status == 400
    assert world.resources.get(path) is None


def test_what_is_not_emulated_answers_501(world: World) -> None:
    for method, path in (
        ("POST", f"{REGISTRY}/scheduleRun"),
        ("GET", f"{REGISTRY}/exportPipelines"),
        ("GET", f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a/blobServices/default"),
        ("GET", f"{VAULT}/keys/pwd"),
        ("GET", f"{SUB}/providers/Microsoft.ContainerInstance/locations/eastus/usages"),
        ("GET", f"{SUB}/providers/Microsoft.Authorization/roleEligibilityScheduleInstances"),
    ):
        answer = world.owner.call(method, url(path))
        assert (answer.status, answer.body["error"]["code"]) == (501, "NotImplemented"), path


def test_the_state_survives_json(world: World) -> None:
    world.resources.lock(GROUP)
    adapter = TypeAdapter(ResourceState)
    assert adapter.validate_json(adapter.dump_json(world.resources.state)) == world.resources.state


def test_regions_and_providers_are_described_as_azure_describes_them(world: World) -> None:
    regions = {
        each["name"]: each for each in world.owner.call("GET", url(f"{SUB}/locations", "2022-12-01")).body["value"]
    }
    west = regions["westus"]["metadata"]
    assert (west["regionCategory"], west["geography"], west["pairedRegion"][0]["name"]) == (
        "Other",
        "United States",
        "eastus",
    )
    assert len(regions["eastus"]["availabilityZoneMappings"]) == 3
    registry = world.owner.call("GET", url(f"{SUB}/providers/Microsoft.ContainerRegistry", "2022-09-01")).body
    shown = {each["resourceType"]: each for each in registry["resourceTypes"]}
    assert "West US" in shown["registries"]["locations"]
    assert "SystemAssignedResourceIdentity" in shown["registries"]["capabilities"]
    assert (shown["registries/tokens"]["capabilities"], "registries/cacheRules" in shown) == ("None", True)
