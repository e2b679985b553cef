"""Every operation of a verb, answered once as no service answers: rotator refuses the answer, and leaves no credential
without a name.

`make test` damages each operation in one way, for one of its verbs; `make soak` in all ways, for all verbs.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from local_azure.clock import http_date
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.cloud import PUBLIC
from rotator.engine import examine, glance, preview
from rotator.engine.discover import see
from rotator.engine.run import Run
from rotator.errors import RotatorError
from tests import leaks
from tests.cells import calls, cell
from tests.matrices import alphabet, test_crash_matrix, test_verb_faults
from tests.matrices.kinds import Kind
from tests.matrices.test_crash_matrix import RUNS, adopted, moved
from tests.matrices.test_verb_faults import VERBS
from tests.stage import Stage, play

World = Callable[[VirtualLoop, Path], Awaitable[Stage]]
Act = Callable[[Stage, Path], Awaitable[Any]]


async def _discover(run: Run) -> Any:
    return await see(run.world, PUBLIC, [], [], registries=True)


LOOKS: dict[str, Callable[[Run], Awaitable[Any]]] = {
    "status": glance,
    "plan": preview,
    "doctor": examine,
    "discover": _discover,
}


def _looking(look: Callable[[Run], Awaitable[Any]]) -> Act:
    return lambda made, _: made.with_world(look)


ALL: dict[str, tuple[World, Act]] = {
    "rotate": (lambda loop, _: adopted(loop), lambda made, _: made.rotate()),
    "retire": (lambda loop, _: moved(loop), lambda made, _: made.rotate()),
    **{name: (lambda loop, _: adopted(loop), _looking(look)) for name, look in LOOKS.items()},
    **{name: (verb.world, verb.act) for name, verb in VERBS.items()},
}
"""Verbs of rotator, in a world in which each has work to do."""

FIRST, FEW = "HTML with 200 after", ("wrong type after", "deep JSON", "cut", "Date of 9999", "drip")


@dataclass(frozen=True)
class Damage:
    """Operation of a verb, answered in one way."""

    verb: str
    operation: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.verb}-{self.operation}-{self.kind}"


@cache
def asked(name: str) -> tuple[str, ...]:
    """Return the operations of a verb, each once."""
    if name in (*VERBS, *RUNS):
        made = test_verb_faults.traced(name) if name in VERBS else test_crash_matrix.traced(name)
        return tuple(dict.fromkeys(call.operation for call in made))
    world, act = ALL[name]

    async def scene(loop: VirtualLoop, directory: Path) -> tuple[str, ...]:
        made = await world(loop, directory)
        since = len(made.app.served)
        await act(made, directory)
        return tuple(dict.fromkeys(call.operation for call in calls(made.app.served[since:])))

    with tempfile.TemporaryDirectory() as directory:
        return play(lambda loop: scene(loop, Path(directory)))


def _cells() -> Iterator[Any]:
    tried = list[str]()
    for name in ALL:
        for operation in asked(name):
            few = () if operation in tried else ((FIRST, FEW[len(tried) // 2 % len(FEW)])[len(tried) % 2],)
            for kind in alphabet.damage(operation):
                damage = Damage(name, operation, kind)
                yield cell(damage, name=str(damage), soak=kind.name not in few)
            tried.append(operation)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "damage" in metafunc.fixturenames:
        metafunc.parametrize("damage", list(_cells()))


@pytest.mark.share(3)
async def test_what_no_service_answers_is_no_bug_of_ours_and_leaves_nothing_unnamed(
    loop: VirtualLoop, damage: Damage, tmp_path: Path
) -> None:
    world, act = ALL[damage.verb]

    made = await world(loop, tmp_path)
    made.events.clear()
    before = {password.key_id for password in _passwords(made)}
    damage.kind.befall(made.azure.faults, damage.operation)
    try:
        await act(made, tmp_path)
    except RotatorError as error:
        told = f"{made.told()}\n{error.diagnose()}"
    else:
        told = made.told()
    assert "a bug in rotator" not in told
    published = {version.value for version in made.versions()}
    for password in _passwords(made):
        if password.key_id not in before and password.secret not in published:
            assert password.key_id in told or password.display_name in told or "rotator:" in told, told
    assert not leaks.found([made.by_hand.secret, *(password.secret for password in _passwords(made))], {"told": told})


@pytest.mark.share(2)
@pytest.mark.parametrize("hosts", ["keyvault.*", "graph.*", "aci.*", "arm.*", "acr.*", "entra.*"])
@pytest.mark.parametrize("hours", [30, -30])
async def test_one_service_whose_clock_is_wrong_ends_no_overlap(loop: VirtualLoop, hosts: str, hours: int) -> None:
    made = await adopted(loop)
    made.azure.faults.add(_dated(made, hosts, hours))
    await made.rotate()
    made.pass_(hours=1)
    made.azure.faults.clear()
    made.azure.faults.add(_dated(made, hosts, hours))
    await made.rotate()
    assert made.by_hand in made.credentials(), made.told()
    made.azure.faults.clear()
    made.pass_(hours=20)
    await made.rotate()
    assert made.by_hand in made.credentials(), made.told()
    made.pass_(hours=5)
    assert (await made.rotate()).exit_code == 0, made.told()
    assert made.by_hand not in made.credentials()


def _dated(made: Stage, operation: str, hours: int) -> Fault:
    return Fault(operation, "date", argument=http_date(made.azure.clock.now() + timedelta(hours=hours)), times=0)


def _passwords(made: Stage) -> list[Any]:
    """Return the passwords of every application, those made by provision included."""
    everyone = made.azure.directory.state.applications.values()
    return [
        password
        for one in everyone
        for password in made.azure.directory.passwords(one.app_id)
        if password.gone_from is None
    ]
