"""Policy as a whole, with the place of each value: for people as a table, for programs in the JSON form."""

from collections.abc import Sequence
from typing import Any

from rotator.policy import EffectiveValue, Policy
from rotator.report.words import INDENT
from rotator.visible import one_line

OWN = "rotator's default"


def effective_text(policy: Policy, values: Sequence[EffectiveValue]) -> str:
    """Return a policy's values, one a line, with the place that says each."""
    shown = [(one_line(each.path), _source(each), one_line(_plain(each.value))) for each in values]
    path, source = (max(len(line[column]) for line in shown) for column in (0, 1))
    lines = [f"{INDENT}{line[0]:<{path}}  {line[1]:<{source}}  {line[2]}" for line in shown]
    return "\n".join([f"{policy.name} ({policy.file})", *lines])


def effective_body(policy: Policy, values: Sequence[EffectiveValue]) -> dict[str, Any]:
    """Return a policy's values in the JSON form; `file`, `line` and `column` are null for rotator's defaults."""
    return {"policy": policy.name, "file": policy.file, "values": [_body(each) for each in values]}


def _body(each: EffectiveValue) -> dict[str, Any]:
    place = each.place
    where = (place.file, place.line, place.column) if place else (None, None, None)
    return {"path": each.path, "value": each.value, **dict(zip(("file", "line", "column"), where, strict=True))}


def _plain(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _source(each: EffectiveValue) -> str:
    return f"{one_line(each.place.file)}:{each.place.line}:{each.place.column}" if each.place else OWN
