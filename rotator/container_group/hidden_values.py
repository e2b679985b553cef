"""Every place in a container group where a value can stand that GET leaves out.

The list is azure-facts B7 and the ``sensitive`` marks of the API's types, 2023-05-01 to 2025-09-01: registry passwords,
secure environment variables (the entry stays, with its name alone), files of secret volumes (not even their names
stay), storage account keys, a workspace's key and resource id, an extension's protected settings. A property that a
later API version hides can't be known here: add it when it is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rotator.arm_json import Json, Value, containers, drop, entries, get, objects, plain, put, server, text
from rotator.policy.rules import WORKSPACE_ID

REGISTRY, VARIABLE = "image_registry_credentials", "env"


class Holds(Enum):
    """How a value is written: as it is, as files in base64 by name, or as an object."""

    TEXT = "text"
    FILES = "files"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Place:
    """A place for one hidden value, or for the files of one volume: property `name` of `owner`, a part of the document.

    `path` names it in a policy. `shown` is the property in which the same value may stand in plain sight; `references`
    are those by which Azure fetches it itself, and which GET does show (azure-facts B8). `optional`: whether there ever
    was a value can't be seen, so that somebody has to say it, if only that there was none.
    """

    path: str
    owner: Any = field(repr=False)
    name: str
    references: tuple[str, ...] = ()
    shown: str | None = None
    holds: Holds = Holds.TEXT
    optional: bool = False

    @property
    def value(self) -> Value:
        """What stands there; None for nothing, and for a volume without files."""
        found = get(self.owner, self.name)
        return (found or None) if self.holds is Holds.FILES else found

    @property
    def referenced(self) -> bool:
        """Whether Azure fetches the value itself."""
        return any(get(self.owner, name) for name in self.references)

    @property
    def plain(self) -> bool:
        """Whether the value stands in plain sight; an empty one does, too."""
        return self.shown is not None and get(self.owner, self.shown) is not None

    @property
    def missing(self) -> bool:
        """Whether a PUT of the document as it is would lose a value, or may."""
        return self.value is None and not (self.referenced or self.plain)

    def write(self, value: Value) -> None:
        """Set the value, and take it out of plain sight."""
        put(self.owner, self.name, value)
        if self.shown:
            drop(self.owner, self.shown)


def places(document: Value) -> tuple[Place, ...]:
    """All of them."""
    found = (_variables, _registries, _volumes, _diagnostics, _extensions)
    return tuple(place for part in found for place in part(document))


def _variables(document: Value) -> Iterator[Place]:
    for kind, container in containers(document):
        for variable in objects(container, "properties", "environmentVariables"):
            path = f"{kind}/{text(container, 'name')}/{VARIABLE}/{text(variable, 'name')}"
            yield Place(path, variable, "secureValue", ("secureValueReference",), shown="value")


def _registries(document: Value) -> Iterator[Place]:
    for entry in entries(document):
        yield Place(f"{REGISTRY}/{server(entry)}/password", entry, "password", ("passwordReference", "identity"))


def _volumes(document: Value) -> Iterator[Place]:
    for volume in objects(document, "properties", "volumes"):
        path, share = f"volumes/{text(volume, 'name')}", get(volume, "azureFile")
        if share is not None:
            yield Place(
                f"{path}/azure_file/storage_account_key", share, "storageAccountKey", ("storageAccountKeyReference",)
            )
        if get(volume, "secret") is not None:
            yield Place(f"{path}/secret", volume, "secret", holds=Holds.FILES)


def _diagnostics(document: Value) -> Iterator[Place]:
    analytics = get(document, "properties", "diagnostics", "logAnalytics")
    if analytics is not None:
        yield Place("diagnostics/log_analytics/workspace_key", analytics, "workspaceKey", ("workspaceKeyReference",))
        yield Place(WORKSPACE_ID, analytics, "workspaceResourceId", optional=True)


def _extensions(document: Value) -> Iterator[Place]:
    for extension in objects(document, "properties", "extensions"):
        path = f"extensions/{text(extension, 'name')}/protected_settings"
        yield Place(path, get(extension, "properties"), "protectedSettings", holds=Holds.OBJECT)


def as_shown(body: Value) -> Json:
    """What a GET would show of a body that was PUT: hidden values are gone, and of a secret volume all but its name."""
    shown: Json = plain(body)
    for place in places(shown):
        if place.holds is Holds.FILES:
            put(place.owner, place.name, {})
        else:
            drop(place.owner, place.name)
    return shown


def normal(path: str) -> str:
    """A path to compare: names of resources in lower case; variables and files keep their case, since Linux tells them apart."""
    *head, last = path.split("/", 3)
    return (
        "/".join((*head, last)).lower()
        if len(head) < 3 or head[2] not in (VARIABLE, "secret")
        else "/".join(head).lower() + f"/{last}"
    )
