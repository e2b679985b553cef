"""``az acr import``: copy an image of another registry, or a public image, into a registry without a client.

Source: the description of api-version 2023-07-01, and the cases of azure-cli's own test. A registry of the tenant is
read with the credentials in the request, or as the caller. An image elsewhere is public, as for container groups. The
texts for an existing tag and for an unreadable source could not be looked up.
"""

from dataclasses import dataclass

from local_azure.acr.behaviour import SUFFIXES, Registries
from local_azure.acr.image import build
from local_azure.acr.refusal import Refused
from local_azure.acr.rights import DENIED, Kind, PullIdentity, login_server
from local_azure.arm.behaviour import REGISTRIES, Resource
from local_azure.arm.child_operations import imported
from local_azure.arm.registries import RegistryRoutes
from local_azure.arm.shape import fields
from local_azure.arm.tracked import GROUP
from local_azure.wire import Call, Json, Response, Route, ServiceError

MICROSOFT = "mcr.microsoft.com"
"""The registry whose images are shown as pending while they are imported (recorded, 2023 to 2025)."""


def routes(registries: Registries) -> tuple[Route, ...]:
    """The one operation, under Resource Manager."""
    imports = _Imports(registries, RegistryRoutes(registries.resources))
    return (Route("acr.importImage", "POST", f"{GROUP}/providers/{REGISTRIES}/{{name}}/importImage", imports.take),)


@dataclass(frozen=True, slots=True)
class _Source:
    """Source of an image: a host, empty for Docker Hub, and a repository with a tag or digest."""

    host: str
    repository: str
    reference: str


@dataclass(frozen=True, slots=True)
class _Imports:
    registries: Registries
    tracked: RegistryRoutes

    def take(self, call: Call) -> Response:
        """202 and where to ask for the end, at any timing."""
        path = self.tracked.require(call, "importImage/action")
        target, body = self.tracked.found(call), fields(call.request.json())
        self.registries.resources.require_unlocked(path, "write")
        source = self._source(fields(body, "source"))
        tags, untagged = _targets(body, source)
        self._require_free(target, tags, forced=str(body.get("mode", "")).lower() == "force")
        try:
            self._copy(call, fields(body, "source"), source, target, (tags, untagged))
        except Refused as error:
            raise ServiceError(
                400, "InvalidParameters", f"The image '{source.repository}' can't be imported: {error.message}"
            ) from error
        named = tags if source.host == MICROSOFT else []
        return imported(call, self.registries.resources, target, [f"{name}:{tag}" for name, tag in named])

    def _source(self, given: dict[str, Json]) -> _Source:
        image = str(given.get("sourceImage") or "")
        repository, mark, reference = image.partition("@") if "@" in image else image.partition(":")
        if not repository:
            raise ServiceError(400, "InvalidParameters", "An import needs a 'sourceImage'.")
        found = self.registries.resources.get(str(given.get("resourceId") or ""))
        if given.get("resourceId") and found is None:
            raise ServiceError(400, "InvalidParameters", f"The source registry '{given['resourceId']}' was not found.")
        host = login_server(found) if found else str(given.get("registryUri") or "").lower()
        return _Source(host, repository, reference if mark else "latest")

    def _require_free(self, target: Resource, tags: list[tuple[str, str]], *, forced: bool) -> None:
        """Refuse to move an existing tag unless forced."""
        for repository, tag in tags:
            if not forced and self.registries.contents.has(login_server(target), repository, tag):
                raise ServiceError(409, "Conflict", f"Tag {repository}:{tag} already exists in target registry.")

    def _copy(
        self,
        call: Call,
        given: dict[str, Json],
        source: _Source,
        target: Resource,
        wanted: tuple[list[tuple[str, str]], list[str]],
    ) -> None:
        contents, host = self.registries.contents, login_server(target)
        places: list[tuple[str, str | None]] = [*wanted[0], *((repository, None) for repository in wanted[1])]
        if not source.host.endswith(SUFFIXES):
            made = build(f"{source.host or 'docker.io'}/{source.repository}:{source.reference}")
            for repository, tag in places:
                contents.take(host, repository, made, tag)
            return
        self._require_readable(call, given, source)
        for repository, tag in places:
            contents.copy(source.host, source.repository, source.reference, (host, repository, tag))

    def _require_readable(self, call: Call, given: dict[str, Json], source: _Source) -> None:
        """Refuse an importer without the right to pull the source. Raises Refused."""
        rights, credentials = self.registries.rights, fields(given, "credentials")
        registry = rights.registry(source.host, trusted=True)
        identity = PullIdentity(Kind.PRINCIPAL, call.who.app_id, call.who.oid)
        if credentials.get("username"):
            identity = rights.identify(registry, str(credentials["username"]), str(credentials.get("password") or ""))
        if not rights.may(registry, identity, "pull", source.repository):
            raise Refused("DENIED", DENIED)


def _targets(body: dict[str, Json], source: _Source) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the repositories and tags for the image, and the repositories without a tag."""
    given, untagged = body.get("targetTags") or [], [str(each) for each in body.get("untaggedTargetRepositories") or []]
    if not given and not untagged:
        given = [source.repository if ":" in source.reference else f"{source.repository}:{source.reference}"]
    pairs = [str(each).partition(":") for each in given]
    return [(repository, tag or "latest") for repository, _, tag in pairs], untagged
