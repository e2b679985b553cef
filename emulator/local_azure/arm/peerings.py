"""Peerings of virtual networks: each side is a part of its own network, and sees what the other side has.

Source: recordings of azure-cli (2023 and 2024) for the shape, the states and the headers; "Virtual network peering" for
the levels of synchronisation. The words of the refusals could not be looked up. The emulator has no gateways, and so
refuses to use one.
"""

import ipaddress
import uuid
from collections.abc import Iterator
from contextlib import suppress

from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.network_shape import NETWORKS, refusal
from local_azure.arm.shape import fields
from local_azure.wire import Json

PART = "virtualNetworkPeerings"
_FLAGS = ("allowVirtualNetworkAccess", "allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways")
_NAMED = ("localSubnetNames", "remoteSubnetNames")
_COMPLETE, _SIX = "peerCompleteVnets", "enableOnlyIPv6Peering"


def remote(stored: Json) -> str:
    """Return the id of the other network of a peering as it is stored."""
    return str(stored["properties"]["remoteVirtualNetwork"]["id"])


def read(resources: Resources, network: Resource, name: str, body: Json, *, sync: bool, old: Json | None) -> Json:
    """Return a peering as it is stored; `sync` takes the other network's addresses anew.

    Raises ServiceError 400 for another network that isn't there, overlaps, is peered already, or has no gateway.
    """
    given = fields(body, "properties")
    wanted = str(fields(given, "remoteVirtualNetwork").get("id", ""))
    other = resources.get(wanted)
    path = f"{network.id}/{PART}/{name}"
    if other is None or other.type != NETWORKS:
        where = f"Resource {wanted} referenced by resource {path} was not found."
        advice = "Please make sure that the referenced resource exists, and that both resources are in the same region."
        raise refusal(400, "InvalidResourceReference", f"{where} {advice}")
    _require_possible(network, other, path, given)
    known = old["properties"]["known"] if old and not sync else _space(other)
    kept = {each: given[each] for each in (*_NAMED, *_FLAGS, _COMPLETE, _SIX) if each in given}
    met = bool(old and old["properties"]["met"]) or _back(network, other) is not None
    return {"name": name, "properties": {**kept, "remoteVirtualNetwork": {"id": other.id}, "known": known, "met": met}}


def _require_possible(network: Resource, other: Resource, path: str, given: Json) -> None:
    if given.get("useRemoteGateways"):
        message = f"Peering {path} cannot have UseRemoteGateways flag set to true because remote virtual network"
        more = f"{other.id} referenced by the peering does not have any gateways."
        raise refusal(400, "RemoteVnetHasNoGateways", f"{message} {more}")
    for each in network.properties["own"][PART]:
        same = f"{network.id}/{PART}/{each['name']}".lower() == path.lower()
        if remote(each).lower() == other.id.lower() and not same:
            message = f"Peering {path} cannot be created or updated because the virtual network already has a peering"
            raise refusal(400, "AnotherPeeringAlreadyReferencesRemoteVnet", f"{message} that references {other.id}.")
    if given.get(_COMPLETE) is not False and _overlap(_space(network), _space(other)):
        message = f"Cannot create or update peering {path}. Virtual networks {network.id} and {other.id}"
        more = "cannot be peered because their address spaces overlap."
        raise refusal(400, "VnetAddressSpacesOverlap", f"{message} {more}")


def _overlap(one: list[str], other: list[str]) -> bool:
    pairs = ((a, b) for a in _ranges(one) for b in _ranges(other))
    return any(a.version == b.version and a.overlaps(b) for a, b in pairs)


def _ranges(space: list[str]) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for each in space:
        with suppress(ValueError):
            yield ipaddress.ip_network(each, strict=False)


def _space(network: Resource) -> list[str]:
    return list((network.properties["own"].get("addressSpace") or {}).get("addressPrefixes") or [])


def _back(network: Resource, other: Resource | None) -> Json | None:
    """Return the other network's peering with this one."""
    theirs = other.properties["own"][PART] if other else []
    return next((each for each in theirs if remote(each).lower() == network.id.lower()), None)


def meet(resources: Resources, network: Resource, stored: Json) -> None:
    """Let the other side know that it was met: it will be disconnected, and not initiated, when this one goes."""
    other = _back(network, resources.get(remote(stored)))
    if other is not None:
        other["properties"]["met"] = True


def shown(resources: Resources, network: Resource, stored: Json) -> Json:
    """Return a peering in the order of recorded answers; its state is what both sides are now."""
    own, other = stored["properties"], resources.get(remote(stored))
    properties = {
        "provisioningState": "Succeeded",
        "resourceGuid": _mixed(network, other),
        **{name: own[name] for name in _NAMED if name in own},
        **dict(_state(network, other, own)),
        "remoteVirtualNetwork": own["remoteVirtualNetwork"],
        **{name: bool(own.get(name, name == _FLAGS[0])) for name in _FLAGS},
        "doNotVerifyRemoteGateways": False,
        _COMPLETE: own.get(_COMPLETE, True),
        **({_SIX: own[_SIX]} if _SIX in own else {}),
        **dict(_addresses(network, other, own)),
        "routeServiceVips": {},
    }
    path = f"{network.id}/{PART}/{stored['name']}"
    kind = f"{NETWORKS}/{PART}"
    head = {"name": stored["name"], "id": path, "etag": network.properties["etag"]}
    return {**head, "properties": properties, "type": kind}


def _mixed(network: Resource, other: Resource | None) -> str:
    """Return the same GUID for both sides, made of both networks' (the recorded ones are the same on both sides)."""
    ours = uuid.UUID(network.properties["own"]["resourceGuid"])
    theirs = uuid.UUID(other.properties["own"]["resourceGuid"]) if other else uuid.UUID(int=0)
    return str(uuid.UUID(int=ours.int ^ theirs.int))


def _state(network: Resource, other: Resource | None, own: Json) -> Iterator[tuple[str, str]]:
    back = _back(network, other)
    yield "peeringState", "Connected" if back else "Disconnected" if own["met"] else "Initiated"
    ours = other is not None and own["known"] == _space(other)
    theirs = back is not None and back["properties"]["known"] == _space(network)
    levels = {(True, True): "FullyInSync", (True, False): "RemoteNotInSync", (False, True): "LocalNotInSync"}
    yield "peeringSyncLevel", levels.get((ours, theirs), "LocalAndRemoteNotInSync")


def _addresses(network: Resource, other: Resource | None, own: Json) -> Iterator[tuple[str, Json]]:
    """Yield the address spaces: of named subnets, where the networks are not peered completely (recorded)."""
    partial = own.get(_COMPLETE, True) is False
    theirs = {"addressPrefixes": _of(other, own.get("remoteSubnetNames")) if partial else own["known"]}
    yield "remoteAddressSpace", theirs
    if partial:
        ours = {"addressPrefixes": _of(network, own.get("localSubnetNames"))}
        yield "localAddressSpace", ours
        yield "localVirtualNetworkAddressSpace", ours
    yield "remoteVirtualNetworkAddressSpace", theirs
    if other and other.properties["own"].get("encryption"):
        yield "remoteVirtualNetworkEncryption", other.properties["own"]["encryption"]


def _of(network: Resource | None, names: Json) -> list[str]:
    wanted = {str(name).lower() for name in names or []}
    subnets = network.properties["own"]["subnets"] if network else []
    return [
        prefix
        for each in subnets
        if each["name"].lower() in wanted
        for prefix in (each["properties"].get("addressPrefixes") or [each["properties"].get("addressPrefix", "")])
    ]
