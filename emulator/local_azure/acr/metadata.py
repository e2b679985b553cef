"""ACR's own API under ``/acr/v1`` for ``az acr repository`` and ``az acr manifest``: list, show, lock, delete.

Source of the shapes: the data plane's description of 2021-07-01 and the examples in the description.
"""

import json

from local_azure.acr.behaviour import Registries
from local_azure.acr.distribution import Operations, listed
from local_azure.acr.door import RegistryDoor
from local_azure.acr.image import Stored, parts
from local_azure.acr.pages import page
from local_azure.acr.refusal import BARE, Refused
from local_azure.acr.state import Attributes, Repository
from local_azure.acr.tokens import TokenGrant
from local_azure.clock import iso
from local_azure.wire import Call, Json, Response

SWITCHES = {"deleteEnabled": "delete", "writeEnabled": "write", "readEnabled": "read", "listEnabled": "list"}
"""``changeableAttributes``, and the attributes that they are."""


class Metadata:
    """Handlers of ACR's own API; each checks the caller at the door first."""

    def __init__(self, registries: Registries, door: RegistryDoor) -> None:
        self._contents, self._door = registries.contents, door

    def operations(self) -> Operations:
        """Every operation under ``/acr/v1``; names with slashes make the order matter."""
        tags, manifests = "/acr/v1/{name*}/_tags", "/acr/v1/{name*}/_manifests"
        return [
            ("acr.repositories.list", "GET", "/acr/v1/_catalog", self.catalog),
            ("acr.tagAttributes.list", "GET", tags, self.tags),
            ("acr.tagAttributes.get", "GET", f"{tags}/{{tag}}", self.tag),
            ("acr.tagAttributes.update", "PATCH", f"{tags}/{{tag}}", self.update_tag),
            ("acr.tags.delete", "DELETE", f"{tags}/{{tag}}", self.untag),
            ("acr.manifestAttributes.list", "GET", manifests, self.manifests),
            ("acr.manifestAttributes.get", "GET", f"{manifests}/{{digest}}", self.manifest),
            ("acr.manifestAttributes.update", "PATCH", f"{manifests}/{{digest}}", self.update_manifest),
            ("acr.repositories.get", "GET", "/acr/v1/{name*}", self.repository),
            ("acr.repositories.update", "PATCH", "/acr/v1/{name*}", self.update_repository),
            ("acr.repositories.delete", "DELETE", "/acr/v1/{name*}", self.delete_repository),
        ]

    def catalog(self, call: Call) -> Response:
        """The repositories, by name."""
        self._door.admit(call.request, TokenGrant("registry", "catalog", ("*",)))
        names, headers = page(call, listed(self._contents, call.request.host))
        return Response.json(200, {"repositories": names}, headers)

    def repository(self, call: Call) -> Response:
        """A repository's dates, counts and locks."""
        return Response.json(200, self._repository(call, self._home(call, "metadata_read")))

    def update_repository(self, call: Call) -> Response:
        """Lock or unlock a repository."""
        home = self._home(call, "metadata_write")
        self._change(call, home, "")
        return Response.json(200, self._repository(call, home))

    def delete_repository(self, call: Call) -> Response:
        """Delete a repository; answer 202 with the deleted contents."""
        self._home(call, "delete")
        gone = self._contents.delete_repository(call.request.host, call["name"])
        return Response.json(202, {"manifestsDeleted": list(gone.manifests), "tagsDeleted": list(gone.tags)})

    def tags(self, call: Call) -> Response:
        """A repository's tags with their digests, dates and locks, by name or time."""
        home, digest = self._home(call, "metadata_read"), call.request.query.get("digest")
        found = [
            tag for tag in home.tags if digest in (None, home.tags[tag]) and self._contents.attributes(home, tag).list
        ]
        names, headers = page(call, self._ordered(call, home, found))
        return Response.json(200, {**_of(call), "tags": [self._tag(home, tag) for tag in names]}, headers)

    def tag(self, call: Call) -> Response:
        """One tag."""
        home = self._home(call, "metadata_read")
        return Response.json(200, {**_of(call), "tag": self._tag(home, _known_tag(call, home))})

    def update_tag(self, call: Call) -> Response:
        """Lock or unlock a tag."""
        home = self._home(call, "metadata_write")
        self._change(call, home, _known_tag(call, home))
        return Response.json(200, {**_of(call), "tag": self._tag(home, call["tag"])})

    def untag(self, call: Call) -> Response:
        """202; the manifest stays."""
        self._home(call, "delete")
        self._contents.untag(call.request.host, call["name"], call["tag"])
        return Response(202)

    def manifests(self, call: Call) -> Response:
        """A repository's manifests with their sizes, platforms, tags, dates and locks, by digest or time."""
        home = self._home(call, "metadata_read")
        found = [digest for digest in home.manifests if self._contents.attributes(home, digest).list]
        names, headers = page(call, self._ordered(call, home, found))
        return Response.json(
            200, {**_of(call), "manifests": [self._manifest(home, digest) for digest in names]}, headers
        )

    def manifest(self, call: Call) -> Response:
        """One manifest."""
        home = self._home(call, "metadata_read")
        stored = _known_manifest(call, home)
        return Response.json(200, {**_of(call), "manifest": self._manifest(home, stored.digest)})

    def update_manifest(self, call: Call) -> Response:
        """Lock or unlock a manifest."""
        home = self._home(call, "metadata_write")
        stored = _known_manifest(call, home)
        self._change(call, home, stored.digest)
        return Response.json(200, {**_of(call), "manifest": self._manifest(home, stored.digest)})

    def _home(self, call: Call, action: str) -> Repository:
        self._door.admit(call.request, TokenGrant("repository", call["name"], (action,)))
        return self._contents.repository(call.request.host, call["name"])

    def _change(self, call: Call, home: Repository, key: str) -> None:
        try:
            given = json.loads(call.request.body or b"{}")
        except ValueError as error:
            raise Refused("BAD_REQUEST", "The request body is not valid JSON.") from error
        attributes = self._contents.attributes(home, key)
        for name, attribute in SWITCHES.items():
            if isinstance(given, dict) and isinstance(given.get(name), bool):
                setattr(attributes, attribute, given[name])

    def _ordered(self, call: Call, home: Repository, keys: list[str]) -> list[str]:
        order = call.request.query.get("orderby", "")
        if order not in ("timedesc", "timeasc"):
            return sorted(keys)

        def when(name: str) -> tuple[object, str]:
            return self._contents.attributes(home, name).updated, name

        return sorted(keys, key=when, reverse=order == "timedesc")

    def _repository(self, call: Call, home: Repository) -> dict[str, Json]:
        dates, switches = _dates(self._contents.attributes(home)), _switches(self._contents.attributes(home))
        return {
            **_of(call),
            **dates,
            "manifestCount": len(home.manifests),
            "tagCount": len(home.tags),
            "changeableAttributes": switches,
        }

    def _tag(self, home: Repository, tag: str) -> dict[str, Json]:
        attributes = self._contents.attributes(home, tag)
        shown = {"name": tag, "digest": home.tags[tag], **_dates(attributes), "signed": False}
        return {**shown, "changeableAttributes": _switches(attributes)}

    def _manifest(self, home: Repository, digest: str) -> dict[str, Json]:
        stored, attributes = home.manifests[digest], self._contents.attributes(home, digest)
        tags = sorted(tag for tag, target in home.tags.items() if target == digest)
        shown = {
            "digest": digest,
            "imageSize": _size(stored),
            **_dates(attributes),
            **_platform(stored),
            "mediaType": stored.media_type,
        }
        return {
            **shown,
            **_config(stored),
            **({"tags": tags} if tags else {}),
            "changeableAttributes": _switches(attributes),
        }


