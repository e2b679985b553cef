"""Tests of alarms, end to end: a compromised password that still works, and refused readers. Every run reports them
until they end.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from local_azure.faults import Fault
from local_azure.keyvault.secret import Changes
from local_azure.virtual import VirtualLoop

from rotator.codes import NoteCode
from rotator.engine import adopt, compromise, deploy_now, glance, preview, revoke
from rotator.errors import UnsafeStep
from rotator.events import Noted
from rotator.plan import unseen_marks
from rotator.report.plan import plan_code, plan_text
from rotator.report.run import run_text
from rotator.report.status import status_code
from rotator.report.status_json import status_body
from rotator.resource_id import ResourceId
from rotator.results import Result
from rotator.steps import Intent
from tests import worlds
from tests.engine.test_life import PUT, forced, ours, served, settled
from tests.engine.test_life import _by_hand as by_hand
from tests.invariants import monitored, rested, summary
from tests.matrices.test_crash_matrix import whole
from tests.stage import GROUPS, SECRET, Stage, lagging, stage

Scene = Callable[[Stage], Awaitable[None]]
ALARM = "COMPROMISED CREDENTIAL STILL WORKS"


def signs_in(made: Stage, key_id: str) -> bool:
    """Tell if any replica of Entra still accepts the password of a credential."""
    every = made.azure.directory.passwords(made.app_id)
    secret = next(p.secret for p in every if p.key_id == key_id)
    return any(made.azure.tokens.authenticates(made.app_id, secret) for _ in range(9))


async def rings(made: Stage, text: str, intent: Intent | None = None) -> Result:
    """Check that run, plan and status end with 1 and begin with the alarm, without a secret; return the run's
    result.
    """
    made.events.clear()
    planned = await made.with_world(preview, intent)
    assert plan_code(planned) == plan_code(planned, when_due=5) == 1
    assert plan_text(planned).startswith(f"{made.policy.name}: {ALARM}"), plan_text(planned)
    seen: list[Any] = [(made.policy.name, await made.with_world(glance, intent))]
    assert (status_code(seen), status_body(seen)[0]["state"]) == (1, "compromised")
    result = await made.rotate(intent)
    assert result.exit_code == 1, made.told()
    first = run_text(result, made.events).splitlines()[0]
    assert first.startswith(f"{made.policy.name}: {ALARM}: {text}"), first
    assert [event.warn for event in made.events if isinstance(event, Noted) and event.code == "still_open"] == [True]
    return result


async def quiet(made: Stage, intent: Intent | None = None) -> None:
    """Check that run, plan and status end with 0 and without an alarm."""
    made.events.clear()
    planned = await made.with_world(preview, intent)
    seen: list[Any] = [(made.policy.name, await made.with_world(glance, intent))]
    result = await made.rotate(intent)
    assert (plan_code(planned), status_code(seen), result.exit_code) == (0, 0, 0), made.told()
    assert ALARM not in made.told()


async def nightly(made: Stage, **more: Any) -> ResourceId:
    """Declare and deploy a job that finishes with the current credential in its tag; return its id."""
    body = made.body(made.app_id, made.published(), "nightly:v1", restartPolicy="Never")
    made.azure.container_groups.put(made.group_id("nightly"), body, "2025-09-01")
    made.pass_(minutes=10)
    made.azure.container_groups.settle()
    groups = [{"id": group.id} for group in made.policy.container_groups]
    made.with_policy(container_groups=[*groups, {"id": made.group_id("nightly"), "when_finished": "wait", **more}])
    await made.with_world(lambda run: deploy_now(run, made.group_id("nightly"), wait=True))
    return made.group_id("nightly")


def write_on_top(made: Stage, value: str) -> str:
    """Write a value on top of ours; return the version's id."""
    made.pass_(minutes=1)
    version = made.azure.vaults.set("myvault", SECRET, value)
    made.pass_(minutes=1)
    return str(version.id)


# a compromised password


