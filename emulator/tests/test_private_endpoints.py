"""Tests of private endpoints and their connections, and of connected registries, by recorded requests of az."""

import base64
from typing import Any

import pytest
from containers import ARM, GROUP, REGISTRY, SUBSCRIPTION, Answer, World
from local_azure.arm.behaviour import VAULTS

VAULT = f"{GROUP}/providers/{VAULTS}/myvault"
NET = f"{GROUP}/providers/Microsoft.Network"
REGISTRY_VERSION = "2023-11-01-preview"


@pytest.fixture
def world() -> World:
    """An Azure with a network for the endpoints."""
    found = World()
    subnet = {"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}
    body = {
        "location": "eastus",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]},
    }
    assert call(found, "PUT", f"{NET}/virtualNetworks/n", body, "2022-01-01").status == 201
    return found


def call(world: World, method: str, path: str, body: object = None, version: str = "2023-07-01") -> Answer:
    return world.arm(method, f"{ARM}{path}?api-version={version}", body)


def endpoint(world: World, name: str, target: str, part: str = "privateLinkServiceConnections") -> Answer:
    link = {"name": "mylink", "properties": {"privateLinkServiceId": target, "groupIds": ["vault"]}}
    body = {"location": "eastus", "properties": {part: [link], "subnet": {"id": f"{NET}/virtualNetworks/n/subnets/s"}}}
    return call(world, "PUT", f"{NET}/privateEndpoints/{name}", body, "2022-01-01")


def decision(status: str, **more: str) -> dict[str, Any]:
    return {"properties": {"privateLinkServiceConnectionState": {"status": status, **more}}}


