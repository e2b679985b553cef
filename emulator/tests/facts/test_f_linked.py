"""Tests of denials for a container group's linked resources, in Resource Manager's words, and of deleted resource
groups.
"""

from typing import Any

import pytest
from containers import GROUP, ID, World

IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/one"
ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"


def body(**more: Any) -> dict[str, Any]:
    requests = {"requests": {"cpu": 1, "memoryInGB": 1}}
    container = {"name": "app", "properties": {"image": "mcr.microsoft.com/hello", "resources": requests}}
    identity = (
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}}
        if more.pop("identity", False)
        else {}
    )
    return {"location": "eastus", **identity, "properties": {"osType": "Linux", "containers": [container], **more}}


@pytest.fixture
def world() -> World:
    world = World()
    world.azure.identities.put(IDENTITY, "eastus")
    return world


@pytest.mark.parametrize(
    ("sent", "action", "scope"),
    [(body(identity=True), ASSIGN, IDENTITY), (body(subnetIds=[{"id": SUBNET}]), JOIN, SUBNET)],
    ids=["identity", "subnet"],
)
def test_f7_whoever_may_not_use_what_a_group_is_linked_to_is_refused_by_its_name(
    world: World, sent: dict[str, Any], action: str, scope: str
) -> None:
    deployer = world.principal("deployer")
    world.azure.authorization.assign(GROUP, deployer.oid, "Azure Container Instances Contributor Role", at_once=True)
    answer = world.arm("PUT", ID, sent, who=deployer)
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
    assert (
        answer.body["error"]["message"]
        == f"The client '{deployer.app_id}' with object id '{deployer.oid}' has permission to perform action"
        f" 'Microsoft.ContainerInstance/containerGroups/write' on scope '{ID}'; however, it does not have permission"
        f" to perform action(s) '{action}' on the linked scope(s) '{scope}' (respectively) or the linked scope(s)"
        " are invalid."
    )
    assert not world.azure.container_groups.exists(ID)
    world.azure.authorization.define("linker", actions=[action], scopes=[GROUP])
    world.azure.authorization.assign(GROUP, deployer.oid, "linker", at_once=True)
    assert world.arm("PUT", ID, sent, who=deployer).status != 403


@pytest.mark.parametrize(
    ("sent", "scope", "role"),
    [
        (body(identity=True), IDENTITY, "Managed Identity Operator"),
        (body(subnetIds=[{"id": SUBNET}]), SUBNET, "Network Contributor"),
    ],
    ids=["identity", "subnet"],
)
def test_f5_a_built_in_role_on_what_a_group_is_linked_to_lets_it_pass(
    world: World, sent: dict[str, Any], scope: str, role: str
) -> None:
    deployer = world.principal("deployer")
    world.azure.authorization.assign(GROUP, deployer.oid, "Azure Container Instances Contributor Role", at_once=True)
    assert world.arm("PUT", ID, sent, who=deployer).code == "LinkedAuthorizationFailed"
    world.azure.authorization.assign(scope, deployer.oid, role, at_once=True)
    assert world.arm("PUT", ID, sent, who=deployer).status != 403


def test_a_deleted_resource_group_takes_its_container_groups_along(world: World) -> None:
    assert world.arm("PUT", ID, body(identity=True)).status == 201
    assert world.arm("DELETE", GROUP).status == 202
    assert not world.azure.container_groups.exists(ID)
