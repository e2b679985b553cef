"""A rotation in which one call meets one fault, for every call and every fault that its operation can have.

The cells are those of a run without faults: a call of an operation that has no row in `faults.FAULTS` fails the build.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from rotator.emulator.wire import Request
from tests import faults
from tests.cells import Call, cell
from tests.faults import STALE, Meets, faults_of
from tests.invariants import converges, monitored
from tests.stage import GROUPS, play, watched
from tests.test_crash_matrix import RUNS, operations, traced
from tests.virtual import VirtualLoop


def _cells() -> Iterator[Any]:
    """Every fault of every call. `make test` tries every fault of a write, a stale read once between two writes, and any other once."""
    known = set[tuple[str, str]]()
    for run in RUNS:
        for call in traced(run):
            if call.writes:
                known -= {(operation, fault) for operation, fault in known if fault == faults.name(STALE)}
            for fault in faults_of(call.operation):
                name = faults.name(fault)
                yield cell(run, call, fault, name=f"{run}-{call}-{name}", soak=not call.writes and (call.operation, name) in known)
                known.add((call.operation, name))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        metafunc.parametrize(("run", "call", "fault"), list(_cells()))


NEEDS_A_PERSON = {"strip_tags": "stripped", "failed_pull-0": "forward_only"}
"""Faults that don't go away, after which rotator rightly waits for somebody: it must be safe, say so by this code, and exit 1."""


def test_one_fault(run: str, call: Call, fault: Meets) -> None:
    world, act = RUNS[run]

    async def scene(loop: VirtualLoop) -> None:
        made = await world(loop)
        start = len(made.app.served)

        def strike(number: int, named: str, request: Request) -> None:
            if number - start - 1 == call.index:
                made.azure.faults.add(faults.planned(named, fault))

        with monitored(made, GROUPS):
            with watched(made, before=strike):
                await act(made)
            made.azure.faults.clear()
            if faults.name(fault) in NEEDS_A_PERSON:
                made.pass_(hours=25)
                result = await made.rotate()
                assert result.exit_code == 1 and f'"code": "{NEEDS_A_PERSON[faults.name(fault)]}"' in made.told()
                assert made.by_hand in made.credentials()
                return
            made.pass_(hours=2)
            await converges(made)

    play(scene)


def test_every_operation_of_a_rotation_has_faults() -> None:
    assert {operation for operation in operations() if not faults_of(operation)} == set()
    assert len(list(_cells())) > 5 * sum(len(traced(run)) for run in RUNS)
