"""Tests of a credential's later life, end to end: changes by people and by Azure, and the world afterwards."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.virtual import VirtualLoop

from rotator.engine import adopt, compromise, deploy_now, grant, revoke
from rotator.resource_id import ResourceId
from rotator.state import KEY_ID, SINCE
from rotator.steps import Intent
from tests.invariants import converges, monitored, rested, summary
from tests.matrices.test_crash_matrix import adopted, whole
from tests.snapshot import World, kept
from tests.stage import GROUPS, SECRET, SERVER, Stage, play, stage

Scene = Callable[[Stage], Awaitable[None]]
PUT = "aci.containerGroups.createOrUpdate"
NO_OVERLAP = Intent(no_overlap=True)


@cache
def _settled(groups: tuple[str, ...]) -> World:
    """Return a world after its first rotation."""

    @kept
    async def world(loop: VirtualLoop) -> Stage:
        made = stage(loop, groups=groups)
        await made.with_world(lambda run: adopt(run, None))
        await whole(made)
        assert rested(made), summary(made)
        made.events.clear()
        return made

    return world


def settled(scene: Scene, *, groups: tuple[str, ...] = GROUPS) -> None:
    """Play a scene in a world after its first rotation."""

    async def begin(loop: VirtualLoop) -> None:
        await scene(await _settled(groups)(loop))

    play(begin)


def ours(made: Stage) -> list[str]:
    """Return the key ids of rotator's credentials."""
    return [p.key_id for p in made.credentials() if (p.display_name or "").startswith("rotator:")]


def said(made: Stage, code: str) -> bool:
    return f'"code": "{code}"' in made.told()


def served(made: Stage, since: int, operation: str) -> int:
    return sum(call.operation == operation for call in made.app.served[since:])


def forced(made: Stage, **more: Any) -> Intent:
    return Intent(force_before=made.azure.clock.now(), **more)


def declared(made: Stage, name: str, **more: Any) -> dict[str, Any]:
    return {"id": made.group_id(name), **more}


# a credential's end


def test_a_compromised_credential_is_replaced_at_once_and_goes_without_overlap() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        with monitored(made, GROUPS):
            assert await made.with_world(lambda run: compromise(run, [])) == (known,)
            result = await made.rotate()
        assert result.exit_code == 0, made.told()
        assert known not in ours(made)
        assert rested(made)
        assert not made.azure.tokens.authenticates_everywhere(made.app_id, made.by_hand.secret)

    settled(scene)


def test_force_rotates_once() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        intent = forced(made)
        made.pass_(minutes=1)
        await made.rotate(intent)
        assert len(ours(made)) == 2
        made.pass_(hours=25)
        await made.rotate(intent)
        assert len(ours(made)) == 1
        assert old not in ours(made)
        since = len(made.app.served)
        await made.rotate(intent)
        assert made.writes(since) == []

    settled(scene)


async def test_without_overlap_a_whole_first_rotation_is_one_run(loop: VirtualLoop) -> None:
    made = await adopted(loop)
    with monitored(made, GROUPS):
        result = await made.rotate(NO_OVERLAP)
    assert result.exit_code == 0
    assert rested(made)
    assert made.by_hand not in made.credentials()


@pytest.mark.parametrize("nth", [1, 2])
def test_whichever_secret_can_not_be_written_no_password_is_taken_away_that_is_published(nth: int) -> None:
    async def scene(made: Stage) -> None:
        shown = {"url": made.seeded.vault_url, "password_secret": SECRET, "username_secret": "pull-usr"}
        made.with_policy(key_vault=shown)
        since = len(made.app.served)
        made.azure.faults.add(
            Fault("keyvault.secrets.set", "status", nth=nth, status=403, code="Forbidden", message="Not for you.")
        )
        with monitored(made, GROUPS):
            assert (await made.rotate(forced(made))).exit_code == 1
            assert made.writes(since)[-1] == "graph.applications.removePassword", (
                "nothing was published, and what was added is gone"
            )
            assert (await made.rotate(forced(made))).exit_code == 0
        assert made.azure.vaults.get("myvault", "pull-usr").value == made.app_id

    settled(scene)


