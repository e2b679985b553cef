"""Distribution API under ``/v2`` for docker, skopeo and others: manifests, blobs, uploads, tags, catalog.

Blobs are answered at once. Azure redirects clients to storage (307); the specification leaves the choice to the
registry.
"""

import re
from collections.abc import Callable

from local_azure.acr.behaviour import Registries
from local_azure.acr.contents import Contents
from local_azure.acr.door import RegistryDoor
from local_azure.acr.image import INDEX, MEDIA_TYPES, Stored
from local_azure.acr.pages import page
from local_azure.acr.refusal import Refused
from local_azure.acr.state import Upload
from local_azure.acr.tokens import TokenGrant
from local_azure.wire import Call, Json, Response

Operations = list[tuple[str, str, str, Callable[[Call], Response]]]
"""Name, method, path and handler of each."""


class Distribution:
    """Handlers of the distribution API; each checks the caller at the door first."""

    def __init__(self, registries: Registries, door: RegistryDoor) -> None:
        self._contents, self._uploads, self._door = registries.contents, registries.uploads, door

    def operations(self) -> Operations:
        """Every operation under ``/v2``."""
        one, blob, upload = (
            "/v2/{name*}/manifests/{reference}",
            "/v2/{name*}/blobs/{digest}",
            "/v2/{name*}/blobs/uploads/{upload}",
        )
        return [
            ("acr.challenge", "GET", "/v2", self.challenge),
            ("acr.catalog.list", "GET", "/v2/_catalog", self.catalog),
            ("acr.tags.list", "GET", "/v2/{name*}/tags/list", self.tags),
            ("acr.referrers.list", "GET", "/v2/{name*}/referrers/{digest}", self.referrers),
            ("acr.manifests.get", "GET", one, self.manifest),
            ("acr.manifests.head", "HEAD", one, self.manifest),
            ("acr.manifests.put", "PUT", one, self.put_manifest),
            ("acr.manifests.delete", "DELETE", one, self.delete_manifest),
            ("acr.blobs.get", "GET", blob, self.blob),
            ("acr.blobs.head", "HEAD", blob, self.blob),
            ("acr.blobs.delete", "DELETE", blob, self.delete_blob),
            ("acr.uploads.start", "POST", "/v2/{name*}/blobs/uploads", self.start),
            ("acr.uploads.get", "GET", upload, self.progress),
            ("acr.uploads.patch", "PATCH", upload, self.piece),
            ("acr.uploads.put", "PUT", upload, self.finish),
            ("acr.uploads.delete", "DELETE", upload, self.cancel),
        ]

    def challenge(self, call: Call) -> Response:
        """Confirm a known caller; answer others with the challenge."""
        self._door.admit(call.request)
        return Response.json(200, {})

    def catalog(self, call: Call) -> Response:
        """The repositories, by name."""
        self._door.admit(call.request, TokenGrant("registry", "catalog", ("*",)))
        names, headers = page(call, listed(self._contents, call.request.host))
        return Response.json(200, {"repositories": names or None}, headers)

    def tags(self, call: Call) -> Response:
        """A repository's tags, by name."""
        host = self._admit(call, "metadata_read")
        home = self._contents.repository(host, call["name"])
        names, headers = page(call, sorted(tag for tag in home.tags if self._contents.attributes(home, tag).list))
        return Response.json(200, {"name": call["name"], "tags": names}, headers)

    def referrers(self, call: Call) -> Response:
        """List the manifests with the given manifest as subject, as an index."""
        host = self._admit(call, "pull")
        home = self._contents.repository(host, call["name"])
        found = [described for stored in home.manifests.values() if (described := _referring(stored, call["digest"]))]
        wanted = call.request.query.get("artifacttype")
        shown = [each for each in found if wanted in (None, each.get("artifactType"))]
        headers = {"Content-Type": INDEX, **({"OCI-Filters-Applied": "artifactType"} if wanted else {})}
        return Response.json(200, {"schemaVersion": 2, "mediaType": INDEX, "manifests": shown}, headers)

    def manifest(self, call: Call) -> Response:
        """Return a manifest, if the client accepts the media type."""
        host = self._admit(call, "pull")
        stored = self._contents.stored(host, call["name"], call["reference"])
        home = self._contents.repository(host, call["name"])
        self._contents.require_allowed(home, "read", "", call["reference"], stored.digest)
        accepted = [kind.partition(";")[0].strip() for kind in call.request.headers.get("accept", "*/*").split(",")]
        if not {stored.media_type, "application/*", "*/*"} & set(accepted):
            sort = (
                "OCI index"
                if stored.media_type == INDEX
                else "OCI manifest"
                if ".oci." in stored.media_type
                else "manifest"
            )
            raise Refused("MANIFEST_UNKNOWN", f"{sort} found, but accept header does not support {sort}s")
        return _content(stored.manifest.encode(), stored.digest, stored.media_type)

    def put_manifest(self, call: Call) -> Response:
        """Store a manifest; answer 201 with the digest."""
        host = self._admit(call, "pull", "push")
        kind = call.request.headers.get("content-type", "").partition(";")[0].strip()
        stored = self._contents.put_manifest(
            host, call["name"], call["reference"], kind if kind in MEDIA_TYPES else "", call.request.body
        )
        headers = {"Location": f"/v2/{call['name']}/manifests/{stored.digest}", "Docker-Content-Digest": stored.digest}
        subject = stored.read().get("subject")
        return Response(201, headers={**headers, **({"OCI-Subject": subject["digest"]} if subject else {})})

    def delete_manifest(self, call: Call) -> Response:
        """202; by digest only."""
        host = self._admit(call, "delete")
        if ":" not in call["reference"]:
            raise Refused("DIGEST_INVALID", "provided digest did not match uploaded content")
        self._contents.delete_manifest(host, call["name"], call["reference"])
        return Response(202)

    def blob(self, call: Call) -> Response:
        """Return a blob, or the part requested by ``Range``."""
        host = self._admit(call, "pull")
        whole = _content(
            self._contents.blob(host, call["name"], call["digest"]), call["digest"], "application/octet-stream"
        )
        whole.headers["Accept-Ranges"] = "bytes"
        wanted = call.request.headers.get("range", "")
        return _part(whole, wanted) if wanted else whole

    def delete_blob(self, call: Call) -> Response:
        """202."""
        host = self._admit(call, "delete")
        self._contents.delete_blob(host, call["name"], call["digest"])
        return Response(202)

    def start(self, call: Call) -> Response:
        """202 with the place to send pieces to; 201 where the blob could be mounted from another repository."""
        host, query = self._admit(call, "pull", "push"), call.request.query
        digest, origin = query.get("mount", ""), query.get("from", "")
        readable = bool(digest and origin) and self._door.lets(
            call.request, TokenGrant("repository", origin, ("pull",))
        )
        if readable and self._contents.mount(host, call["name"], digest, origin):
            return _arrived(call, digest)
        return _underway(202, self._uploads.begin(host, call["name"]))

    def progress(self, call: Call) -> Response:
        """204 with how much has arrived."""
        host = self._admit(call, "pull", "push")
        return _underway(204, self._uploads.find(host, call["name"], call["upload"]))

    def piece(self, call: Call) -> Response:
        """202 with how much has arrived."""
        host, piece = self._admit(call, "pull", "push"), call.request.headers.get("content-range", "")
        return _underway(202, self._uploads.append(host, call["name"], call["upload"], call.request.body, piece))

    def finish(self, call: Call) -> Response:
        """201, once the digest of the whole is true."""
        host, digest = self._admit(call, "pull", "push"), call.request.query.get("digest", "")
        self._uploads.finish(host, call["name"], call["upload"], digest, call.request.body)
        return _arrived(call, digest)

    def cancel(self, call: Call) -> Response:
        """204."""
        self._uploads.cancel(self._admit(call, "pull", "push"), call["name"], call["upload"])
        return Response(204)

    def _admit(self, call: Call, *actions: str) -> str:
        self._door.admit(call.request, TokenGrant("repository", call["name"], actions))
        return call.request.host