def test_a_vaults_connection_is_approved_by_itself_then_rejected_and_removed(world: World) -> None:
    made, connection = endpoint(world, "pe", VAULT), f"{VAULT}/privateEndpointConnections/mylink"
    assert (made.status, made.headers["Retry-After"]) == (201, "10")
    (first,) = made.body["properties"]["privateLinkServiceConnections"]
    whole = {"status": "Approved", "description": "Auto Approved", "actionsRequired": "None"}
    assert first["properties"]["privateLinkServiceConnectionState"] == whole
    read = call(world, "GET", f"{NET}/privateEndpoints/pe", version="2022-01-01").body["properties"]
    (link,) = read["privateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"] == whole | {"description": ""}
    assert (made.body["properties"]["customDnsConfigs"], read["customDnsConfigs"]) == (
        [],
        [{"fqdn": "myvault.vault.azure.net", "ipAddresses": ["10.0.0.4"]}],
    )
    state = {"status": "Approved", "actionsRequired": "None"}
    properties = {
        "provisioningState": "Succeeded",
        "privateEndpoint": {"id": f"{NET}/privateEndpoints/pe"},
        "privateLinkServiceConnectionState": state,
    }
    vault = call(world, "GET", VAULT).body["properties"]
    assert vault["privateEndpointConnections"] == [{"id": connection, "properties": properties}]
    shown = call(world, "GET", connection).body
    assert (list(shown), shown["properties"]) == (["id", "name", "type", "location", "properties"], properties)
    rejected = call(world, "PUT", connection, decision("Rejected", description="no"))
    assert (rejected.status, rejected.body["properties"]["provisioningState"]) == (200, "Updating")
    after = world.arm("GET", rejected.headers["Azure-AsyncOperation"]).body
    assert (after["etag"], after["properties"]["privateLinkServiceConnectionState"]) == (
        rejected.body["etag"],
        {"status": "Rejected", "description": "no", "actionsRequired": "None"},
    )
    assert call(world, "PUT", connection, decision("Perhaps")).code == "BadRequest"
    homeless = {"location": "eastus", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/n/subnets/other"}}}
    assert call(world, "PUT", f"{NET}/privateEndpoints/x", homeless).code == "InvalidResourceReference"
    for held in ("virtualNetworks/n/subnets/s", "virtualNetworks/n"):
        assert call(world, "DELETE", f"{NET}/{held}").code == "InUseSubnetCannotBeDeleted"
    assert call(world, "DELETE", connection).status == 200
    assert (call(world, "GET", connection).status, call(world, "DELETE", f"{NET}/privateEndpoints/pe").status) == (
        404,
        202,
    )
    assert "privateEndpointConnections" not in call(world, "GET", VAULT).body["properties"]


def test_a_registrys_connection_waits_for_its_approval_by_an_operation(world: World) -> None:
    endpoint(world, "pe", REGISTRY, "manualPrivateLinkServiceConnections")
    every = f"{REGISTRY}/privateEndpointConnections"
    (waiting,) = call(world, "GET", every, version=REGISTRY_VERSION).body["value"]
    assert waiting["name"].startswith("mycontainerregistry.")
    assert waiting["properties"]["privateLinkServiceConnectionState"] == {"status": "Pending"}
    assert call(world, "GET", REGISTRY).body["properties"]["privateEndpointConnections"] == [waiting]
    made = call(world, "PUT", waiting["id"], decision("Approved", description="yes"), REGISTRY_VERSION)
    state = {"status": "Approved"}
    assert made.body["properties"]["privateLinkServiceConnectionState"] == state
    found = call(world, "GET", waiting["id"], version=REGISTRY_VERSION).body["properties"]
    assert found["privateLinkServiceConnectionState"] == {**state, "description": "yes"}
    assert (made.status, made.body["properties"]["provisioningState"], "systemData" in made.body) == (
        201,
        "Updating",
        True,
    )
    over = world.arm("GET", made.headers["Azure-AsyncOperation"])
    assert (over.status, over.body["id"], over.body["status"]) == (200, waiting["id"], "Succeeded")
    assert over.body["name"].startswith("privateendpointconnections-")
    gone = call(world, "DELETE", waiting["id"], version=REGISTRY_VERSION)
    assert (gone.status, "/locations/eastus/operationResults/" in gone.headers["Location"]) == (202, True)
    assert call(world, "GET", every).body == {"value": []}


def test_connected_registries_are_kept_at_once_and_stay_offline(world: World) -> None:
    every = f"{REGISTRY}/connectedRegistries"
    sync = {"tokenId": f"{REGISTRY}/tokens/sync", "schedule": "0 1 * * *", "messageTtl": "P2D"}
    body = {"properties": {"mode": "readonly", "parent": {"syncProperties": sync}}}
    assert call(world, "PUT", f"{every}/root", body).code == "InvalidRequestContent"
    call(world, "PATCH", REGISTRY, {"properties": {"dataEndpointEnabled": True}})
    made = call(world, "PUT", f"{every}/root", body)
    assert made.status == 200
    assert made.body["properties"] == {
        "provisioningState": "Succeeded",
        "mode": "ReadOnly",
        "connectionState": "Offline",
        "activation": {"status": "Inactive"},
        "parent": {"syncProperties": {**sync, "gatewayEndpoint": "mycontainerregistry.eastus.data.azurecr.io"}},
        "loginServer": {"tls": {"certificate": {}}},
        "logging": {"logLevel": "Information", "auditLogStatus": "Disabled"},
    }
    below = {"properties": {"mode": "readonly", "parent": {"id": f"{every}/root", "syncProperties": sync}}}
    child = call(world, "PUT", f"{every}/child", below).body["properties"]["parent"]
    assert child == {"id": f"{every}/root", "syncProperties": sync}
    assert call(world, "PUT", f"{every}/child", {"properties": {"mode": "ReadOnly"}}).status == 400
    always = {"properties": {"syncProperties": {"schedule": "* * * * *"}}}
    call(world, "PATCH", f"{every}/child", {"properties": {"syncProperties": {"syncWindow": "PT4H"}}})
    windowless = call(world, "PATCH", f"{every}/child", always).body["properties"]["parent"]["syncProperties"]
    assert windowless == {**sync, "schedule": "* * * * *"}
    changes = {"syncProperties": {"schedule": "0 * * * *"}, "logging": {"logLevel": "Warning"}, "clientTokenIds": ["t"]}
    changed = call(world, "PATCH", f"{every}/root", {"properties": changes}).body["properties"]
    assert (changed["parent"]["syncProperties"]["schedule"], changed["parent"]["syncProperties"]["messageTtl"]) == (
        "0 * * * *",
        "P2D",
    )
    assert (changed["logging"]["logLevel"], changed["clientTokenIds"]) == ("Warning", ["t"])
    assert [each["name"] for each in call(world, "GET", every).body["value"]] == ["root", "child"]
    assert call(world, "POST", f"{every}/root/deactivate").status == 202
    assert [call(world, "DELETE", f"{every}/{name}").status for name in ("root", "child", "root", "root")] == [
        *(400, 200),
        *(200, 204),
    ]


def test_a_resource_group_is_refused_in_a_region_that_is_not_there_and_deleted_by_a_named_job(world: World) -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
    refused = call(world, "PUT", f"{group}/new", {"location": "BadLocation"}, "2022-09-01")
    assert (refused.status, refused.code) == (400, "LocationNotAvailableForResourceGroup")
    for name, prefix in (("a-b_c", '"RESOURCEGROUPDELETIONJOB-A:2DB:5FC-WESTUS2"'), ("x" * 80, "|")):
        assert call(world, "PUT", f"{group}/{name}", {"location": "West US 2"}, "2022-09-01").status == 201
        location = call(world, "DELETE", f"{group}/{name}", version="2022-09-01").headers["Location"]
        assert prefix in _job(location)
        assert world.arm("GET", location).status == 200


def _job(location: str) -> str:
    text = location.rsplit("/", 1)[-1].partition("?")[0]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
