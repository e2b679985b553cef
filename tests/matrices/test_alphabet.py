"""Every kind of the alphabet, once for each operation, on real SDK code: the class in the data is the observed one.

An operation is called through the method of `World` that asks for it. The class is derived from the answer or error,
the time on the virtual clock, and, for a write, the emulator's state before and after. `make test` tries every
`STRIDE`-th cell and the kinds that once found an error, `make soak` all of them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import aiohttp
import pytest
from local_azure.asked import KINDS as PLANNED
from local_azure.store import services
from local_azure.virtual import VirtualLoop

from rotator.engine import Run
from rotator.errors import AzureError, NotFound, NotSent, OutcomeUnknown, RotatorError, Unavailable, Unexpected, Unseen
from tests.cells import cell
from tests.matrices.alphabet import KINDS, kinds_of
from tests.matrices.doors import DOORS, At, Door, Facts
from tests.matrices.effects import READS, WRITES, Effect
from tests.matrices.kinds import AS_EVER, CODES, WAYS, Kind, ways
from tests.matrices.scene import earlier, world
from tests.matrices.test_damage import ALL, asked
from tests.snapshot import World
from tests.stage import START, Stage, play

STRIDE = 17
ALWAYS = ("empty", "an empty object", "null", "404 of something else", "stale", "flip")
CLOCKS = {"fast": 600.0, "slow": -600.0}
"""Seconds by which this machine's clock is off."""


@dataclass(frozen=True)
class Came:
    """Outcome of one call: the answer or the error, the virtual seconds, and a change in Azure."""

    answer: Any
    seconds: float
    effect: bool
    struck: bool


def called(door: Door, where: World, kind: Kind | None = None) -> Came:
    """Call an operation once through its door, with one kind of fault or none."""

    async def scene(loop: VirtualLoop) -> Came:
        made = await where(loop)

        async def act(run: Run) -> Came:
            at = At(made, run, not_after=-1.0 if kind and kind.machine == "too late" else None)
            await _ready(at, door)
            struck = _strike(made, door, kind) if kind else []
            before, begun = door.truth and door.truth(made), loop.time()
            try:
                answer = await door.call(at)
            except RotatorError as error:
                answer = error
            hit = bool(struck or made.azure.faults.struck) or not (
                kind and (kind.faults or kind.machine == "no connection")
            )
            return Came(answer, loop.time() - begun, bool(door.truth and door.truth(made) != before), hit)

        return await made.with_world(act)

    with pytest.MonkeyPatch.context() as patch:
        if kind and kind.machine in CLOCKS:
            patch.setattr(time, "time", lambda: START.timestamp() + CLOCKS[kind.machine])
        return play(scene)


async def _ready(at: At, door: Door) -> None:
    """Get every token, challenge and name beforehand, so that the fault meets the intended call."""
    service = door.operation.partition(".")[0]
    if service == "keyvault":
        await at.world.versions(at.policy)
    elif service == "graph":
        await at.world.credentials(at.policy)
    elif not (service == "entra" and door.way == "read"):
        await at.world.registries(at.policy)


def _strike(made: Stage, door: Door, kind: Kind) -> list[int]:
    """Plan the kind from now on; return a list that collects struck calls, where the emulator doesn't record them."""
    struck = list[int]()
    kind.befall(made.azure.faults, door.operation)
    if kind.delays:
        slower = replace(made.azure.timing, **dict[str, Any](kind.delays))
        for _, service in services(made.azure):
            service.timing = slower  # type: ignore[attr-defined]
    if kind.machine == "no connection":
        made.before.append(
            lambda number, operation, _: _refuse(struck, number) if operation == door.operation and not struck else None
        )
    return struck


def _refuse(struck: list[int], number: int) -> None:
    struck.append(number)
    raise NoConnection


class NoConnection(aiohttp.ClientConnectorError):
    """No connection came about."""

    def __init__(self) -> None:
        Exception.__init__(self, "no connection")
        self._conn_key: Any = None
        self._os_error = OSError(111, "Connection refused")

    def __str__(self) -> str:
        return "no connection"


# the observed class


@cache
def facts(door: Door, where: World) -> Facts:
    """Return the facts of a read without a fault."""
    found = door.shown(called(door, where).answer)
    assert not isinstance(found, Effect), found
    return found


