"""The uses of subnets and security groups for which Azure refuses to delete them.

Source: users' reports of the refusals' words (a subnet, since 2016; a security group, 2021 and 2024); "Azure Virtual
Network now supports updates without subnet property" for the PUT of a network.
"""

from collections.abc import Iterator

from local_azure.arm.addresses import configurations
from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.network_shape import ENDPOINTS, INTERFACES, NETWORKS, refusal
from local_azure.arm.shape import fields
from local_azure.wire import Json

KEPT_SINCE = "2023-09-01"
"""The first api-version in which a network's PUT without ``subnets`` keeps them; before, it deletes them all."""


def subnets_of(resources: Resources, given: dict[str, Json], existing: Resource, version: str) -> Json:
    """Return the subnets that a network is to have after its own PUT.

    Raises ServiceError 400 InUseSubnetCannotBeDeleted where one with something in it is left out.
    """
    stored, asked = existing.properties["own"]["subnets"], given.get("subnets")
    if asked is None and version >= KEPT_SINCE:
        return stored
    names = {str(fields(each).get("name")).lower() for each in asked or []}
    for subnet in stored:
        if subnet["name"].lower() not in names:
            require_unused(resources, subnet)
    return asked


def require_unused(resources: Resources, subnet: Json) -> None:
    """Raises 400 InUseSubnetCannotBeDeleted for a subnet with interfaces, endpoints or container groups."""
    for by in _inside(resources, subnet):
        message = f"Subnet {subnet['name']} is in use by {by} and cannot be deleted."
        advice = "In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet."
        raise refusal(400, "InUseSubnetCannotBeDeleted", f"{message} {advice}")


def _inside(resources: Resources, subnet: Json) -> Iterator[str]:
    yield from (each["id"] for each in configurations(resources, subnet))
    wanted = subnet["id"].lower()
    for each in resources.list(subnet["id"].split("/")[2]):
        if each.type == ENDPOINTS and _names(each.properties["own"], "subnet", wanted):
            own = each.properties["own"]
            yield f"{own['networkInterfaces'][0]['id']}/ipConfigurations/privateEndpointIpConfig.{own['resourceGuid']}"
        within = each.properties.get("subnetIds") or () if "ContainerInstance" in each.type else ()
        if any(one["id"].lower() == wanted for one in within):
            yield f"{subnet['id']}/serviceAssociationLinks/acisal"


def require_unnamed(resources: Resources, group: Resource) -> None:
    """Raises 400 InUseNetworkSecurityGroupCannotBeDeleted for a security group of subnets or interfaces."""
    if users := [*_users(resources, group)]:
        message = f"Network security group {group.id} cannot be deleted because it is in use by the following resources"
        advice = (
            "In order to delete the Network security group, remove the association with the resource(s). "
            "To learn how to do this, see aka.ms/deletensg."
        )
        raise refusal(400, "InUseNetworkSecurityGroupCannotBeDeleted", f"{message}: {', '.join(users)}. {advice}")


def _users(resources: Resources, group: Resource) -> Iterator[str]:
    wanted, name = group.id.lower(), "networkSecurityGroup"
    for each in resources.list(group.id.split("/")[2]):
        if each.type == NETWORKS:
            found = each.properties["own"]["subnets"]
            yield from (subnet["id"] for subnet in found if _names(subnet["properties"], name, wanted))
        if each.type == INTERFACES and _names(each.properties["own"]["given"], name, wanted):
            yield each.id


def _names(own: dict[str, Json], name: str, wanted: str) -> bool:
    """Tell if a property of a resource is the id of another."""
    return str(fields(own, name).get("id")).lower() == wanted
