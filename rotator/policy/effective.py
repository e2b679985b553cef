"""Values of a policy with their source: its file, the defaults that it extends, or rotator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rotator.policy import durations
from rotator.policy.groups import Manifest
from rotator.policy.inheritance import SUBSCRIPTIONS
from rotator.policy.located import Located, Path, Position, dotted
from rotator.policy.model import Policy, PolicyFile
from rotator.policy.source import Part


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One value, and the place that says it; without a place it is rotator's own default."""

    path: str
    value: str | int | bool
    place: Position | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """Documents about one policy: its file over its defaults, and the defaults alone."""

    document: Located
    defaults: Located


def effective_values(policy: Policy, written: Sources) -> tuple[EffectiveValue, ...]:
    """Return every value of a policy in the order of the documentation."""
    own = [_valued(written.document, path, value) for path, value in _values(policy, written.document)]
    added = written.defaults.at(SUBSCRIPTIONS)
    first = len(policy.discover.subscriptions)
    listed = enumerate(added) if isinstance(added, list) else ()
    also = (
        EffectiveValue(
            dotted((*SUBSCRIPTIONS, first + index)), str(value), _at(written.defaults, (*SUBSCRIPTIONS, index))
        )
        for index, value in listed
    )
    return (*own, *also)


def _values(policy: Policy, document: Located) -> Iterator[tuple[Path, Any]]:
    for name in PolicyFile.model_fields:
        yield from _below(getattr(policy, name), (name,), document)


def _below(value: Any, path: Path, document: Located) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Manifest):
        value = document.at(path)
    if isinstance(value, Part):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _below(item, (*path, key), document)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _below(item, (*path, index), document)
    elif value is not None:
        yield path, value


def _valued(document: Located, path: Path, value: Any) -> EffectiveValue:
    plain = durations.render(value) if isinstance(value, timedelta) else value
    return EffectiveValue(dotted(path), plain if isinstance(plain, bool | int) else str(plain), _at(document, path))


def _at(document: Located, path: Path) -> Position | None:
    place = document.values.get(path)
    return Position(place.line, place.column, place.file or document.file) if place else None