def seen(door: Door, came: Came) -> Effect | None:
    """Return the class of an outcome.

    Raises AssertionError for an outcome without a class: an effect that must not be, or a state that never was.
    """
    return _of_write(came) if door.writes else _of_read(door, came)


def _of_write(came: Came) -> Effect | None:
    match came.answer:
        case OutcomeUnknown():
            return Effect.UNKNOWN_DONE if came.effect else Effect.UNKNOWN
        case AzureError() if came.effect:
            return Effect.MISLEADING
        case NotSent() | Unavailable():
            return Effect.NOT_SENT
        case AzureError():
            return Effect.NO
    assert came.effect, f"taken for done, and isn't: {came.answer}"
    return Effect.HANG if came.seconds else AS_EVER


def _of_read(door: Door, came: Came) -> Effect | None:
    match came.answer:
        case NotFound() if not isinstance(came.answer, Unseen):
            return Effect.GONE
        case Unavailable() | Unexpected() | OutcomeUnknown() | Unseen():
            return Effect.UNKNOWN
        case AzureError():
            return Effect.NO
    found = door.shown(came.answer)
    return found if isinstance(found, Effect) else _compared(door, found, came.seconds)


def _compared(door: Door, found: Facts, seconds: float) -> Effect | None:
    fresh = facts(door, world)
    if found == fresh:
        return Effect.HANG if seconds else AS_EVER
    if found == facts(door, earlier):
        return Effect.STALE
    assert found < fresh, f"true at no time: {found}"
    return Effect.GONE


# cells


def _cells() -> Iterator[Any]:
    index = 0
    for place, door in enumerate(DOORS):
        for kind in kinds_of(door.operation, door.way):
            yield cell(
                door, kind, name=f"{door}-{kind}", soak=kind.name not in ALWAYS and (index + place) % STRIDE != 0
            )
            index += 1


@pytest.mark.parametrize(("door", "kind"), list(_cells()))
def test_a_kind_is_of_its_class(door: Door, kind: Kind, record_property: Callable[[str, object], None]) -> None:
    wanted = kind.effect(door.operation, door.way)
    for name, said in (("kind", kind.name), ("class", wanted), ("operation", door.operation)):
        record_property(name, str(said))
    came = called(door, world, kind)
    assert came.struck, f"{kind.name} never met {door}"
    assert seen(door, came) == wanted, came


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_without_a_fault_a_door_leads_to_its_operation_at_once(door: Door) -> None:
    came = called(door, world)
    assert seen(door, came) is AS_EVER, came
    assert door.way in ways(door.operation)


def test_every_operation_of_every_verb_has_a_door_and_is_asked_in_every_way() -> None:
    operations = {operation for name in ALL for operation in asked(name)}
    assert operations - {door.operation for door in DOORS} == set()
    assert {(door.operation, way) for door in DOORS for way in ways(door.operation)} == {
        (door.operation, door.way) for door in DOORS
    }


def test_no_row_is_for_nobody() -> None:
    """A row without an operation would only look like coverage."""
    operations = {door.operation for door in DOORS}
    assert [pattern for pattern in WAYS if not any(fnmatchcase(operation, pattern) for operation in operations)] == []
    assert {operation.partition(".")[0] for operation in operations} == set(CODES)


def test_every_kind_that_the_emulator_can_plan_is_in_the_alphabet() -> None:
    assert {str(fault["kind"]) for kind in KINDS for fault in kind.faults} == set(PLANNED)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_kind_has_cells_a_name_of_its_own_and_a_reason_where_it_has_none(kind: Kind) -> None:
    assert [each.name for each in KINDS].count(kind.name) == 1
    met = [door for door in DOORS if kind.meets(door.operation, door.way)]
    assert met
    assert len(met) == len(DOORS) or len(kind.why.split()) > 3
    for pattern, _ in kind.but:
        assert not pattern or "*" in pattern or any(pattern.partition("@")[0] == door.operation for door in DOORS), (
            pattern
        )


def test_reads_and_writes_meet_the_classes_that_they_can_meet() -> None:
    for door in DOORS:
        met = {kind.effect(door.operation, door.way) for kind in kinds_of(door.operation, door.way)} - {AS_EVER}
        assert met <= set(WRITES if door.writes else READS), (str(door), met)
    assert {
        kind.effect(door.operation, door.way) for door in DOORS for kind in kinds_of(door.operation, door.way)
    } >= set(Effect)