# changes by people


def _by_hand(made: Stage) -> str:
    """Add a credential and publish it by hand, as documented; return its key id."""
    end = made.azure.clock.now() + timedelta(days=300)
    password = made.azure.directory.add_password(made.application, display_name="somebody", end=end, at_once=True)
    made.pass_(minutes=1)
    made.azure.vaults.set("myvault", SECRET, password.secret)
    made.pass_(minutes=1)
    return password.key_id


def test_drift_is_told_then_adopted_then_over() -> None:
    async def scene(made: Stage) -> None:
        theirs = _by_hand(made)
        since = len(made.app.served)
        assert (await made.rotate()).exit_code == 0
        assert said(made, "drift")
        assert made.writes(since) == []
        assert (await made.with_world(lambda run: adopt(run, None))).key_ids == (theirs,)
        await made.rotate()
        assert theirs in {p.key_id for p in made.credentials()}
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert theirs not in {p.key_id for p in made.credentials()}
        assert rested(made), summary(made)

    settled(scene)


def test_drift_stops_a_renewal_until_it_is_accepted() -> None:
    async def scene(made: Stage) -> None:
        made.pass_(days=59)
        theirs = _by_hand(made)
        made.pass_(hours=2)
        assert (await made.rotate()).exit_code == 3
        assert len(ours(made)) == 1
        assert (await made.rotate(Intent(accept_drift=True))).exit_code == 0
        assert len(ours(made)) == 2
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert rested(made), summary(made)
        assert theirs in {p.key_id for p in made.credentials()}, "theirs isn't ours to remove"

    settled(scene)


def test_a_dependent_deleted_by_hand_blocks_nothing() -> None:
    async def scene(made: Stage) -> None:
        made.azure.container_groups.delete(made.group_id("second"))
        await made.rotate(forced(made))
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert len(ours(made)) == 1
        assert not made.azure.container_groups.exists(made.group_id("second")), "what somebody deleted isn't made again"

    settled(scene)


def _nightly(made: Stage) -> ResourceId:
    made.azure.container_groups.put(
        made.group_id("nightly"),
        made.body(made.app_id, made.published(), "nightly:v1", restartPolicy="Never"),
        "2025-09-01",
    )
    made.pass_(minutes=10)
    made.azure.container_groups.settle()
    groups = [{"id": group.id} for group in made.policy.container_groups]
    made.with_policy(container_groups=[*groups, declared(made, "nightly", when_finished="wait")])
    return made.group_id("nightly")


def test_a_finished_job_keeps_the_old_credential_alive_until_its_next_deployment() -> None:
    async def scene(made: Stage) -> None:
        nightly = _nightly(made)
        (old,) = ours(made)
        await made.rotate(forced(made))
        made.pass_(days=3)
        since = len(made.app.served)
        assert (await made.rotate()).exit_code == 0
        assert said(made, "next_run")
        assert served(made, since, PUT) == 0, "a rotation never runs a job"
        assert old in ours(made)
        deployed = await made.with_world(lambda run: deploy_now(run, nightly, wait=True))
        assert deployed.exit_code == 0
        assert made.tags_of("nightly")[KEY_ID] == deployed.key_id != old
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert rested(made), summary(made)

    settled(scene)


def test_a_job_that_is_deployed_every_night_does_not_keep_the_old_credential_for_ever() -> None:
    async def scene(made: Stage) -> None:
        nightly = _nightly(made)
        (old,) = ours(made)
        await made.rotate(forced(made))
        for _ in range(3):
            await made.with_world(lambda run: deploy_now(run, nightly, wait=True))
            for _ in range(3):
                made.pass_(hours=7, minutes=50)
                assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert rested(made), summary(made)

    settled(scene)


def test_a_stopped_group_waits_and_moves_when_it_runs_again() -> None:
    async def scene(made: Stage) -> None:
        second = made.group_id("second")
        made.azure.container_groups.stop(second)
        (old,) = ours(made)
        await made.rotate(forced(made))
        made.pass_(days=2)
        assert (await made.rotate()).exit_code == 0
        assert old in ours(made)
        made.azure.container_groups.start(second)
        made.pass_(minutes=5)
        await made.rotate()
        made.pass_(hours=25)
        assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert rested(made), summary(made)

    settled(scene)


