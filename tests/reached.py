"""Record of the codes of reasons, waits, notes and vetoes, and of the classes of effects, that a test run reaches; an
unreached one is a hole.

A worker reports after each test its first sightings; the parent process adds them up.
"""

from collections.abc import Iterable, Iterator
from functools import wraps
from typing import Any

import pytest

from rotator import guard
from rotator.events import Noted, Vetoed
from rotator.guard import Veto
from rotator.plan import RULES
from rotator.steps import Note, Reason, Wait
from tests.codes import GUARD, PLAN, SOURCES, codes_by_kind, codes_by_rule
from tests.matrices.effects import Effect

CARRIERS: dict[type[Any], str] = {
    Reason: "reason",
    Wait: "wait",
    Note: "note",
    Noted: "note",
    Veto: "veto",
    Vetoed: "veto",
}
PROPERTY = "reached"
SEEN: set[str] = set()
"""Codes seen by this process, as ``kind:code``."""
_told: set[str] = set()


def watch() -> None:
    """Record the code of each decision in this process."""
    for carrier, kind in CARRIERS.items():
        carrier.__init__ = _recording(carrier.__init__, kind)


def _recording(init: Any, kind: str) -> Any:
    @wraps(init)
    def recording(self: Any, *args: Any, **named: Any) -> None:
        init(self, *args, **named)
        SEEN.add(f"{kind}:{self.code}")

    return recording


def fresh() -> str:
    """Return the sightings since the last call; empty for none."""
    new = SEEN - _told
    _told.update(new)
    return " ".join(sorted(new))


def reached(reports: Iterable[object]) -> set[str]:
    """Return the sightings of all workers."""
    said = (pair for report in reports if isinstance(report, pytest.TestReport) for pair in report.user_properties)
    return {each for name, seen in said if name == PROPERTY for each in str(seen).split()}


def missing(seen: set[str]) -> Iterator[str]:
    """Yield the unreached codes, rules and classes."""
    yield from sorted(
        f"{kind} {code}" for kind, codes in codes_by_kind().items() for code in codes if f"{kind}:{code}" not in seen
    )
    codes = {each.partition(":")[2] for each in seen}
    yield from sorted(f"rule {rule}" for rule, own in _rules().items() if own and not own & codes)
    yield from sorted(f"class {effect}" for effect in Effect if f"class:{effect}" not in seen)


def line(seen: set[str]) -> str:
    """Return how many of each were reached."""
    lacking = list(missing(seen))
    many = {"codes": sum(map(len, codes_by_kind().values())), "rules": len(_rules()), "classes": len(Effect)}
    left = {
        "codes": sum(not each.startswith(("rule ", "class ")) for each in lacking),
        "rules": sum(each.startswith("rule ") for each in lacking),
        "classes": sum(each.startswith("class ") for each in lacking),
    }
    return "reached: " + ", ".join(f"{many[what] - left[what]} of {many[what]} {what}" for what in many)


def _rules() -> dict[str, set[str]]:
    """Return the rules of plan and guard, each with its codes."""
    found: dict[str, set[str]] = {}
    for modules, rules in ((PLAN, RULES), (GUARD, guard.RULES)):
        files = [SOURCES[0].parents[1] / "rotator" / module for module in modules]
        found |= codes_by_rule(files, {rule.__name__ for rule in rules})
    return found
