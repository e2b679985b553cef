"""Tests of revoke and grant, each twice, and by two processes at once: no write is repeated, and no half-done change
goes unreported.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, grant, reconcile, revoke
from rotator.events import Noted
from rotator.results import Result
from tests.cells import Call, calls, cell
from tests.matrices.test_preemption import Held, Moment
from tests.pulling import anything_pulls
from tests.snapshot import kept
from tests.stage import HASTY, Stage, play, stage

Verb = Callable[..., Awaitable[Result]]


def scene(act: Callable[[Stage], Awaitable[None]]) -> None:
    async def begin(loop: VirtualLoop) -> None:
        await act(await world(loop))

    play(begin)


@kept
async def world(loop: VirtualLoop) -> Stage:
    """Return a world with a principal whose only password is adopted."""
    made = stage(loop, groups=("app",), timing=HASTY)
    made.with_policy(proof={"times": 2, "over": "0s", "deadline": "5m"})
    await made.with_world(lambda run: adopt(run, None))
    made.pass_(minutes=10)
    return made


@kept
async def locked(loop: VirtualLoop) -> Stage:
    """Return the world under a lock, which leaves only the credentials to take."""
    made = await world(loop)
    made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")
    return made


def roles(made: Stage) -> set[tuple[str, str]]:
    """Return the principal's assignments by id and role's name."""
    found = made.azure.authorization.assignments(principals=[made.principal.id])
    return {(each.id, made.azure.authorization.role(each.role).role_name) for each in found}


def mark(made: Stage) -> str:
    return (made.azure.vaults.get("myvault", made.policy.access_secret).tags or {})["rotator-access"]


async def twice(made: Stage, verb: Verb) -> tuple[Result, Result]:
    """Act twice; the second time writes nothing. Return both results."""
    first = await made.with_world(verb)
    made.pass_(minutes=5)
    since, had = len(made.app.served), roles(made)
    second = await made.with_world(verb)
    assert (made.writes(since), roles(made)) == ([], had)
    return first, second


def test_a_second_grant_gives_nothing_but_what_the_first_restored() -> None:
    async def act(made: Stage) -> None:
        had = roles(made)
        await twice(made, revoke)
        assert roles(made) == set()
        made.with_policy(registries=[{"id": made.seeded.registry_id, "role": "AcrPush"}])
        first, second = await twice(made, grant)
        assert (first.exit_code, second.exit_code) == (0, 0), made.told()
        assert roles(made) == had, "AcrPull, as recorded, and not AcrPush, which the policy declares now"
        assert mark(made) == "granted"

    scene(act)


def test_a_grant_restores_what_somebody_deleted_after_the_last_one() -> None:
    async def act(made: Stage) -> None:
        had = roles(made)
        await made.with_world(revoke)
        await made.with_world(grant)
        for assignment, _ in roles(made):
            made.azure.authorization.delete(assignment)
        assert (await made.with_world(grant)).exit_code == 0
        assert roles(made) == had

    scene(act)


def test_a_record_of_another_service_principal_is_nothing_to_restore() -> None:
    async def act(made: Stage) -> None:
        await made.with_world(revoke)
        await made.with_world(grant)
        made.azure.directory.delete(made.principal)
        made.principal = made.azure.directory.create_service_principal(made.app_id)
        made.pass_(hours=1)
        assert (await made.with_world(grant)).exit_code == 0, made.told()
        ((_, role),) = roles(made)
        assert role == "AcrPull" and anything_pulls(made)

    scene(act)


def test_revoke_with_credentials_twice_writes_nothing_but_the_deletion_that_a_lock_refuses_again() -> None:
    async def act(made: Stage) -> None:
        made.azure.resources.lock(made.seeded.registry_id, "CanNotDelete", "keep")
        taking: Verb = lambda run: revoke(run, credentials=True)  # noqa: E731 - a verb with its option
        assert (await made.with_world(taking)).exit_code == 0
        since = len(made.app.served)
        assert (await made.with_world(taking)).exit_code == 0
        assert made.writes(since) == ["rbac.roleAssignments.delete"]
        sent = [call.operation for call in made.app.served if call.operation.endswith("removePassword")]
        assert sent == ["graph.applications.removePassword"]

    scene(act)


# two at once


async def rotation(made: Stage, held: Held | None = None) -> Result:
    """Run the first rotation, held back at one of its calls."""
    return await made.with_world(reconcile, hop=held.hop(made) if held else None)


async def revocation(made: Stage, held: Held | None = None) -> Result:
    return await made.with_world(revoke, hop=held.hop(made) if held else None)


async def taking(made: Stage, held: Held | None = None) -> Result:
    return await made.with_world(lambda run: revoke(run, credentials=True), hop=held.hop(made) if held else None)


async def granting(made: Stage, held: Held | None = None) -> Result:
    return await made.with_world(lambda run: grant(run, wait=False), hop=held.hop(made) if held else None)


@kept
async def revoked(loop: VirtualLoop) -> Stage:
    made = await world(loop)
    await revocation(made)
    return made


Act = Callable[..., Awaitable[Result]]
Begin = Callable[[VirtualLoop], Awaitable[Stage]]
PAIRS: dict[str, tuple[Begin, Act, Act]] = {
    "a rotation, and a revocation comes between": (world, rotation, revocation),
    "a rotation, and a revocation of the credentials under a lock comes between": (locked, rotation, taking),
    "a revocation, and a grant comes between": (world, revocation, granting),
    "a revocation of the credentials under a lock, and a grant comes between": (locked, taking, granting),
    "a second revocation, and a grant comes between": (revoked, revocation, granting),
    "a grant, and a revocation comes between": (revoked, granting, revocation),
    "a revocation, and another comes between": (world, revocation, revocation),
    "a revocation, and a rotation comes between": (world, revocation, rotation),
    "a revocation of the credentials under a lock, and a rotation comes between": (locked, taking, rotation),
    "a grant, and another comes between": (revoked, granting, granting),
}


@cache
def traced(begin: Begin, act: Act) -> tuple[Call, ...]:
    """Return the calls of the first act of a pair, in order."""

    async def alone(loop: VirtualLoop) -> tuple[Call, ...]:
        made = await begin(loop)
        since = len(made.app.served)
        await act(made)
        return calls(made.app.served[since:])

    return play(alone)


def _cells() -> Iterator[Any]:
    """Yield every call but the registry's, before and after its effect; `make test` tries a quarter of the writes."""
    for name, (begin, first, _) in PAIRS.items():
        for call in traced(begin, first):
            for moment in () if call.operation.startswith("acr.") else ("arriving", "leaving"):
                yield cell(name, call.index, moment, name=f"{name}-{call}-{moment}", soak=not call.writes, share=4)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize(("name", "index", "moment"), list(_cells()))