def test_an_undeclared_group_blocks_until_discovery_may_move_it() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        made.azure.container_groups.put(
            made.group_id("stranger"), made.body(made.app_id, made.published()), "2025-09-01"
        )
        made.pass_(hours=1)
        await made.rotate(forced(made))
        made.pass_(hours=25)
        await made.rotate()
        assert said(made, "undeclared")
        assert old in ours(made)
        assert KEY_ID not in made.tags_of("stranger")
        made.with_policy(discover={"redeploy": True})
        with monitored(made, (*GROUPS, "stranger")):
            await made.rotate()
            made.pass_(hours=25)
            assert (await made.rotate()).exit_code == 0
        assert old not in ours(made)
        assert made.tags_of("stranger")[KEY_ID] in ours(made)

    settled(scene)


def test_a_group_restarts_in_its_deploy_window_only() -> None:
    async def scene(made: Stage) -> None:
        made.with_policy(
            rotation={"deploy_window": {"cron": "0 2 * * SAT", "timezone": "Europe/Paris", "duration": "4h"}}
        )
        since = len(made.app.served)
        result = await made.rotate(forced(made))
        assert len(ours(made)) == 2
        assert served(made, since, PUT) == 0
        assert result.next_due is not None
        made.azure.clock.advance(result.next_due - made.azure.clock.now())
        await made.rotate()
        assert served(made, since, PUT) == len(GROUPS)
        made.pass_(hours=25)
        await made.rotate()
        assert rested(made), summary(made)

    settled(scene)


def test_hidden_values_come_back_from_key_vault() -> None:
    async def scene(made: Stage) -> None:
        hidden = [{"name": "MODE", "value": "production"}, {"name": "DB_PASSWORD", "secureValue": "correct horse"}]
        body = made.body(made.app_id, made.published())
        body["properties"]["containers"][0]["properties"]["environmentVariables"] = hidden
        made.azure.container_groups.put(made.group_id("second"), body, "2025-09-01")
        made.pass_(hours=1)
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code == 3
        assert said(made, "hidden_values")
        assert made.writes(since) == []
        made.azure.vaults.set("myvault", "db-password", "correct horse")
        secrets = {"containers/app/env/DB_PASSWORD": {"key_vault": "db-password"}}
        made.with_policy(container_groups=[declared(made, "app"), declared(made, "second", secrets=secrets)])
        with monitored(made, GROUPS):
            assert (await made.rotate(forced(made))).exit_code == 0
        stored = made.azure.container_groups.stored(made.group_id("second"))
        assert stored["properties"]["containers"][0]["properties"]["environmentVariables"] == hidden

    settled(scene)


# behaviour of Azure


def test_a_pull_that_fails_is_undone_and_tried_again_later() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        made.azure.faults.add(Fault(PUT, "failed_pull", argument="0"))
        with monitored(made, GROUPS):
            assert (await made.rotate(forced(made))).exit_code == 1
            assert made.tags_of("app")[KEY_ID] == old, "the way back"
            assert made.tags_of("second")[KEY_ID] == old, "nobody followed"
            since = len(made.app.served)
            made.pass_(minutes=30)
            assert (await made.rotate()).exit_code == 1
            assert said(made, "backing_off")
            assert served(made, since, PUT) == 0
            made.pass_(hours=5)
            await made.rotate()
            assert made.tags_of("app")[KEY_ID] != old
            made.pass_(hours=25)
            await converges(made)
        assert old not in ours(made)

    settled(scene)


def test_a_pull_that_goes_on_failing_is_tried_ever_more_seldom() -> None:
    async def scene(made: Stage) -> None:
        made.azure.faults.add(Fault(PUT, "failed_pull", nth=1, argument="0"))
        made.azure.faults.add(Fault(PUT, "failed_pull", nth=3, argument="0"))
        intent = forced(made)
        await made.rotate(intent)
        made.pass_(hours=5)
        await made.rotate()
        since = len(made.app.served)
        made.pass_(hours=47)
        await made.rotate()
        assert served(made, since, PUT) == 0, "two days after the second failure"
        made.pass_(hours=1)
        await made.rotate()
        assert served(made, since, PUT) == len(GROUPS)

    settled(scene)


