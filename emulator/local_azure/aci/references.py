"""Key Vault references of a group, read at deployment with the group's own identities (azure-facts B8).

The group keeps the values until the next deployment; a start and a restart are deployments. Documentation doesn't
mention a host move reading the references again, so a host move here doesn't. Codes and words aren't documented. The
rule that an identity must be the group's is documented.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from local_azure.aci.bounds import refused
from local_azure.aci.paths import Properties, at
from local_azure.arm.behaviour import Resource, Resources
from local_azure.keyvault.behaviour import Vaults
from local_azure.wire import Caller, Json, ServiceError

_USES = (
    ("imageRegistryCredentials", "passwordReference"),
    ("containers.properties.environmentVariables", "secureValueReference"),
    ("initContainers.properties.environmentVariables", "secureValueReference"),
    ("volumes.azureFile", "storageAccountKeyReference"),
)
"""Paths at which a secret reference is used by its name; a volume's ``secretReference`` has a name for each file."""


class References:
    """Resolves the secret references of groups."""

    def __init__(self, resources: Resources, vaults: Vaults) -> None:
        self._resources, self._vaults = resources, vaults

    def read(self, group: str, resource: Properties) -> dict[str, str]:
        """The value of every secret reference of a canonical body, by name. Raises ServiceError 400."""
        properties = resource["properties"]
        known = {entry["name"]: entry for entry in properties.get("secretReferences", [])}
        for name, where in _used(properties):
            if name not in known:
                message = (
                    f"The secret reference '{name}' in '{where}' of container group '{group}' is not found in its"
                    " secretReferences."
                )
                raise refused("SecretReferenceNotFound", message)
        return {name: self._value(group, resource, entry) for name, entry in known.items()}

    def _value(self, group: str, resource: Properties, entry: Properties) -> str:
        where = f"secret reference '{entry['name']}' of container group '{group}'"
        own = {identity.lower() for identity in resource.get("identity", {}).get("userAssignedIdentities", {})}
        identity = self._resources.get(entry["identity"])
        if entry["identity"].lower() not in own or identity is None:
            raise refused(
                "InvalidSecretReferenceIdentity",
                f"The identity in the {where} not found in container group identity list.",
            )
        vault, name, version = self._named(entry["secretReferenceUri"], where)
        caller, gate = self._caller(identity), self._vaults.gate
        try:
            gate.admit(caller, vault)
            gate.require(caller, vault, "getSecret/action", name)
            return str(self._vaults.get(vault.name, name, version).value)
        except ServiceError as error:
            message = (
                f"The secret '{entry['secretReferenceUri']}' in the {where} is not accessible with its identity:"
                f" {error.message}"
            )
            raise refused("SecretReferenceInaccessible", message) from error

    def _named(self, uri: str, where: str) -> tuple[Resource, str, str | None]:
        parts = urlsplit(str(uri))
        path = parts.path.strip("/").split("/")
        vault = self._resources.vault(parts.hostname or "")
        if vault is None or path[0] != "secrets" or len(path) not in (2, 3):
            raise refused(
                "InvalidSecretReferenceUri",
                f"The secretReferenceUri '{uri}' in the {where} is not a secret of a key vault.",
            )
        return vault, path[1], path[2] if len(path) == 3 else None

    def _caller(self, identity: Resource) -> Caller:
        tenant = self._resources.authorization.directory.tenant
        return Caller(
            tenant, str(identity.properties.get("principalId", "")), str(identity.properties.get("clientId", ""))
        )


def _used(properties: Properties) -> Iterator[tuple[str, str]]:
    for path, name in _USES:
        for where, item in at(properties, path):
            if name in item:
                yield str(item[name]), f"{where}.{name}"
    for where, volume in at(properties, "volumes"):
        files: Json = volume.get("secretReference") or {}
        yield from ((str(reference), f"{where}.secretReference") for reference in files.values())
