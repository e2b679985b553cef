"""Saved contents of registries, as plain values to be saved as JSON and compared."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict

from local_azure.acr.image import Stored


@dataclass
class Attributes:
    """Times of creation and change of a repository, tag or manifest, and its locks.

    ``az acr repository update`` sets the locks.
    """

    created: datetime
    updated: datetime
    delete: bool = True
    write: bool = True
    list: bool = True
    read: bool = True


@dataclass
class Blob:
    """Content that a client pushed; saved as base64, because JSON holds no bytes."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    content: bytes = field(repr=False)


@dataclass
class Upload:
    """An unfinished blob upload: the content received so far."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    id: str
    repository: str
    content: bytes = field(default=b"", repr=False)


@dataclass
class Repository:
    """One repository: manifests by digest, tags pointing at manifests, and linked pushed blobs."""

    name: str
    manifests: dict[str, Stored] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: list[str] = field(default_factory=list)
    attributes: dict[str, Attributes] = field(default_factory=dict)
    """Attributes: of the repository under ``""``, of its tags by name, of its manifests by digest."""


@dataclass
class Minute:
    """Number of one user's requests since the beginning of a minute."""

    since: datetime
    asked: int = 0


@dataclass
class RegistryState:
    """All registries' contents by login server, the key for signing tokens, and the counts for the limits."""

    key: str = ""
    builds: int = 0
    repositories: dict[str, dict[str, Repository]] = field(default_factory=dict)
    blobs: dict[str, dict[str, Blob]] = field(default_factory=dict)
    uploads: dict[str, dict[str, Upload]] = field(default_factory=dict)
    asked: dict[str, Minute] = field(default_factory=dict)
