"""Additions of Azure to virtual networks, subnets, security groups and rules (recorded of azure-cli, 2024 and 2025)."""

from local_azure.wire import Json, ServiceError

NETWORKS, SECURITY = "Microsoft.Network/virtualNetworks", "Microsoft.Network/networkSecurityGroups"
ENDPOINTS, INTERFACES = "Microsoft.Network/privateEndpoints", "Microsoft.Network/networkInterfaces"
LINKS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
"""What a private endpoint leads to: approved without being asked, and by hand."""
ADDED = {
    NETWORKS: ("subnets", "virtualNetworkPeerings"),
    SECURITY: ("securityRules", "defaultSecurityRules"),
    ENDPOINTS: (),
}
"""Types, each with its parts."""
_SUBNET, _POLICIES = f"{NETWORKS}/subnets", ("prepareNetworkPolicies", "unprepareNetworkPolicies")
_JOIN = f"{_SUBNET}/join/action"
_PREPARED = (_JOIN, *(f"{_SUBNET}/{each}/action" for each in _POLICIES))
_INTERFACES = ("Microsoft.Network/networkinterfaces/*", _JOIN)
ACTIONS = {
    **dict.fromkeys(
        ("microsoft.containerinstance/containergroups", "microsoft.web/serverfarms"), (f"{_SUBNET}/action",)
    ),
    **dict.fromkeys(("microsoft.databricks/workspaces", "microsoft.sql/managedinstances"), _PREPARED),
    **dict.fromkeys(("microsoft.hardwaresecuritymodules/dedicatedhsms", "microsoft.netapp/volumes"), _INTERFACES),
    "microsoft.storagepool/diskpools": (f"{NETWORKS}/read",),
}
"""What a service may do in a delegated subnet, by its name in lower case; the others may only join (recorded)."""
COMMUNITIES = {"westus": "12076:50006"}
"""Border gateway communities of regions, beside a network's own: the one that was recorded."""
REGIONAL = {"microsoft.sql"}
"""Services whose endpoints hold in the network's region only (recorded in 2025); those of the others hold anywhere."""

