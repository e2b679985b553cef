"""Tests of virtual networks, security groups and storage accounts, as groups and vaults name them, by the requests of
az.
"""

import re

import pytest
from containers import SUBSCRIPTION, Answer, World
from local_azure.wire import Json

ARM = "https://management.azure.com"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"
NET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/mynet"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/mynsg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/mystorage"
DELEGATED = {
    "addressPrefix": "10.0.1.0/24",
    "delegations": [{"name": "aci", "properties": {"serviceName": "Microsoft.ContainerInstance/containerGroups"}}],
}


@pytest.fixture
def world() -> World:
    return World()


def at(path: str, version: str = "2024-07-01") -> str:
    return f"{ARM}{path}?api-version={version}"


def network(world: World) -> None:
    body = {
        "location": "eastus",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "one", "properties": {"addressPrefix": "10.0.0.0/24"}}],
        },
    }
    made = world.arm("PUT", at(NET), body)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Updating")
    assert made.headers["azure-asyncnotification"] == "Enabled"
    assert world.arm("GET", made.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}


def test_an_answer_about_networks_has_the_etag_and_the_id_of_its_request(world: World) -> None:
    network(world)
    for path in (NET, f"{NET}/subnets/one"):
        shown = world.arm("GET", at(path))
        assert (shown.headers["ETag"], "x-ms-arm-service-request-id" in shown.headers) == (shown.body["etag"], True)
    assert "x-ms-arm-service-request-id" not in world.arm("GET", at(f"{NET}2")).headers


def test_a_network_is_made_read_changed_and_deleted(world: World) -> None:
    network(world)
    more = {
        "enableVmProtection": False,
        "dhcpOptions": {},
        "subnets": [
            {
                "name": "x",
                "properties": {"addressPrefix": "10.0.0.0/24", "serviceEndpoints": [{"service": "Microsoft.KeyVault"}]},
            }
        ],
    }
    other = world.arm("PUT", at(f"{NET}2"), {"location": "eastus", "properties": more}).body["properties"]
    assert ("enableVmProtection" in other, other["dhcpOptions"]) == (False, {"dnsServers": []})
    assert other["subnets"][0]["properties"]["serviceEndpoints"] == [
        {"provisioningState": "Succeeded", "locations": ["*"], "service": "Microsoft.KeyVault"}
    ]
    shown = world.arm("GET", at(NET)).body
    assert list(shown) == ["name", "id", "etag", "type", "location", "properties"]
    assert re.fullmatch(r'W/"[0-9a-f-]{36}"', shown["etag"])
    assert list(shown["properties"]) == [
        *("provisioningState", "resourceGuid", "addressSpace", "privateEndpointVNetPolicies", "subnets"),
        *("virtualNetworkPeerings", "enableDdosProtection"),
    ]
    (subnet,) = shown["properties"]["subnets"]
    assert subnet == {
        "name": "one",
        "id": f"{NET}/subnets/one",
        "etag": shown["etag"],
        "properties": {
            "provisioningState": "Succeeded",
            "addressPrefix": "10.0.0.0/24",
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        },
        "type": "Microsoft.Network/virtualNetworks/subnets",
    }
    again = world.arm("PUT", at(NET), shown)
    assert (again.status, again.body["properties"]["resourceGuid"]) == (200, shown["properties"]["resourceGuid"])
    assert (again.body["properties"]["provisioningState"], "Retry-After" in again.headers) == ("Succeeded", False)
    tagged = world.arm("PUT", at(NET, "2023-11-01"), {**shown, "tags": {}, "properties": {}})
    assert (tagged.body["tags"], tagged.body["properties"]["provisioningState"]) == ({}, "Updating")
    assert ("privateEndpointVNetPolicies" in tagged.body["properties"], tagged.headers["Retry-After"]) == (False, "3")
    assert world.arm("PATCH", at(NET), {"tags": {"a": "b"}}).body["tags"] == {"a": "b"}
    gone = world.arm("DELETE", at(NET))
    assert (gone.status, gone.headers["Retry-After"]) == (202, "10")
    result = world.arm("GET", gone.headers["Location"])
    assert (result.status, result.headers["Location"]) == (204, gone.headers["Location"])
    assert result.headers["azure-asyncoperation"] == gone.headers["azure-asyncoperation"]
    assert re.search(r"/operations/[0-9a-f-]{36}\?", gone.headers["azure-asyncoperation"])
    assert [world.arm("DELETE", at(NET)).status, world.arm("GET", at(NET)).status] == [204, 404]


