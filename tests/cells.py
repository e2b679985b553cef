"""The cells of the matrices: what a scene without faults calls, and which of its calls `make test` tries.

`make soak` tries every cell. The choice for `make test` rests on nothing but the calls, so that equal sources try equal
cells: every write, the first call of each operation, and every `STRIDE`-th of the others. Between two writes the world
stays as it is, and only time passes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from local_azure.app import Served

from tests.matrices.alphabet import CONDITIONS
from tests.matrices.kinds import Kind, ways

STRIDE = 12
SHARE = 6
"""Of so many cells on real SDK code `make test` tries one, where stories try all of their kind (`tests/matrices/families.py`)."""


@dataclass(frozen=True)
class Call:
    """One call of a scene, by its place in it, and whether it changes something."""

    index: int
    operation: str
    writes: bool

    def __str__(self) -> str:
        return f"{self.index:03d}-{self.operation}"


def calls(served: Iterable[Served]) -> tuple[Call, ...]:
    """Return what was served, in order."""
    return tuple(Call(index, call.operation, _writes(call)) for index, call in enumerate(served))


def _writes(call: Served) -> bool:
    """Token requests change nothing."""
    return call.method not in ("GET", "HEAD") and not call.operation.startswith("entra.")


def sampled(made: Sequence[Call]) -> frozenset[int]:
    """The calls that `make test` tries, by their index."""
    return frozenset(_sampled(made))


def _sampled(made: Sequence[Call]) -> Iterator[int]:
    known = set[str]()
    for call in made:
        if call.writes or call.operation not in known or call.index % STRIDE == 0:
            yield call.index
        known.add(call.operation)


@dataclass
class Classes:
    """The classes of effects that a matrix of faults has met on real SDK code, operation by operation; stories try each call and each class."""

    met: set[tuple[object, ...]] = field(default_factory=set)

    def known(self, call: Call, kind: Kind, *where: str) -> bool:
        """Tell if a cell is left to `make soak`, since the operation met that class there before; what only one service does is met by its name."""
        effects = frozenset(
            kind.effect(call.operation, way) for way in ways(call.operation) if kind.meets(call.operation, way)
        )
        cell = (call.operation, kind.name if kind in CONDITIONS else effects, *where)
        before = cell in self.met
        self.met.add(cell)
        return before


def cell(*values: Any, name: str, soak: bool, share: int = 1) -> Any:
    """A test's parameters; `soak` leaves it to `make soak`, and so does `share` of all but one of so many, chosen by their names."""
    soak = soak or crc32(name.encode()) % share != 0
    return pytest.param(*values, id=name, marks=[pytest.mark.soak] if soak else [])


def drawn(most: int, **strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test of so many random examples; `make test` tries a sixth of them."""

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        @pytest.mark.parametrize(
            "many", [cell(max(most // 6, 10), name="few", soak=False), cell(most, name="all", soak=True)]
        )
        def tried(many: int) -> None:
            slow = settings(max_examples=many, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            slow(given(**strategies)(test))()

        tried.__name__, tried.__doc__ = test.__name__, test.__doc__
        return tried

    return decorated
