"""Two runs at once: one is suspended at each of its calls, while another rotates or revokes, or while hours pass.

The whole process is suspended: none of its calls goes out or comes back until the other run is done. A lease would
forbid most of these cases; they must hold without one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal

import pytest
from local_azure.inprocess import Hop, pause
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import adopt, reconcile, revoke
from rotator.results import Result
from rotator.steps import Intent
from tests.cells import SHARE, Call, calls, cell, sampled
from tests.invariants import converges, monitored, summary
from tests.snapshot import World, kept
from tests.stage import GROUPS, HASTY, Stage, play, stage

Moment = Literal["arriving", "leaving"]
HOURS = 3 * 3600.0


@dataclass
class Held:
    """Suspends one process at its call number `at`, before or after the effect, until the process `meanwhile` has
    ended.
    """

    at: int
    moment: Moment
    meanwhile: Callable[[], Awaitable[object]]
    calls: int = 0
    sent: list[Request] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def hop(self, made: Stage) -> Hop:
        """Return the suspended process's way to Azure."""
        return Hop(made.app, arriving=self._arriving, leaving=self._leaving)

    async def _arriving(self, request: Request) -> None:
        self.calls += 1
        self.sent.append(request)
        await self._gate(self.calls - 1, "arriving")

    async def _leaving(self, request: Request) -> None:
        await self._gate(self.calls - 1, "leaving")

    async def _other(self) -> None:
        await self.meanwhile()

    async def _gate(self, index: int, moment: Moment) -> None:
        reached = index > self.at or (index == self.at and moment in (self.moment, "leaving"))
        if not reached:
            return
        if not self.over.is_set() and index == self.at and moment == self.moment:
            await asyncio.create_task(self._other(), context=Context())
            self.over.set()
        await self.over.wait()


@kept
async def due(loop: VirtualLoop) -> Stage:
    """Return a world before its first rotation, in an Azure quick enough for a whole rotation while a read is fresh."""
    made = stage(loop, timing=HASTY)
    made.with_policy(proof={"times": 2, "over": "0s", "deadline": "5m"})
    await made.with_world(lambda run: adopt(run, None))
    made.events.clear()
    return made


@kept
async def half(loop: VirtualLoop) -> Stage:
    """Return the world of `due` a day after the rotation: every group has moved, and the old credential is to be
    retired.
    """
    made = await due(loop)
    await rotation(made)
    made.pass_(hours=25)
    return made


async def rotation(made: Stage, hop: Hop | None = None) -> Result:
    """Rotate in one run, which waits for proofs and groups only."""
    return await made.with_world(reconcile, hop=hop)


TELLING = ("graph.*", "keyvault.secrets.*", "aci.*")
"""Calls whose answer supports a write, and writes: for these a pause before and after the effect differ."""


@cache
def traced(world: World) -> tuple[Call, ...]:
    """Return the calls of one run in a world, in order."""

    async def scene(loop: VirtualLoop) -> tuple[Call, ...]:
        made = await world(loop)
        since = len(made.app.served)
        await rotation(made)
        return calls(made.app.served[since:])

    return play(scene)


def _moments(made: Sequence[Call]) -> Iterator[Any]:
    tried = sampled(made)
    for call in made:
        telling = any(fnmatchcase(call.operation, pattern) for pattern in TELLING)
        for moment in ("arriving", "leaving") if telling else ("arriving",):
            yield cell(call.index, moment, name=f"{call}-{moment}", soak=call.index not in tried, share=2 * SHARE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize(
            ("index", "moment"), list(_moments(traced(half if "retirement" in metafunc.definition.name else due)))
        )


async def test_another_rotation_comes_between(loop: VirtualLoop, index: int, moment: Moment) -> None:
    made = await due(loop)
    held = Held(index, moment, lambda: rotation(made))
    with monitored(made, GROUPS):
        await rotation(made, held.hop(made))
        assert held.over.is_set(), "the other never ran"
        made.pass_(minutes=1)
        await converges(made)


async def test_another_rotation_comes_between_and_hours_pass(loop: VirtualLoop, index: int, moment: Moment) -> None:
    made = await due(loop)
    await slept(made, index, moment)


async def test_another_retirement_comes_between_and_hours_pass(loop: VirtualLoop, index: int, moment: Moment) -> None:
    made = await half(loop)
    await slept(made, index, moment)


async def slept(made: Stage, index: int, moment: Moment) -> None:
    """Suspend one run for three hours at its call `index` while another runs: afterwards its reads are too old for a
    write.
    """
    before = {p.key_id for p in made.credentials()}

    async def meanwhile() -> None:
        await rotation(made)
        await pause(HOURS)

    held = Held(index, moment, meanwhile)
    with monitored(made, GROUPS):
        await rotation(made, held.hop(made))
        assert held.over.is_set(), "the other never ran"
        nothing_rests_on_old_reads(held, before)
        made.pass_(minutes=1)
        await converges(made)


RESTS_ON = (
    ("/addPassword", "/applications", "/servicePrincipals"),
    ("/removePassword", "/applications", "/servicePrincipals"),
    ("/containerGroups/", "/containerGroups/"),
    ("/secrets/", "/versions"),
)
"""End or part of a write's path, and of the paths of the reads that support it."""


def nothing_rests_on_old_reads(held: Held, before: set[str]) -> None:
    """Check that each write after the suspension follows a new read of its preconditions; a removal of the run's own
    password needs none.

    A write that was already on its way is sent again if its token has expired meanwhile.
    """
    woken, underway = held.sent[held.at + 1 :], held.sent[held.at]
    for at, request in enumerate(woken):
        part, *reads = next((row for row in RESTS_ON if row[0] in request.path and _writes(request)), ("",))
        own = part == "/removePassword" and request.json()["keyId"] not in before
        again = (request.method, request.path) == (underway.method, underway.path)
        if part and not own and not again:
            read = [
                earlier
                for earlier in woken[:at]
                if earlier.method == "GET" and any(each in earlier.path for each in reads)
            ]
            assert read, f"{request.method} {request.path} rests on what was read three hours before"


def _writes(request: Request) -> bool:
    return request.method in ("POST", "PUT", "PATCH", "DELETE")


async def test_a_revocation_comes_between(loop: VirtualLoop, index: int, moment: Moment) -> None:
    """I8: after the revocation no group can pull, and no credential or version was added."""

    made = await due(loop)
    known: list[set[str]] = []

    async def meanwhile() -> None:
        result = await made.with_world(lambda run: revoke(run, wait=False))
        assert result.exit_code == 0, made.told()
        known.extend(({p.key_id for p in made.credentials()}, {v.id for v in made.versions() if v.enabled}))

    held = Held(index, moment, meanwhile)
    await rotation(made, held.hop(made))
    made.pass_(minutes=10)
    assert nobody_pulls(made)
    assert {p.key_id for p in made.credentials()} <= known[0], f"a credential is left: {summary(made)}"
    assert {v.id for v in made.versions() if v.enabled} <= known[1], f"a version is left: {summary(made)}"
    await skipped(made)


def nobody_pulls(made: Stage) -> bool:
    """Tell if every group's next pull would be refused."""
    return not any(made.azure.container_groups.could_pull(made.group_id(name)) for name in GROUPS)


async def skipped(made: Stage) -> None:
    """Check that a later run reports the revocation, writes nothing and ends with 0."""
    since = len(made.app.served)
    made.events.clear()
    result = await made.rotate(Intent(no_overlap=True))
    assert (result.exit_code, made.writes(since)) == (0, [])
    assert '"revoked"' in made.told()