def test_a_subnet_of_a_group_is_delegated_and_cannot_be_deleted_under_it(world: World) -> None:
    network(world)
    subnet = f"{NET}/subnets/aci"
    assert world.arm("GET", at(subnet)).status == 404
    made = world.arm("PUT", at(subnet), {"properties": DELEGATED})
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Updating")
    (delegation,) = world.arm("GET", at(subnet)).body["properties"]["delegations"]
    assert delegation["properties"] == {
        "provisioningState": "Succeeded",
        "serviceName": "Microsoft.ContainerInstance/containerGroups",
        "actions": ["Microsoft.Network/virtualNetworks/subnets/action"],
    }
    assert [each["name"] for each in world.arm("GET", at(f"{NET}/subnets")).body["value"]] == ["one", "aci"]
    world.deploy(subnetIds=[{"id": subnet}])
    for path in (subnet, NET):
        assert (refused := world.arm("DELETE", at(path))).status == 400
        assert refused.code == "InUseSubnetCannotBeDeleted"
    assert world.arm("DELETE", at(f"{NET}/subnets/one")).status == 202
    assert [each["name"] for each in world.arm("GET", at(f"{NET}/subnets")).body["value"]] == ["aci"]
    missing = world.arm("GET", at(f"{NET}x/subnets/aci"))
    assert (missing.status, missing.code) == (404, "ResourceNotFound")
    assert "Microsoft.Network/virtualNetworks/mynetx" in missing.body["error"]["message"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"enabled": False}, {"enabled": False, "enforcement": "AllowUnencrypted"}),
        ({"enabled": True, "enforcement": "DropUnencrypted"}, {"enabled": True, "enforcement": "DropUnencrypted"}),
        ({"enabled": True}, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy"),
    ],
)
def test_a_networks_encryption_is_whole(world: World, given: Json, kept: Json) -> None:
    place = {"type": "EdgeZone", "name": "edge"}
    body = {"location": "eastus", "extendedLocation": place, "properties": {"encryption": given}}
    made = world.arm("PUT", at(NET), body)
    if isinstance(kept, str):
        assert (made.status, made.body["error"]["code"], made.body["error"]["details"]) == (400, kept, [])
        return
    assert (made.body["properties"]["encryption"], made.body["extendedLocation"]) == (kept, place)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("10.0.0.50", {"available": True, "isPlatformReserved": False}),
        (
            "10.0.0.0",
            {
                "available": False,
                "availableIPAddresses": ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8"],
                "isPlatformReserved": True,
            },
        ),
        ("10.9.0.1", "PrivateIPAddressNotInAnySubnet"),
        ("nonsense", "InvalidRequestFormat"),
    ],
)
def test_the_first_addresses_of_a_subnet_are_azures(world: World, address: str, found: Json) -> None:
    network(world)
    answer = world.arm("GET", at(f"{NET}/CheckIPAddressAvailability") + f"&ipAddress={address}")
    assert (answer.body["error"]["code"] if isinstance(found, str) else answer.body) == found


@pytest.mark.parametrize(
    ("service", "actions"),
    [
        ("Microsoft.Sql/managedInstances", ["join", "prepareNetworkPolicies", "unprepareNetworkPolicies"]),
        ("Microsoft.App/environments", ["join"]),
        ("Microsoft.Web/serverFarms", ["subnets"]),
    ],
)
def test_the_actions_of_a_delegation_are_the_services(world: World, service: str, actions: list[str]) -> None:
    network(world)
    to = [{"name": "it", "properties": {"serviceName": service}}]
    ends = [{"service": "Microsoft.Sql"}]
    given = {"addressPrefix": "10.0.2.0/24", "delegations": to, "serviceEndpoints": ends}
    made = world.arm("PUT", at(f"{NET}/subnets/two"), {"properties": given}).body["properties"]
    assert [each.rsplit("/", 2)[1] for each in made["delegations"][0]["properties"]["actions"]] == actions
    assert made["serviceEndpoints"][0]["locations"] == ["eastus"]


