"""The cells of the matrices: what a scene without faults calls, and which of its calls `make test` tries.

`make soak` tries every cell. The choice for `make test` rests on nothing but the calls, so that equal sources try equal cells: every write, the first
call of each operation, and every `STRIDE`-th of the others. Between two writes the world stays as it is, and only time passes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest

from rotator.emulator.app import Served

STRIDE = 8
SHARE = 3
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
    """What was served, in order."""
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


def cell(*values: Any, name: str, soak: bool, share: int = 1) -> Any:
    """A test's parameters; `soak` leaves it to `make soak`, and so does `share` of all but one of so many, chosen by their names."""
    soak = soak or crc32(name.encode()) % share != 0
    return pytest.param(*values, id=name, marks=[pytest.mark.soak] if soak else [])
