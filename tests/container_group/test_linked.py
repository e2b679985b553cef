"""Tests of the resources that a PUT of a container group links to: identities and subnets, in any letter case, valid
ids only.
"""

from typing import Any

import pytest

from rotator import container_group
from rotator.state import Permission

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/myResourceGroup"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/one"


@pytest.mark.parametrize(
    ("document", "touched"),
    [
        (
            {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, "properties": {}},
            ((ASSIGN, IDENTITY),),
        ),
        (
            {
                "Identity": {"UserAssignedIdentities": {IDENTITY: {}}},
                "Properties": {"SubnetIds": [{"Id": f"{SUBNET}/"}]},
            },
            ((ASSIGN, IDENTITY), (JOIN, SUBNET)),
        ),
        ({"properties": {"subnetIds": [{"id": SUBNET, "name": "one"}, {"id": SUBNET}]}}, ((JOIN, SUBNET),)),
        ({"identity": {"type": "SystemAssigned"}, "properties": {"subnetIds": None}}, ()),
        (
            {
                "identity": {"userAssignedIdentities": {"puller": {}}},
                "properties": {"subnetIds": [{"id": "one"}, {"name": "x"}, "y"]},
            },
            (),
        ),
        (None, ()),
    ],
    ids=["identity", "both, in other letters", "twice the same subnet", "nothing", "no ids", "absent"],
)
def test_what_a_redeployment_touches(document: Any, touched: tuple[tuple[str, str], ...]) -> None:
    assert container_group.links(document) == touched


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action", True),
        ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", True),
        ("Microsoft.ManagedIdentity/*", True),
        ("Microsoft.ManagedIdentity/*/read", False),
        ("Microsoft.ManagedIdentity/userAssignedIdentities/*/read", False),
    ],
)
def test_the_built_in_role_that_is_named_for_an_identity_allows_its_use(pattern: str, allowed: bool) -> None:
    assert Permission(actions=(pattern,)).allows(ASSIGN) is allowed
