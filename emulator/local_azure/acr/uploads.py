"""Upload a blob to a registry: in pieces, at once, or by mounting from another repository.

Source: distribution specification, "Pushing blobs".
"""

from collections.abc import Callable

from local_azure.acr.contents import DIGEST, NAME, Contents
from local_azure.acr.image import digest_of
from local_azure.acr.refusal import Refused
from local_azure.acr.state import RegistryState, Upload
from local_azure.ids import Ids


class Uploads:
    """The blobs on their way into every registry."""

    def __init__(self, ids: Ids, contents: Contents, state: Callable[[], RegistryState]) -> None:
        self._ids, self._contents, self._state = ids, contents, state

    def begin(self, host: str, name: str) -> Upload:
        """Begin an empty upload. Raises Refused NAME_INVALID."""
        if not NAME.fullmatch(name):
            raise Refused("NAME_INVALID", "invalid repository name")
        made = Upload(self._ids.guid(), name)
        self._of(host)[made.id] = made
        return made

    def find(self, host: str, name: str, upload: str) -> Upload:
        """An upload under way. Raises Refused BLOB_UPLOAD_UNKNOWN."""
        found = self._of(host).get(upload.lower())
        if found is None or found.repository != name:
            raise Refused("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return found

    def append(self, host: str, name: str, upload: str, content: bytes, content_range: str = "") -> Upload:
        """One more piece; `content_range` (``start-end``) must continue what is there. Raises Refused."""
        found = self.find(host, name, upload)
        if content_range:
            start, _, end = content_range.removeprefix("bytes ").partition("/")[0].partition("-")
            if (
                not (start.isdigit() and end.isdigit())
                or int(start) != len(found.content)
                or int(end) - int(start) + 1 != len(content)
            ):
                raise Refused("RANGE_INVALID", "invalid content range")
        found.content += content
        return found

    def finish(self, host: str, name: str, upload: str, digest: str, content: bytes = b"") -> None:
        """The last piece and the digest of the whole, which is verified.

        Raises Refused DIGEST_INVALID; the upload is over either way.
        """
        found = self.append(host, name, upload, content)
        if not DIGEST.fullmatch(digest):
            raise Refused(
                "DIGEST_INVALID", "provided digest did not match uploaded content", "invalid checksum digest format"
            )
        del self._of(host)[found.id]
        if digest_of(found.content) != digest:
            raise Refused("DIGEST_INVALID", "provided digest did not match uploaded content")
        self._contents.add_blob(host, name, digest, found.content)

    def cancel(self, host: str, name: str, upload: str) -> None:
        """Remove an unfinished upload. Raises Refused BLOB_UPLOAD_UNKNOWN."""
        del self._of(host)[self.find(host, name, upload).id]

    def _of(self, host: str) -> dict[str, Upload]:
        return self._state().uploads.setdefault(host.lower(), {})
