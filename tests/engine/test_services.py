"""Tests of a server with the restart policy OnFailure, through a credential's whole life, with each kind that a policy
can declare.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, deploy_now, preview
from rotator.errors import UnsafeStep
from rotator.events import Noted, Waiting
from rotator.report.plan import plan_text
from rotator.state import KEY_ID, SINCE
from rotator.steps import Intent
from tests.invariants import monitored
from tests.stage import SERVER, Stage, play, stage

WINDOW = {"deploy_window": {"cron": "0 11 * * SAT", "timezone": "UTC", "duration": "6h"}}
MOST = 40
"""Longest life in days, from shortly before the renewal."""


async def begun(loop: VirtualLoop, said: dict[str, Any], rotation: dict[str, Any]) -> Stage:
    """Rotate for the first time; a server deployed by hand holds the current credential."""
    made = stage(loop, groups=("app",))
    await made.with_world(lambda run: adopt(run, None))
    await made.rotate(Intent(no_overlap=True))
    made.azure.registries.push(SERVER, "srv", "1", exit_code=0, run_seconds=4e8)
    (key_id,) = [p.key_id for p in made.credentials()]
    body = made.body(made.app_id, made.published(), "srv:1", restartPolicy="OnFailure")
    body["tags"] = {KEY_ID: key_id, SINCE: f"{made.azure.clock.now():%Y-%m-%dT%H:%M:%SZ}"}
    made.azure.container_groups.put(made.group_id("sftp"), body, "2025-09-01")
    made.pass_(minutes=10)
    groups = [{"id": group.id} for group in made.policy.container_groups]
    made.with_policy(container_groups=[*groups, {"id": made.group_id("sftp"), **said}], rotation=rotation)
    made.events.clear()
    return made


def old(made: Stage) -> timedelta:
    """Return how long the credential of the server is still valid."""
    (held,) = [p for p in made.azure.directory.passwords(made.app_id) if p.key_id == made.tags_of("sftp")[KEY_ID]]
    return held.end - made.azure.clock.now()


def current(made: Stage) -> bool:
    return made.password_of("sftp") == made.published()


async def live(made: Stage, until: Callable[[Stage], bool]) -> list[tuple[int, str]]:
    """Run once a day, from shortly before the renewal; return each run's exit code and its texts on the server."""
    runs: list[tuple[int, str]] = []
    made.pass_(days=58)
    while not until(made):
        assert len(runs) < MOST, runs[-1]
        made.events.clear()
        result = await made.rotate()
        texts = [e.reason if isinstance(e, Waiting) else e.text for e in made.events if isinstance(e, Waiting | Noted)]
        runs.append((result.exit_code, "\n".join(text for text in texts if "sftp" in text)))
        made.pass_(hours=24)
    return runs


def played(
    said: dict[str, Any], scene: Callable[[Stage], Awaitable[None]], rotation: dict[str, Any] | None = None
) -> None:
    async def whole(loop: VirtualLoop) -> None:
        made = await begun(loop, said, rotation or {})
        with monitored(made, ("app", "sftp")):
            await scene(made)
        assert made.azure.container_groups.move_host(made.group_id("sftp")), "the platform moves it, and it pulls"

    play(whole)


@pytest.mark.parametrize("rotation", [{}, WINDOW], ids=["at any time", "in its window"])
def test_a_service_gets_the_new_password_while_it_runs_and_the_old_one_goes(rotation: dict[str, Any]) -> None:
    async def scene(made: Stage) -> None:
        (before,) = [p.key_id for p in made.credentials()]
        runs = await live(made, lambda at: current(at) and before not in {p.key_id for p in at.credentials()})
        assert {code for code, _ in runs} == {0}
        assert len(runs) <= 12
        assert not any("looks like" in said or "service" in said for _, said in runs)
        if rotation:
            assert any("restarts in its deploy window" in said for _, said in runs)

    played({"runs": "service"}, scene, rotation)


def test_the_restart_of_a_service_stands_in_the_plan() -> None:
    async def scene(made: Stage) -> None:
        made.pass_(days=61)
        text = plan_text(await made.with_world(preview))
        assert "redeploy sftp" in text
        assert "sftp" in text.partition("restarts")[2]
        assert (await made.rotate()).exit_code == 0
        assert current(made)

    played({"runs": "service"}, scene)


def test_a_server_of_which_nothing_is_said_is_asked_about_for_weeks_and_moves_once_the_policy_says_service() -> None:
    async def scene(made: Stage) -> None:
        began = len(made.azure.container_groups.refused)
        runs = await live(made, lambda at: old(at) < timedelta(days=2))
        assert not current(made), "it is never interrupted"
        assert all("`runs: service`" in said and "`runs: job`" in said for _, said in runs)
        late = [said for code, said in runs if code == 1]
        assert len(late) >= 12
        assert all("az container stop --subscription" in said and "starts it again" in said for said in late)
        app, sftp = (group.id for group in made.policy.container_groups)
        made.with_policy(container_groups=[{"id": app}, {"id": sftp, "runs": "service"}])
        assert (await made.rotate()).exit_code == 0
        assert current(made)
        assert len(made.azure.container_groups.refused) == began

    played({}, scene)


def test_a_server_that_the_policy_calls_a_job_is_ended_and_deployed_as_the_late_wait_says() -> None:
    async def scene(made: Stage) -> None:
        runs = await live(made, lambda at: old(at) < timedelta(days=2))
        assert not any("`runs: job`" in said for _, said in runs), "the policy has answered"
        assert len([code for code, _ in runs if code == 1]) >= 12
        group_id = made.group_id("sftp")
        with pytest.raises(UnsafeStep) as refused:
            await made.with_world(lambda run: deploy_now(run, group_id, wait=False))
        assert "`runs: service`" in refused.value.diagnose().remedy
        made.azure.container_groups.stop(group_id)
        deployed = await made.with_world(lambda run: deploy_now(run, group_id, wait=False))
        assert (deployed.key_id, current(made)) == (made.tags_of("sftp")[KEY_ID], True)

    played({"runs": "job"}, scene)


def test_a_stopped_service_waits_for_a_person_and_every_late_run_says_that_the_way_out_starts_it() -> None:
    async def scene(made: Stage) -> None:
        made.azure.container_groups.stop(made.group_id("sftp"))
        runs = await live(made, lambda at: old(at) < timedelta(days=2))
        late = [said for code, said in runs if code == 1]
        assert len(late) >= 12
        assert all("gives it the current credential and starts it" in said for said in late)
        await made.with_world(lambda run: deploy_now(run, made.group_id("sftp"), wait=True))
        assert current(made)

    played({"runs": "service"}, scene)


def test_a_person_deploys_a_running_service_now() -> None:
    async def scene(made: Stage) -> None:
        made.pass_(days=61)
        await made.rotate(Intent(no_overlap=True))
        deployed = await made.with_world(lambda run: deploy_now(run, made.group_id("sftp"), wait=True))
        assert (deployed.verdict, deployed.exit_code, current(made)) == ("healthy", None, True)

    played({"runs": "service"}, scene)
