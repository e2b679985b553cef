"""Provision, adopt, revoke and grant, in which one call meets one fault; a run without faults then ends where it would have ended.

The cells are those of a run without faults: an operation that has no row in `faults.FAULTS` fails the build. Every write meets every fault. A read
is refused, and stale, once between two writes, since from there on only what was written makes a difference. What is the clients' to mend by one
more try, or to give up, is tried with the operations that no rotation makes: of the others the rotation's matrix knows.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rotator.emulator.keyvault.secret import Version
from rotator.emulator.timing import Timing
from rotator.emulator.wire import Request
from rotator.engine import adopt, grant, revoke
from rotator.errors import RotatorError
from rotator.state import ADOPTED, HOME, KEY_ID
from tests import faults, leaks
from tests.bare import CALLED, USER, bare, provisioned, settle
from tests.faults import FORBIDDEN, STALE, Meets, faults_of
from tests.stage import SERVER, Stage, play, stage, watched
from tests.test_crash_matrix import CALLS
from tests.test_provision import AT_ONCE, QUICK, accounted, text
from tests.virtual import VirtualLoop


@dataclass(frozen=True)
class Verb:
    """What is run, in which world, and what that world is when it is done."""

    world: Callable[[VirtualLoop, Path], Awaitable[Stage]]
    act: Callable[[Stage, Path], Awaitable[int]]
    reached: Callable[[Stage, Path], None]
    beside: str = ""
    """Another verb that is the same but for some operations; only these are struck here."""


# provision


async def _nothing(loop: VirtualLoop, directory: Path) -> Stage:
    return bare(loop, directory, draft=QUICK, **AT_ONCE)


async def _an_application(loop: VirtualLoop, directory: Path) -> Stage:
    """Somebody made an application of the name, which rotator may take over."""
    made = bare(loop, directory, draft=QUICK, **AT_ONCE)
    made.azure.directory.create_application(CALLED)
    made.azure.directory.grant(made.seeded.operator.app_id, "Application.ReadWrite.All")
    made.pass_(hours=1)
    return made


async def _provision(made: Stage, directory: Path) -> int:
    return (await provisioned(made, directory)).exit_code


def _provisioned(made: Stage, directory: Path) -> None:
    settle(made, directory)
    accounted(made)
    draft = QUICK.partition("registries:")[0]
    assert text(directory).startswith(draft.replace("  display_name", f"  app_id: {made.app_id}\n  display_name")), "no comment is lost"
    assert [p.secret for p in made.credentials()] == [made.published()], "none is left whose secret nobody has"
    (version,), (name,) = _enabled(made), made.azure.vaults.versions("myvault", USER)
    assert (version.tags or {})[KEY_ID] == made.credentials()[0].key_id
    assert made.tags_of("app").get(KEY_ID, "stripped") in (made.credentials()[0].key_id, "stripped" if _stripped(made) else "")
    assert (version.tags or {})[HOME] == "application"
    assert name.value == made.app_id
    assert made.seeded.operator.object_id in made.application.owners


def _stripped(made: Stage) -> bool:
    """What takes rotator's tags off is told once, and is a person's to find."""
    return "doesn't show rotator's tags" in made.told()


def _enabled(made: Stage) -> list[Version]:
    return [version for version in made.versions() if version.enabled]


# adopt, revoke, grant


async def _by_hand(loop: VirtualLoop, directory: Path) -> Stage:
    return stage(loop, groups=("app",), timing=Timing(secret_valid=0.0, secret_gone=0.0, role_active=0.0, role_gone=0.0, graph_read=0.0))


async def _adopted(loop: VirtualLoop, directory: Path) -> Stage:
    made = await _by_hand(loop, directory)
    await made.with_world(lambda run: adopt(run, None))
    return made


async def _revoked(loop: VirtualLoop, directory: Path) -> Stage:
    made = await _adopted(loop, directory)
    await made.with_world(revoke)
    return made


async def _adopt(made: Stage, directory: Path) -> int:
    try:
        await made.with_world(lambda run: adopt(run, None))
    except RotatorError:
        return 1
    return 0


def _is_adopted(made: Stage, directory: Path) -> None:
    (version,) = made.versions()
    assert (version.tags or {})[ADOPTED] == made.by_hand.key_id
    assert version.enabled and made.credentials() == [made.by_hand]


async def _revoke(made: Stage, directory: Path) -> int:
    return (await made.with_world(revoke)).exit_code


async def _revoke_all(made: Stage, directory: Path) -> int:
    return (await made.with_world(lambda run: revoke(run, credentials=True))).exit_code


async def _grant(made: Stage, directory: Path) -> int:
    return (await made.with_world(grant)).exit_code


def _has_no_access(made: Stage, directory: Path) -> None:
    assert _roles(made) == [] and not _pulls(made)
    mark = made.azure.vaults.get("myvault", made.policy.access_secret)
    assert (mark.tags or {})["rotator-access"] == "revoked"
    assert str(mark.value).count('"scope"') == 1, "what a grant restores is recorded"
    assert _bystanders(made) == 1


def _keeps_its_password(made: Stage, directory: Path) -> None:
    _has_no_access(made, directory)
    assert made.credentials() == [made.by_hand] and len(_enabled(made)) == 1


def _has_no_password(made: Stage, directory: Path) -> None:
    assert (made.credentials(), _enabled(made)) == ([], [])
    assert not _pulls(made) and _bystanders(made) == 1
    if '"code": "locked"' not in made.told():
        _has_no_access(made, directory)


def _has_access(made: Stage, directory: Path) -> None:
    assert len(_roles(made)) == _bystanders(made) == 1 and _pulls(made)
    assert (made.azure.vaults.get("myvault", made.policy.access_secret).tags or {})["rotator-access"] == "granted"


def _roles(made: Stage) -> list[str]:
    return [a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])]


def _bystanders(made: Stage) -> int:
    theirs = made.azure.directory.principal(made.bystander.app_id)
    assert theirs
    return len(made.azure.authorization.assignments(principals=[theirs.id]))


def _pulls(made: Stage) -> bool:
    return made.azure.registries.could_pull(made.app_id, made.by_hand.secret, SERVER, "aci-helloworld", "v1")


VERBS = {
    "provision": Verb(_nothing, _provision, _provisioned),
    "provision what is there in part": Verb(_an_application, _provision, _provisioned, "provision"),
    "adopt": Verb(_by_hand, _adopt, _is_adopted),
    "revoke": Verb(_adopted, _revoke, _keeps_its_password),
    "revoke with credentials": Verb(_adopted, _revoke_all, _has_no_password, "revoke"),
    "grant": Verb(_revoked, _grant, _has_access),
}


@dataclass(frozen=True)
class Cell:
    """The `index`-th call of a verb meets a fault."""

    index: int
    operation: str
    fault: Meets

    def __str__(self) -> str:
        return f"{self.index:03d}-{self.operation}-{faults.name(self.fault)}"


def traced(verb: Verb, directory: Path) -> list[tuple[str, bool]]:
    """The operations of a run without faults, in order, and whether each changes something."""

    async def scene(loop: VirtualLoop) -> list[tuple[str, bool]]:
        made = await verb.world(loop, directory)
        since = len(made.app.served)
        assert await verb.act(made, directory) == 0, made.told()[-3000:]
        verb.reached(made, directory)
        return [(call.operation, _writes(call.operation, call.method)) for call in made.app.served[since:]]

    return play(scene)


def _writes(operation: str, method: str) -> bool:
    return method not in ("GET", "HEAD") and not operation.startswith("entra.")


def cells(calls: list[tuple[str, bool]], known: set[str]) -> Iterator[Cell]:
    """What is tried, where of the operations in `known` somebody else has tried what one more try mends; they grow by what is tried here."""
    lately = set[str]()
    for index, (operation, writes) in enumerate(calls):
        if writes:
            lately.clear()
        for fault in (*faults_of(operation), FORBIDDEN):
            if writes or operation not in (lately if fault in (STALE, FORBIDDEN) else known):
                yield Cell(index, operation, fault)
        known.add(operation)
        lately.add(operation)


def _traced() -> dict[str, list[tuple[str, bool]]]:
    with tempfile.TemporaryDirectory() as directory:
        return {name: traced(verb, Path(directory, name)) for name, verb in VERBS.items()}


def _cells() -> Iterator[tuple[str, Cell]]:
    known = set(CALLS)
    for name, calls in TRACED.items():
        of = VERBS[name].beside
        tried = {operation for operation, _ in TRACED[of]} if of else set()
        yield from ((name, cell) for cell in cells(calls, known) if cell.operation not in tried)


TRACED = _traced()
CELLS = [pytest.param(name, cell, id=f"{name}-{cell}") for name, cell in _cells()]


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_one_fault(name: str, cell: Cell, tmp_path: Path) -> None:
    verb = VERBS[name]

    async def scene(loop: VirtualLoop) -> None:
        made = await verb.world(loop, tmp_path)
        start = len(made.app.served)

        def strike(number: int, named: str, request: Request) -> None:
            if number - start - 1 == cell.index:
                made.azure.faults.add(faults.planned(named, cell.fault))

        with watched(made, before=strike):
            ended = await verb.act(made, tmp_path)
        made.azure.faults.clear()
        if ended == 0:
            verb.reached(made, tmp_path)
        made.pass_(minutes=2)
        assert await verb.act(made, tmp_path) == 0, made.told()[-3000:]
        verb.reached(made, tmp_path)
        assert not leaks.found(made.azure.directory.every_secret(), {"events": made.told(), "policy": _files(tmp_path)})

    play(scene)


def _files(directory: Path) -> str:
    return "\n".join(leaks.files(directory).values())


def test_no_row_of_faults_is_for_nobody() -> None:
    """A row that no operation uses would only look like coverage."""
    assert set(faults.unused([*CALLS, *(operation for calls in TRACED.values() for operation, _ in calls)])) == set()