def listed(contents: Contents, host: str) -> list[str]:
    """Return the repositories shown in lists."""
    return [name for name in contents.names(host) if contents.attributes(contents.repository(host, name)).list]


def _referring(stored: Stored, digest: str) -> Json:
    manifest = stored.read()
    if (manifest.get("subject") or {}).get("digest") != digest:
        return None
    kind = manifest.get("artifactType") or (manifest.get("config") or {}).get("mediaType")
    head = {
        "mediaType": stored.media_type,
        "digest": stored.digest,
        "size": len(stored.manifest.encode()),
        "artifactType": kind,
    }
    return {**head, **({"annotations": manifest["annotations"]} if "annotations" in manifest else {})}


def _content(content: bytes, digest: str, media_type: str) -> Response:
    """Answer with the content, for a HEAD too because of the length: the transports leave the body out."""
    return Response(200, content, {"Content-Type": media_type, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'})


def _part(whole: Response, wanted: str) -> Response:
    match, size = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted), len(whole.body)
    if match is None or not any(match.groups()):
        return whole
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return Response(416, headers={"Content-Range": f"bytes */{size}"})
    return Response(206, whole.body[start : end + 1], {**whole.headers, "Content-Range": f"bytes {start}-{end}/{size}"})


def _underway(status: int, upload: Upload) -> Response:
    where = f"/v2/{upload.repository}/blobs/uploads/{upload.id}?_nouploadcache=false&_state={upload.id}"
    arrived = f"0-{max(0, len(upload.content) - 1)}"
    return Response(
        status, headers={"Location": where, "Range": arrived, "Docker-Upload-Uuid": upload.id, "Content-Length": "0"}
    )


def _arrived(call: Call, digest: str) -> Response:
    return Response(201, headers={"Location": f"/v2/{call['name']}/blobs/{digest}", "Docker-Content-Digest": digest})
