"""Tests of vaults and resource groups through Resource Manager: how they are made, changed, deleted and restored."""

from datetime import date, timedelta
from typing import Any

import pytest
from local_azure.timing import Timing
from management import ARM, GROUP, REGISTRY, SUBSCRIPTION, TENANT, VAULT, VAULT_URL, World

SUB = f"/subscriptions/{SUBSCRIPTION}"
VAULTS = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
GRAVES = f"{SUB}/providers/Microsoft.KeyVault"


@pytest.fixture
def world() -> World:
    return World()


def at(path: str, version: str = "2023-07-01", more: str = "") -> str:
    return f"{ARM}{path}?api-version={version}{more}"


def made(world: World, name: str = "second-vault", **properties: Any) -> Any:
    body = {
        "location": "eastus",
        "properties": {
            "tenantId": TENANT,
            "sku": {"family": "A", "name": "standard"},
            "accessPolicies": [],
            **properties,
        },
    }
    return world.owner.call("PUT", at(f"{VAULTS}/{name}"), body)


def test_a_vault_keeps_what_a_put_leaves_out_and_ignores_what_only_the_service_decides(world: World) -> None:
    first = made(world, softDeleteRetentionInDays=7, enableRbacAuthorization=True)
    assert (first.status, first.body["properties"]["provisioningState"]) == (200, "Succeeded")
    assert {"x-ms-keyvault-service-version", "x-aspnet-version"} <= {name.lower() for name in first.headers}
    again = made(world, vaultUri="https://elsewhere.example/", provisioningState="Failed", enableSoftDelete=False).body[
        "properties"
    ]
    assert (again["vaultUri"], again["provisioningState"]) == ("https://second-vault.vault.azure.net/", "Succeeded")
    assert (again["softDeleteRetentionInDays"], again["enableRbacAuthorization"], again["enableSoftDelete"]) == (
        7,
        True,
        True,
    )
    assert "createMode" not in again


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"softDeleteRetentionInDays": 30}, "has been set already and it can't be modified"),
        ({"softDeleteRetentionInDays": 6}, "can't be modified"),
        ({"enablePurgeProtection": False}, "is an irreversible action"),
        ({"tenantId": "00000000-0000-0000-0000-000000000009"}, "does not match the tenant"),
        ({"networkAcls": {"ipRules": [{"value": "nowhere"}]}}, "is not valid"),
        ({"accessPolicies": [{"permissions": {}}]}, "An access policy needs"),
    ],
)
def test_what_cannot_be_undone_or_makes_no_sense_is_refused(
    world: World, properties: dict[str, Any], message: str
) -> None:
    made(world)
    answer = made(world, **properties)
    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest")
    assert message in answer.body["error"]["message"]


def test_network_rules_are_shown_as_ranges_with_their_defaults(world: World) -> None:
    shown = made(world, networkAcls={"ipRules": [{"value": "192.0.2.7"}]}).body["properties"]["networkAcls"]
    ranges = [{"value": "192.0.2.7/32"}]
    assert shown == {"bypass": "AzureServices", "defaultAction": "Allow", "ipRules": ranges, "virtualNetworkRules": []}
    subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/One/subnets/Two"
    inside = {"name": "Two", "properties": {"serviceEndpoints": [{"service": "Microsoft.KeyVault"}]}}
    open_to(world, inside, {"name": "Three"})
    ruled = made(world, networkAcls={"virtualNetworkRules": [{"id": subnet}]}).body["properties"]["networkAcls"]
    assert ruled["virtualNetworkRules"] == [{"id": subnet.lower()}]
    opened = made(world, networkAcls={"bypass": "AzureServices", "defaultAction": "Allow"}).body["properties"]
    assert "networkAcls" not in opened


