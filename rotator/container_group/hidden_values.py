"""List all places in a container group for values hidden by GET.

The list is azure-facts B7 and the ``sensitive`` marks of the API's types, 2023-05-01 to 2025-09-01: registry passwords,
secure environment variables (the entry stays, with its name alone), files of secret volumes (not even their names
stay), storage account keys, a workspace's key and resource id, an extension's protected settings. Properties hidden by
later API versions are unknown here: add them once known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from rotator.arm_json import Json, Value, containers, drop, entries, get, objects, plain, put, server, text
from rotator.policy.secret_rules import WORKSPACE_ID

REGISTRY, VARIABLE = "image_registry_credentials", "env"


class Holds(Enum):
    """Form of a value: as it is, as files in base64 by name, or as an object."""

    TEXT = "text"
    FILES = "files"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Place:
    """Place for one hidden value, or for the files of one volume: property `name` of `owner`, a part of the document.

    `path` names the place in a policy. `shown` is the property in which the same value may stand in plain sight;
    `references` are the properties by which Azure fetches the value, shown by GET (azure-facts B8). `optional`: GET
    doesn't show if there ever was a value, so a person has to state the value, or state that there was none.
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
        """Return the value of the place; None for an absent value, and for a volume without files."""
        found = get(self.owner, self.name)
        return (found or None) if self.holds is Holds.FILES else found

    @property
    def referenced(self) -> bool:
        """Tell if Azure fetches the value by reference."""
        return any(get(self.owner, name) for name in self.references)

    @property
    def plain(self) -> bool:
        """Tell if the value stands in plain sight; an empty value counts."""
        return self.shown is not None and get(self.owner, self.shown) is not None

    @property
    def missing(self) -> bool:
        """Tell if a PUT of the unchanged document would lose a value, or may."""
        return self.value is None and not (self.referenced or self.plain)

    def write(self, value: Value) -> None:
        """Set the hidden value, and remove the value in plain sight."""
        put(self.owner, self.name, value)
        if self.shown:
            drop(self.owner, self.shown)


def places(document: Value) -> tuple[Place, ...]:
    """Return all places for hidden values in a container group."""
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
    """Return a PUT body as GET would show it: without hidden values, and with only the name of a secret volume."""
    shown: Json = plain(body)
    for place in places(shown):
        if place.holds is Holds.FILES:
            put(place.owner, place.name, {})
        else:
            drop(place.owner, place.name)
    return shown


def normal(path: str) -> str:
    """Normalise a path for comparison: names of resources in lower case.

    Variables and files keep their case, since Linux tells them apart.
    """
    *head, last = path.split("/", 3)
    return (
        "/".join((*head, last)).lower()
        if len(head) < 3 or head[2] not in (VARIABLE, "secret")
        else "/".join(head).lower() + f"/{last}"
    )