def _of(call: Call) -> dict[str, Json]:
    return {"registry": call.request.host, "imageName": call["name"]}


def _known_tag(call: Call, home: Repository) -> str:
    if call["tag"] not in home.tags:
        raise Refused("TAG_UNKNOWN", "the specified tag does not exist", BARE)
    return call["tag"]


def _known_manifest(call: Call, home: Repository) -> Stored:
    if call["digest"] not in home.manifests:
        raise Refused("MANIFEST_UNKNOWN", "manifest unknown", BARE)
    return home.manifests[call["digest"]]


def _dates(attributes: Attributes) -> dict[str, Json]:
    return {"createdTime": iso(attributes.created), "lastUpdateTime": iso(attributes.updated)}


def _switches(attributes: Attributes) -> dict[str, Json]:
    return {name: getattr(attributes, attribute) for name, attribute in SWITCHES.items()}


def _size(stored: Stored) -> int:
    return sum(int(part.get("size") or 0) for part in parts(stored.read()))


def _config(stored: Stored) -> dict[str, Json]:
    config = stored.read().get("config")
    return {"configMediaType": config["mediaType"]} if config and config.get("mediaType") else {}


def _platform(stored: Stored) -> dict[str, Json]:
    try:
        config = json.loads(stored.config)
    except ValueError:
        return {}
    return {name: config[name] for name in ("architecture", "os") if isinstance(config, dict) and name in config}