def open_to(world: World, *subnets: dict[str, Any]) -> None:
    body = {"location": "eastus", "properties": {"subnets": [*subnets]}}
    world.owner.call("PUT", at(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/One", "2024-05-01"), body)


@pytest.mark.parametrize(
    ("subnet", "more", "words"),
    [
        ("Three", {}, "Subnets three of virtual network"),
        ("Four", {}, "StatusCode: 404 (NotFound). Error Code: NotFound."),
        ("Three", {"ignoreMissingVnetServiceEndpoint": True}, None),
    ],
)
def test_a_vault_is_open_to_subnets_with_its_endpoint(
    world: World, subnet: str, more: dict[str, Any], words: str | None
) -> None:
    open_to(world, {"name": "Three"})
    rule = {"id": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/One/subnets/{subnet}", **more}
    answer = made(world, networkAcls={"virtualNetworkRules": [rule]})
    if words is None:
        assert answer.status == 200
        return
    assert (answer.status, answer.body["error"]["code"]) == (400, "VirtualNetworkNotValid")
    assert words in answer.body["error"]["message"]


def test_a_vault_shows_what_it_has_in_the_order_of_recorded_answers(world: World) -> None:
    closed = {"defaultAction": "Deny"}
    shown = made(
        world,
        publicNetworkAccess="enabled",
        enabledForDiskEncryption=True,
        networkAcls=closed,
        enablePurgeProtection=True,
        enableRbacAuthorization=False,
    ).body
    assert list(shown) == ["id", "name", "type", "location", "tags", "systemData", "properties"]
    assert shown["properties"]["publicNetworkAccess"] == "Enabled"
    assert list(shown["properties"]) == [
        *(
            "sku",
            "tenantId",
            "networkAcls",
            "accessPolicies",
            "enabledForDeployment",
            "enabledForDiskEncryption",
            "enableSoftDelete",
        ),
        *(
            "softDeleteRetentionInDays",
            "enableRbacAuthorization",
            "enablePurgeProtection",
            "vaultUri",
            "provisioningState",
            "publicNetworkAccess",
        ),
    ]


def test_access_policies_are_added_replaced_and_removed(world: World) -> None:
    one = {"tenantId": TENANT, "objectId": "00000000-0000-4000-8000-00000000000a", "permissions": {"secrets": ["get"]}}
    made(world, enableRbacAuthorization=False, accessPolicies=[one])
    path = f"{VAULTS}/second-vault/accessPolicies"

    def change(kind: str, *permissions: str) -> Any:
        body = {"properties": {"accessPolicies": [{**one, "permissions": {"secrets": list(permissions)}}]}}
        return world.owner.call("PUT", at(f"{path}/{kind}"), body)

    added = change("add", "list", "get")
    assert (added.status, added.body["id"]) == (200, f"{path}/")
    assert added.body["properties"]["accessPolicies"][0]["permissions"]["secrets"] == ["get", "list"]
    assert change("replace", "set").body["properties"]["accessPolicies"][0]["permissions"]["secrets"] == ["set"]
    assert change("remove", "set").body["properties"]["accessPolicies"] == []
    assert change("forget").status == 400


def test_a_deleted_vault_keeps_its_name_and_comes_back_with_its_secrets(world: World) -> None:
    world.vaults.set("myvault", "pwd", "x")
    assert [world.owner.call("DELETE", at(VAULT)).status for _ in range(2)] == [200, 204]
    assert world.owner.call("GET", at(VAULT)).status == 404
    [grave] = world.owner.call("GET", at(f"{GRAVES}/deletedVaults")).body["value"]
    assert grave["id"] == f"{SUB}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/myvault"
    assert (grave["properties"]["vaultId"], grave["properties"]["deletionDate"]) == (VAULT, "2026-03-01T12:05:00Z")
    assert grave["properties"]["scheduledPurgeDate"] == "2026-05-30T12:05:00Z"
    answer = world.owner.call("PUT", at(VAULT), {"location": "eastus", "properties": {}})
    assert (answer.status, answer.body["error"]["code"]) == (409, "ConflictError")
    body = {
        "location": "eastus",
        "properties": {"createMode": "recover", "tenantId": TENANT, "sku": {"family": "A", "name": "standard"}},
    }
    assert world.owner.call("PUT", at(VAULT), body).body["properties"]["enableRbacAuthorization"] is True
    assert world.owner.call("GET", f"{VAULT_URL}/secrets/pwd/?api-version=7.4").body["value"] == "x"
    assert world.owner.call("GET", at(f"{GRAVES}/deletedVaults")).body["value"] == []
    again = world.owner.call("PUT", at(f"{VAULTS}/absent-vault"), body)
    assert (again.status, again.body["error"]["code"]) == (404, "DeletedVaultNotFound")


def test_a_purged_vault_is_gone_with_its_secrets(world: World) -> None:
    world.vaults.set("myvault", "pwd", "x")
    world.owner.call("DELETE", at(VAULT))
    grave = f"{GRAVES}/locations/eastus/deletedVaults/myvault"
    assert world.owner.call("GET", at(grave)).body["name"] == "myvault"
    purged = world.owner.call("POST", at(f"{grave}/purge"))
    assert (purged.status, purged.body, purged.headers["Retry-After"]) == (202, None, "5")
    asked = world.owner.call("GET", purged.headers["Location"])
    assert (asked.status, list(asked.body), asked.body["status"]) == (
        200,
        ["createdDateTime", "lastActionDateTime", "status"],
        "Succeeded",
    )
    assert world.owner.call("POST", at(f"{grave}/purge")).status == 404
    assert made(world, "myvault", enableRbacAuthorization=True).status == 200
    assert world.owner.call("GET", f"{VAULT_URL}/secrets?api-version=7.4").body["value"] == []


def test_purge_protection_keeps_a_vault_to_the_end_of_its_days(world: World) -> None:
    made(world, enablePurgeProtection=True, softDeleteRetentionInDays=7)
    world.owner.call("DELETE", at(f"{VAULTS}/second-vault"))
    grave = f"{GRAVES}/locations/eastus/deletedVaults/second-vault"
    assert world.owner.call("GET", at(grave)).body["properties"]["purgeProtectionEnabled"] is True
    answer = world.owner.call("POST", at(f"{grave}/purge"))
    assert (answer.status, answer.body["error"]["code"]) == (405, "MethodNotAllowed")
    world.clock.advance(timedelta(days=7))
    assert world.owner.call("GET", at(grave)).status == 404
    assert made(world).status == 200


def test_a_name_is_taken_by_a_deleted_vault_too(world: World) -> None:
    check = at(f"{GRAVES}/checkNameAvailability")
    assert world.owner.call("POST", check, {"name": "free-name"}).body == {"nameAvailable": True}
    world.owner.call("DELETE", at(VAULT))
    taken = world.owner.call("POST", check, {"name": "MyVault"}).body
    assert (taken["nameAvailable"], taken["reason"]) == (False, "AlreadyExists")
    assert "recently deleted but not purged" in taken["message"]
    assert world.owner.call("POST", check, {"name": "a--b"}).body["reason"] == "AccountNameInvalid"
    world.resources.create_group(SUBSCRIPTION, "other", "eastus")
    elsewhere = world.owner.call("PUT", at(VAULT.replace("myResourceGroup", "other")), {"location": "eastus"})
    assert (elsewhere.status, elsewhere.body["error"]["code"]) == (409, "VaultAlreadyExists")


def test_a_new_vault_is_registered_only_after_a_while() -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1))
    first = made(world).body["properties"]
    assert (first["provisioningState"], first["vaultUri"]) == ("RegisteringDns", "https://second-vault.vault.azure.net")
    world.clock.advance(timedelta(seconds=30))
    later = world.owner.call("GET", at(f"{VAULTS}/second-vault")).body["properties"]
    assert (later["provisioningState"], later["vaultUri"]) == ("Succeeded", "https://second-vault.vault.azure.net/")


def test_a_group_is_deleted_with_all_that_is_in_it() -> None:
    world = World(Timing(role_active=0, secret_valid=0, replicas=1, group_gone=30))
    world.authorization.assign(REGISTRY, world.identity("puller").oid, "AcrPull")
    answer = world.owner.call("DELETE", at(GROUP, "2024-11-01"))
    assert (answer.status, answer.headers["Retry-After"], answer.body) == (202, "15", None)
    assert world.owner.call("GET", at(GROUP, "2024-11-01")).body["properties"]["provisioningState"] == "Deleting"
    follow = answer.headers["Location"]
    assert world.owner.call("GET", follow).status == 202
    assert world.owner.call("GET", at(REGISTRY)).status == 404
    world.clock.advance(timedelta(seconds=30))
    assert world.owner.call("GET", follow).status == 200
    assert world.owner.call("HEAD", at(GROUP, "2024-11-01")).status == 404
    assert [each.role for each in world.authorization.assignments(GROUP) if each.scope.startswith(GROUP)] == []
    assert [each.resource.name for each in world.resources.deleted_vaults.of(SUBSCRIPTION)] == ["myvault"]
    assert world.owner.call("DELETE", at(GROUP, "2024-11-01")).status == 404


@pytest.mark.parametrize("scope", [SUB, GROUP, VAULT])
def test_a_lock_anywhere_keeps_a_group_from_being_deleted(world: World, scope: str) -> None:
    world.resources.lock(scope, "CanNotDelete", "keep")
    answer = world.owner.call("DELETE", at(GROUP, "2024-11-01"))
    assert (answer.status, answer.body["error"]["code"]) == (409, "ScopeLocked")
    assert f"following scope(s) are locked: '{scope}'" in answer.body["error"]["message"]
    assert world.resources.get(REGISTRY) is not None


def test_groups_are_patched_filtered_by_tag_and_listed_in_pages(world: World) -> None:
    for name in ("one", "two", "three"):
        world.resources.create_group(SUBSCRIPTION, name, "eastus", {"kind": name})
    path = f"{SUB}/resourceGroups"
    assert world.owner.call("PATCH", at(f"{path}/one", "2024-11-01"), {"tags": {"kind": "two"}}).body["tags"] == {
        "kind": "two"
    }
    wanted = "&$filter=tagName%20eq%20'kind'%20and%20tagValue%20eq%20'two'"
    assert [g["name"] for g in world.owner.call("GET", at(path, "2024-11-01", wanted)).body["value"]] == ["one", "two"]
    page = world.owner.call("GET", at(path, "2024-11-01", "&$top=3")).body
    rest = world.owner.call("GET", page["nextLink"]).body
    assert ([g["name"] for g in page["value"]], [g["name"] for g in rest["value"]]) == (
        ["myResourceGroup", "one", "two"],
        ["three"],
    )
    assert "nextLink" not in rest
    assert world.owner.call("GET", at(path, "2024-11-01", "&$orderby=name")).status == 501


def test_several_subscriptions_are_apart_and_each_is_listed_where_somebody_has_a_role(world: World) -> None:
    other = "00000000-0000-0000-0000-000000000002"
    world.resources.add_subscription(other, "Other")
    assert len(world.owner.call("GET", at("/subscriptions", "2022-12-01")).body["value"]) == 1
    world.authorization.assign(f"/subscriptions/{other}", world.owner.oid, "Contributor", at_once=True)
    listed = [each["displayName"] for each in world.owner.call("GET", at("/subscriptions", "2022-12-01")).body["value"]]
    assert listed == ["Test", "Other"]
    world.owner.call("PUT", at(f"/subscriptions/{other}/resourceGroups/rg", "2024-11-01"), {"location": "westeurope"})
    assert world.owner.call("GET", at(f"{SUB}/resourceGroups/rg", "2024-11-01")).status == 404
    shown = {
        version: {each["name"]: each for each in world.owner.call("GET", at(path, version)).body["value"]}
        for path in (f"/subscriptions/{other}/locations",)
        for version in ("2019-11-01", "2022-12-01")
    }
    regions = shown["2022-12-01"]
    assert {"eastus", "westeurope"} <= regions.keys() and "usgovvirginia" not in regions
    assert [name for name, each in regions.items() if "availabilityZoneMappings" not in each] == ["westus"]
    old = shown["2019-11-01"]["eastus"]
    assert {"type", "availabilityZoneMappings"} & old.keys() == set() and "geography" not in old["metadata"]


def test_providers_name_the_versions_of_their_types(world: World) -> None:
    listed = world.owner.call("GET", at(f"{SUB}/providers", "2024-11-01")).body["value"]
    assert {"Microsoft.KeyVault", "Microsoft.ContainerRegistry", "Microsoft.ContainerInstance"} <= {
        each["namespace"] for each in listed
    }
    [vaults] = [
        kind
        for each in listed
        for kind in each["resourceTypes"]
        if (each["namespace"], kind["resourceType"]) == ("Microsoft.KeyVault", "vaults")
    ]
    assert vaults["apiVersions"][0] == vaults["defaultApiVersion"]
    assert (
        world.owner.call("GET", at("/providers/Microsoft.KeyVault", "2024-11-01")).body["namespace"]
        == "Microsoft.KeyVault"
    )


def test_a_resource_does_not_move_by_a_put(world: World) -> None:
    answer = world.owner.call("PUT", at(VAULT), {"location": "westus", "properties": {}})
    assert (answer.status, answer.body["error"]["code"]) == (409, "InvalidResourceLocation")
    assert world.owner.call("PUT", at(VAULT), {"location": "East US", "properties": {}}).status == 200


def test_there_are_no_managed_hsms_and_none_can_be_made(world: World) -> None:
    for path in (
        f"{GRAVES}/managedHSMs",
        f"{GROUP}/providers/Microsoft.KeyVault/managedHSMs",
        f"{GRAVES}/deletedManagedHSMs",
    ):
        assert world.owner.call("GET", at(path)).body == {"value": []}
    assert world.owner.call("POST", at(f"{GRAVES}/checkMhsmNameAvailability"), {"name": "hsm"}).body == {
        "nameAvailable": True
    }
    assert (
        world.owner.call(
            "PUT", at(f"{GROUP}/providers/Microsoft.KeyVault/managedHSMs/hsm"), {"location": "eastus"}
        ).status
        == 501
    )


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("path", [VAULTS, f"{GRAVES}/deletedVaults"])
def test_vaults_come_in_pages_whose_last_is_empty(world: World, path: str, count: int) -> None:
    for number in range(count - (path == VAULTS)):
        made(world, f"vault-{number}")
        if path != VAULTS:
            world.owner.call("DELETE", at(f"{VAULTS}/vault-{number}"))
    pages, url = [], at(path, more="&$top=2")
    while url:
        answer = world.owner.call("GET", url).body
        pages.append(len(answer["value"]))
        url = answer.get("nextLink")
    assert pages == {1: [1, 0], 2: [2, 0], 3: [2, 1, 0], 5: [2, 2, 1, 0]}[count]


def test_a_vault_says_what_a_private_endpoint_could_lead_to(world: World) -> None:
    [part] = world.owner.call("GET", at(f"{VAULT}/privateLinkResources")).body["value"]
    zones = part["properties"]["requiredZoneNames"]
    assert (part["id"], part["name"], zones) == (
        f"{VAULT}/privateLinkResources/vault",
        "vault",
        ["privatelink.vaultcore.azure.net"],
    )


def test_an_invented_continuation_of_a_list_is_refused(world: World) -> None:
    for token in ("Mg", "nonsense", "MiEwMDAwMDAwMDAwMDA"):
        refused = world.owner.call("GET", at(f"{GRAVES}/deletedVaults", more=f"&$skiptoken={token}"))
        assert (refused.status, refused.body["error"]["code"]) == (400, "InvalidSkipToken")
        refused = world.owner.call("GET", f"{VAULT_URL}/secrets?api-version=7.4&$skiptoken={token}")
        assert (refused.status, refused.body["error"]["code"]) == (400, "BadParameter")


def test_a_newer_api_version_says_false_of_flags_that_nobody_set(world: World) -> None:
    flags = (
        "enabledForDeployment",
        "enabledForDiskEncryption",
        "enabledForTemplateDeployment",
        "enableRbacAuthorization",
    )
    recorded = made(world, enabledForDiskEncryption=None, enableRbacAuthorization=None).body["properties"]
    assert {name: recorded[name] for name in flags if name in recorded} == {"enabledForDeployment": False}
    shown = world.owner.call("GET", at(f"{VAULTS}/second-vault", "2024-11-01")).body["properties"]
    assert {name: shown[name] for name in flags} == dict.fromkeys(flags, False)
    older = world.owner.call("GET", at(f"{VAULTS}/second-vault", "2019-09-01")).body["properties"]
    assert "enabledForDiskEncryption" not in older


@pytest.mark.parametrize(
    ("version", "asked", "shown"),
    [
        ("2016-10-01", {}, {}),
        ("2016-10-01", {"enableSoftDelete": True}, {"enableSoftDelete": True}),
        ("2021-04-01-preview", {}, {"enableSoftDelete": True}),
        ("2023-07-01", {"enableSoftDelete": True}, {"enableSoftDelete": True}),
        ("2023-07-01", {}, {"enableSoftDelete": True, "softDeleteRetentionInDays": 90}),
    ],
)
def test_a_vault_shows_soft_delete_as_its_maker_asked_for_it(
    world: World, version: str, asked: dict[str, bool], shown: dict[str, Any]
) -> None:
    """Recorded of azure-cli and azure-service-operator, 2021 to 2026; a vault has soft delete in any case."""
    url = at(f"{VAULTS}/silent-vault", version)
    properties = {"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": [], **asked}
    answer = world.owner.call("PUT", url, {"location": "eastus", "properties": properties}).body
    about = ("enableSoftDelete", "softDeleteRetentionInDays")
    assert {name: answer["properties"][name] for name in about if name in answer["properties"]} == shown
    assert ("systemData" in answer) is (version >= "2021")
    assert world.owner.call("DELETE", url).status == 200
    (grave,) = world.owner.call("GET", at(f"{GRAVES}/deletedVaults", version)).body["value"]
    days = grave["properties"]["scheduledPurgeDate"][:10], grave["properties"]["deletionDate"][:10]
    assert (date.fromisoformat(days[0]) - date.fromisoformat(days[1])).days == 90
