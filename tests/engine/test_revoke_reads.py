"""Tests of every read of a revocation: refused, missing, empty or stale, once and for good. No report claims the end of
access while a pull succeeds.

The emulator tells the truth (`tests.pulling`). A read is struck once between two writes, as in the other matrices: only
writes change its answer. Afterwards a run without faults ends truthfully, and deleted assignments are still recorded.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from certificates import entry
from local_azure.app import App, Served
from local_azure.faults import Fault
from local_azure.inprocess import Hop
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request, Response

from rotator.engine import adopt, revoke
from rotator.results import Result
from tests.cells import cell
from tests.pulling import anything_pulls
from tests.snapshot import kept
from tests.stage import Stage, lagging, play, stage


@dataclass(frozen=True)
class World:
    """World beside the adopted password and its role; `credentials`: these are taken, too; `pulls`: a pull succeeds in
    the end.
    """

    make: Callable[[Stage], object]
    credentials: bool = False
    pulls: bool = False


def _plain(made: Stage) -> None:
    """Add nothing."""


def _inherited(made: Stage) -> None:
    made.azure.authorization.assign(
        made.seeded.registry_id.split("/providers/")[0], made.principal.id, "Reader", at_once=True
    )


def _locked(made: Stage) -> None:
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")


def _certified(made: Stage) -> None:
    _locked(made)
    made.azure.directory.update(made.application, {"keyCredentials": [entry()]})
    made.pass_(hours=1)


WORLDS = {
    "the role goes": World(_plain),
    "a role from above stays": World(_inherited, pulls=True),
    "a lock keeps the role, and the password goes": World(_locked, credentials=True),
    "a lock keeps the role, and a certificate stays": World(_certified, credentials=True, pulls=True),
}

CODES = {
    "graph": "Request_ResourceNotFound",
    "keyvault": "SecretNotFound",
    "arm": "ResourceNotFound",
    "rbac": "ResourceNotFound",
    "aci": "ResourceNotFound",
}


BOTH = "graph.*.get"
"""Both objects of the principal, read at once."""


def _status(status: int, times: int) -> Callable[[str], Fault]:
    def planned(operation: str) -> Fault:
        code = CODES.get(operation.partition(".")[0], "NotFound") if status == 404 else "Forbidden"
        return Fault(
            operation,
            "status",
            times=times * (1 + (operation == BOTH)),
            status=status,
            code=code,
            message="As planned.",
        )

    return planned


PLANNED: dict[str, Callable[[str], Fault]] = {
    "refused once": _status(403, 1),
    "refused for good": _status(403, 0),
    "missing once": _status(404, 1),
    "missing for good": _status(404, 0),
    "stale once": lambda operation: Fault(operation, "stale", times=1 + (operation == BOTH)),
    "stale for good": lambda operation: Fault(operation, "stale", times=0),
}
EMPTIED = {"empty once": 1, "empty for good": 10**6}
KINDS = (*PLANNED, *EMPTIED)
BEYOND = ("empty for good", "graph.")
"""Faults beyond rotator's knowledge: Graph itself shows for good that an object has no credentials."""


def _emptied(response: Response) -> Response:
    """Return the answer with empty lists."""
    if response.status != 200 or not response.body:
        return response
    body = json.loads(response.body)
    body |= {
        name: [] for name in ("value", "passwordCredentials", "keyCredentials") if isinstance(body.get(name), list)
    }
    kept = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Response.json(200, body, kept)


@dataclass
class Door:
    """Emulator behind a door that empties the lists of `operation`, from the `index`-th call on and `left` times."""

    app: App
    operation: str
    index: int
    left: int

    def handle(self, request: Request) -> Response:
        response = self.app.handle(request)
        served: Served = self.app.served[-1]
        if not fnmatchcase(served.operation, self.operation) or len(self.app.served) - 1 < self.index or not self.left:
            return response
        self.left -= 1
        return _emptied(response)


@kept
async def _adopted(loop: VirtualLoop) -> Stage:
    made = stage(loop, groups=("app",), timing=lagging(secret_gone=6.0, role_gone=20.0))
    await made.with_world(lambda run: adopt(run, None))
    made.pass_(minutes=10)
    return made


