"""Rotation in which one call meets one fault, for every call and every fault of its operation.

The cells are those of a run without faults. Every call meets the usual faults (`alphabet.usual`), and the first call of
an operation all its faults. `make test` lets each operation meet each class of effects once, on real SDK code; stories
play each call with each class (`matrices`). An operation without a row in the alphabet fails the build.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from tests.cells import FAULTS, Call, Classes, cell
from tests.invariants import converges, monitored
from tests.matrices.alphabet import every, usual
from tests.matrices.kinds import Kind
from tests.matrices.test_crash_matrix import RUNS, operations, traced
from tests.stage import GROUPS, watched


def _cells() -> Iterator[Any]:
    """Yield the cells; `make test` tries a quarter of the classes of effects of each operation."""
    classes, called = Classes(), set[str]()
    for run in RUNS:
        for call in traced(run):
            kinds = usual(call.operation)
            for kind in kinds:
                known = classes.known(call, kind)
                yield cell(
                    run, call, kind, name=f"{run}-{call}-{kind}", soak=kind.name == "flip" or known, share=FAULTS
                )
            for kind in every(call.operation) if call.operation not in called else ():
                if kind not in kinds:
                    yield cell(run, call, kind, name=f"{run}-{call}-{kind}", soak=True)
            called.add(call.operation)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize(("run", "call", "kind"), list(_cells()))


NEEDS_A_PERSON = {"strip_tags": "stripped", "failed_pull for good": "forward_only"}
"""Lasting faults after which rotator rightly waits for a person: it must be safe, give this code, and exit with 1."""


async def test_one_fault(loop: VirtualLoop, run: str, call: Call, kind: Kind) -> None:
    world, act = RUNS[run]

    made = await world(loop)
    start = len(made.app.served)

    def strike(number: int, named: str, request: Request) -> None:
        if number - start - 1 == call.index:
            kind.befall(made.azure.faults, named)

    with monitored(made, GROUPS):
        with watched(made, before=strike):
            await act(made)
        made.azure.faults.clear()
        if kind.name in NEEDS_A_PERSON:
            made.pass_(hours=25)
            result = await made.rotate()
            assert result.exit_code == 1 and f'"code": "{NEEDS_A_PERSON[kind.name]}"' in made.told()
            assert made.by_hand in made.credentials()
            return
        made.pass_(hours=2)
        await converges(made)


def test_every_operation_of_a_rotation_has_faults() -> None:
    assert {operation for operation in operations() if not usual(operation)} == set()
    assert len(list(_cells())) > 5 * sum(len(traced(run)) for run in RUNS)