def test_stripped_tags_end_in_one_redeployment_and_a_person() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        made.azure.faults.add(Fault(PUT, "strip_tags", times=0))
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code in (1, 3)
        for _ in range(3):
            made.pass_(hours=25)
            assert (await made.rotate()).exit_code == 1
        assert said(made, "stripped")
        assert served(made, since, PUT) == len(GROUPS), "no second PUT of any group"
        assert old in ours(made)
        made.azure.faults.clear()
        await made.rotate(Intent(retry=True))
        made.pass_(hours=25)
        await made.rotate()
        assert rested(made), summary(made)

    settled(scene)


def test_a_group_that_crashes_for_reasons_of_its_own_keeps_the_new_credential_and_stops_the_rest() -> None:
    async def scene(made: Stage) -> None:
        (old,) = ours(made)
        second = made.group_id("second")
        made.azure.container_groups.stop(second)
        made.azure.faults.add(Fault(PUT, "crash"))
        with monitored(made, GROUPS):
            await made.rotate(forced(made))
            made.azure.container_groups.start(second)
            made.pass_(hours=1)
            since = len(made.app.served)
            assert (await made.rotate()).exit_code == 1
            assert said(made, "worse")
            assert served(made, since, PUT) == 0, "it pulled well, so there is no way back, and nobody follows"
            assert made.tags_of("app")[KEY_ID] != old == made.tags_of("second")[KEY_ID]
            assert (await made.rotate(Intent(retry=True))).exit_code in (0, 1)
            assert made.tags_of("second")[KEY_ID] != old

    settled(scene)


def test_three_lost_adds_wait_for_reclaim() -> None:
    async def scene(made: Stage) -> None:
        made.azure.faults.add(Fault("graph.*.addPassword", "lost", times=3))
        made.azure.faults.add(Fault("graph.*.removePassword", "status", times=0))
        with monitored(made, GROUPS):
            assert (await made.rotate(forced(made))).exit_code == 1
            lost = len(ours(made)) - 1
            assert 1 <= lost <= 3
            made.azure.faults.clear()
            made.pass_(hours=25)
            await converges(made)

    settled(scene)


@pytest.mark.parametrize("argument", ["", "864000"])
def test_an_app_management_policy_that_shortens_the_end_is_named(argument: str) -> None:
    async def scene(made: Stage) -> None:
        before = ours(made)
        made.azure.faults.add(Fault("graph.*.addPassword", "app_policy", argument=argument))
        assert (await made.rotate(forced(made))).exit_code == 1
        assert "policy" in made.told()
        assert ours(made) == before, "what can't last is taken back"
        assert (await made.rotate(forced(made, no_overlap=True))).exit_code == 0
        assert rested(made), summary(made)

    settled(scene)


def test_an_unreachable_registry_stops_a_rotation_before_it_begins() -> None:
    async def scene(made: Stage) -> None:
        made.azure.faults.add(Fault("acr.*", "reset", times=0))
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code == 3
        assert said(made, "unreachable")
        assert made.writes(since) == []
        made.with_policy(proof={"times": 2, "over": "0s", "deadline": "5m", "registry": "optional"})
        assert (await made.rotate(forced(made))).exit_code == 0
        assert len(ours(made)) == 2

    settled(scene)


# access


def nobody_pulls(made: Stage) -> bool:
    return not any(made.azure.container_groups.could_pull(made.group_id(name)) for name in GROUPS)


def assignments(made: Stage) -> set[str]:
    return {a.id for a in made.azure.authorization.assignments()}


