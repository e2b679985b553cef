"""Contents of registries: repositories with manifests, tags and blobs, and the operations on each.

Images made by the emulator (:meth:`Contents.build`) and images pushed by clients lie side by side.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from local_azure.acr.image import INDEXES, MEDIA_TYPES, Stored, build, digest_of, labelled, parts
from local_azure.acr.refusal import BARE, Refused
from local_azure.acr.state import Attributes, Blob, RegistryState, Repository
from local_azure.clock import Clock
from local_azure.wire import Json

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
LOCKED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)


class Contents:
    """The contents of every registry, by login server in lower case; `home` finds that of an endpoint.

    Unknown things are refused, as MANIFEST_UNKNOWN or its like.
    """

    def __init__(
        self, clock: Clock, state: Callable[[], RegistryState], home: Callable[[str], str] = str.lower
    ) -> None:
        self._clock, self._state, self._home = clock, state, home
        self.absent: list[Callable[[str, str, str], None]] = []
        """Each is asked for an image that is not here, by host, repository and tag, and may take it."""
        self.told: list[Callable[[str, str, str, Stored, str], None]] = []
        """Each is told of a push or a deletion: the host, ``push`` or ``delete``, the repository, the manifest, the
        tag.
        """

    def names(self, host: str) -> list[str]:
        """Return the names of all repositories with contents, in order."""
        return sorted(name for name, home in self._homes(host).items() if home.manifests)

    def repository(self, host: str, name: str) -> Repository:
        """Return the repository of the given name. Raises Refused NAME_UNKNOWN."""
        found = self._homes(host).get(name)
        if found is None:
            raise Refused("NAME_UNKNOWN", "repository name not known to registry")
        return found

    def stored(self, host: str, name: str, reference: str) -> Stored:
        """Return the manifest named by a tag or digest. Raises Refused."""
        if ":" not in reference and not self.has(host, name, reference):
            for asked in self.absent:
                asked(host, name, reference)
        home = self.repository(host, name)
        found = home.manifests.get(reference if ":" in reference else home.tags.get(reference, ""))
        if found is None:
            how = "with digest" if ":" in reference else "tagged by"
            raise Refused("MANIFEST_UNKNOWN", f'manifest {how} "{reference}" is not found')
        return found

    def has(self, host: str, name: str, tag: str) -> bool:
        """Tell if a repository has a tag."""
        return tag in self._homes(host).get(name, Repository(name)).tags

    def blob(self, host: str, name: str, digest: str) -> bytes:
        """A configuration or layer. Raises Refused."""
        home = self._homes(host).get(name, Repository(name))
        if digest in home.blobs:
            return self._blobs(host)[digest].content
        contents = (stored.blob(digest) for stored in home.manifests.values())
        found = next((content for content in contents if content is not None), None)
        if found is None:
            raise Refused("BLOB_UNKNOWN", "blob unknown to registry")
        return found

    def build(
        self,
        host: str,
        name: str,
        tag: str,
        *,
        exit_code: int | None = None,
        run_seconds: float | None = None,
        logs: str = "",
    ) -> str:
        """Make a new image under `tag`; return the digest."""
        self._state().builds += 1
        made = build(
            f"{host}/{name} build {self._state().builds}", exit_code=exit_code, run_seconds=run_seconds, logs=logs
        )
        self.take(host, name, made, tag)
        return made.digest

    def take(self, host: str, name: str, stored: Stored, tag: str | None) -> None:
        """Store a manifest without parts, or with all parts present, under a tag if given."""
        home = self._homes(host).setdefault(name, Repository(name))
        home.manifests[stored.digest] = stored
        self._touch(home, stored.digest)
        if tag:
            self.tag(host, name, tag, stored.digest)
        self._tell(host, "push", name, stored, tag or "")

    def copy(self, host: str, name: str, reference: str, to: tuple[str, str, str | None]) -> None:
        """Copy a manifest and all referenced contents into another repository, under a tag if given.

        Raises Refused.
        """
        stored, (there, home, tag) = self.stored(host, name, reference), to
        for part in parts(stored.read()) if not stored.marker else ():
            digest = str(part["digest"])
            if stored.media_type in INDEXES:
                self.copy(host, name, digest, (there, home, None))
            else:
                self.add_blob(there, home, digest, self.blob(host, name, digest))
        self.take(there, home, replace(stored), tag)

    def tag(self, host: str, name: str, tag: str, digest: str) -> None:
        """Point `tag` at a manifest of the repository. LookupError if the repository lacks the digest."""
        home = self._homes(host)[name]
        if home.tags.get(tag) != home.manifests[digest].digest:
            home.tags[tag] = digest
            self._touch(home, tag)

    def put_manifest(self, host: str, name: str, reference: str, media_type: str, content: bytes) -> Stored:
        """Store a manifest under a tag or digest, once the repository has all referenced parts.

        Raises Refused.
        """
        _require(NAME.fullmatch(name), "NAME_INVALID", "invalid repository name")
        digest = digest_of(content)
        if ":" in reference:
            _require(reference == digest, "DIGEST_INVALID", "provided digest did not match uploaded content")
        else:
            _require(TAG.fullmatch(reference), "TAG_INVALID", "manifest tag did not match URI")
        home = self._homes(host).setdefault(name, Repository(name))
        self.require_allowed(home, "write", "", reference, digest)
        home.manifests[digest] = home.manifests.get(digest) or self._read(host, home, media_type, content)
        self._touch(home, digest)
        if ":" not in reference:
            self.tag(host, name, reference, digest)
        self._tell(host, "push", name, home.manifests[digest], reference if ":" not in reference else "")
        return home.manifests[digest]

    def _read(self, host: str, home: Repository, media_type: str, content: bytes) -> Stored:
        try:
            manifest: Json = json.loads(content)
        except ValueError as error:
            raise Refused("MANIFEST_INVALID", "manifest invalid", str(error)) from error
        kind = media_type or (str(manifest.get("mediaType", "")) if isinstance(manifest, dict) else "")
        _require(
            isinstance(manifest, dict) and kind in MEDIA_TYPES and manifest.get("schemaVersion") == 2,
            "MANIFEST_INVALID",
            "manifest invalid",
        )
        _require(manifest.get("mediaType") in (None, kind), "MANIFEST_INVALID", "manifest invalid")
        digests = [str(part.get("digest")) for part in parts(manifest)]
        here = home.manifests if kind in INDEXES else _Held(self, host, home.name)
        for digest in digests:
            _require(digest in here, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest})
        made = Stored(digest_of(content), "", content.decode(), "", media_type=kind)
        return self._described(host, home, made, digests, indexed=kind in INDEXES)

    def _described(self, host: str, home: Repository, made: Stored, digests: list[str], *, indexed: bool) -> Stored:
        """Return the manifest with the behaviour of its containers: an index takes the first image's."""
        if not digests:
            return made
        if indexed:
            first = home.manifests[digests[0]]
            made.exit_code, made.run_seconds, made.logs, made.config = (
                first.exit_code,
                first.run_seconds,
                first.logs,
                first.config,
            )
            return made
        made.config = self.blob(host, home.name, digests[0]).decode(errors="replace")
        try:
            made.exit_code, made.run_seconds, made.logs = labelled(made.config)
        except ValueError as error:
            raise Refused(
                "MANIFEST_INVALID", "manifest invalid", f"a label of local-azure's is no number: {error}"
            ) from error
        return made

    def delete_manifest(self, host: str, name: str, digest: str) -> None:
        """Delete a manifest and every tag pointing at the manifest. Raises Refused."""
        home = self.repository(host, name)
        _require(digest in home.manifests, "MANIFEST_UNKNOWN", f"manifest {digest} is not found", BARE)
        found = home.manifests[digest]
        tags = [tag for tag, target in home.tags.items() if target == found.digest]
        self.require_allowed(home, "delete", "", found.digest, *tags)
        del home.manifests[found.digest]
        for gone in (found.digest, *tags):
            home.tags.pop(gone, None)
            home.attributes.pop(gone, None)
        self._tell(host, "delete", name, found, "")

    def untag(self, host: str, name: str, tag: str) -> None:
        """Delete a tag and keep the tagged manifest. Raises Refused."""
        home = self.repository(host, name)
        _require(tag in home.tags, "TAG_UNKNOWN", "the specified tag does not exist", BARE)
        self.require_allowed(home, "delete", "", tag)
        del home.tags[tag]
        home.attributes.pop(tag, None)

    def delete_repository(self, host: str, name: str) -> Repository:
        """Delete a repository with all contents. Raises Refused."""
        home = self.repository(host, name)
        self.require_allowed(home, "delete", "", *home.tags, *home.manifests)
        del self._homes(host)[name]
        self._sweep(host)
        return home

    def add_blob(self, host: str, name: str, digest: str, content: bytes) -> None:
        """Store content with a verified digest."""
        self._blobs(host)[digest] = Blob(content)
        self._link(host, name, digest)

    def mount(self, host: str, name: str, digest: str, origin: str) -> bool:
        """Link a blob of another repository; return False if the other repository lacks the blob."""
        try:
            self.add_blob(host, name, digest, self.blob(host, origin, digest))
        except Refused:
            return False
        return True

    def delete_blob(self, host: str, name: str, digest: str) -> None:
        """Take a pushed blob from a repository. Raises Refused."""
        home = self._homes(host).get(name, Repository(name))
        _require(digest in home.blobs, "BLOB_UNKNOWN", "blob unknown to registry", BARE)
        home.blobs.remove(digest)
        self._sweep(host)

    def attributes(self, home: Repository, key: str = "") -> Attributes:
        """Return the attributes of the repository, or of an existing tag or digest.

        Attributes missing in an older saved state are created with the present time.
        """
        now = self._clock.now()
        return home.attributes.setdefault(key, Attributes(now, now))

    def require_allowed(self, home: Repository, what: str, *keys: str) -> None:
        """Let a ``read``, ``write`` or ``delete`` pass where none of these is locked. Raises Refused."""
        if not all(getattr(home.attributes[key], what) for key in keys if key in home.attributes):
            raise Refused("DENIED", LOCKED, status=405)

    def _tell(self, host: str, action: str, name: str, stored: Stored, tag: str) -> None:
        for told in self.told:
            told(host, action, name, stored, tag)

    def _touch(self, home: Repository, key: str) -> None:
        now = self._clock.now()
        for each in (key, ""):
            home.attributes.setdefault(each, Attributes(now, now)).updated = now

    def _link(self, host: str, name: str, digest: str) -> None:
        home = self._homes(host).setdefault(name, Repository(name))
        if digest not in home.blobs:
            home.blobs.append(digest)

    def _sweep(self, host: str) -> None:
        """Remove the blobs without a link from any repository."""
        linked = {digest for home in self._homes(host).values() for digest in home.blobs}
        blobs = self._blobs(host)
        for digest in [digest for digest in blobs if digest not in linked]:
            del blobs[digest]

    def _homes(self, host: str) -> dict[str, Repository]:
        return self._state().repositories.setdefault(self._home(host), {})

    def _blobs(self, host: str) -> dict[str, Blob]:
        return self._state().blobs.setdefault(self._home(host), {})


class _Held:
    """Asks whether a repository has a blob, made or pushed."""

    def __init__(self, contents: Contents, host: str, name: str) -> None:
        self._contents, self._host, self._name = contents, host, name

    def __contains__(self, digest: object) -> bool:
        try:
            self._contents.blob(self._host, self._name, str(digest))
        except Refused:
            return False
        return True


def _require(holds: object, code: str, message: str, detail: object = None) -> None:
    if not holds:
        raise Refused(code, message, detail)
