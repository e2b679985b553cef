"""Cells of the matrices: the calls of a scene without faults, and those that `make test` tries.

`make soak` tries every cell. The choice for `make test` depends on the calls alone, so that equal sources try equal
cells: every write, the first call of each operation, and every `STRIDE`-th of the others. Between two writes only time
changes the world.
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
"""Share of the cells on real SDK code for `make test`: one in so many, if stories try every cell of the kind
(`tests/matrices/families.py`).
"""
FAULTS = 9
"""The same for faults: `tests/matrices/test_alphabet.py` tries each class of effects of each operation."""


@dataclass(frozen=True)
class Call:
    """Call of a scene, by its position, with a flag for writes."""

    index: int
    operation: str
    writes: bool

    def __str__(self) -> str:
        return f"{self.index:03d}-{self.operation}"


def calls(served: Iterable[Served]) -> tuple[Call, ...]:
    """Return the served calls, in order."""
    return tuple(Call(index, call.operation, _writes(call)) for index, call in enumerate(served))


def _writes(call: Served) -> bool:
    """Tell if a call changes Azure; requests for tokens don't."""
    return call.method not in ("GET", "HEAD") and not call.operation.startswith("entra.")


def sampled(made: Sequence[Call]) -> frozenset[int]:
    """Return the indexes of the calls that `make test` tries."""
    return frozenset(_sampled(made))


def _sampled(made: Sequence[Call]) -> Iterator[int]:
    known = set[str]()
    for call in made:
        if call.writes or call.operation not in known or call.index % STRIDE == 0:
            yield call.index
        known.add(call.operation)


@dataclass
class Classes:
    """Classes of effects that a matrix of faults has met on real SDK code, by operation; stories try each call and each
    class.
    """

    met: set[tuple[object, ...]] = field(default_factory=set)

    def known(self, call: Call, kind: Kind, *where: str) -> bool:
        """Tell if a cell is left to `make soak`, since the operation met its class before; conditions of one service
        count by name.
        """
        effects = frozenset(
            kind.effect(call.operation, way) for way in ways(call.operation) if kind.meets(call.operation, way)
        )
        cell = (call.operation, kind.name if kind in CONDITIONS else effects, *where)
        before = cell in self.met
        self.met.add(cell)
        return before


def cell(*values: Any, name: str, soak: bool, share: int = 1) -> Any:
    """Return a test's parameters; `soak` leaves the cell to `make soak`, and `share` all but one in so many, chosen by
    name.
    """
    soak = soak or left_out(name, share)
    return pytest.param(*values, id=name, marks=[pytest.mark.soak] if soak else [])


def left_out(name: str, share: int) -> bool:
    """Tell if a cell is none of those that `make test` tries, one in so many, chosen by name."""
    return crc32(name.encode()) % share != 0


def drawn(most: int, **strategies: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator for tests of so many random examples; `make test` tries a twelfth of them."""

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        @pytest.mark.parametrize(
            "many", [cell(max(most // 12, 10), name="few", soak=False), cell(most, name="all", soak=True)]
        )
        def tried(many: int) -> None:
            slow = settings(max_examples=many, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            slow(given(**strategies)(test))()

        tried.__name__, tried.__doc__ = test.__name__, test.__doc__
        return tried

    return decorated
