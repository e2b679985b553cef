"""Pulls an image with the credential that a container group stores, for the control plane and for the host alike.

The credential is the ``imageRegistryCredentials`` entry whose server is the image's host; without one the pull is anonymous. An
image whose host is no Azure registry is public and can always be pulled.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from rotator.emulator.aci.events import made_up_digest
from rotator.emulator.acr.behaviour import SUFFIXES, Registries
from rotator.emulator.acr.image import Image
from rotator.emulator.acr.refusal import Refused
from rotator.emulator.arm.behaviour import Resources
from rotator.emulator.keyvault.behaviour import Vaults
from rotator.emulator.wire import Json, ServiceError


@dataclass(frozen=True, slots=True)
class Named:
    """An image's name taken apart; `host` is empty for Docker Hub."""

    host: str
    repository: str
    reference: str

    @classmethod
    def parse(cls, image: str) -> "Named":
        """From ``host/repository:tag`` or ``host/repository@sha256:…``; the tag is ``latest`` where none is given."""
        name, _, digest = image.partition("@")
        host, slash, rest = name.partition("/")
        if not slash or not re.search(r"[.:]|^localhost$", host):
            host, rest = "", name
        repository, _, tag = rest.partition(":")
        return cls(host.lower(), repository, digest or tag or "latest")


class Puller:
    """Pulls on behalf of container groups."""

    def __init__(self, resources: Resources, registries: Registries, vaults: Vaults) -> None:
        self._resources, self._registries, self._vaults = resources, registries, vaults

    def pull(self, resource: dict[str, Json], image: str, digest: str = "") -> Image:
        """Pull `image` (its `digest`, if resolved before) as the group `resource` would, this instant. Raises Refused."""
        named = Named.parse(image)
        if not named.host.endswith(SUFFIXES):
            return Image(digest or made_up_digest(image))
        credential = credential_for(resource, named.host)
        wanted = digest or named.reference
        if credential.get("identity"):
            return self._pull_as(credential["identity"], named, wanted)
        username = str(credential.get("username", ""))
        return self._registries.pull(named.host, username, self._password(resource, credential), named.repository, wanted)

    def could_pull(self, resource: dict[str, Json], image: str, digest: str = "") -> bool:
        """Whether :meth:`pull` would succeed now whichever token endpoint replica were asked; nothing is changed by asking."""
        named = Named.parse(image)
        if not named.host.endswith(SUFFIXES):
            return True
        credential, wanted = credential_for(resource, named.host), digest or named.reference
        if not credential.get("identity"):
            username = str(credential.get("username", ""))
            return self._registries.could_pull(username, self._password(resource, credential), named.host, named.repository, wanted)
        try:
            self._pull_as(credential["identity"], named, wanted)
        except Refused:
            return False
        return True

    def resolvable(self, resource: dict[str, Json]) -> None:
        """Refuse password references that lead nowhere in the emulator, rather than guess. Raises ServiceError 501."""
        for credential in resource["properties"].get("imageRegistryCredentials", []):
            if credential.get("passwordReference"):
                self._password(resource, credential)

    def _pull_as(self, identity: str, named: Named, wanted: str) -> Image:
        known = self._resources.get(identity)
        oid = str(known.properties.get("principalId", "")) if known else ""
        if oid:
            return self._registries.pull_as(oid, named.host, named.repository, wanted)
        self._registries.rights.registry(named.host)
        return self._registries.stored(named.host, named.repository, wanted).image()

    def _password(self, resource: dict[str, Json], credential: dict[str, Json]) -> str:
        name = credential.get("passwordReference")
        if not name:
            return str(credential.get("password", ""))
        references = resource["properties"].get("secretReferences", [])
        uri = next((entry["secretReferenceUri"] for entry in references if entry["name"] == name), None)
        if uri is None:
            raise ServiceError(
                501, "NotImplemented", f"The emulator can't resolve passwordReference '{name}': no secretReferences entry has this name."
            )
        return self._secret(str(uri), name)

    def _secret(self, uri: str, name: str) -> str:
        parts = urlsplit(uri)
        path = parts.path.strip("/").split("/")
        vault = self._resources.vault(parts.hostname or "")
        if vault is None or path[0] != "secrets" or len(path) not in (2, 3):
            raise ServiceError(501, "NotImplemented", f"The emulator can't resolve passwordReference '{name}': {uri} is no secret of its vaults.")
        version = path[2] if len(path) == 3 else None
        try:
            return str(self._vaults.get(vault.name, path[1], version).value)
        except ServiceError as error:
            raise ServiceError(501, "NotImplemented", f"The emulator can't resolve passwordReference '{name}': {error.message}") from error


def credential_for(resource: dict[str, Json], host: str) -> dict[str, Json]:
    """The credential that a group uses at a registry, or ``{}``."""
    credentials = resource["properties"].get("imageRegistryCredentials", [])
    return next((entry for entry in credentials if entry["server"].lower() == host), {})


def username_for(resource: dict[str, Json], image: str) -> str:
    """The user name, or the identity, that a group pulls `image` with; empty if it pulls anonymously."""
    credential = credential_for(resource, Named.parse(image).host)
    return str(credential.get("username") or credential.get("identity") or "")


def refusal(error: Refused) -> str:
    """A refused pull in one line, for the record."""
    return f"{error.code}: {error.message}"
