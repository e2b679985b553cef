"""Random container groups from the list of all properties: `properties.txt` becomes a tree, and groups grow along it.

Azure's rules beyond the list (one kind for a volume, one way to name a user) are applied afterwards, in one place.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251 (from a seed that is told)
from typing import Any

from rotator.policy.secret_rules import WORKSPACE_ID

LIST = Path(__file__).parent / "properties.txt"
IMAGE = "mycontainerregistry.azurecr.io/aci-helloworld:v1"
TEXTS = (
    "x",
    "two words",
    "ünïcödé ☃",
    "a'b\"c\\d",
    "${HOME} $(pwd) %20",
    "line\nbreak\ttab",
    "0",
    "true",
    "null",
    "{}",
    "# no comment",
    "x" * 300,
)
FILES = (b"plain", b"\x00\x01\xff", "ü".encode(), b"${{ not ours", b"-----BEGIN-----\n")


@dataclass
class Node:
    """Property with its kind, or with the properties below.

    `item` is for an array, `any` for an object whose names are data.
    """

    kind: str = ""
    hidden: bool = False
    members: dict[str, "Node"] = field(default_factory=dict)
    item: "Node | None" = None
    any: "Node | None" = None

    def below(self, part: str) -> "Node":
        """Return the node for one part of a path: a name, ``[]`` or ``*``."""
        if part == "[]":
            self.item = self.item or Node()
            return self.item
        if part == "*":
            self.any = self.any or Node()
            return self.any
        return self.members.setdefault(part, Node())


def listed() -> dict[str, tuple[str, frozenset[str]]]:
    """Return every property of the list with its kind and its marks."""
    rows = (line.split(": ", 1) for line in LIST.read_text().splitlines() if line and not line.startswith("#"))
    split = ((path, *rest.split("; ")) for path, rest in rows)
    return {path: (kind, frozenset(marks)) for path, kind, *marks in split}


def tree(*without: str) -> Node:
    """Return the properties that a client writes, but for those below the paths `without`."""
    root = Node()
    for path, (kind, marks) in listed().items():
        if "read-only" not in marks and not path.startswith(without):
            node = root
            for part in re.findall(r"\[\]|[^.\[\]]+", path):
                node = node.below(part)
            node.kind, node.hidden = kind, "hidden" in marks
    return root


MADE = (
    "id",
    "name",
    "type",
    "apiVersion",
    "identity",
    "properties.containerGroupProfile",
    "properties.standbyPoolProfile",
    "properties.ipAddress.ip",
)
"""Properties that a group doesn't choose, or that prevent its redeployment."""


BOUNDED = (
    *(
        f"properties.containers[].properties.{name}"
        for name in ("livenessProbe", "readinessProbe", "volumeMounts", "resources", "ports")
    ),
    *(
        f"properties.{name}"
        for name in (
            "ipAddress",
            "subnetIds",
            "encryptionProperties",
            "sku",
            "priority",
            "dnsConfig",
            "initContainers[].properties",
        )
    ),
    *(
        "zones",
        "properties.confidentialComputeProperties",
        "properties.identityAcls",
        "properties.containers[].properties.securityContext",
    ),
)
"""Properties that Azure accepts only with certain values; the corpus has them."""


