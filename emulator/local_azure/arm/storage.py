"""Storage accounts as Resource Manager has them: names, endpoints and keys, for the volumes of container groups.

Their data plane is not emulated, so no share has files. Source: recordings of azure-cli (2023 to 2025) and the
description of Microsoft.Storage.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_azure.arm.behaviour import Resource, Resources
from local_azure.arm.clouds import cloud_at, cloud_of
from local_azure.arm.regions import REGIONS
from local_azure.arm.shape import fields
from local_azure.arm.tags import tags_of
from local_azure.arm.tracked import GROUP, SUBSCRIPTION, Tracked
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response, Route, ServiceError

ACCOUNTS = "Microsoft.Storage/storageAccounts"
_PROVIDER = f"{SUBSCRIPTION}/providers/Microsoft.Storage"
_RULE = "must be between 3 and 24 characters in length and use numbers and lower-case letters only."
_SUFFIXES = {
    "management.azure.com": "core.windows.net",
    "management.usgovcloudapi.net": "core.usgovcloudapi.net",
    "management.chinacloudapi.cn": "core.chinacloudapi.cn",
}
"""Suffixes of the endpoints, by cloud."""
_SERVICES = ("dfs", "web", "blob", "queue", "table", "file")


def storage_routes(resources: Resources) -> Iterator[Route]:
    """The operations of Microsoft.Storage/storageAccounts."""
    of, one = _Accounts(resources, ACCOUNTS), f"{GROUP}/providers/{ACCOUNTS}/{{name}}"
    verbs: tuple[tuple[str, str, str, Callable[[Call], Response]], ...] = (
        ("checkNameAvailability", "POST", f"{_PROVIDER}/checkNameAvailability", of.check),
        ("list", "GET", f"{SUBSCRIPTION}/providers/{ACCOUNTS}", of.list),
        ("listByResourceGroup", "GET", f"{GROUP}/providers/{ACCOUNTS}", of.list),
        ("get", "GET", one, of.get),
        ("create", "PUT", one, of.put),
        ("update", "PATCH", one, of.patch),
        ("delete", "DELETE", one, of.remove),
        ("listKeys", "POST", f"{one}/listKeys", of.keys),
        ("asyncOperation", "GET", f"{_PROVIDER}/locations/{{location}}/asyncoperations/{{operation}}", of.result),
    )
    for verb, method, path, handler in verbs:
        yield Route(f"storage.storageAccounts.{verb}", method, path, handler)


@dataclass(frozen=True, slots=True)
class _Accounts(Tracked):
    def json(self, call: Call, resource: Resource) -> Json:
        """Return an account in the order of recorded answers."""
        own, made = resource.properties, iso(resource.created, 7)
        tail = _SUFFIXES[cloud_at(call.request.host).resource_manager]
        endpoints = {each: f"https://{resource.name}.{each}.{tail}/" for each in _SERVICES if each != "web"}
        endpoints["web"] = f"https://{resource.name}.z13.web.{tail}/"
        properties = {
            "keyCreationTime": {"key1": made, "key2": made},
            "privateEndpointConnections": [],
            **own["given"],
            "encryption": _encryption(own["given"].get("encryption"), made),
            "provisioningState": "Succeeded",
            "creationTime": made,
            "primaryEndpoints": {each: endpoints[each] for each in _SERVICES},
            "primaryLocation": resource.location,
            "statusOfPrimary": "available",
            **_secondary(resource, endpoints),
        }
        head = {"sku": resource.sku, "kind": own["kind"], "id": resource.id, "name": resource.name}
        return {
            **head,
            "type": resource.type,
            "location": resource.location,
            "tags": resource.tags,
            "properties": properties,
        }

    def check(self, call: Call) -> Response:
        """Tell if an account's name is free."""
        self.resources.authorization.require(
            call.who, "Microsoft.Storage/checkNameAvailability/read", f"/subscriptions/{call['subscription']}"
        )
        body = call.request.json()
        name = str(body.get("name", "")) if isinstance(body, dict) else ""
        if not _valid(name):
            return _taken(
                "AccountNameInvalid", f"{name} is not a valid storage account name. Storage account name {_RULE}"
            )
        if self.resources.find(ACCOUNTS, name):
            return _taken("AlreadyExists", f"The storage account named {name} is already taken.")
        return Response.json(200, {"nameAvailable": True})

    def put(self, call: Call) -> Response:
        """Create an account (202 with ``Location``), or update an existing one (200)."""
        path, body, name = self.require(call, "write"), call.request.json(), call["name"]
        self.resources.require_unlocked(path, "write")
        if not _valid(name):
            message = f"{name} is not a valid storage account name. Storage account name {_RULE}"
            raise ServiceError(400, "AccountNameInvalid", message)
        if not body.get("location"):
            raise ServiceError(400, "LocationRequired", "The location property is required for this definition.")
        existing, taken = self.resources.get(path), self.resources.find(ACCOUNTS, name)
        if taken and existing is None:
            message = f"The storage account named {name} is already taken."
            raise ServiceError(409, "StorageAccountAlreadyTaken", message)
        tier = str(fields(body, "sku").get("name") or "Standard_RAGRS")
        given = {**_defaults(), **{k: v for k, v in fields(body, "properties").items() if v is not None}}
        own: dict[str, Json] = {"kind": body.get("kind") or "StorageV2", "given": given}
        sku = {"name": tier, "tier": tier.partition("_")[0]}
        made = self.resources.put(path, ACCOUNTS, body["location"], own, tags_of(body), sku)
        if existing:
            return Response.json(200, self.json(call, made))
        operation = self.resources.operations.begin(path, "storage", 0, "Creating", self.json(call, made))
        base = f"/subscriptions/{call['subscription']}/providers/Microsoft.Storage/locations/{made.location}"
        query = f"?monitor=true&api-version={call.request.query['api-version']}"
        url = f"https://{call.request.host}{base}/asyncoperations/{operation.id}{query}"
        headers = {"Location": url, "Retry-After": "17", "Content-Type": "text/plain; charset=utf-8"}
        return Response(202, headers=headers)

    def result(self, call: Call) -> Response:
        """Return the account when it is made."""
        action = "Microsoft.Storage/locations/asyncoperations/read"
        self.resources.authorization.require(call.who, action, f"/subscriptions/{call['subscription']}")
        operation = self.resources.operations.get(call["operation"])
        over = self.resources.operations.over(operation)
        return Response.json(200, operation.result) if over else Response(202, headers={"Retry-After": "17"})

    def patch(self, call: Call) -> Response:
        """Change tags, SKU or properties."""
        path, body = self.require(call, "write"), call.request.json()
        found = self.found(call)
        self.resources.require_unlocked(path, "write")
        changed = {k: v for k, v in fields(body, "properties").items() if v is not None}
        found.properties = {**found.properties, "given": {**found.properties["given"], **changed}}
        found.tags = tags_of(body) if "tags" in body else found.tags
        return Response.json(200, self.json(call, found))

    def remove(self, call: Call) -> Response:
        """200, or 204 where there is none."""
        return Response(200 if self.resources.delete(self.require(call, "delete")) else 204)

    def keys(self, call: Call) -> Response:
        """Return both keys of an account."""
        self.require(call, "listKeys/action")
        found = self.found(call)
        made = iso(found.created, 7)
        keys = [
            {"creationTime": made, "keyName": name, "value": _key(found, name), "permissions": "FULL"}
            for name in ("key1", "key2")
        ]
        return Response.json(200, {"keys": keys})


