"""Make small but real OCI images with verifiable digests, and read images pushed by clients.

A made image is one layer with one file, a configuration and a manifest (OCI image specification 1.1). Only the texts
are kept. The layer is an uncompressed tar, made again on each request, because a compressor's output may differ between
machines.
"""

import io
import json
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from local_azure.wire import Json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
INDEXES = (INDEX, DOCKER_LIST)
"""Media types of manifests that only name other manifests, one for each platform."""
MEDIA_TYPES = (MANIFEST, DOCKER_MANIFEST, *INDEXES)
"""The manifests that a registry takes; Docker's first schema is history."""
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LABELS = "local-azure.exit-code", "local-azure.run-seconds", "local-azure.logs"
"""Labels of a pushed image that say what a container made from it does, as ``local-azure push`` says it with options.
"""


@dataclass(frozen=True, slots=True)
class Image:
    """Image as given to the host by a pull, with the behaviour of the image's containers.

    `exit_code` None: the container serves until stopped. `run_seconds` None: the time set by the emulator's timing.
    """

    digest: str
    exit_code: int | None = None
    run_seconds: float | None = None
    logs: str = ""


@dataclass
class Stored:
    """Manifest as stored by the registry: the manifest's and configuration's texts, and the containers' behaviour.

    The layer of a made image is made of `marker`. A pushed image has no `marker`; the blobs lie beside the manifest.
    """

    digest: str
    marker: str
    manifest: str
    config: str
    exit_code: int | None = None
    run_seconds: float | None = None
    logs: str = ""
    media_type: str = MANIFEST

    def image(self) -> Image:
        """Return the image as seen by a puller."""
        return Image(self.digest, self.exit_code, self.run_seconds, self.logs)

    def read(self) -> dict[str, Json]:
        """The manifest as JSON."""
        return dict(json.loads(self.manifest))

    def blob(self, digest: str) -> bytes | None:
        """The configuration or layer of a made image, if `digest` is theirs."""
        if not self.marker:
            return None
        candidates = (self.config.encode(), layer(self.marker))
        return next((content for content in candidates if digest_of(content) == digest), None)


def parts(manifest: Json) -> list[Json]:
    """Return the descriptors of a manifest's parts: configuration and layers, or the manifests of an index."""
    if manifest.get("mediaType") in INDEXES or "manifests" in manifest:
        return list(manifest.get("manifests") or [])
    return [*([manifest["config"]] if "config" in manifest else []), *(manifest.get("layers") or [])]


def labelled(config: str) -> tuple[int | None, float | None, str]:
    """Return the values in the labels of a pushed image: exit code, seconds until exit, logs.

    The labels are in the image's configuration. ValueError for a value other than a number.
    """
    try:
        labels = (json.loads(config).get("config") or {}).get("Labels") or {}
    except (ValueError, AttributeError):
        return None, None, ""
    code, seconds, logs = (labels.get(name) for name in LABELS)
    return None if code is None else int(code), None if seconds is None else float(seconds), str(logs or "")


def digest_of(content: bytes) -> str:
    """Return the content's digest as written by registries."""
    return f"sha256:{sha256(content).hexdigest()}"


def build(marker: str, *, exit_code: int | None = None, run_seconds: float | None = None, logs: str = "") -> Stored:
    """Make an image with a digest depending on `marker` only, and not on the machine."""
    content = layer(marker)
    history = {"created": "2024-01-01T00:00:00Z", "architecture": "amd64", "os": "linux"}
    config = _text(
        {**history, "config": {"Cmd": ["/app"]}, "rootfs": {"type": "layers", "diff_ids": [digest_of(content)]}}
    )
    manifest = _text(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, config.encode()),
            "layers": [_descriptor(LAYER, content)],
        }
    )
    return Stored(digest_of(manifest.encode()), marker, manifest, config, exit_code, run_seconds, logs)


@lru_cache(maxsize=256)
def layer(marker: str) -> bytes:
    """Return a tar with one file containing `marker`."""
    content, out = f"{marker}\n".encode(), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("app")
        entry.size, entry.mode = len(content), 0o755
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _descriptor(media_type: str, content: bytes) -> dict[str, Json]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _text(content: Json) -> str:
    return json.dumps(content, separators=(",", ":"))
