"""Makes small but real OCI images, so that a client can check every digest of what it pulls, and reads those that clients push.

A made image is one layer with one file, a configuration and a manifest (OCI image specification 1.1). Only the texts
are kept; the layer is an uncompressed tar and is made again whenever somebody asks for it, because a compressor's
output may differ between machines.
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
    """What a pull gives the host: the image, and what a container made from it does when it runs.

    `exit_code` None: it serves until it is stopped. `run_seconds` None: as long as the emulator's timing says.
    """

    digest: str
    exit_code: int | None = None
    run_seconds: float | None = None
    logs: str = ""


@dataclass
class Stored:
    """A manifest as the registry keeps it: its text and its configuration's, and how a container made from it behaves.

    The layer of a made image is made of `marker`; a pushed one has none, and its blobs lie beside it.
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
        """What a puller learns of it."""
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
    """The descriptors of what a manifest consists of: its configuration and layers, or the manifests of an index."""
    if manifest.get("mediaType") in INDEXES or "manifests" in manifest:
        return list(manifest.get("manifests") or [])
    return [*([manifest["config"]] if "config" in manifest else []), *(manifest.get("layers") or [])]


def labelled(config: str) -> tuple[int | None, float | None, str]:
    """What the labels of a pushed image's configuration say: exit code, seconds until then, logs.

    ValueError for what is no number.
    """
    try:
        labels = (json.loads(config).get("config") or {}).get("Labels") or {}
    except (ValueError, AttributeError):
        return None, None, ""
    code, seconds, logs = (labels.get(name) for name in LABELS)
    return None if code is None else int(code), None if seconds is None else float(seconds), str(logs or "")


def digest_of(content: bytes) -> str:
    """The content's address, as registries write it."""
    return f"sha256:{sha256(content).hexdigest()}"


def build(marker: str, *, exit_code: int | None = None, run_seconds: float | None = None, logs: str = "") -> Stored:
    """An image whose digest depends on `marker` and on nothing else of this machine."""
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
    """A tar with one file that holds `marker`."""
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