_ANY = {"sourcePortRange": "*", "destinationPortRange": "*"}
_LISTS = (
    *("sourcePortRanges", "destinationPortRanges"),
    *("sourceAddressPrefixes", "destinationAddressPrefixes"),
)
_DEFAULTS = (
    (
        "AllowVnetInBound",
        "Allow inbound traffic from all VMs in VNET",
        "*",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow",
    ),
    (
        "AllowAzureLoadBalancerInBound",
        "Allow inbound traffic from azure load balancer",
        "*",
        "AzureLoadBalancer",
        "*",
        "Allow",
    ),
    ("DenyAllInBound", "Deny all inbound traffic", "*", "*", "*", "Deny"),
    (
        "AllowVnetOutBound",
        "Allow outbound traffic from all VMs to all VMs in VNET",
        "*",
        "VirtualNetwork",
        "VirtualNetwork",
        "Allow",
    ),
    ("AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "*", "Internet", "Allow"),
    ("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "*", "Deny"),
)
"""The rules of every security group: name, description, protocol, source, destination, access."""


def complete(type_: str, path: str, given: dict[str, Json], guid: str, location: str) -> dict[str, Json]:
    """Return a resource's properties with what Azure adds, in its order."""
    head: dict[str, Json] = {"provisioningState": "Succeeded", "resourceGuid": guid}
    if type_ == SECURITY:
        rules = [_rule(path, "securityRules", each) for each in named(given, "securityRules")]
        return {**head, "securityRules": rules, "defaultSecurityRules": _default_rules(path)}
    if type_ == ENDPOINTS:
        return {**head, **_endpoint_of(path, given, guid)}
    known = {"addressSpace", "subnets", "virtualNetworkPeerings", "enableDdosProtection", "enableVmProtection", *head}
    rest = {name: value for name, value in given.items() if name not in known and value is not None}
    if isinstance(rest.get("dhcpOptions"), dict):
        rest["dhcpOptions"] = {"dnsServers": [], **rest["dhcpOptions"]}
    if isinstance(rest.get("bgpCommunities"), dict) and (community := COMMUNITIES.get(_region(location))):
        rest["bgpCommunities"] = {"regionalCommunity": community, **rest["bgpCommunities"]}
    if isinstance(rest.get("encryption"), dict):
        rest["encryption"] = _encryption(path, rest["encryption"])
    return {
        **head,
        "addressSpace": given.get("addressSpace") or {"addressPrefixes": []},
        **rest,
        "subnets": [_subnet(path, each, location) for each in named(given, "subnets")],
        "virtualNetworkPeerings": given.get("virtualNetworkPeerings") or [],
        "enableDdosProtection": bool(given.get("enableDdosProtection")),
    }


def _region(location: str) -> str:
    return location.replace(" ", "").lower()


def _encryption(path: str, given: dict[str, Json]) -> dict[str, Json]:
    """Return a network's encryption with its enforcement (recorded)."""
    if given.get("enabled") and not given.get("enforcement"):
        intent, policy = "encryption intent (Enabled true or false)", "(AllowUnencrypted or DropUnencrypted)"
        whole = f"both {intent} and enforcement policy {policy} are specified."
        message = f"Cannot encrypt VirtualNetwork {path} unless {whole}"
        raise refusal(400, "MustSpecifyBothEncryptionIntentAndEnforcementPolicy", message)
    return {"enabled": False, "enforcement": "AllowUnencrypted", **given}


def _endpoint_of(path: str, given: dict[str, Json], guid: str) -> dict[str, Json]:
    """Return a private endpoint's links, subnet and network interface (recorded)."""
    links = {part: [_link(path, part, each) for each in named(given, part)] for part in LINKS}
    nic = f"{path.rsplit('/', 2)[0]}/networkInterfaces/{path.rsplit('/', 1)[-1]}.nic.{guid}"
    return {
        **links,
        "customNetworkInterfaceName": given.get("customNetworkInterfaceName") or "",
        "subnet": {"id": own_of({"properties": given.get("subnet")}).get("id", "")},
        "ipConfigurations": [],
        "networkInterfaces": [{"id": nic}],
        "customDnsConfigs": [],
    }


def _link(path: str, part: str, given: dict[str, Json]) -> dict[str, Json]:
    own = own_of(given)
    state = own.get("privateLinkServiceConnectionState") or {
        "status": "Approved" if part == LINKS[0] else "Pending",
        "description": "",
        "actionsRequired": "None",
    }
    to = {"privateLinkServiceId": own.get("privateLinkServiceId", ""), "groupIds": own.get("groupIds") or []}
    said = {"requestMessage": own["requestMessage"]} if own.get("requestMessage") else {}
    properties = {**to, **said, "privateLinkServiceConnectionState": state}
    return member(path, part, f"{ENDPOINTS}/{part}", given, properties)


def member(path: str, part: str, type_: str, given: dict[str, Json], properties: dict[str, Json]) -> dict[str, Json]:
    """Return a part of a resource with its id and type; the etag comes with the whole."""
    return {
        "name": given["name"],
        "id": f"{path}/{part}/{given['name']}",
        "etag": "",
        "properties": {"provisioningState": "Succeeded", **properties},
        "type": type_,
    }


def refusal(status: int, code: str, message: str) -> ServiceError:
    """Return a refusal of Microsoft.Network's, which always has details (recorded)."""
    return ServiceError(status, code, message, extra={"details": []})


def named(given: dict[str, Json], name: str) -> list[dict[str, Json]]:
    """Return the parts of a resource, each an object with a name. Raises ServiceError 400 InvalidRequestFormat."""
    found = given.get(name) or []
    if not isinstance(found, list) or not all(
        isinstance(each, dict) and isinstance(each.get("name"), str) for each in found
    ):
        raise _unreadable()
    return found


def own_of(given: dict[str, Json]) -> dict[str, Json]:
    """Return the properties of a part. Raises ServiceError 400 InvalidRequestFormat."""
    found = given.get("properties") or {}
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _unreadable() -> ServiceError:
    return refusal(400, "InvalidRequestFormat", "Cannot parse the request.")


_SHOWN_ONLY = ("provisioningState", "ipConfigurations")


def _subnet(path: str, given: dict[str, Json], location: str) -> dict[str, Json]:
    own = {name: value for name, value in own_of(given).items() if value is not None and name not in _SHOWN_ONLY}
    prefixes = own.pop("addressPrefixes", None) or []
    if not isinstance(prefixes, list):
        raise _unreadable()
    where = {"addressPrefix": prefixes[0]} if len(prefixes) == 1 else {"addressPrefixes": prefixes} if prefixes else {}
    delegations = [_delegation(f"{path}/subnets/{given['name']}", each) for each in named(own, "delegations")]
    policies = {
        "privateEndpointNetworkPolicies": own.pop("privateEndpointNetworkPolicies", "Disabled"),
        "privateLinkServiceNetworkPolicies": own.pop("privateLinkServiceNetworkPolicies", "Enabled"),
    }
    prefix = {"addressPrefix": own.pop("addressPrefix")} if "addressPrefix" in own else where
    own.pop("delegations", None)
    if "serviceEndpoints" in own:
        own["serviceEndpoints"] = [_endpoint(each, location) for each in own["serviceEndpoints"] or []]
    properties = {**prefix, **own, "delegations": delegations, **policies}
    return member(path, "subnets", f"{NETWORKS}/subnets", given, properties)


def _endpoint(given: Json, location: str) -> dict[str, Json]:
    """Return a subnet's endpoint of a service, with the regions where it holds (recorded)."""
    if not isinstance(given, dict):
        raise _unreadable()
    regional = str(given.get("service")).lower() in REGIONAL
    where = _region(location) if regional else "*"
    return {"provisioningState": "Succeeded", "locations": [where], **given}


def _delegation(subnet: str, given: dict[str, Json]) -> dict[str, Json]:
    service = str(own_of(given).get("serviceName", ""))
    properties = {"serviceName": service, "actions": [*ACTIONS.get(service.lower(), (_JOIN,))]}
    return member(subnet, "delegations", f"{NETWORKS}/subnets/delegations", given, properties)


def _rule(path: str, part: str, given: dict[str, Json]) -> dict[str, Json]:
    own = {name: value for name, value in own_of(given).items() if value is not None}
    own.pop("provisioningState", None)
    lists = {name: own.pop(name, []) for name in _LISTS}
    return member(path, part, f"{SECURITY}/{part}", given, {**own, **lists})


def _default_rules(path: str) -> list[dict[str, Json]]:
    made = []
    for index, (name, description, protocol, source, destination, access) in enumerate(_DEFAULTS):
        inbound = index < 3
        properties = {
            "description": description,
            "protocol": protocol,
            **_ANY,
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": 65500 if index % 3 == 2 else 65000 + index % 3,
            "direction": "Inbound" if inbound else "Outbound",
        }
        made.append(_rule(path, "defaultSecurityRules", {"name": name, "properties": properties}))
    return made


def etagged(value: Json, etag: str) -> Json:
    """Return properties with the resource's etag in every part."""
    if isinstance(value, dict):
        return {name: etag if name == "etag" else etagged(item, etag) for name, item in value.items()}
    return [etagged(item, etag) for item in value] if isinstance(value, list) else value