def other_network(world: World, name: str, prefix: str) -> str:
    path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"
    world.arm("PUT", at(path), {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": [prefix]}}})
    return path


def peer(world: World, one: str, other: str, name: str = "p", query: str = "", **more: Json) -> Answer:
    wanted = {"remoteVirtualNetwork": {"id": other}, "allowForwardedTraffic": True, **more}
    return world.arm("PUT", at(f"{one}/virtualNetworkPeerings/{name}") + query, {"properties": wanted})


def test_two_networks_are_peered_from_both_sides(world: World) -> None:
    network(world)
    other = other_network(world, "other", "11.0.0.0/16")
    first = peer(world, NET, other)
    assert (first.status, first.body["properties"]["provisioningState"]) == (201, "Updating")

    def states() -> list[tuple[str, str]]:
        shown = [world.arm("GET", at(f"{each}/virtualNetworkPeerings/p")).body["properties"] for each in (NET, other)]
        return [(each["peeringState"], each["peeringSyncLevel"]) for each in shown]

    second = peer(world, other, NET).body["properties"]
    assert states() == [("Connected", "FullyInSync")] * 2
    assert second["resourceGuid"] == first.body["properties"]["resourceGuid"]
    assert second["remoteAddressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    (shown,) = world.arm("GET", at(NET)).body["properties"]["virtualNetworkPeerings"]
    assert list(shown["properties"])[:5] == [
        *("provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteVirtualNetwork"),
    ]
    other_network(world, "other", "12.0.0.0/16")
    assert states() == [("Connected", "LocalNotInSync"), ("Connected", "RemoteNotInSync")]
    assert peer(world, NET, other, query="&syncRemoteAddressSpace=true").status == 200
    assert states() == [("Connected", "FullyInSync")] * 2
    assert world.arm("DELETE", at(f"{NET}/virtualNetworkPeerings/p")).status == 202
    assert world.arm("DELETE", at(f"{NET}/virtualNetworkPeerings/p")).status == 204
    assert world.arm("GET", at(f"{NET}/virtualNetworkPeerings")).body == {"value": []}
    (left,) = world.arm("GET", at(f"{other}/virtualNetworkPeerings")).body["value"]
    assert left["properties"]["peeringState"] == "Disconnected"


def test_networks_are_peered_in_part(world: World) -> None:
    network(world)
    other = other_network(world, "other", "10.0.0.0/16")
    made = peer(world, other, NET, peerCompleteVnets=False, remoteSubnetNames=["one"]).body["properties"]
    assert (made["remoteAddressSpace"], made["localAddressSpace"]) == (
        {"addressPrefixes": ["10.0.0.0/24"]},
        {"addressPrefixes": []},
    )


def test_a_peering_that_cannot_be_is_refused(world: World) -> None:
    network(world)
    same, other = other_network(world, "same", "10.0.9.0/24"), other_network(world, "other", "11.0.0.0/16")
    peer(world, NET, other)
    refused = (
        peer(world, NET, f"{NET}x"),
        peer(world, NET, same),
        peer(world, NET, other, "second"),
        peer(world, NET, other, useRemoteGateways=True),
    )
    assert [(each.status, each.code) for each in refused] == [
        (400, "InvalidResourceReference"),
        (400, "VnetAddressSpacesOverlap"),
        (400, "AnotherPeeringAlreadyReferencesRemoteVnet"),
        (400, "RemoteVnetHasNoGateways"),
    ]


def interface(world: World, name: str, **more: Json) -> Answer:
    inside = {"name": "ipconfig1", "properties": {"subnet": {"id": f"{NET}/subnets/one"}, **more}}
    body = {"location": "eastus", "properties": {"ipConfigurations": [inside]}}
    return world.arm("PUT", at(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{name}", "2020-11-01"), body)


def test_a_subnet_names_the_interfaces_in_it(world: World) -> None:
    network(world)
    made = interface(world, "nic")
    (own,) = made.body["properties"]["ipConfigurations"]
    assert (made.status, own["properties"]["privateIPAddress"], own["properties"]["primary"]) == (201, "10.0.0.4", True)
    assert interface(world, "nic2").body["properties"]["ipConfigurations"][0]["properties"] == {
        **own["properties"],
        "privateIPAddress": "10.0.0.5",
    }
    assert interface(world, "nic").body["properties"]["resourceGuid"] == made.body["properties"]["resourceGuid"]
    path = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
    newer = world.arm("GET", at(path)).body
    assert (newer["kind"], newer["properties"]["auxiliarySku"]) == ("Regular", "None")
    assert "enableAcceleratedNetworking" not in newer["properties"]
    capital = f"{GROUP.replace('myResourceGroup', 'MYRESOURCEGROUP')}/providers/Microsoft.Network/networkInterfaces"
    subnet = world.arm("GET", at(f"{NET}/subnets/one")).body
    assert subnet["properties"]["ipConfigurations"] == [
        {"id": f"{capital}/{name}/ipConfigurations/IPCONFIG1"} for name in ("NIC", "NIC2")
    ]
    assert world.arm("GET", at(NET)).body["properties"]["subnets"] == [subnet]
    again = world.arm("PUT", at(f"{NET}/subnets/one"), {"properties": {"addressPrefix": "10.0.0.0/24"}})
    assert again.body["properties"]["ipConfigurations"][0]["id"] == f"{path}/ipConfigurations/ipconfig1"
    assert (again.body["properties"]["provisioningState"], "Retry-After" in again.headers) == ("Succeeded", False)
    for held in (f"{NET}/subnets/one", NET):
        assert world.arm("DELETE", at(held)).code == "InUseSubnetCannotBeDeleted"
    gone = [world.arm("DELETE", at(path)) for _ in range(2)]
    assert ([each.status for each in gone], gone[0].headers["Retry-After"]) == ([202, 204], "4")


@pytest.mark.parametrize(
    ("version", "more", "left"),
    [
        ("2024-07-01", {}, ["one"]),
        ("2023-04-01", {}, []),
        ("2024-07-01", {"subnets": []}, []),
    ],
)
def test_a_networks_put_without_subnets_keeps_them_since_2023(
    world: World, version: str, more: Json, left: list[str]
) -> None:
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, **more}}
    network(world)
    assert interface(world, "inside").status == 201
    answer = world.arm("PUT", at(NET, version), body)
    assert answer.status == (200 if left else 400)
    assert left or answer.code == "InUseSubnetCannotBeDeleted"
    assert world.arm("DELETE", at(f"{GROUP}/providers/Microsoft.Network/networkInterfaces/inside")).status == 202
    assert world.arm("PUT", at(NET, version), body).status == 200
    assert [each["name"] for each in world.arm("GET", at(f"{NET}/subnets")).body["value"]] == left


def test_a_security_group_that_is_in_use_is_not_deleted(world: World) -> None:
    network(world)
    path = f"{NET}/subnets/one"
    assert world.arm("PUT", at(NSG), {"location": "eastus"}).status == 201
    for group in ({"networkSecurityGroup": {"id": NSG}}, {}):
        named = {"properties": {"addressPrefix": "10.0.0.0/24", **group}}
        assert world.arm("PUT", at(path), named).status == 200
        answer = world.arm("DELETE", at(NSG))
        if group:
            assert answer.code == "InUseNetworkSecurityGroupCannotBeDeleted"
            assert f"resources: {path}. In" in answer.body["error"]["message"]
        else:
            assert answer.status == 202


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"subnet": {"id": f"{NET}/subnets/none"}}, "InvalidResourceReference"),
        ({"privateIPAddress": "10.9.0.4"}, "PrivateIPAddressNotInSubnet"),
        ({"privateIPAddress": "10.0.0.4"}, "PrivateIPAddressInUse"),
        ({"privateIPAddress": "ten"}, "InvalidRequestFormat"),
        ({"loadBalancerBackendAddressPools": []}, "NotImplemented"),
        ({"privateIPAddress": "10.0.0.9", "publicIPAddress": {"id": "/x"}}, None),
    ],
)
def test_an_interface_has_a_free_address_of_its_subnet(world: World, given: Json, code: str | None) -> None:
    network(world)
    interface(world, "first")
    answer = interface(world, "second", **given)
    if code is not None:
        assert (answer.status, answer.code) == (501 if code == "NotImplemented" else 400, code)
        return
    (own,) = answer.body["properties"]["ipConfigurations"]
    assert (answer.status, own["properties"]["publicIPAddress"]) == (201, {"id": "/x"})