def test_a_finished_job_that_holds_a_compromised_password_is_told_on_every_run_until_it_is_deployed() -> None:
    async def scene(made: Stage) -> None:
        job = await nightly(made)
        (known,) = ours(made)
        await made.with_world(lambda run: compromise(run, []))
        await rings(made, "held by nightly")
        for _ in range(2):
            made.pass_(days=1)
            await rings(made, "held by nightly")
            assert signs_in(made, known)
        await made.with_world(lambda run: deploy_now(run, job, wait=True))
        assert (await made.rotate()).exit_code == 0
        assert not signs_in(made, known)
        await quiet(made)

    settled(scene)


def test_a_stopped_group_that_holds_a_compromised_password_is_told_until_the_outage_is_accepted() -> None:
    async def scene(made: Stage) -> None:
        made.azure.container_groups.stop(made.group_id("second"))
        (known,) = ours(made)
        await made.with_world(lambda run: compromise(run, []))
        await rings(made, "held by second")
        await rings(made, "held by second")
        result = await made.rotate(Intent(accept_outage=True))
        assert known not in ours(made)
        assert not signs_in(made, known)
        assert ALARM not in result.summary

    settled(scene)


def test_an_undeclared_group_that_holds_a_compromised_password_is_told_by_name() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        tags = {"rotator-key-id": known}
        made.azure.container_groups.put(
            made.group_id("stranger"), {**made.body(made.app_id, made.published()), "tags": tags}, "2025-09-01"
        )
        made.pass_(hours=1)
        await made.with_world(lambda run: compromise(run, []))
        await rings(made, "held by stranger")
        assert signs_in(made, known)

    settled(scene)


def test_a_removal_that_fails_leaves_the_alarm_on() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        await made.with_world(lambda run: compromise(run, []))
        made.azure.faults.add(
            Fault(
                "graph.*.removePassword",
                "status",
                times=0,
                status=403,
                code="Authorization_RequestDenied",
                message="no",
            )
        )
        await rings(made, "held by nothing")
        await rings(made, "held by nothing")
        made.azure.faults.clear()
        assert (await made.rotate()).exit_code == 0
        assert not signs_in(made, known)
        await quiet(made)

    settled(scene)


def test_a_run_that_can_not_go_on_looking_tells_what_it_saw() -> None:
    async def scene(made: Stage) -> None:
        await nightly(made)
        await made.with_world(lambda run: compromise(run, []))
        made.azure.faults.add(
            Fault(
                "graph.applications.get",
                "status",
                nth=4,
                times=0,
                status=403,
                code="Authorization_RequestDenied",
                message="no",
            )
        )
        result = await made.rotate()
        assert result.exit_code == 1
        assert result.summary.startswith(f"{ALARM}: held by "), made.told()
        assert '"step": "observe"' in made.told()

    settled(scene)


def test_a_replacement_that_is_vetoed_leaves_the_alarm_on() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        await made.with_world(lambda run: compromise(run, []))
        made.azure.faults.add(Fault("acr.*", "reset", times=0))
        since = len(made.app.served)
        await rings(made, "held by app, second")
        assert made.writes(since) == []
        made.azure.faults.clear()
        assert (await made.rotate()).exit_code == 0
        assert not signs_in(made, known)
        assert rested(made), summary(made)

    settled(scene)


def test_under_drift_a_compromised_password_is_told_until_somebody_decides() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        by_hand(made)
        await made.with_world(lambda run: compromise(run, [known]))
        await rings(made, "held by app, second")
        since = len(made.app.served)
        await rings(made, "held by app, second")
        assert made.writes(since) == []
        await made.rotate(Intent(accept_drift=True))
        assert not signs_in(made, known)
        await quiet(made)

    settled(scene)


def test_while_access_is_revoked_a_compromised_password_is_told_until_it_is_taken() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        await made.with_world(lambda run: compromise(run, []))
        await made.with_world(revoke)
        since = len(made.app.served)
        await rings(made, "held by app, second")
        assert made.writes(since) == [], "a revoked policy is left alone"
        assert signs_in(made, known)
        await made.with_world(lambda run: revoke(run, credentials=True))
        await quiet(made)
        assert not signs_in(made, known)

    settled(scene)