def test_revoke_records_deletes_and_proves_and_nothing_else_is_touched() -> None:
    async def scene(made: Stage) -> None:
        before = assignments(made)
        mine = {a.id for a in made.azure.authorization.assignments(principals=[made.principal.id])}
        for again in range(2):
            assert (await made.with_world(revoke)).exit_code == 0, made.told()
            assert assignments(made) == before - mine, f"I6, time {again + 1}"
            assert nobody_pulls(made)
            assert '"pull_refused"' in made.told().lower() or "refused" in made.told()
        assert made.azure.container_groups.could_pull(made.group_id("bystander"))
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code == 0
        assert made.writes(since) == []
        assert (await made.with_world(grant)).exit_code == 0
        assert assignments(made) == before, "exactly what was recorded"
        assert not nobody_pulls(made)
        assert (await made.with_world(grant)).exit_code == 0
        assert assignments(made) == before
        assert (await made.rotate(forced(made, no_overlap=True))).exit_code == 0
        assert rested(made), summary(made)

    settled(scene)


def test_a_locked_assignment_is_explained_and_the_revocation_stands() -> None:
    async def scene(made: Stage) -> None:
        before = assignments(made)
        made.azure.faults.add(Fault("rbac.roleAssignments.delete", "ScopeLocked"))
        assert (await made.with_world(revoke)).exit_code == 1
        assert "lock" in made.told().lower()
        assert assignments(made) == before
        since = len(made.app.served)
        assert (await made.rotate(forced(made))).exit_code == 0
        assert said(made, "revoked")
        assert made.writes(since) == [], "the mark stands"
        assert (await made.with_world(revoke)).exit_code == 0
        assert nobody_pulls(made)
        assert (await made.with_world(grant)).exit_code == 0
        assert assignments(made) == before

    settled(scene)


def test_one_locked_assignment_doesn_t_save_the_others() -> None:
    async def scene(made: Stage) -> None:
        other = made.seeded.registry_id.replace("mycontainerregistry", "another")
        made.azure.resources.put(
            other,
            "Microsoft.ContainerRegistry/registries",
            "eastus",
            {"adminUserEnabled": False},
            sku={"name": "Standard"},
        )
        made.azure.authorization.assign(other, made.principal.id, "AcrPull", at_once=True)
        made.azure.authorization.assign(other, made.seeded.operator.object_id, "rotator access", at_once=True)
        made.with_policy(registries=[{"id": other}, {"id": made.seeded.registry_id}])
        made.azure.faults.add(Fault("rbac.roleAssignments.delete", "ScopeLocked"))
        assert (await made.with_world(revoke)).exit_code == 1
        left = made.azure.authorization.assignments(principals=[made.principal.id])
        assert len(left) == 1, "the lock holds one of them only"

    settled(scene)


def test_revoke_says_what_still_lets_the_principal_pull() -> None:
    async def scene(made: Stage) -> None:
        above = made.seeded.registry_id.split("/providers/")[0]
        reader = made.azure.authorization.assign(above, made.principal.id, "Contributor", at_once=True)
        assert (await made.with_world(revoke)).exit_code == 1
        assert said(made, "still_granted")
        assert reader.id in assignments(made), "not this policy's to delete"

    settled(scene)


def test_tags_lost_after_a_rotation_are_set_again() -> None:
    async def scene(made: Stage) -> None:
        made.azure.container_groups.patch_tags(made.group_id("app"), {"owner": "somebody"})
        since = len(made.app.served)
        with monitored(made, GROUPS):
            assert (await made.rotate()).exit_code == 0
            assert served(made, since, PUT) == 1, (
                "nothing else is left that it could hold, so that it is told once what it holds"
            )
            assert len(ours(made)) == 1
        assert rested(made), summary(made)
        assert made.tags_of("app")["owner"] == "somebody"
        assert SINCE in made.tags_of("app")

    settled(scene)


def test_a_year_passes_with_a_run_a_day() -> None:
    async def scene(made: Stage) -> None:
        with monitored(made, GROUPS):
            for _ in range(100):
                made.pass_(days=1)
                assert (await made.rotate()).exit_code == 0, made.told()[-2000:]
        assert len(made.versions()) >= 3
        assert (
            SERVER
            in made.azure.container_groups.stored(made.group_id("app"))["properties"]["imageRegistryCredentials"][0][
                "server"
            ]
        )

    settled(scene)
