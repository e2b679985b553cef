"""What came of a deployment, for who started it: a job's exit code, the address that may have changed, the images that run."""

from collections.abc import Mapping
from typing import Any

from rotator.arm_json import containers, get, text
from rotator.container_group.instance import view


def exit_code(document: Mapping[str, Any] | None) -> int | None:
    """The first container's exit code that isn't 0, or 0; None while one of them has not ended."""
    shown = view(document)
    codes = [one.current.exit_code for one in shown.mains] if shown else []
    if not codes or any(code is None for code in codes):
        return None
    return next((code for code in codes if code), 0)


def ip_address(document: Mapping[str, Any] | None) -> str | None:
    """The group's IP address, if it has one; a redeployment may change it (azure-facts A5)."""
    return text(get(document, "properties", "ipAddress"), "ip") or None


def pulled(document: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """The digest that each container last pulled, by its image's name, sorted: tags move, and a redeployment pulls what they are now."""
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
    """An image's name without tag and digest."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return head + slash + last.partition(":")[0]


def brief(digest: str) -> str:
    """A digest as people tell two apart."""
    return digest[:19]


def moved_tags(document: Mapping[str, Any] | None, served: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Images whose name stands for another digest than the one that runs: image, what runs, what the registry serves now."""
    return tuple(
        (image, digest, served[image])
        for image, digest in pulled(document)
        if "@" not in image and served.get(image, digest) != digest
    )
