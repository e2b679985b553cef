"""Pulls of an image with a container group's stored credential, for the control plane and the host.

The credential is the ``imageRegistryCredentials`` entry with the image's host as server; without an entry the pull is
anonymous. An image on a host other than an Azure registry is public and can always be pulled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from local_azure.aci.events import made_up_digest
from local_azure.acr.behaviour import SUFFIXES, Registries
from local_azure.acr.image import Image
from local_azure.acr.refusal import Refused
from local_azure.arm.behaviour import Resources
from local_azure.wire import Json

_NONE: Mapping[str, str] = MappingProxyType({})


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
    """Pulls on behalf of container groups; `secrets` are the values of a group's secret references."""

    def __init__(self, resources: Resources, registries: Registries) -> None:
        self._resources, self._registries = resources, registries

    def pull(
        self, resource: dict[str, Json], image: str, digest: str = "", secrets: Mapping[str, str] = _NONE
    ) -> Image:
        """Pull `image` (or `digest`, if resolved before) now, with the credential in the group `resource`.

        Raises Refused.
        """
        named = Named.parse(image)
        if not named.host.endswith(SUFFIXES):
            return Image(digest or made_up_digest(image))
        credential = credential_for(resource, named.host)
        wanted = digest or named.reference
        if credential.get("identity"):
            return self._pull_as(credential["identity"], named, wanted)
        username = str(credential.get("username", ""))
        return self._registries.pull(named.host, username, _password(credential, secrets), named.repository, wanted)

    def could_pull(
        self, resource: dict[str, Json], image: str, digest: str = "", secrets: Mapping[str, str] = _NONE
    ) -> bool:
        """Tell if :meth:`pull` would succeed now at every token endpoint replica; the check changes no state."""
        named = Named.parse(image)
        if not named.host.endswith(SUFFIXES):
            return True
        credential, wanted = credential_for(resource, named.host), digest or named.reference
        if not credential.get("identity"):
            username = str(credential.get("username", ""))
            return self._registries.could_pull(
                username, _password(credential, secrets), named.host, named.repository, wanted
            )
        try:
            self._pull_as(credential["identity"], named, wanted)
        except Refused:
            return False
        return True

    def _pull_as(self, identity: str, named: Named, wanted: str) -> Image:
        known = self._resources.get(identity)
        if known is None:
            raise Refused("UNAUTHORIZED", f"the identity {identity} is gone")
        return self._registries.pull_as(
            str(known.properties.get("principalId", "")), named.host, named.repository, wanted
        )


def _password(credential: dict[str, Json], secrets: Mapping[str, str]) -> str:
    reference = credential.get("passwordReference")
    return secrets.get(reference, "") if reference else str(credential.get("password", ""))


def credential_for(resource: dict[str, Json], host: str) -> dict[str, Json]:
    """Return a group's credential for a registry, or ``{}``."""
    credentials = resource["properties"].get("imageRegistryCredentials", [])
    return next((entry for entry in credentials if entry["server"].lower() == host), {})


def username_for(resource: dict[str, Json], image: str) -> str:
    """Return the user name or identity for a group's pull of `image`; empty for an anonymous pull."""
    credential = credential_for(resource, Named.parse(image).host)
    return str(credential.get("username") or credential.get("identity") or "")


def refusal(error: Refused) -> str:
    """A refused pull in one line, for the record."""
    return f"{error.code}: {error.message}"