def _valid(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9]{3,24}", name) is not None


def _taken(reason: str, message: str) -> Response:
    return Response.json(200, {"nameAvailable": False, "reason": reason, "message": message})


def _key(account: Resource, name: str) -> str:
    return base64.b64encode(hashlib.sha512(f"{account.id}/{account.created}/{name}".encode()).digest()).decode()


def _encryption(given: Json, made: str) -> dict[str, Json]:
    """Return the encryption of an account, which is on for files and blobs whatever was asked for (recorded)."""
    asked = fields(given)
    known: dict[str, Json] = {"keyType": "Account", "enabled": True, "lastEnabledTime": made}
    services = {each: {**known, **fields(fields(asked, "services"), each)} for each in ("file", "blob")}
    return {**asked, "services": services, "keySource": asked.get("keySource") or "Microsoft.Storage"}


def _secondary(account: Resource, endpoints: dict[str, str]) -> dict[str, Json]:
    """Return what is known of the paired region, for an account that may be read there."""
    paired = {region.name: region.paired for region in REGIONS[cloud_of(account.location).name]}.get(account.location)
    if not paired or "RAG" not in str((account.sku or {}).get("name")):
        return {}
    there = {each: url.replace(account.name, f"{account.name}-secondary", 1) for each, url in endpoints.items()}
    shown = {each: there[each] for each in _SERVICES if each != "file"}
    return {"secondaryLocation": paired, "statusOfSecondary": "available", "secondaryEndpoints": shown}


def _defaults() -> dict[str, Json]:
    return {
        "minimumTlsVersion": "TLS1_0",
        "allowBlobPublicAccess": False,
        "networkAcls": {
            "ipv6Rules": [],
            "bypass": "AzureServices",
            "virtualNetworkRules": [],
            "ipRules": [],
            "defaultAction": "Allow",
        },
        "supportsHttpsTrafficOnly": True,
        "encryption": {},
        "accessTier": "Hot",
    }
