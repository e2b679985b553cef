"""Tests of writes with an unknown outcome, and of late writes: unknown is not refused, and old reads are repeated."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import Hop, pause
from local_azure.virtual import VirtualLoop
from local_azure.wire import Request

from rotator.engine import Run, adopt, reconcile
from rotator.engine.retirement import withdraw
from rotator.state import Home, lineage, marker
from rotator.steps import Intent
from tests.engine.test_life import forced, ours, served, settled
from tests.invariants import converges, monitored, rested, summary
from tests.matrices.test_crash_matrix import adopted
from tests.stage import GROUPS, SECRET, Stage, play, stage

SET, VERSIONS, ADD, REMOVE = (
    "keyvault.secrets.set",
    "keyvault.secrets.versions",
    "graph.applications.addPassword",
    "graph.applications.removePassword",
)
LOST = Fault(SET, "lost")
NOS = {
    "403": {"kind": "status", "status": 403, "code": "Forbidden", "message": "Caller is not authorized."},
    "429": {"kind": "status", "status": 429, "code": "Throttled", "message": "Slow down.", "retry_after": 600},
    "500": {"kind": "status", "status": 500},
    "reset": {"kind": "reset"},
}


@pytest.mark.share(3)
@pytest.mark.parametrize("later", sorted(NOS))
@pytest.mark.parametrize("reads", [VERSIONS, "keyvault.*", "graph.*.get"])
def test_a_no_to_a_later_request_is_not_the_outcome_of_a_lost_put(later: str, reads: str) -> None:
    async def scene(made: Stage) -> None:
        def strike(number: int, operation: str, request: Request) -> None:
            if operation == SET and not made.azure.faults.planned:
                made.azure.faults.add(LOST)
                made.azure.faults.add(Fault(reads, times=60, nth=2 if reads == "keyvault.*" else 1, **NOS[later]))  # type: ignore[arg-type]

        with monitored(made, GROUPS):
            made.before.append(strike)
            result = await made.rotate(forced(made))
            made.before.remove(strike)
            assert "othing was published" not in made.told()
            assert result.exit_code in (0, 1)
            made.azure.faults.clear()
            await converges(made)

    settled(scene)


def test_a_definite_no_to_the_put_takes_the_credential_back() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        made.azure.faults.add(Fault(SET, **NOS["403"]))  # type: ignore[arg-type]
        result = await made.rotate(forced(made))
        assert result.exit_code == 1
        assert "is removed again" in made.told()
        assert ours(made) == [old]

    settled(scene)


# how many adds may be unaccounted for


@pytest.mark.parametrize("published", [True, False], ids=["with a current credential", "without one"])
def test_lost_adds_never_exceed_three_whoever_made_them_and_are_reclaimed(published: bool) -> None:
    async def scene(made: Stage) -> None:
        made.azure.faults.add(Fault(ADD, "lost", times=0))
        made.azure.faults.add(Fault(REMOVE, times=0, **NOS["403"]))  # type: ignore[arg-type]
        for _ in range(4):
            await made.rotate(forced(made) if published else None)
            made.pass_(hours=2)
            assert len(unpublished(made)) <= 3, summary(made)
        assert len(unpublished(made)) == 3
        made.azure.faults.clear()
        made.pass_(hours=25)
        with monitored(made, GROUPS):
            await converges(made, Intent(no_overlap=True))
        assert unpublished(made) == []

    if published:
        settled(scene)
    else:

        async def begin(loop: VirtualLoop) -> None:
            await scene(await adopted(loop))

        play(begin)


async def test_three_lost_adds_do_not_keep_the_first_rotation_from_ever_ending(loop: VirtualLoop) -> None:
    made = await adopted(loop)
    orphans(made, 3)
    made.pass_(hours=25)
    with monitored(made, GROUPS):
        await converges(made)


def test_three_lost_adds_and_a_current_credential_deleted_by_hand() -> None:
    async def scene(made: Stage) -> None:
        orphans(made, 3)
        made.pass_(hours=25)
        (current,) = (p for p in made.credentials() if p.secret == made.published())
        made.azure.directory.remove_password(made.application, current.key_id)
        made.pass_(minutes=10)
        await converges(made, Intent(no_overlap=True))

    settled(scene)


def test_an_orphan_whose_password_is_the_published_one_stays() -> None:
    async def scene(made: Stage) -> None:
        """Purge the secret and publish its value again without tags, as a person might, with no groups left and three
        orphans.
        """
        value, (key_id,) = made.published(), ours(made)
        made.azure.vaults.delete("myvault", SECRET)
        made.pass_(minutes=5)
        made.azure.vaults.purge("myvault", SECRET)
        made.pass_(minutes=5)
        made.azure.vaults.set("myvault", SECRET, value)
        for name in GROUPS:
            made.azure.container_groups.delete(made.group_id(name))
        made.with_policy(container_groups=[])
        orphans(made, 3)
        made.pass_(hours=25)
        await made.rotate()
        assert key_id in ours(made)

    settled(scene)


def orphans(made: Stage, count: int) -> None:
    """Add credentials of ours as runs leave them that die between add and publication."""
    mine = lineage(made.seeded.tenant, made.app_id, made.policy.key_vault.host, SECRET)
    for nth in range(count):
        end = made.azure.clock.now() + made.policy.rotation.validity
        made.azure.directory.add_password(
            made.application, display_name=marker(mine, f"dead{nth}"), end=end, at_once=True
        )


def unpublished(made: Stage) -> list[str]:
    named = {(v.tags or {}).get("rotator-key-id") for v in made.versions()}
    return [key for key in ours(made) if key not in named]


# reads too old for a write


Sleep = Callable[[Stage], Awaitable[None]]


def sleeper(made: Stage, operation: str, moment: str, sleep: Sleep, nth: int = 1) -> Hop:
    """Return the way to Azure of a process that is stopped once, at the arrival or the end of its nth call of
    `operation`.
    """
    seen: list[str] = []
    stopped = asyncio.Event()

    async def gate(request: Request, where: str) -> None:
        named = made.app.served[-1].operation if where == "leaving" else _operation(made, request)
        if where == moment and named == operation and not stopped.is_set():
            seen.append(named)
            if len(seen) == nth:
                stopped.set()
                await sleep(made)

    async def arriving(request: Request) -> None:
        await gate(request, "arriving")

    async def leaving(request: Request) -> None:
        await gate(request, "leaving")

    return Hop(made.app, arriving=arriving, leaving=leaving)


def _operation(made: Stage, request: Request) -> str:
    return (
        SET
        if request.method == "PUT" and "/secrets/" in request.path
        else REMOVE
        if request.path.endswith("removePassword")
        else request.path
    )


@pytest.mark.share(2)
@pytest.mark.parametrize("nth", range(1, 7))
def test_a_run_that_slept_beyond_reclaim_after_publishes_nothing_that_was_reclaimed(nth: int) -> None:
    """The run stops after a proof of the new credential; meanwhile another run reclaims the credential as an orphan."""

    async def scene(made: Stage) -> None:
        async def sleep(made: Stage) -> None:
            await pause(25 * 3600)
            await made.rotate(Intent(no_overlap=True))
            await pause(60)

        with monitored(made, GROUPS):
            hop = sleeper(made, "acr.manifests.head", "leaving", sleep, nth=nth)
            await made.with_world(reconcile, forced(made), hop=hop)
            made.pass_(minutes=1)
            await converges(made, Intent(no_overlap=True))

    settled(scene)


def test_a_removal_that_met_another_write_is_decided_anew_after_a_sleep() -> None:
    """Between a removal with a concurrent write and its repetition, a person redeploys a group with the old
    credential.
    """

    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        value = made.published()
        await made.rotate(forced(made))
        made.pass_(hours=25)
        made.azure.faults.add(Fault(REMOVE, "concurrency"))

        async def sleep(made: Stage) -> None:
            made.put(
                "second",
                imageRegistryCredentials=[
                    {"server": made.seeded.login_server, "username": made.app_id, "password": value}
                ],
            )
            await pause(1800)

        await made.with_world(reconcile, hop=sleeper(made, REMOVE, "leaving", sleep))
        assert old in ours(made) or made.password_of("second") != value
        assert made.azure.container_groups.could_pull(made.group_id("second"))

    settled(scene)


async def test_adopting_and_rotating_without_faults_asks_for_every_removal_twice(loop: VirtualLoop) -> None:
    made = stage(loop)
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate(Intent(no_overlap=True))
    assert rested(made)


# removals without a look of their own


def test_no_removal_is_sent_for_a_credential_that_no_look_shows() -> None:
    async def scene(made: Stage) -> None:
        async def act(run: Run) -> None:
            observed = await run.observe()
            (held,) = [c for c in observed.credentials if c.key_id in ours(made)]
            await withdraw(run, observed.principal, replace(held, key_id="11111111-0000-4000-8000-000000000000"))

        since, began = len(made.app.served), made.clock.elapsed()
        await made.with_world(act)
        assert served(made, since, REMOVE) == 0
        assert made.clock.elapsed() - began >= 120, "one look shows no absence"

    settled(scene)


def test_a_removal_is_sent_after_the_look_that_lists_the_credential() -> None:
    async def scene(made: Stage) -> None:
        async def act(run: Run) -> None:
            observed = await run.observe()
            end = observed.at + timedelta(days=9)
            new = await run.world.add_password(observed.principal, Home.APPLICATION, "rotator:x:y", end)
            made.azure.faults.add(Fault("graph.applications.get", "stale", times=3))
            since = len(made.app.served)
            await withdraw(run, observed.principal, new.credential)
            calls = [call.operation for call in made.app.served[since:]]
            assert calls.index(REMOVE) > [n for n, name in enumerate(calls) if name == "graph.applications.get"][3]
            assert new.credential.key_id not in [p.key_id for p in made.credentials()]

        await made.with_world(act)

    settled(scene)