def grown(random: Random, app_id: str, password: str, identity: str = "") -> dict[str, Any]:
    """Return a random group; with an `identity` also one that the emulator accepts, whose rules exceed the list."""
    resource: dict[str, Any] = _value(random, tree(*MADE, *(BOUNDED if identity else ())))
    resource |= {
        "location": "eastus",
        "tags": {name: value for name, value in resource.get("tags", {}).items() if not name.startswith("rotator")},
    }
    _mended(random, resource, app_id, password)
    if identity:
        resource["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
        resource["properties"] |= {"osType": "Linux", "sku": "Standard", "restartPolicy": "Always"}
        resource["properties"]["secretReferences"][0]["identity"] = identity
    return resource


def _value(random: Random, node: Node) -> Any:
    if node.item:
        return [_value(random, node.item) for _ in range(random.randint(1, 2))]
    if node.any and not node.kind:
        return {
            random.choice(("Name", "name", "x.y", "a b")): _value(random, node.any) for _ in range(random.randint(1, 2))
        }
    if node.members:
        return {
            name: _value(random, member)
            for name, member in node.members.items()
            if random.random() < 0.6 or name in ("name", "properties")
        }
    return _leaf(random, node.kind)


def _leaf(random: Random, kind: str) -> Any:
    plain = {
        "integer": random.randint(0, 99),
        "number": random.choice((0.5, 1, 1.25, 4)),
        "object": {"Key": [1, None, {"deep": "x"}]},
    }
    if kind == "true|false":
        return random.random() < 0.5
    return plain[kind] if kind in plain else random.choice(TEXTS if kind == "text" else kind.split("|"))


def _mended(random: Random, resource: dict[str, Any], app_id: str, password: str) -> None:
    properties = resource["properties"]
    for kind in ("containers", "initContainers"):
        for nth, container in enumerate(
            properties.setdefault(kind, [] if kind == "initContainers" else [{"properties": {}}])
        ):
            _container(random, container, f"{kind[0]}{nth}", app_id, password)
    properties |= {
        "osType": random.choice(("Linux", "Windows")),
        "restartPolicy": random.choice(("Always", "OnFailure", "Never")),
    }
    properties["volumes"] = [_volume(random, volume, nth) for nth, volume in enumerate(properties.get("volumes", []))]
    properties["imageRegistryCredentials"] = _entries(random, properties, app_id, password)
    properties["secretReferences"] = [
        {"name": "ref", "identity": "app", "secretReferenceUri": "https://myvault.vault.azure.net/secrets/other"}
    ]
    _settle(random, properties)


def _settle(random: Random, properties: dict[str, Any]) -> None:
    if "confidentialComputeProperties" not in properties:
        properties["sku"] = random.choice(("Standard", "Dedicated"))
    if not (properties.get("confidentialComputeProperties") or {}).get("ccePolicy"):
        properties["sku"] = "Dedicated"
    for subnet in properties.get("subnetIds", []):
        subnet["id"] = "/subscriptions/s/subnets/a"
    if "ipAddress" in properties:
        properties["ipAddress"] |= {
            "type": "Private" if properties.get("subnetIds") else "Public",
            "ports": [{"port": 80}],
        }
    for nth, extension in enumerate(properties.get("extensions", [])):
        extension["name"] = f"e{nth}"
        extension["properties"] |= {
            "extensionType": "t",
            "version": "1",
            "protectedSettings": {"Token": random.choice(TEXTS)},
        }
    if "dnsConfig" in properties:
        properties["dnsConfig"].setdefault("nameServers", ["10.0.0.1"])
    if "diagnostics" in properties:
        given = properties["diagnostics"].get("logAnalytics", {})
        properties["diagnostics"] = {
            "logAnalytics": {**given, "workspaceId": "w", "workspaceKey": random.choice(TEXTS)}
        }


def _container(random: Random, container: dict[str, Any], name: str, app_id: str, password: str) -> None:
    inner = container.setdefault("properties", {})
    container["name"] = name
    inner["image"] = IMAGE
    if name.startswith("c"):
        resources = inner.setdefault("resources", {})
        resources["requests"] = {**resources.get("requests", {}), "cpu": 1, "memoryInGB": 1.5}
    variables = [_variable(random, nth) for nth in range(random.randint(0, 4))]
    inside = (
        [{"name": "AZURE_CLIENT_ID", "value": app_id}, {"name": "AZURE_CLIENT_SECRET", "secureValue": password}]
        if random.random() < 0.2
        else []
    )
    inner["environmentVariables"] = variables + inside
    for mount in inner.get("volumeMounts", []):
        mount |= {"mountPath": "/m"}


def _variable(random: Random, nth: int) -> dict[str, Any]:
    way = random.choice(("value", "secureValue", "secureValue", "secureValueReference"))
    return {
        "name": random.choice(("DB", "db", "A.b", "_x")) + str(nth),
        way: "ref" if way.endswith("Reference") else random.choice(TEXTS),
    }


def _volume(random: Random, volume: dict[str, Any], nth: int) -> dict[str, Any]:
    kind = random.choice(("emptyDir", "secret", "secret", "azureFile", "gitRepo", "secretReference"))
    key = random.choice(({"storageAccountKey": random.choice(TEXTS)}, {"storageAccountKeyReference": "ref"}))
    share = {"shareName": "s", "storageAccountName": "a", **key}
    files = {
        random.choice(("ca.pem", "Key", "key")): base64.b64encode(random.choice(FILES)).decode()
        for _ in range(random.randint(1, 3))
    }
    repository = {**volume.get("gitRepo", {}), "repository": "https://git.example/x"}
    made = {
        "emptyDir": {},
        "secret": files,
        "azureFile": share,
        "gitRepo": repository,
        "secretReference": {"ca.pem": "ref"},
    }
    return {"name": f"v{nth}", kind: made[kind]}


def _entries(random: Random, properties: dict[str, Any], app_id: str, password: str) -> list[dict[str, Any]]:
    mine = {
        "server": "mycontainerregistry.azurecr.io",
        "username": random.choice((app_id, app_id.upper())),
        "password": password,
    }
    others = [
        {"server": "other.azurecr.io", "username": "u", "password": "p"},
        {"server": "third.azurecr.io", "username": "u", "passwordReference": "ref"},
    ]
    room = len(properties["containers"]) + len(properties["initContainers"]) - 1
    return [mine, *random.sample(others, min(room, random.randint(0, 2)))]


Values = dict[str, tuple[str, dict[str, Any]]]


def hidden_values(resource: dict[str, Any], app_id: str, password: str) -> Values:
    """Return each value hidden in a GET, by its path in a policy: the value as a vault holds it, and further keys of
    its source.
    """
    properties, found = resource["properties"], Values()
    for kind, name in (("containers", "containers"), ("init_containers", "initContainers")):
        for container in properties.get(name, []):
            for variable in container["properties"].get("environmentVariables", []):
                if "secureValue" in variable:
                    own = {"credential": "password"} if variable["secureValue"] == password else {}
                    found[f"{kind}/{container['name']}/env/{variable['name']}"] = (variable["secureValue"], own)
    for entry in properties.get("imageRegistryCredentials", []):
        if "password" in entry and entry["username"].lower() != app_id.lower():
            found[f"image_registry_credentials/{entry['server']}/password"] = (entry["password"], {})
    for extension in properties.get("extensions", []):
        found[f"extensions/{extension['name']}/protected_settings"] = (
            json.dumps(extension["properties"]["protectedSettings"]),
            {},
        )
    found |= _of_volumes(properties.get("volumes", []))
    analytics = properties.get("diagnostics", {}).get("logAnalytics", {})
    return found | (_of_workspace(analytics) if analytics else {})


def _of_workspace(analytics: dict[str, Any]) -> Values:
    found = analytics.get("workspaceResourceId", "none")
    said = {"value": found} if found == "none" or found.startswith("/subscriptions/") else {}
    return {"diagnostics/log_analytics/workspace_key": (analytics["workspaceKey"], {}), WORKSPACE_ID: (found, said)}


def in_vault(said: dict[str, Any]) -> bool:
    """Tell if a value has its own secret in the vault."""
    return not {"credential", "value"} & set(said)


def _of_volumes(volumes: list[dict[str, Any]]) -> Values:
    files = {
        f"volumes/{v['name']}/secret/{name}": (text, {"base64": True})
        for v in volumes
        for name, text in v.get("secret", {}).items()
    }
    keys = {
        v["name"]: v["azureFile"]["storageAccountKey"] for v in volumes if "storageAccountKey" in v.get("azureFile", {})
    }
    return {**files, **{f"volumes/{name}/azure_file/storage_account_key": (key, {}) for name, key in keys.items()}}


def bare(resource: dict[str, Any], app_id: str, password: str) -> str:
    """Return a stored group as text: without our tags and Azure's defaults, and with the rotated password under a fixed
    name.
    """
    left: dict[str, Any] = json.loads(json.dumps(resource))
    left["tags"] = {
        name: value for name, value in left.get("tags", {}).items() if not name.lower().startswith("rotator-")
    }
    properties = left["properties"]
    for node, name, default in (
        (properties, "sku", "Standard"),
        (properties.get("ipAddress", {}), "autoGeneratedDomainNameLabelScope", "Unsecure"),
    ):
        if node.get(name) == default:
            del node[name]
    for container in (*properties.get("containers", []), *properties.get("initContainers", [])):
        for variable in container["properties"].get("environmentVariables", []):
            if variable.get("secureValue") == password:
                variable["secureValue"] = "the password"
    for entry in properties.get("imageRegistryCredentials", []):
        if entry.get("username", "").lower() == app_id.lower() and entry.get("password") == password:
            entry["password"] = "the password"
    return json.dumps(_without_empty(left), sort_keys=True)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(item) for name, item in value.items() if item != [] and item is not None}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value
