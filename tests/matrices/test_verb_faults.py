"""Provision, adopt, revoke and grant with one fault at one call; a run without faults then reaches the usual end.

The cells are those of a run without faults; an operation without a row in the alphabet fails the build. Every write
meets the usual faults (`alphabet.usual`). A read is refused, and stale, once between two writes: only writes change its
answer. Faults that the clients retry, or report, are tried with operations that no rotation calls, and so are all other
faults; the rotation's matrix has the other operations.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from local_azure.keyvault.secret import Version
from local_azure.timing import Timing
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import adopt, grant, revoke
from rotator.errors import RotatorError
from rotator.state import ADOPTED, HOME, KEY_ID
from tests import leaks
from tests.bare import CALLED, USER, bare, provisioned, settle
from tests.cells import FAULTS, Call, Classes, calls, cell
from tests.engine.test_provision import AT_ONCE, QUICK, accounted, text
from tests.matrices.alphabet import LAGGING, called, every, usual
from tests.matrices.kinds import Kind
from tests.matrices.test_crash_matrix import operations
from tests.snapshot import World, kept
from tests.stage import SERVER, Stage, play, stage, watched


@dataclass(frozen=True)
class Verb:
    """Verb with its world, and the check of that world after success."""

    world: Callable[[VirtualLoop, Path], Awaitable[Stage]]
    act: Callable[[Stage, Path], Awaitable[int]]
    reached: Callable[[Stage, Path], None]
    beside: str = ""
    """Other verb with mostly the same operations; only the further ones are struck here."""


# provision


async def _nothing(loop: VirtualLoop, directory: Path) -> Stage:
    return bare(loop, directory, draft=QUICK, **AT_ONCE)


async def _an_application(loop: VirtualLoop, directory: Path) -> Stage:
    """Return a world with an application of the policy's display name, which provision may take over."""
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
    assert text(directory).startswith(draft.replace("  display_name", f"  app_id: {made.app_id}\n  display_name")), (
        "no comment is lost"
    )
    assert [p.secret for p in made.credentials()] == [made.published()], "none is left whose secret nobody has"
    (version,), (name,) = _enabled(made), made.azure.vaults.versions("myvault", USER)
    assert (version.tags or {})[KEY_ID] == made.credentials()[0].key_id
    assert made.tags_of("app").get(KEY_ID, "stripped") in (
        made.credentials()[0].key_id,
        "stripped" if _stripped(made) else "",
    )
    assert (version.tags or {})[HOME] == "application"
    assert name.value == made.app_id
    assert made.seeded.operator.object_id in made.application.owners


def _stripped(made: Stage) -> bool:
    """Tell if rotator reported a tool that removes its tags: reported once, and a person has to find the tool."""
    return "has no tags of rotator after a redeployment" in made.told()


def _enabled(made: Stage) -> list[Version]:
    return [version for version in made.versions() if version.enabled]


# adopt, revoke, grant


@kept
async def by_hand(loop: VirtualLoop) -> Stage:
    return stage(
        loop,
        groups=("app",),
        timing=Timing(secret_valid=0.0, secret_gone=0.0, role_active=0.0, role_gone=0.0, graph_read=0.0),
    )


@kept
async def adopted(loop: VirtualLoop) -> Stage:
    made = await by_hand(loop)
    await made.with_world(lambda run: adopt(run, None))
    return made


@kept
async def revoked(loop: VirtualLoop) -> Stage:
    made = await adopted(loop)
    await made.with_world(revoke)
    return made


def _nowhere(world: World) -> Callable[[VirtualLoop, Path], Awaitable[Stage]]:
    """Return a world that needs no files."""
    return lambda loop, directory: world(loop)


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
    "adopt": Verb(_nowhere(by_hand), _adopt, _is_adopted),
    "revoke": Verb(_nowhere(adopted), _revoke, _keeps_its_password),
    "revoke with credentials": Verb(_nowhere(adopted), _revoke_all, _has_no_password, "revoke"),
    "grant": Verb(_nowhere(revoked), _grant, _has_access),
}


@dataclass(frozen=True)
class Struck:
    """Call of a verb with a fault."""

    call: Call
    kind: Kind
    soak: bool

    def __str__(self) -> str:
        return f"{self.call}-{self.kind}"


@cache
def traced(name: str) -> tuple[Call, ...]:
    """Return the calls of a verb without faults, in order."""
    verb = VERBS[name]

    async def scene(loop: VirtualLoop, directory: Path) -> tuple[Call, ...]:
        made = await verb.world(loop, directory)
        since = len(made.app.served)
        assert await verb.act(made, directory) == 0, made.told()[-3000:]
        verb.reached(made, directory)
        return calls(made.app.served[since:])

    with tempfile.TemporaryDirectory() as directory:
        return play(lambda loop: scene(loop, Path(directory)))


FORBIDDEN = called("403")


def _struck(made: Sequence[Call], known: set[str]) -> Iterator[Struck]:
    """Yield the cells to try. Operations in `known` have met the faults that a retry fixes; the operations tried here
    are added.

    `make test` tries a sixth of the classes of an operation's faults.
    """
    lately, ever = set[str](), set[tuple[str, str]]()
    for call in made:
        if call.writes:
            lately.clear()
        often = dict.fromkeys((*usual(call.operation), FORBIDDEN))
        for kind in often:
            if call.writes or call.operation not in (lately if kind.name in (*LAGGING, FORBIDDEN.name) else known):
                yield Struck(
                    call, kind, soak=kind.name == "flip" or (not call.writes and (call.operation, kind.name) in ever)
                )
                ever.add((call.operation, kind.name))
        if call.operation not in known:
            yield from (Struck(call, kind, soak=True) for kind in every(call.operation) if kind not in often)
        known.add(call.operation)
        lately.add(call.operation)


def _cells() -> Iterator[Any]:
    known, classes = operations(), Classes()
    for name, verb in VERBS.items():
        tried = {call.operation for call in traced(verb.beside)} if verb.beside else set()
        for each in _struck(traced(name), known):
            if each.call.operation not in tried:
                yield cell(
                    name,
                    each,
                    name=f"{name}-{each}",
                    soak=each.soak or classes.known(each.call, each.kind),
                    share=FAULTS,
                )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "struck" in metafunc.fixturenames:
        metafunc.parametrize(("name", "struck"), list(_cells()))


async def test_one_fault(loop: VirtualLoop, name: str, struck: Struck, tmp_path: Path) -> None:
    verb = VERBS[name]

    made = await verb.world(loop, tmp_path)
    start = len(made.app.served)

    def strike(number: int, named: str, request: Request) -> None:
        if number - start - 1 == struck.call.index:
            struck.kind.befall(made.azure.faults, named)

    with watched(made, before=strike):
        ended = await verb.act(made, tmp_path)
    made.azure.faults.clear()
    if ended == 0:
        verb.reached(made, tmp_path)
    made.pass_(minutes=2)
    assert await verb.act(made, tmp_path) == 0, made.told()[-3000:]
    verb.reached(made, tmp_path)
    assert not leaks.found(made.azure.directory.every_secret(), {"events": made.told(), "policy": _files(tmp_path)})


def _files(directory: Path) -> str:
    return "\n".join(leaks.files(directory).values())