@pytest.mark.share(3)
def test_two_processes_at_once_leave_nothing_half_done_without_a_word(name: str, index: int, moment: Moment) -> None:
    begin, first, second = PAIRS[name]

    async def act(loop: VirtualLoop) -> None:
        made = await begin(loop)
        ended: list[Result] = []

        async def other() -> None:
            ended.append(await second(made))
            held.over.set()

        async def meanwhile() -> None:
            """Run the other process to its end, even if the waiting request is cancelled earlier."""
            others.append(asyncio.ensure_future(other()))
            await asyncio.shield(others[0])

        others: list[asyncio.Future[None]] = []
        held = Held(index, moment, meanwhile)
        ended.append(await first(made, held))
        await others[0]
        made.pass_(minutes=10)
        said = f"{[(each.summary, each.exit_code) for each in ended]} {mark(made)} {made.told()[-3000:]}"
        agrees = bool(roles(made)) if mark(made) == "granted" else not anything_pulls(made)
        assert agrees or any(each.exit_code for each in ended), said
        if mark(made) == "revoked":
            again = await taking(made)
            made.pass_(minutes=5)
            assert not anything_pulls(made), said
            assert again.exit_code == 0, f"{said} {again}"
            assert [p for p in made.credentials() if (p.display_name or "").startswith("rotator:")] == [], said
        assert len(roles(made)) <= 1, f"never two assignments: {said}"

    play(act)


def test_a_grant_that_came_in_between_is_told_by_the_revocation() -> None:
    async def act(made: Stage) -> None:
        held = Held(0, "arriving", lambda: granting(made))
        since = len(made.app.served)
        plain = await made.with_world(revoke)
        deletion = next(
            i for i, call in enumerate(made.app.served[since:]) if call.operation == "rbac.roleAssignments.delete"
        )
        assert plain.exit_code == 0
        await made.with_world(grant)
        made.pass_(minutes=5)
        made.events.clear()
        held = Held(deletion, "arriving", lambda: granting(made))
        result = await revocation(made, held)
        assert (result.exit_code, result.summary) == (1, "ACCESS WAS GRANTED AGAIN while it was being revoked")
        assert any(isinstance(event, Noted) and event.code == "regranted" for event in made.events)
        assert json.loads(str(made.azure.vaults.get("myvault", made.policy.access_secret).value)), (
            "what was deleted is still recorded"
        )

    scene(act)
