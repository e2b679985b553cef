"""A rotation in which one call meets one fault, for every call and every fault that its operation can have.

The cells are those of a run without faults: a call of an operation that has no row in `FAULTS` fails the build.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from rotator.emulator.faults import Fault
from rotator.emulator.wire import Request
from tests.invariants import converges, monitored
from tests.stage import GROUPS, play, watched
from tests.test_crash_matrix import CALLS, adopted, whole
from tests.virtual import VirtualLoop

Meets = dict[str, object]
"""The fields of a Fault, without its operation."""
THROTTLED: Meets = {"kind": "status", "status": 429, "code": "TooManyRequests", "message": "Slow down.", "retry_after": 7}
BUSY: Meets = {"kind": "status", "status": 503}
BROKEN: Meets = {"kind": "status", "status": 500, "code": "InternalServerError", "message": "Something went wrong."}
LATE: Meets = {"kind": "status", "status": 503, "when": "after"}
RESET: Meets = {"kind": "reset"}
LOST: Meets = {"kind": "lost"}
TIMEOUT: Meets = {"kind": "timeout"}
TIMEOUT_AFTER: Meets = {"kind": "timeout", "when": "after"}
FOR_LONG: Meets = {**BUSY, "times": 60}
STALE: Meets = {"kind": "stale"}

CONDITIONS: tuple[Meets, ...] = tuple({"kind": kind} for kind in ("inaccessible", "transitioning", "quota", "strip_tags", "crash", "failed_lro"))
READ: tuple[Meets, ...] = (THROTTLED, BUSY, BROKEN, RESET, LOST, TIMEOUT, FOR_LONG)
WRITE: tuple[Meets, ...] = (THROTTLED, BUSY, LATE, RESET, LOST, TIMEOUT, TIMEOUT_AFTER)
FAULTS: tuple[tuple[str, tuple[Meets, ...]], ...] = (
    ("entra.token", (*READ, {"kind": "status", "status": 401, "code": "invalid_client", "message": "AADSTS7000215: flapping"})),
    ("graph.*.get", (*READ, STALE)),
    ("graph.*.list", (*READ, STALE)),
    ("graph.*.addPassword", (*WRITE, {"kind": "concurrency"}, {"kind": "app_policy"})),
    ("graph.*.removePassword", (*WRITE, {"kind": "concurrency"})),
    ("keyvault.secrets.get", (*READ, STALE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.versions", (*READ, STALE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.set", (*WRITE, {"kind": "rbac_lag"})),
    ("keyvault.secrets.update", (*WRITE, {"kind": "rbac_lag"})),
    ("keyvault.deletedSecrets.get", READ),
    ("arm.*", READ),
    ("rbac.permissions.list", READ),
    ("aci.containerGroups.get", (*READ, STALE)),
    ("aci.containerGroups.list", (*READ, STALE)),
    (
        "aci.containerGroups.createOrUpdate",
        (*WRITE, *CONDITIONS, {"kind": "failed_pull", "argument": "3"}, {"kind": "failed_pull", "argument": "0"}),
    ),
    ("acr.*", (*READ, {"kind": "status", "status": 403, "code": "DENIED", "message": "requested access to the resource is denied"})),
)
"""What each operation of a rotation can meet, by pattern."""


def faults_of(operation: str) -> tuple[Meets, ...]:
    """The faults of an operation; KeyError where nobody has thought about it."""
    for pattern, faults in FAULTS:
        if fnmatchcase(operation, pattern):
            return faults
    raise KeyError(f"{operation} is called in a rotation and has no faults in FAULTS")


def _name(fault: dict[str, object]) -> str:
    return "-".join(str(value) for key, value in fault.items() if key in ("kind", "status", "when", "argument", "times"))


def _cells() -> Iterator[object]:
    for index, operation in enumerate(CALLS):
        for fault in faults_of(operation):
            yield pytest.param(index, operation, fault, id=f"{index:03d}-{operation}-{_name(fault)}")


CELLS = list(_cells())
NEEDS_A_PERSON = {"strip_tags": "stripped", "failed_pull-0": "forward_only"}
"""Faults that don't go away, after which rotator rightly waits for somebody: it must be safe, say so by this code, and exit 1."""


@pytest.mark.parametrize(("index", "operation", "fault"), CELLS)
def test_one_fault(index: int, operation: str, fault: dict[str, object]) -> None:
    async def scene(loop: VirtualLoop) -> None:
        made = await adopted(loop)
        start = len(made.app.served)

        def strike(number: int, named: str, request: Request) -> None:
            if number - start - 1 == index:
                made.azure.faults.add(Fault(named, **fault))  # type: ignore[arg-type]

        with monitored(made, GROUPS):
            with watched(made, before=strike):
                await whole(made)
            made.azure.faults.clear()
            if _name(fault) in NEEDS_A_PERSON:
                made.pass_(hours=25)
                result = await made.rotate()
                assert result.exit_code == 1 and f'"code": "{NEEDS_A_PERSON[_name(fault)]}"' in made.told()
                assert made.by_hand in made.credentials()
                return
            made.pass_(hours=2)
            await converges(made)

    play(scene)


def test_every_operation_of_a_rotation_has_faults() -> None:
    assert {operation for operation in CALLS if not faults_of(operation)} == set()
    assert len(CELLS) > 5 * len(CALLS)


def test_a_stage_has_more_than_one_kind_of_fault() -> None:
    """A row that no operation uses would only look like coverage."""
    unused = [pattern for pattern, _ in FAULTS if not any(fnmatchcase(operation, pattern) for operation in CALLS)]
    assert set(unused) <= {"graph.*.list"}, unused