@pytest.mark.share(2)
@pytest.mark.parametrize("minutes", [None, 8])
async def test_a_removed_password_that_entra_still_takes_is_tried_until_it_is_refused(
    loop: VirtualLoop, minutes: int | None
) -> None:
    made = stage(loop, timing=lagging(secret_gone=400))
    await made.with_world(lambda run: adopt(run, None))
    await whole(made)
    (known,) = ours(made)
    await made.with_world(lambda run: compromise(run, []))
    result = await made.rotate(minutes=minutes)
    assert known not in ours(made)
    assert signs_in(made, known) == (minutes is not None), "a run that has the time waits for the refusal"
    assert (result.exit_code == 1) == (minutes is not None), made.told()
    assert (f"{ALARM}: removed, and Entra still accepts it" in result.summary) == (minutes is not None)
    assert (await made.rotate()).exit_code == 0
    assert not signs_in(made, known)
    assert rested(made), summary(made)


def test_a_subscription_that_can_not_be_searched_does_not_keep_a_compromised_password_alive() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        made.azure.faults.add(
            Fault("aci.containerGroups.list", "status", times=0, status=403, code="AuthorizationFailed", message="no")
        )
        await made.with_world(lambda run: compromise(run, []))
        with monitored(made, GROUPS):
            await made.rotate()
        assert not signs_in(made, known)
        await quiet(made)

    settled(scene)


# values for readers


@pytest.mark.parametrize("value", ["garbage", "with a newline", "in quotes"])
def test_a_value_that_breaks_its_readers_ends_every_run_with_1_and_nothing_is_written(value: str) -> None:
    async def scene(made: Stage) -> None:
        right = made.published()
        write_on_top(made, {"with a newline": f"{right}\n", "in quotes": f'"{right}"'}.get(value, value))
        since = len(made.app.served)
        for _ in range(2):
            made.events.clear()
            assert (await made.rotate()).exit_code == 1
            assert '"code": "breaks_readers"' in made.told()
            assert plan_code(await made.with_world(preview)) == 1
            surrounded = "the password is right, but the value has"
            assert (surrounded in made.told()) == (value != "garbage")
            assert right not in made.told()
        assert made.writes(since) == []
        await made.rotate(Intent(accept_drift=True))
        assert made.published() != right
        assert made.azure.tokens.authenticates_everywhere(made.app_id, made.published())

    settled(scene)


def test_the_password_of_another_principal_breaks_the_readers() -> None:
    async def scene(made: Stage) -> None:
        end = made.azure.clock.now() + timedelta(days=30)
        theirs = made.azure.directory.add_password(made.bystander, display_name="theirs", end=end, at_once=True)
        write_on_top(made, theirs.secret)
        assert (await made.rotate()).exit_code == 1
        assert '"code": "breaks_readers"' in made.told()

    settled(scene)


def test_their_password_that_ends_breaks_the_readers_from_then_on() -> None:
    async def scene(made: Stage) -> None:
        end = made.azure.clock.now() + timedelta(days=2)
        theirs = made.azure.directory.add_password(made.application, display_name="theirs", end=end, at_once=True)
        write_on_top(made, theirs.secret)
        assert (await made.rotate()).exit_code == 0, made.told()
        made.pass_(days=3)
        assert (await made.rotate()).exit_code == 1
        assert '"code": "breaks_readers"' in made.told()

    settled(scene)


def test_a_disabled_version_on_top_breaks_the_readers_and_a_status_sees_it() -> None:
    async def scene(made: Stage) -> None:
        version = write_on_top(made, made.published())
        made.azure.vaults.update("myvault", SECRET, version, Changes(enabled=False))
        assert (await made.rotate()).exit_code == 1
        assert '"code": "breaks_readers"' in made.told()
        seen: list[Any] = [(made.policy.name, await made.with_world(glance))]
        assert (status_code(seen), status_body(seen)[0]["state"]) == (1, "overdue")

    settled(scene)


def test_a_value_that_can_not_be_tried_ends_with_1() -> None:
    async def scene(made: Stage) -> None:
        write_on_top(made, made.published())
        assert (await made.rotate()).exit_code == 0
        made.azure.faults.add(Fault("acr.*", "reset", times=0))
        assert (await made.rotate()).exit_code == 1
        assert '"code": "untried"' in made.told()

    settled(scene)