async def _made(loop: VirtualLoop, world: World) -> Stage:
    made = await _adopted(loop)
    world.make(made)
    return made


async def _revoked(made: Stage, world: World, hop: Hop | None = None) -> Result:
    made.events.clear()
    return await made.with_world(lambda run: revoke(run, credentials=world.credentials), hop=hop)


def _traced(world: World) -> list[tuple[str, bool]]:
    """Return the operations of a run without faults, with a flag for reads."""

    async def scene(loop: VirtualLoop) -> list[tuple[str, bool]]:
        made = await _made(loop, world)
        since = len(made.app.served)
        result = await _revoked(made, world)
        assert (result.exit_code, anything_pulls(made)) == (int(world.pulls), world.pulls), made.told()[-3000:]
        return [(call.operation, _reads(call)) for call in made.app.served[since:]]

    return play(scene)


def _reads(call: Served) -> bool:
    return call.method in ("GET", "HEAD") or call.operation.startswith("entra.")


def _cells(world: World) -> Iterator[tuple[int, str]]:
    lately = set[str]()
    for index, (operation, reads) in enumerate(_traced(world)):
        if not reads:
            lately.clear()
        elif operation not in lately:
            lately.add(operation)
            yield index, operation
            if operation == "graph.applications.get":
                yield index, BOTH


async def _struck(made: Stage, world: World, index: int, operation: str, kind: str) -> Result:
    """Revoke with one struck read; return the result."""
    start = len(made.app.served)
    hop = None
    if kind in EMPTIED:
        door = Door(made.app, operation, start + index, EMPTIED[kind] * (1 + (operation == BOTH)))
        hop = Hop(door)  # type: ignore[arg-type]

    def strike(number: int, named: str, request: Request) -> None:
        if number - start - 1 == index and kind in PLANNED:
            made.azure.faults.add(PLANNED[kind](operation))

    made.before.append(strike)
    try:
        return await _revoked(made, world, hop)
    finally:
        made.before.remove(strike)
        made.azure.faults.clear()


def _honest(made: Stage, result: Result, where: str) -> None:
    """Check that the report is true, now and half an hour later."""
    said = f"{where}: {result.summary} (exit {result.exit_code}) {made.told()[-2000:]}"
    for _ in range(2):
        if anything_pulls(made):
            assert not result.summary.startswith(("access is gone", "pulls are refused")), said
            assert result.exit_code == 1, said
        made.pass_(minutes=30)


def _recorded(made: Stage, roles: set[str], where: str) -> None:
    """Check that the record has each removed assignment of the principal, for a grant."""
    gone = roles - {a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])}
    mark = made.azure.vaults.get("myvault", made.policy.access_secret)
    assert (mark.tags or {})["rotator-access"] == "revoked", where
    assert gone <= {each["id"] for each in json.loads(str(mark.value))}, where


SAMPLED = {
    "the role goes": ("missing for good",),
    "a lock keeps the role, and a certificate stays": ("missing once",),
}
"""Worlds, each with the kinds of which `make test` tries a third of the reads."""


def _pairs() -> Iterator[Any]:
    for name, kind in product(WORLDS, KINDS):
        yield cell(name, kind, 1, name=f"{name}-{kind}", soak=True)
        if kind in SAMPLED.get(name, ()):
            yield cell(name, kind, 3, name=f"{name}-{kind}-a third", soak=False)


@pytest.mark.parametrize(("name", "kind", "stride"), list(_pairs()))
def test_a_reading_that_is_wrong_ends_no_access(name: str, kind: str, stride: int) -> None:
    world = WORLDS[name]
    for index, operation in list(_cells(world))[::stride]:
        if kind == BEYOND[0] and operation.startswith(BEYOND[1]):
            continue
        where = f"{name}: call {index}, {operation}, {kind}"

        async def scene(loop: VirtualLoop, index: int = index, operation: str = operation, where: str = where) -> None:
            made = await _made(loop, world)
            roles = {a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])}
            _honest(made, await _struck(made, world, index, operation, kind), where)
            again = await _revoked(made, world)
            assert again.exit_code == int(world.pulls) == int(anything_pulls(made)), (
                f"{where}: {again} {made.told()[-3000:]}"
            )
            _honest(made, again, where)
            _recorded(made, roles, where)

        play(scene)
