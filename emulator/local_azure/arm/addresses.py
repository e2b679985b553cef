"""Addresses of a virtual network's subnets: the ones that are Azure's own, and the one of a private endpoint.

Nothing is connected to anything: every address that isn't Azure's is free. Source: recordings of azure-cli (``az
network vnet check-ip-address``, 2021 to 2024); "Azure Virtual Network frequently asked questions" for those.
"""

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from itertools import islice

from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.network_shape import INTERFACES, refusal
from local_azure.wire import Json

CONFIGURED = "ipConfigurations"
RESERVED, OFFERED = 4, 5
"""The first addresses of a subnet, which are Azure's, and how many free ones an answer offers."""


def availability(network: Resource, text: str) -> Json:
    """Return what Azure says of a private address. Raises ServiceError 400 for one that is in no subnet."""
    try:
        address = IPv4Address(text)
    except AddressValueError as error:
        raise refusal(400, "InvalidRequestFormat", "Cannot parse the request.") from error
    for subnet in network.properties["own"]["subnets"]:
        for prefix in prefixes(subnet):
            if address in prefix:
                return _said(address, prefix)
    where = f"the range of any subnet in the virtual network {network.id}."
    message = f"Private static IP address {text} does not belong to {where}"
    raise refusal(400, "PrivateIPAddressNotInAnySubnet", message)


def _said(address: IPv4Address, prefix: IPv4Network) -> Json:
    if int(address) - int(prefix.network_address) >= RESERVED and address != prefix.broadcast_address:
        return {"available": True, "isPlatformReserved": False}
    offered = [str(each) for each in free(prefix)]
    return {"available": False, "availableIPAddresses": offered, "isPlatformReserved": True}


def free(prefix: IPv4Network) -> list[IPv4Address]:
    """Return the first addresses of a prefix that aren't Azure's."""
    return list(islice((each for each in islice(prefix, RESERVED, None) if each != prefix.broadcast_address), OFFERED))


def prefixes(subnet: Json) -> list[IPv4Network]:
    """Return the IPv4 prefixes of a subnet."""
    own = subnet["properties"]
    given = [own["addressPrefix"]] if "addressPrefix" in own else own.get("addressPrefixes", [])
    return [IPv4Network(each, strict=False) for each in given if isinstance(each, str) and ":" not in each]


def configurations(resources: Resources, subnet: Json) -> Iterator[Json]:
    """Yield the addresses of network interfaces in a subnet."""
    for resource in resources.list(subnet["id"].split("/")[2]):
        if resource.type == INTERFACES:
            for each in resource.properties["own"][CONFIGURED]:
                if each["properties"]["subnet"]["id"].lower() == subnet["id"].lower():
                    yield each


def inhabited(resources: Resources, subnet: Json, *, capital: bool) -> Json:
    """Return a subnet with the interfaces in it; a read names them in capital letters, and a PUT doesn't (recorded)."""
    found = [{"id": _capital(each["id"]) if capital else each["id"]} for each in configurations(resources, subnet)]
    if not found:
        return subnet
    properties: dict[str, Json] = {}
    for name, value in subnet["properties"].items():
        if name == "delegations":
            properties[CONFIGURED] = found
        properties[name] = value
    return {**subnet, "properties": properties}


def _capital(path: str) -> str:
    """Return the id of an address with all names in capital letters, and no more."""
    parts = path.split("/")
    return "/".join(part.upper() if index in (4, 8, 10) else part for index, part in enumerate(parts))
