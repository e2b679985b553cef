"""Tests of a late removal, by a process stopped inside its request: the run looks for groups that hold the credential
by then.
"""

from collections.abc import Awaitable, Callable

import pytest
from local_azure.faults import Fault
from local_azure.inprocess import Hop, pause
from local_azure.wire import Request

from rotator.engine import reconcile
from rotator.engine.retirement import listed
from tests.engine.test_life import forced, settled
from tests.invariants import converges
from tests.stage import GROUPS, Stage

READ = "graph.applications.get"
ADD = "graph.applications.addPassword"
REMOVE = "/removePassword"
STOPPED = 3000.0
"""Seconds of the suspension: less than the overlap, and than the life of a token."""


def _deployed_by_hand(made: Stage, password: str) -> None:
    """Deploy a group by hand with the password about to be removed, without tags."""
    made.azure.container_groups.put(made.group_id(GROUPS[0]), made.body(made.app_id, password), "2025-09-01")


def _nothing(made: Stage, password: str) -> None:
    """Change nothing."""


def _stopped(made: Stage, happens: Callable[[Stage], None]) -> Hop:
    """Return the way to Azure of a process that is stopped inside its removal, while `happens` acts."""

    async def arriving(request: Request) -> None:
        if request.path.endswith(REMOVE):
            happens(made)
            await pause(STOPPED)

    return Hop(made.app, arriving=arriving)


async def _waiting(made: Stage) -> str:
    """Rotate, and let the overlap pass; return the password to be removed."""
    old = made.published()
    await made.rotate(forced(made))
    made.pass_(hours=25)
    return old


@pytest.mark.parametrize(("happens", "code"), [(_deployed_by_hand, 1), (_nothing, 0)])
def test_a_late_removal_names_the_group_that_came_to_hold_the_credential(
    happens: Callable[[Stage, str], None], code: int
) -> None:
    async def scene(made: Stage) -> None:
        old = await _waiting(made)
        result = await made.with_world(reconcile, hop=_stopped(made, lambda made: happens(made, old)))
        assert all(p.secret != old for p in made.credentials())
        assert result.exit_code == code
        assert (f"{GROUPS[0]} took that credential, or may have taken it" in made.told()) is (code == 1)
        await converges(made)

    settled(scene)


def test_a_look_that_fails_after_a_late_removal_says_that_the_credential_is_gone() -> None:
    async def scene(made: Stage) -> None:
        await _waiting(made)

        def refuse(made: Stage) -> None:
            made.azure.faults.add(Fault("arm.registries.get", "status", status=403, code="AuthorizationFailed"))

        result = await made.with_world(reconcile, hop=_stopped(made, refuse))
        assert result.exit_code == 1
        assert "is removed; the look for container groups that hold it now failed" in made.told()
        await converges(made)

    settled(scene)


def test_a_read_during_which_the_process_was_stopped_is_not_two_minutes_of_absence() -> None:
    async def scene(made: Stage) -> None:
        credential = (await made.with_world(lambda run: run.observe())).credentials[0]
        made.azure.faults.add(Fault(READ, "changed", argument="passwordCredentials=[]"))
        stopped = Hop(made.app, leaving=_stopped_once())
        assert await made.with_world(lambda run: listed(run, credential), hop=stopped) is not None

    settled(scene)


def _stopped_once() -> Callable[[Request], Awaitable[None]]:
    """Stop the process while the answer to its first read of the application is under way."""
    struck = list[str]()

    async def leaving(request: Request) -> None:
        if "/applications" in request.path and not struck:
            struck.append(request.path)
            await pause(STOPPED)

    return leaving


def test_a_search_for_a_lost_add_during_which_the_process_slept_ends_with_a_look_that_begins_after_it() -> None:
    async def scene(made: Stage) -> None:
        before = len(made.credentials())
        made.azure.faults.add(Fault(ADD, "lost"))
        looking = list[str]()

        async def arriving(request: Request) -> None:
            if not looking and request.path.endswith("/addPassword"):
                looking.append(ADD)
                made.azure.faults.add(Fault(READ, "stale"))

        async def leaving(request: Request) -> None:
            if looking == [ADD] and request.method == "GET" and "/applications" in request.path:
                looking.append(request.path)
                await pause(300.0)

        await made.with_world(reconcile, forced(made), hop=Hop(made.app, arriving=arriving, leaving=leaving))
        assert len(looking) == 2
        assert len(made.credentials()) <= before + 1, "an add that got no answer is left behind"

    settled(scene)
