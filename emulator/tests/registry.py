"""Client that pushes an image, request by request, and images to push."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from containers import SERVER, Answer, World
from local_azure.acr.image import CONFIG, INDEX, LAYER, MANIFEST, digest_of


def descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


@dataclass
class Made:
    """Image of one layer, as a client has it before the push."""

    layer: bytes = b"layer \x00\xff"
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: str = MANIFEST

    @property
    def config(self) -> bytes:
        return json.dumps({"architecture": "arm64", "os": "linux", "config": {"Labels": dict(self.labels)}}).encode()

    @property
    def manifest(self) -> bytes:
        parts = {"config": descriptor(CONFIG, self.config), "layers": [descriptor(LAYER, self.layer)]}
        return json.dumps({"schemaVersion": 2, "mediaType": self.kind, **parts}).encode()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


def index_of(*images: Made) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [descriptor(MANIFEST, image.manifest) for image in images],
        }
    ).encode()


@dataclass
class Client:
    """Client of a World's registry, by default with the owner's password."""

    world: World
    basic: tuple[str, str] = ("", "")
    host: str = SERVER

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        user = self.basic if any(self.basic) else (self.world.owner.app_id, self.world.owner.secret)
        return self.world.registry(
            method,
            urljoin(f"https://{self.host}", path).removeprefix(f"https://{self.host}"),
            basic=user,
            body=body,
            **headers,
        )

    def upload(self, repository: str, content: bytes) -> Answer:
        """Upload a blob, all at once."""
        begun = self.call("POST", f"/v2/{repository}/blobs/uploads/")
        if begun.status != 202:
            return begun
        return self.call("PUT", f"{begun.headers['Location']}&digest={digest_of(content)}", content)

    def put(self, repository: str, reference: str, manifest: bytes, kind: str = MANIFEST) -> Answer:
        return self.call("PUT", f"/v2/{repository}/manifests/{reference}", manifest, **{"Content-Type": kind})

    def push(self, repository: str, tag: str, image: Made | None = None) -> Answer:
        """Push an image; return the answer to the first refused request, or to the manifest."""
        image = image or Made()
        for content in (image.layer, image.config):
            if (answer := self.upload(repository, content)).status != 201:
                return answer
        return self.put(repository, tag, image.manifest, image.kind)
