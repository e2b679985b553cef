"""Save an emulated Azure between runs: all state, the time, the ids still to come, the planned faults.

One JSON file, readable by people. The file holds secrets (passwords, vault values, signing keys), so only the owner can
read the file.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from local_azure.azure import Azure
from local_azure.faults import Fault
from local_azure.private import UnreadableState, read_json, write_private

FORMAT = 2
"""Raised when a file of an older emulator could no longer be read."""


class Stateful(Protocol):
    """A service with every change in `state`."""

    state: Any


def services(azure: Azure) -> Iterator[tuple[str, Stateful]]:
    """Every service with a state, by name; together these states are the whole world."""
    for name in ("directory", "tokens", "authorization", "resources", "vaults", "registries", "container_groups"):
        yield name, getattr(azure, name)


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
"""The adapter of a type, made once: making one takes longer than any use."""


def dump(azure: Azure) -> dict[str, Any]:
    """Return all changing state of `azure` as JSON, secrets included."""
    return {
        "format": FORMAT,
        "tenant": azure.directory.tenant,
        "now": azure.clock.now().isoformat(),
        "ids": azure.ids.position,
        "faults": _adapter(list[Fault]).dump_python(azure.faults.planned, mode="json"),
        "services": {
            name: _adapter(type(service.state)).dump_python(service.state, mode="json")
            for name, service in services(azure)
        },
    }


def restore(azure: Azure, content: dict[str, Any]) -> None:
    """Give `azure` the state in `content`, but not its time (:func:`time_of`). Raises UnreadableState."""
    name = ""
    try:
        for name, service in services(azure):
            service.state = _adapter(type(service.state)).validate_json(json.dumps(content["services"][name]))
        azure.directory.tenant = content["tenant"]
        azure.faults.planned[:] = _adapter(list[Fault]).validate_python(content["faults"])
        azure.ids.resume(tuple(content["ids"]))
    except ValidationError as error:
        where = ".".join(
            str(part) for part in error.errors(include_input=False, include_context=False, include_url=False)[0]["loc"]
        )
        raise UnreadableState(
            f"the saved state does not fit this version of the emulator: a value at {name}.{where}"
        ) from None
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableState(f"the saved state does not fit this version of the emulator: {error}") from error


def time_of(content: dict[str, Any]) -> datetime:
    """Return the instant of saving `content`. Raises UnreadableState."""
    try:
        return datetime.fromisoformat(content["now"]).astimezone(UTC)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise UnreadableState("the saved state doesn't say when it was saved") from None


def save(azure: Azure, path: Path) -> None:
    """Replace the file at `path` in one step; mode 0600."""
    write_private(path, json.dumps(dump(azure), separators=(",", ":")).encode())


def load(path: Path) -> dict[str, Any] | None:
    """Return the content written by :func:`save`; None if the file is missing.

    Raises UnreadableState for any other format.
    """
    try:
        content = read_json(path)
    except ValueError as error:
        raise UnreadableState(f"{path} is not JSON: {error}") from error
    if content is not None and not (isinstance(content, dict) and content.get("format") == FORMAT):
        raise UnreadableState(f"{path} was written by another version of the emulator")
    return content
