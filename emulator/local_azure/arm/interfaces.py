"""Network interfaces, as far as a subnet names them: each has addresses of subnets, and no machine.

Source: recordings of Azure Service Operator (2020-11-01) and azure-cli (2023-11-01): the interface is there at once,
and its subnet shows its addresses by an id in capital letters. The zone of its machines' names is made up, and so are
the words of the refusals of an address.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from itertools import islice

from local_azure.arm.addresses import CONFIGURED, RESERVED, configurations, prefixes
from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.network_shape import INTERFACES, etagged, member, named, own_of, refusal
from local_azure.arm.networks import Networks
from local_azure.arm.private_endpoints import subnet_of
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION
from local_azure.wire import Call, Json, Response, Route, ServiceError

KIND_SINCE, TRACKING_SINCE = "2021", "2023"
"""The first api-versions that show an interface's kind and port 25, and the tracking of its connections."""


GIVEN = ("enableAcceleratedNetworking", "enableIPForwarding", "disableTcpStateTracking", "networkSecurityGroup")
"""Properties that are kept and shown as they are given."""
PUBLIC = "publicIPAddress"
SHOWN = (
    *("provisioningState", "resourceGuid", "dnsSettings", "vnetEncryptionSupported", "hostedWorkloads"),
    *("tapConfigurations", "nicType", "allowPort25Out", "auxiliaryMode", "auxiliarySku"),
)
"""Properties that a client sends back as it read them."""
ADDRESS = (
    *("privateIPAddress", "privateIPAllocationMethod", "privateIPAddressVersion", "subnet", "primary"),
    *("provisioningState", PUBLIC),
)
"""Properties of an address. A public one is shown as it is given."""


def interface_routes(resources: Resources) -> Iterator[Route]:
    """The operations on network interfaces."""
    path, one = f"/providers/{INTERFACES}", f"{GROUP}/providers/{INTERFACES}/{{name}}"
    interfaces = _Interfaces(resources, INTERFACES)
    yield Route("network.networkInterfaces.list", "GET", GROUP + path, interfaces.list)
    yield Route("network.networkInterfaces.listAll", "GET", SUBSCRIPTION + path, interfaces.list)
    yield Route("network.networkInterfaces.get", "GET", one, interfaces.get)
    yield Route("network.networkInterfaces.createOrUpdate", "PUT", one, interfaces.put)
    yield Route("network.networkInterfaces.delete", "DELETE", one, interfaces.remove)


