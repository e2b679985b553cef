"""Tests of ARM ids: their syntax, their equality, and their display in the original spelling."""

import copy
import json
import pickle

import pytest

from rotator.resource_id import ArmId, ResourceId

SUB = "0000aaaa-0000-0000-0000-000000000001"
VNET = f"/subscriptions/{SUB}/resourceGroups/myResourceGroup/providers/Microsoft.Network/virtualNetworks/my_vnet"
SUBNET = f"{VNET}/subnets/mySubnet"
ENDINGS = ("?x=1", "#x", "\n", "\r", "$(id)", "`id`", " ", "\t", "%2e", "'", ";id", "\0", "\u202e")


def test_the_parts_are_what_they_were_written_as() -> None:
    subnet = ResourceId.parse(SUBNET)
    assert (subnet.subscription, subnet.resource_group, subnet.provider, subnet.name) == (
        SUB,
        "myResourceGroup",
        "Microsoft.Network",
        "mySubnet",
    )
    assert subnet.path == ("virtualNetworks", "my_vnet", "subnets", "mySubnet")
    assert str(subnet.type) == "Microsoft.Network/virtualNetworks/subnets"
    assert subnet.short == "myResourceGroup/mySubnet"
    assert ResourceId.parse(VNET).child("subnets", "mySubnet") == subnet


def test_letter_case_makes_no_difference_to_what_an_id_means_and_none_is_lost() -> None:
    written, shouted = ResourceId.parse(SUBNET), ResourceId.parse(SUBNET.upper())
    assert written == shouted
    assert shouted == SUBNET
    assert SUBNET.lower() == shouted
    assert {written: 1}[shouted] == 1
    assert written.subscription == shouted.subscription
    assert shouted.type == "microsoft.network/virtualnetworks/subnets"
    assert (str(written), f"{shouted}", json.dumps(shouted)) == (SUBNET, SUBNET.upper(), f'"{SUBNET.upper()}"')
    assert written != ResourceId.parse(VNET)
    assert written != 1


def test_ids_are_sorted_without_regard_to_letter_case() -> None:
    names = [ArmId(name) for name in ("b", "C", "a")]
    assert [str(each) for each in sorted(names)] == ["a", "b", "C"]
    assert max(names) == "c"
    assert ArmId("A") <= ArmId("a") <= ArmId("B")
    assert ArmId("B") >= ArmId("b") > ArmId("A")


def test_a_copy_is_an_id() -> None:
    for made in (pickle.loads(pickle.dumps(ResourceId.parse(SUBNET))), copy.deepcopy(ResourceId.parse(SUBNET))):
        assert type(made) is ResourceId
        assert made == SUBNET.upper()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((f"{SUBNET}{tail}", "which no id has") for tail in ENDINGS),
        *((f"{tail}{SUBNET}", "which no id has") for tail in ("?", " ", "\n", "https:")),
        (f"{SUBNET}/", "empty part"),
        (SUBNET.replace("/providers/", "//providers/"), "empty part"),
        (SUBNET.removeprefix("/"), "isn't of the form"),
        (f"{SUBNET}/parts", "isn't of the form"),
        (VNET.rpartition("/")[0], "isn't of the form"),
        (VNET.partition("/providers/")[0], "isn't of the form"),
        ("", "isn't of the form"),
        (SUBNET.replace(SUB, SUB[1:]), "GUID"),
        (SUBNET.replace("myResourceGroup", "ends."), "resource group"),
        (SUBNET.replace("myResourceGroup", "x" * 91), "resource group"),
        (SUBNET.replace("virtualNetworks", "virtual-networks"), "type"),
        (SUBNET.replace("Microsoft.Network", ".."), "type"),
        (f"{VNET}/subnets/..", "name"),
        (f"{VNET}/subnets/.", "name"),
        (f"{VNET}/subnets/{'x' * 261}", "name"),
    ],
)
def test_what_is_no_id_is_refused_and_not_repeated(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        ResourceId.parse(text)
    assert "my_vnet" not in str(refused.value)


@pytest.mark.parametrize("group", ["my.Group_(1)-x", "Größe", "x" * 90])
def test_names_that_azure_allows_are_names(group: str) -> None:
    assert ResourceId.parse(SUBNET.replace("myResourceGroup", group)).resource_group == group


def test_an_id_encloses_itself_and_what_lies_below_it() -> None:
    subscription, group = (
        ArmId(f"/Subscriptions/{SUB.upper()}"),
        ArmId(f"/subscriptions/{SUB}/resourcegroups/MYRESOURCEGROUP/"),
    )
    for above in (ArmId("/"), subscription, group, ResourceId.parse(VNET), ResourceId.parse(SUBNET.upper())):
        assert above.encloses(ArmId(SUBNET)), above
    assert not ArmId(SUBNET).encloses(ArmId(VNET))
    assert not ArmId(VNET).encloses(ArmId(VNET + "2"))


def test_what_is_in_no_subscription_has_none() -> None:
    management = ArmId("/providers/Microsoft.Management/managementGroups/g")
    assert [each.subscription for each in (ArmId("/"), ArmId(""), management, ArmId(f"/SUBSCRIPTIONS/{SUB}"))] == [
        "",
        "",
        "",
        SUB,
    ]
    assert management.short == management
