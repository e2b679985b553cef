"""Values of a container group that Azure refuses whatever the rest is: images, sizes, ports, entries for registries.

A deployment would be refused with them (azure-facts B9), after a rotation has begun.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rotator.policy.located import Path
from rotator.policy.manifest import placeholders

_REFERENCE = re.compile(
    r"([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
"""An image as registries take it (distribution's reference grammar)."""
_BESIDE_A_HOST = re.compile(r"[/:\s]|\.$")
_NUMBERED, _NUMBERS = {"resources", "ports"}, {"cpu", "memoryingb", "port", "count"}
_NUMBER = re.compile(r"\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*")
_ENTRY = (
    "For the policy's principal, write `username: ${{ credential:username }}` and"
    " `password: ${{ credential:password }}`."
)
_IMAGE = (
    "Write the whole name, such as contoso.azurecr.io/team/web:v1; a variable of a script or pipeline isn't filled in."
)

Refused = tuple[Path, str, str]
"""Place, problem and remedy of a value."""


def wrong_reference(image: str) -> str:
    """Return the mistake of an image's reference; empty without one."""
    if _REFERENCE.fullmatch(image):
        return ""
    if "://" in image:
        return "an image's reference begins with the registry's name, without a scheme"
    return (
        "not a reference of an image, as in contoso.azurecr.io/team/web:v1 or contoso.azurecr.io/web@sha256:DIGEST"
        + ("; a repository has small letters only" if _REFERENCE.fullmatch(image.lower()) else "")
    )


def unacceptable(sent: Mapping[str, Any]) -> Iterator[Refused]:
    """Yield the values of a group that Azure refuses, each with its place."""
    properties = sent.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        each = _EACH.get(name.lower())
        for index, item in enumerate(value) if each and isinstance(value, list) else ():
            if each and isinstance(item, dict):
                for inside, problem, remedy in each(item):
                    yield ("properties", name, index, *inside), problem, remedy


def _of_container(container: Mapping[str, Any]) -> Iterator[Refused]:
    properties = container.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        plain = name.lower() == "image" and isinstance(value, str) and not placeholders(value)
        if plain and (problem := wrong_reference(value)):
            yield ("properties", name), problem, _IMAGE
        for inside, number in _numbers(value) if name.lower() in _NUMBERED else ():
            if not _is_number(number):
                yield ("properties", name, *inside), "not a number", "Write the number itself."


def _numbers(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, item in items:
        if str(part).lower() in _NUMBERS:
            yield (*path, part), item
        else:
            yield from _numbers(item, (*path, part))


def _is_number(value: object) -> bool:
    """Tell if Azure takes a value for a number: a text of one is one, too, and nothing is the default."""
    if isinstance(value, str):
        return bool(placeholders(value) or _NUMBER.fullmatch(value))
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _of_entry(entry: Mapping[str, Any]) -> Iterator[Refused]:
    given = {key.lower(): key for key, said in entry.items() if said}
    if len(given.keys() & {"username", "identity"}) != 1:
        yield (), "an entry for a registry needs either a username or an identity", _ENTRY
    key = next((key for key in entry if key.lower() == "server"), None)
    server = entry[key] or "" if key else ""
    if isinstance(server, str) and (not server or _BESIDE_A_HOST.search(server)) and not placeholders(server):
        host = re.sub(r"^\w+://|\.?([/:].*)?$", "", server.strip()) or "REGISTRY.azurecr.io"
        problem = (
            "not a host name alone: Azure takes no protocol, port or path here"
            if server
            else "an entry for a registry needs the registry's host name"
        )
        yield (key,) if key else (), problem, f"Write `server: {host}`."


_EACH = {"containers": _of_container, "initcontainers": _of_container, "imageregistrycredentials": _of_entry}
