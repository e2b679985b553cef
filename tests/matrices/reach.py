"""Reach of each killer: its lines, the functions next to its disturbance, and the reads that could be answered from
memory.

Found once, and kept beside pytest's cache under a digest of the sources; concurrent processes wait for the first.
"""

import ast
import fcntl
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.matrices.process import Point, Process
from tests.matrices.remembering import Site

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".pytest_cache"
TRACED = ("/rotator/engine/", "/rotator/container_group/")
Line = tuple[str, int]
"""File, and a line in it."""


@dataclass(frozen=True)
class Reach:
    """Reach of a killer; `midst`: the functions on the stack at the disturbance, the innermost with 0."""

    lines: frozenset[Line]
    midst: Mapping[str, int] = field(default_factory=dict)
    sites: frozenset[Site] = frozenset()


Finding = Callable[[Callable[[], object], set[Site]], object]
"""Function that plays a killer, and records the sites reached."""


def found(play: Callable[[], object], listening: Finding) -> Reach:
    """Play a killer; return its reach."""
    met, midst, lines = set[Site](), dict[str, int](), set[Line]()
    with _noting(midst), _tracing(lines):
        listening(play, met)
    return Reach(frozenset(lines), midst, frozenset(met))


@contextmanager
def _tracing(lines: set[Line]) -> Iterator[None]:
    ours: dict[CodeType, bool] = {}

    def line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame: FrameType, event: str, _: object) -> Any:
        del event
        code = frame.f_code
        if code not in ours:
            ours[code] = any(each in code.co_filename for each in TRACED)
        return line if ours[code] else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _noting(midst: dict[str, int]) -> Iterator[None]:
    """Record the functions on the stack at a process's disturbance, and at its next call."""
    happens, pending = Process._at, set[int]()

    async def at(self: Process, point: Point) -> None:
        struck = any(
            (each.operation, each.nth, "before") == (point.operation, point.nth, point.moment) for each in self.strikes
        )
        now = struck or self.death == point or bool(self.stop and self.stop.at == point)
        if now or id(self) in pending:
            for depth, mark in enumerate(_under_way(sys._getframe())):
                midst[mark] = min(depth, midst.get(mark, depth))
        pending.discard(id(self))
        if now:
            pending.add(id(self))
        await happens(self, point)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "_at", at)
        yield


def _under_way(frame: FrameType | None) -> Iterator[str]:
    """Yield the engine's functions on the stack, from the innermost."""
    while frame:
        if "/rotator/engine/" in frame.f_code.co_filename:
            yield f"{frame.f_code.co_filename}:{frame.f_code.co_qualname.partition('.<locals>')[0]}"
        frame = frame.f_back


@cache
def digest() -> str:
    """Return a digest of the sources that decide a reach."""
    made = hashlib.sha256(str(ROOT).encode())
    for file in sorted(
        [*(ROOT / "rotator").rglob("*.py"), *(ROOT / "tests").glob("*.py"), *(ROOT / "tests/matrices").glob("*.py")]
    ):
        made.update(file.read_bytes())
    return made.hexdigest()[:16]


def kept(what: str, plays: Mapping[str, Callable[[], object]], listening: Finding) -> dict[str, Reach]:
    """Return the reach of each play, from the cache if there."""
    KEPT.mkdir(exist_ok=True)
    file = KEPT / f"reach-{what}-{digest()}.pickle"
    with (KEPT / f"reach-{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            made = {name: found(play, listening) for name, play in plays.items()}
            for old in KEPT.glob(f"reach-{what}-*.pickle"):
                old.unlink()
            file.write_bytes(pickle.dumps(made))
        return dict(pickle.loads(file.read_bytes()))


BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def changed(one: ast.AST, other: ast.AST) -> frozenset[int]:
    """Return the lines of the first statement that differs: of a compound statement those of its head, if the head
    differs.
    """
    if _head(one) != _head(other):
        return frozenset(range(one.lineno, _last(one) + 1))  # type: ignore[attr-defined]
    for name in BODIES:
        mine, theirs = _bodies(one, name), _bodies(other, name)
        if len(mine) != len(theirs):
            return frozenset(each.lineno for each in mine)  # type: ignore[attr-defined]
        for each, its in zip(mine, theirs, strict=True):
            if ast.dump(each) != ast.dump(its):
                return changed(each, its)
    return frozenset()


def _bodies(node: ast.AST, name: str) -> Sequence[ast.AST]:
    found = getattr(node, name, [])
    return found if isinstance(found, list) else []


def _head(node: ast.AST) -> str:
    kept = {name: value for name, value in ast.iter_fields(node) if name not in BODIES or not isinstance(value, list)}
    return ast.dump(type(node)(**kept))


def _last(node: ast.AST) -> int:
    """Return the last line of a statement's head."""
    inner = [each.lineno for name in BODIES for each in _bodies(node, name)]  # type: ignore[attr-defined]
    return max(node.lineno, min(inner) - 1) if inner else int(node.end_lineno or node.lineno)  # type: ignore[attr-defined]
