"""Addresses of a virtual network's subnets: the ones that are Azure's own, and the one of a private endpoint.

Nothing is connected to anything: every address that isn't Azure's is free. Source: recordings of azure-cli (``az
network vnet check-ip-address``, 2021 to 2024); "Azure Virtual Network frequently asked questions" for those.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from itertools import islice

from local_azure.arm.behaviour import Resource
from local_azure.arm.network_shape import refusal
from local_azure.wire import Json

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
