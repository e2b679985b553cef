"""A rotation in which one call meets one fault, for every call and every fault that its operation can have.

The cells are those of a run without faults: a call of an operation that has no row in `faults.FAULTS` fails the build.
"""

from collections.abc import Iterator

import pytest

from rotator.emulator.wire import Request
from tests import faults
from tests.faults import Meets, faults_of
from tests.invariants import converges, monitored
from tests.stage import GROUPS, play, watched
from tests.test_crash_matrix import CALLS, adopted, whole
from tests.virtual import VirtualLoop


def _cells() -> Iterator[object]:
    for index, operation in enumerate(CALLS):
        for fault in faults_of(operation):
            yield pytest.param(index, operation, fault, id=f"{index:03d}-{operation}-{faults.name(fault)}")


CELLS = list(_cells())
NEEDS_A_PERSON = {"strip_tags": "stripped", "failed_pull-0": "forward_only"}
"""Faults that don't go away, after which rotator rightly waits for somebody: it must be safe, say so by this code, and exit 1."""


@pytest.mark.parametrize(("index", "operation", "fault"), CELLS)
def test_one_fault(index: int, operation: str, fault: Meets) -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = await adopted(loop)
        start = len(made.app.served)

        def strike(number: int, named: str, request: Request) -> None:
            if number - start - 1 == index:
                made.azure.faults.add(faults.planned(named, fault))

        with monitored(made, GROUPS):
            with watched(made, before=strike):
                await whole(made)
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
    assert {operation for operation in CALLS if not faults_of(operation)} == set()
    assert len(CELLS) > 5 * len(CALLS)