@dataclass(frozen=True, slots=True)
class _Interfaces(Networks):
    def json(self, call: Call, resource: Resource) -> Json:
        """Return an interface as an api-version shows it."""
        version, own = call.request.query["api-version"], resource.properties["own"]
        head = {"name": resource.name, "id": resource.id, "etag": resource.properties["etag"]}
        tail = {"type": resource.type, "location": resource.location}
        tags = {"tags": resource.tags} if resource.tags else {}
        kind = {"kind": "Regular"} if version >= KIND_SINCE else {}
        properties = {
            "provisioningState": "Succeeded",
            "resourceGuid": own["resourceGuid"],
            CONFIGURED: own[CONFIGURED],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": [], "internalDomainNameSuffix": own["zone"]},
            **({} if version >= KIND_SINCE else {"enableAcceleratedNetworking": False}),
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            **({"disableTcpStateTracking": False} if version >= TRACKING_SINCE else {}),
            **own["given"],
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            **({"allowPort25Out": False, "auxiliaryMode": "None"} if version >= KIND_SINCE else {}),
            **({"auxiliarySku": "None"} if version >= TRACKING_SINCE else {}),
        }
        return {**head, "properties": properties, **tail, **tags, **kind}

    def put(self, call: Call) -> Response:
        """Create an interface, or replace it: 201 or 200, at once."""
        path, body = self.require(call, "write"), call.request.json()
        self.resources.require_unlocked(path, "write")
        if not body.get("location"):
            raise refusal(400, "LocationRequired", "The location property is required for this definition.")
        given, existing = fields(body, "properties"), self.resources.get(path)
        _require_known(given, (*GIVEN, CONFIGURED, *SHOWN))
        wanted = named(given, CONFIGURED)
        if not wanted:
            message = f"Network interface {path} must have at least one IP configuration."
            raise refusal(400, "NetworkInterfaceMustHaveAtLeastOneIpConfiguration", message)
        etag, old = f'W/"{self.resources.ids.guid()}"', existing.properties["own"] if existing else None
        made: list[Json] = []
        for each in wanted:
            made.append(self._configuration(call, existing.id if existing else path, each, made))
        own = {
            "resourceGuid": old["resourceGuid"] if old else self.resources.ids.guid(),
            "zone": old["zone"] if old else f"{self.resources.ids.hex(26)}.xx.internal.cloudapp.net",
            "given": {name: value for name, value in given.items() if name in GIVEN and value is not None},
            CONFIGURED: etagged(made, etag),
        }
        kept = self.resources.put(path, self.type, body["location"], {"etag": etag, "own": own}, tags_of(body))
        return Response.json(200 if existing else 201, self.json(call, kept))

    def _configuration(self, call: Call, path: str, given: Json, before: list[Json]) -> Json:
        """Return an address of the interface. Raises ServiceError 400 without a subnet, or for an address not in it."""
        own = own_of(given)
        _require_known(own, ADDRESS)
        wanted = str(fields(own, "subnet").get("id", ""))
        subnet = subnet_of(self.resources, wanted)
        if subnet is None:
            where = f"Resource {wanted} referenced by resource {path} was not found."
            advice = (
                "Please make sure that the referenced resource exists, and that both resources are in the same region."
            )
            raise refusal(400, "InvalidResourceReference", f"{where} {advice}")
        self.resources.authorization.require_linked(
            call.who, f"{self.type}/write", path, "Microsoft.Network/virtualNetworks/subnets/join/action", wanted
        )
        others = (each for each in configurations(self.resources, subnet) if not _part_of(path, each))
        taken = {each["properties"]["privateIPAddress"] for each in (*before, *others)}
        properties = {
            "privateIPAddress": _address(subnet, own.get("privateIPAddress"), taken),
            "privateIPAllocationMethod": own.get("privateIPAllocationMethod") or "Dynamic",
            **({PUBLIC: own[PUBLIC]} if own.get(PUBLIC) else {}),
            "subnet": {"id": subnet["id"]},
            "primary": own.get("primary", not before),
            "privateIPAddressVersion": own.get("privateIPAddressVersion") or "IPv4",
        }
        return member(path, CONFIGURED, f"{self.type}/{CONFIGURED}", given, properties)

    def remove(self, call: Call) -> Response:
        """Delete an interface: 202, or 204 where there is none."""
        path = self.require(call, "delete")
        found = self.resources.get(path)
        if found is None:
            return Response(204)
        self.resources.delete(path)
        return self.gone(call, found)


def _require_known(given: dict[str, Json], known: tuple[str, ...]) -> None:
    """Refuse what the emulator does not keep with 501."""
    if strange := sorted(given.keys() - {*known}):
        message = f"The emulator does not implement {', '.join(strange)} of network interfaces."
        raise ServiceError(501, "NotImplemented", message)


def _part_of(path: str, configuration: Json) -> bool:
    return str(configuration["id"]).lower().startswith(f"{path.lower()}/")


def _address(subnet: Json, wanted: Json, taken: set[str]) -> str:
    """Return the address that is asked for, or the first free one."""
    spaces = prefixes(subnet)
    if wanted:
        try:
            inside = any(IPv4Address(str(wanted)) in space for space in spaces)
        except AddressValueError as error:
            raise refusal(400, "InvalidRequestFormat", "Cannot parse the request.") from error
        if not inside:
            ranges = ", ".join(map(str, spaces))
            message = f"Private static IP address {wanted} does not belong to the range of subnet prefix {ranges}."
            raise refusal(400, "PrivateIPAddressNotInSubnet", message)
        if str(wanted) in taken:
            raise refusal(400, "PrivateIPAddressInUse", f"IP address {wanted} is already allocated.")
        return str(wanted)
    for space in spaces:
        for each in islice(space, RESERVED, None):
            if str(each) not in taken and each != space.broadcast_address:
                return str(each)
    message = f"Subnet {subnet['name']} with address prefix {subnet['properties'].get('addressPrefix')} is full."
    raise refusal(400, "SubnetIsFull", message)
