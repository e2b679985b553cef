"""Finds the objects in a container group's properties that a path names, through arrays and all, with where each is."""

from collections.abc import Iterator

from local_azure.wire import Json

Properties = dict[str, Json]


def at(properties: Properties, path: str) -> Iterator[tuple[str, Properties]]:
    """Yield every object at `path`, with the object's place in the spelling of error messages.

    Example of a path: ``containers.properties.ports``; empty for `properties` itself.
    """
    yield from _at(properties, path.split(".") if path else [], "properties")


def _at(item: Json, path: list[str], where: str) -> Iterator[tuple[str, Properties]]:
    if not path:
        yield where, item
        return
    found, here = item.get(path[0]), f"{where}.{path[0]}"
    if isinstance(found, dict):
        yield from _at(found, path[1:], here)
    for index, entry in enumerate(found if isinstance(found, list) else []):
        yield from _at(entry, path[1:], f"{here}[{index}]")
