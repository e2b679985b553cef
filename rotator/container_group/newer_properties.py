"""Find what only a newer API version shows of a container group: a PUT with rotator's version would lose it.

Only writable places count; properties written by the service alone are dropped first, and tags, which every version
shows. Names are compared without regard to letter case, as by Azure. An empty value loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from rotator.arm_json import drop, get
from rotator.container_group.put_properties import writable
from rotator.resource_id import ResourceId
from rotator.state import NewerGroups, NewerValue

EMPTY: tuple[Any, ...] = (None, "", [], {}, False)
"""Values whose loss changes nothing."""


_COMMON = WeakKeyDictionary[NewerGroups, Mapping[str, Any]]()
"""Values that each group of a list has, by path: computed once for a list, which has thousands of groups."""


def newer_values(ours: Mapping[ResourceId, Mapping[str, Any]], newer: Sequence[NewerGroups]) -> tuple[NewerValue, ...]:
    """Return what the newer version alone shows of each group in `ours`, sorted.

    `newer` has all groups of the subscriptions, as the newest version shows them: a value that is the same on each of
    several groups was added by Azure.
    """
    shown = {group: each.by_id[group] for each in newer for group in ours if group in each.by_id}
    found = [
        (group, path, value)
        for group, document in ours.items()
        if group in shown
        for path, value in _only(_body(shown[group]), _body(document))
    ]
    return tuple(sorted(NewerValue(group, path, _added(path, value, newer)) for group, path, value in found))


def _added(path: str, value: Any, newer: Sequence[NewerGroups]) -> bool:
    """Tell if each of several groups has this value."""
    lists = [each for each in newer if each.by_id]
    several = sum(len(each.by_id) for each in lists) > 1
    return several and all(path in _common(each) and _common(each)[path] == value for each in lists)


def _common(newer: NewerGroups) -> Mapping[str, Any]:
    if newer not in _COMMON:
        first, *others = (dict(_only(_body(shown), {})) for shown in newer.by_id.values())
        _COMMON[newer] = {
            path: value for path, value in first.items() if all(each.get(path) == value for each in others)
        }
    return _COMMON[newer]


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