def test_a_security_group_has_the_default_rules_and_its_own(world: World) -> None:
    assert world.arm("PUT", at(NSG), {"location": "eastus"}).status == 201
    shown = world.arm("GET", at(NSG)).body["properties"]
    assert [each["properties"]["priority"] for each in shown["defaultSecurityRules"]] == 2 * [65000, 65001, 65500]
    rule = {"protocol": "Tcp", "access": "Allow", "priority": 100, "direction": "Inbound"}
    assert world.arm("PUT", at(f"{NSG}/securityRules/https"), {"properties": rule}).status == 201
    (own,) = world.arm("GET", at(NSG)).body["properties"]["securityRules"]
    assert (own["name"], own["properties"]["priority"]) == ("https", 100)
    assert world.arm("DELETE", at(f"{NSG}/securityRules/https")).status == 202
    assert world.arm("GET", at(NSG)).body["properties"]["securityRules"] == []


def test_what_networks_and_storage_have_beyond_that_is_not_implemented(world: World) -> None:
    for rest in ("Microsoft.Network/publicIPAddresses/x", "Microsoft.Storage/storageAccounts/mystorage/blobServices/x"):
        assert world.arm("GET", at(f"{GROUP}/providers/{rest}")).status == 501


def test_a_storage_account_has_a_name_of_its_own_and_two_keys(world: World) -> None:
    version = "2024-01-01"
    check = at(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/checkNameAvailability", version)
    ask = {"name": "mystorage", "type": "Microsoft.Storage/storageAccounts"}
    assert world.arm("POST", check, ask).body == {"nameAvailable": True}
    body = {"location": "eastus", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "tags": {"a": "b"}}
    made = world.arm("PUT", at(ACCOUNT, version), body)
    assert made.status == 202
    account = world.arm("GET", made.headers["Location"]).body
    assert account == world.arm("GET", at(ACCOUNT, version)).body
    assert account["sku"] == {"name": "Standard_LRS", "tier": "Standard"}
    assert account["properties"]["primaryEndpoints"]["file"] == "https://mystorage.file.core.windows.net/"
    services = account["properties"]["encryption"]["services"]
    assert {name: each["enabled"] for name, each in services.items()} == {"file": True, "blob": True}
    assert "secondaryLocation" not in account["properties"]
    assert world.arm("POST", check, ask).body["reason"] == "AlreadyExists"
    assert world.arm("POST", check, {**ask, "name": "My"}).body["reason"] == "AccountNameInvalid"
    keys = world.arm("POST", at(f"{ACCOUNT}/listKeys", version)).body["keys"]
    assert [(each["keyName"], len(each["value"])) for each in keys] == [("key1", 88), ("key2", 88)]
    spread = world.arm("PUT", at(ACCOUNT, version), {**body, "sku": {"name": "Standard_RAGRS"}})
    assert (spread.status, spread.body["properties"]["secondaryLocation"]) == (200, "westus")
    second = "https://mystorage-secondary.blob.core.windows.net/"
    assert spread.body["properties"]["secondaryEndpoints"]["blob"] == second
    assert world.arm("PUT", at(f"{ACCOUNT[:-9]}Bad", version), body).code == "AccountNameInvalid"
    assert [world.arm("DELETE", at(ACCOUNT, version)).status for _ in range(2)] == [200, 204]