def test_ours_that_covers_theirs_without_being_asked_is_exit_1_once() -> None:
    async def scene(made: Stage) -> None:
        made.with_policy(rotation={"overlap": "1h"})
        made.pass_(days=84)
        by_hand(made)
        made.events.clear()
        assert (await made.rotate()).exit_code == 1
        assert '"code": "drift"' in made.told()
        assert len(ours(made)) == 2
        made.pass_(hours=3)
        assert (await made.rotate()).exit_code == 0

    settled(scene)


@pytest.mark.parametrize(
    ("around", "said"),
    [("{}\n", "white space or a line end"), ("'{}'\n", "white space or a line end and quotes"), ("{}x", "")],
)
async def test_before_the_first_rotation_a_value_that_is_right_but_for_what_is_around_it_is_told_as_such(
    loop: VirtualLoop, around: str, said: str
) -> None:
    made = stage(loop)
    made.azure.vaults.set("myvault", "other-pwd", around.format(made.by_hand.secret))
    made.with_policy(key_vault={"url": made.seeded.vault_url, "password_secret": "other-pwd"})
    made.pass_(minutes=1)
    assert (await made.rotate()).exit_code == 3
    with pytest.raises(UnsafeStep) as refused:
        await made.with_world(lambda run: adopt(run, None))
    for text in (made.told(), str(refused.value)):
        assert (f"has {said} around" in text) == bool(said), text
        assert made.by_hand.secret not in text
    assert ours(made) == []


async def test_a_hand_made_password_that_has_ended_does_not_stop_the_first_rotation(loop: VirtualLoop) -> None:
    made = stage(loop)
    made.pass_(days=400)
    result = await made.rotate()
    assert len(ours(made)) == 1, made.told()
    assert made.azure.tokens.authenticates_everywhere(made.app_id, made.published())
    assert result.exit_code == 0, made.told()


# requests of a person


def test_accepted_drift_in_the_overlap_says_until_when_it_waits_and_what_does_not() -> None:
    async def scene(made: Stage) -> None:
        await made.rotate(forced(made))
        write_on_top(made, "garbage")
        made.events.clear()
        result = await made.rotate(Intent(accept_drift=True))
        assert result.exit_code == 1, "readers are refused meanwhile"
        assert "nothing was due" not in result.summary
        assert '"code": "on_top"' in made.told()
        assert "--accept-drift --no-overlap` doesn't wait for its overlap" in made.told()
        since = len(made.app.served)
        result = await made.rotate(Intent(accept_drift=True, no_overlap=True))
        assert result.exit_code == 0, made.told()
        assert served(made, since, PUT) == len(GROUPS)
        assert made.azure.tokens.authenticates_everywhere(made.app_id, made.published())

    settled(scene)


def test_accepted_drift_does_not_wait_for_a_job_that_waits() -> None:
    async def scene(made: Stage) -> None:
        await nightly(made)
        await made.rotate(forced(made))
        made.pass_(days=2)
        write_on_top(made, "garbage")
        await made.rotate(Intent(accept_drift=True))
        assert made.azure.tokens.authenticates_everywhere(made.app_id, made.published())

    settled(scene)


def test_a_credential_that_is_gone_rings_though_no_run_lasts_long_enough_to_know() -> None:
    async def scene(made: Stage) -> None:
        (known,) = ours(made)
        made.azure.directory.remove_password(made.application, known)
        made.pass_(minutes=5)
        for _ in range(2):
            assert (await made.rotate(minutes=1)).exit_code == 1, "every pull fails now"
        assert (await made.rotate()).exit_code == 0

    settled(scene)


def test_that_what_is_compromised_can_not_be_seen_is_an_alarm_with_its_cause_and_what_to_do() -> None:
    note = unseen_marks(worlds.policy(None), "Key Vault gives no answer")
    assert (note.code, note.warn) == (NoteCode.UNSEEN_MARKS, True)
    assert "Key Vault gives no answer" in note.text
    assert "`rotator doctor mycontainerregistry`" in note.text


PURE = (test_that_what_is_compromised_can_not_be_seen_is_an_alarm_with_its_cause_and_what_to_do,)
"""Tests without Azure."""
