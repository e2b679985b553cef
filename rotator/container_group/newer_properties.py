"""Find what only a newer API version shows of a container group: a PUT with rotator's version would lose it.

Only writable places count; properties written by the service alone are dropped first, and tags, which every version
shows. Names are compared without regard to letter case, as by Azure. An empty value loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rotator.arm_json import drop, get
from rotator.container_group.put_properties import writable
from rotator.resource_id import ResourceId
from rotator.state import NewerValue

EMPTY: tuple[Any, ...] = (None, "", [], {}, False)
"""Values whose loss changes nothing."""


def newer_values(
    ours: Mapping[ResourceId, Mapping[str, Any]], newer: Mapping[ResourceId, Mapping[str, Any]]
) -> tuple[NewerValue, ...]:
    """Return what the newer version alone shows of each group in `ours`, sorted.

    `newer` has all groups of the subscriptions, as the newest version shows them: a value that is the same on each of
    several groups was added by Azure.
    """
    every = [dict(_only(_body(shown), {})) for shown in newer.values()]
    found = (
        NewerValue(group, path, len(every) > 1 and all(values.get(path) == value for values in every))
        for group, document in ours.items()
        if group in newer
        for path, value in _only(_body(newer[group]), _body(document))
    )
    return tuple(sorted(found))


def _body(document: Mapping[str, Any]) -> Mapping[str, Any]:
    body = writable(document)
    drop(body, "tags")
    return body


def _only(newer: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the paths with a value in `newer` and none in `ours`, and for an absent part the values inside."""
    if isinstance(newer, Mapping):
        for name, value in newer.items():
            yield from _only(value, get(ours, name), f"{path}.{name}" if path else name)
    elif isinstance(newer, list) and newer and all(isinstance(each, Mapping) for each in newer):
        known = ours if isinstance(ours, list) else []
        for index, each in enumerate(newer):
            yield from _only(each, _same(each, index, known), f"{path}[{each.get('name', index)}]")
    elif newer not in EMPTY and ours is None:
        yield path, newer


def _same(item: Mapping[str, Any], index: int, known: Sequence[Any]) -> Any:
    """Return the item of a list that is the same one: by its name, or else by its place."""
    if name := item.get("name"):
        return next((each for each in known if get(each, "name") == name), {})
    return known[index] if index < len(known) else {}
