"""Change the images of containers, and nothing else of a group."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rotator.arm_json import Json, containers, entries, get, plain, put, registry_of, server, text
from rotator.container_group.document import Document
from rotator.container_group.interpretation import used_images
from rotator.container_group.manifest import manifest_of
from rotator.container_group.refusal import is_registry
from rotator.errors import UnsafeStep


def with_images(document: Document, images: Mapping[str, str]) -> Document:
    """Return the group with other images, by the name of the container; unchanged without any.

    Raises UnsafeStep for a container that the group doesn't have, a confidential group, an image other than the
    manifest's, and a registry of the policy for which the group has no entry.
    """
    if not images:
        return document
    body: Json = plain(document.body)
    _ensure_there(document, images)
    _ensure_free(document)
    _ensure_agreed(manifest_of(document.policy, document.declared), images)
    for _, container in containers(body):
        if (name := text(container, "name")) in images:
            put(get(container, "properties"), "image", images[name])
    changed = replace(document, body=body)
    _ensure_pulled(changed, images)
    return changed


def provable(document: Document, images: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of some new images, sorted, that the group pulls with the principal's password."""
    return tuple(sorted({*images.values()} & {*used_images(document.body, document.app_id)}))


def _named(body: Mapping[str, Any]) -> dict[str, str]:
    return {text(each, "name"): text(each, "properties", "image") for _, each in containers(body)}


def _ensure_there(document: Document, images: Mapping[str, str]) -> None:
    known = _named(document.body)
    if lost := sorted(images.keys() - known.keys()):
        raise UnsafeStep(
            f"container group {document.id.name} has no container {', '.join(lost)}.",
            state="Nothing was deployed.",
            remedy=f"Name one of its containers: {', '.join(known)}.",
        )


def _ensure_free(document: Document) -> None:
    if text(document.body, "properties", "sku").lower() == "confidential":
        raise UnsafeStep(
            f"{document.id.name} is a confidential group: its ccePolicy names the images that its enclave runs.",
            state="Nothing was deployed.",
            remedy="Deploy the group with the new image and a ccePolicy made for it, by a manifest.",
        )


def _ensure_agreed(written: Document | None, images: Mapping[str, str]) -> None:
    """Refuse an image that the next deployment of the manifest would replace."""
    known = _named(written.body) if written else {}
    for name, image in images.items() if written else ():
        if known.get(name) != image:
            says = f"says {known[name]}" if name in known else "has no such container"
            raise UnsafeStep(
                f"`--image` gives container {name} {image}, but {written.file if written else ''} {says}.",
                state="Nothing was deployed.",
                remedy=f"Write {image} there, and run again.",
            )


def _ensure_pulled(document: Document, images: Mapping[str, str]) -> None:
    """Refuse an image of the policy's registries that the group has no credential for."""
    servers = {server(entry) for entry in entries(document.body)}
    for host in sorted({registry_of(image) for image in images.values()} - servers):
        known, _, port = host.partition(":")
        if is_registry(document.policy, known):
            raise UnsafeStep(
                f"container group {document.id.name} has no imageRegistryCredentials entry for {host}, so it could not"
                " pull.",
                state="Nothing was deployed.",
                remedy=f"Write {known} without a port: Azure takes none in an entry's server."
                if port
                else "Deploy the group with such an entry, by a manifest.",
            )
