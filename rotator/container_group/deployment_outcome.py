"""Outcome of a deployment, for its caller: a job's exit code, a possibly new address, the running images."""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import containers, get, objects, text
from rotator.container_group.instance import view


def public_port(document: Mapping[str, Any] | None) -> int | None:
    """Return a port of the group's public IP address; None without one."""
    address = get(document, "properties", "ipAddress") if document is not None else None
    shown = [get(port, "port") for port in objects(get(address, "ports"))]
    ports = [port for port in shown if isinstance(port, int)]
    return min(ports, default=None) if text(address, "type").lower() == "public" else None


def exit_code(document: Mapping[str, Any] | None) -> int | None:
    """Return the first non-zero exit code of a container, else 0; None while a container has not ended."""
    shown = view(document)
    codes = [one.current.exit_code for one in shown.mains] if shown else []
    if not codes or any(code is None for code in codes):
        return None
    return next((code for code in codes if code), 0)


def ip_address(document: Mapping[str, Any] | None) -> str | None:
    """Return the group's IP address, or None; a redeployment may change the address (azure-facts A5)."""
    return text(get(document, "properties", "ipAddress"), "ip") or None


def pulled(document: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """Return the digest last pulled by each container, by image name, sorted.

    Tags move, and a redeployment pulls the present digest of a tag.
    """
    shown = view(document)
    found = {}
    for one, (_, container) in zip(shown.instances if shown else (), containers(document), strict=False):
        image = text(container, "properties", "image")
        for event in sorted(one.events, key=lambda event: event.last):
            repository, _, digest = event.message.partition('"')[2].partition('"')[0].partition("@")
            if event.name == "pulled" and digest.startswith("sha256:") and repository == _repository(image):
                found[image] = digest
    return tuple(sorted(found.items()))


def _repository(image: str) -> str:
    """Return an image's name without tag and digest."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return head + slash + last.partition(":")[0]


def brief(digest: str) -> str:
    """Shorten a digest, long enough to tell two apart."""
    return digest[:19]


def moved_tags(document: Mapping[str, Any] | None, served: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return images whose tag has moved: image, running digest, digest now served by the registry."""
    return tuple(
        (image, digest, served[image])
        for image, digest in pulled(document)
        if "@" not in image and served.get(image, digest) != digest
    )
