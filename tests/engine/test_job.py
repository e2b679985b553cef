"""Tests of `deploy`, question by question: its obstacles, its requests, and the evidence for a job's end."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator.codes import NoteCode
from rotator.container_group import Verdict
from rotator.engine import Run, deploy_now
from rotator.engine.job import EVERY
from rotator.engine.job import Deployed as Done
from rotator.engine.run import DECISIONS, FRESH
from rotator.errors import Forbidden, Limited, NotFound, NotSent, RotatorError, Throttled, Unavailable, UnsafeStep
from rotator.events import Noted
from rotator.ports import AccessRecord, Put, Redeployment
from rotator.state import Access, ContainerGroup, NewerGroups, Observed, Outcome, Proof, Secret
from tests import worlds
from tests.answering import fresh_run
from tests.engine.test_permits import Scene, scene
from tests.engine.test_revoking import Revoking
from tests.worlds import IMAGE, TODAY, group_id, key

APP = group_id("app")
USED: dict[str, Any] = {
    "credentials": [{"key": "a"}, {"key": "b"}],
    "versions": [{"id": "v0", "holds": "b", "created": "-90d"}, {"id": "v1", "holds": "a"}],
}
GRANTED, REVOKED = (AccessRecord(each, TODAY) for each in (Access.UNMARKED, Access.REVOKED))
YES = Proof(Outcome.PROVEN, signed_in=True)
MANIFEST = {"groups": [{"id": "app", "manifest": {"restartPolicy": "Always"}}]}
JOB: dict[str, Any] = {"restart": "Never"}


def group(minutes: float = 0.0, **given: Any) -> ContainerGroup:
    """Return the group as read so many minutes after the start."""
    at = TODAY + timedelta(minutes=minutes)
    if given.get("state") in ("absent", "unreadable"):
        why = "403 AuthorizationFailed" if given["state"] == "unreadable" else None
        return ContainerGroup(APP, at, unreadable=why)
    return ContainerGroup(APP, at, worlds.document({"id": "app", **given}))


OLD = group(holds="b")
RUNS = group(2, holds="a", since="+1m", started="+70s")
ABSENT, UNREADABLE = group(state="absent"), group(state="unreadable")


def seen(*groups: ContainerGroup, **case: Any) -> Observed:
    return replace(worlds.observed({**USED, **case}), groups=groups or (OLD,))


class Asked(Revoking):
    """`Revoking` whose permits are free."""

    def __getattr__(self, name: str) -> Any:
        if name == "waive":
            return lambda write: self.asked.append((name, (write,)))
        return super().__getattr__(name)


def deploying(
    act: Callable[[Run, Asked, Scene], Awaitable[None]],
    policy: Any = None,
    slow: dict[str, float] | None = None,
    **answers: Any,
) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "access": GRANTED,
            "observe_again": (0.0, seen()),
            "newer_groups": (),
            "group": [OLD, OLD, RUNS],
            "permit": 0.0,
            "value": Secret("a password"),
            "secret": Secret("a value"),
            "put_group": Put(TODAY, created=False),
            "prove": YES,
        }
        told = Asked(at.run.world, **given | answers)
        told.times, told.after = [], slow or {}
        told.run = run = fresh_run(at, told, policy or worlds.policy({"groups": ["app"]}))
        await act(run, told, at)

    scene(main)


async def deployed(run: Run, *, wait: bool = False, image: str = "") -> Done:
    return await deploy_now(run, APP, wait=wait, images={"app": image} if image else None)


async def refused(run: Run, told: Asked, words: str, kind: type[RotatorError] = UnsafeStep, image: str = "") -> None:
    with pytest.raises(kind, match=words):
        await deployed(run, image=image)
    assert "put_group" not in told.questions
    assert told.questions.count("waive") == told.questions.count("permit")


def test_a_group_is_read_last_and_sent_once_under_a_permit_that_is_given_back() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        done = await deployed(run)
        assert done == Done(APP, key("a") or "", Verdict.HEALTHY)
        assert told.questions[:9] == [
            *("permit", "access", "observe_again", "newer_groups", "group", "value", "access", "group", "put_group"),
        ]
        asked = dict(told.asked)
        assert asked["permit"] == (Redeployment(APP),) == asked["waive"]
        assert asked["value"] == ("v1",)

    deploying(act)


def test_from_a_manifest_the_group_is_read_last_too() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert told.questions[:9] == [
            *("permit", "access", "observe_again", "newer_groups", "group", "value", "access", "group", "put_group"),
        ]
        way = told.ways[[name for name, _ in told.asked if name != "waive"].index("put_group")]
        offset = run.world.moment() - run.clock.elapsed()
        assert way["not_after"] == told.at("group")[0] + offset + FRESH
        assert not at.told(Noted)

    deploying(act, worlds.policy(MANIFEST), slow={"group": 5.0, "value": 7.0})


def test_a_group_that_is_not_there_is_made_from_its_manifest() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert not at.told(Noted), "it was not there before"

    made: dict[str, Any] = {
        "group": [ABSENT, ABSENT, RUNS],
        "observe_again": (0.0, seen(ABSENT)),
        "put_group": Put(TODAY, created=True),
    }
    deploying(act, worlds.policy(MANIFEST), **made)

    async def again(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert [event.code for event in at.told(Noted)] == [NoteCode.RECREATED]

    deploying(again, worlds.policy(MANIFEST), put_group=Put(TODAY, created=True))


REFUSED: dict[str, tuple[dict[str, Any], Any, str]] = {
    "access is revoked": ({"access": REVOKED}, None, "access was revoked"),
    "access is revoked meanwhile": ({"access": [GRANTED, REVOKED]}, MANIFEST, "access was revoked"),
    "nothing is published": ({"observe_again": (0.0, seen(versions=[]))}, None, "no live credential made by rotator"),
    "the credential has ended": (
        {"observe_again": (0.0, seen(credentials=[{"key": "a", "end": "-1d"}]))},
        None,
        "no live credential made by rotator",
    ),
    "Graph doesn't show it": (
        {"observe_again": (0.0, seen(credentials=[]))},
        None,
        "does not show the current credential a0000000-.* .version v1.",
    ),
    "the group can't be read": ({"group": UNREADABLE}, None, "can't be read: 403"),
    "a job is running": ({"group": group(holds="b", **JOB)}, None, "is a running job"),
    "a job is starting": ({"group": group(holds="b", state="starting", **JOB)}, None, "is a running job"),
    "another policy's group": (
        {"observe_again": (0.0, seen(signed_in_as_itself=True))},
        None,
        "the identity that rotator|signed in",
    ),
    "it isn't there": (
        {"group": ABSENT, "observe_again": (0.0, seen(ABSENT))},
        None,
        "the policy has no manifest for it",
    ),
    "it isn't there and not declared": (
        {"group": ABSENT, "observe_again": (0.0, seen(ABSENT))},
        {"groups": []},
        "the policy has no manifest for it",
    ),
    "one read doesn't find it": (
        {"group": ABSENT},
        MANIFEST,
        "its absence is not confirmed: the read just before showed it",
    ),
    "one read doesn't find it, and one was refused": (
        {"group": ABSENT, "observe_again": (0.0, seen(UNREADABLE))},
        MANIFEST,
        "its absence is not confirmed: 403",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_deployment_is_refused_where(why: str) -> None:
    answers, policy, words = REFUSED[why]

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await refused(run, told, words)

    deploying(act, worlds.policy(policy) if policy else None, **answers)


@pytest.mark.parametrize("which", ["finished", "stopped", "crashing"])
def test_a_job_that_does_not_run_is_deployed(which: str) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert "put_group" in told.questions

    here = group(holds="b", state=which, **JOB)
    deploying(act, observe_again=(0.0, seen(here)), group=[here, here, RUNS])


def test_a_service_that_runs_is_deployed_and_a_group_that_the_look_did_not_see() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert "put_group" in told.questions

    other = replace(group(holds="x"), id=group_id("other"))
    deploying(act, observe_again=(0.0, seen(other)))
    deploying(act, observe_again=(0.0, seen(other, OLD)))

    async def nowhere(run: Run, told: Asked, at: Scene) -> None:
        await refused(run, told, "the policy has no manifest for it")

    deploying(nowhere, worlds.policy({"groups": []}), observe_again=(0.0, seen(other)), group=ABSENT)


def test_a_group_that_others_moved_is_looked_at_again() -> None:
    moved = group(holds="a")

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert told.questions.count("observe_again") == 2
        assert told.questions.count("waive") == 2

    looks = [(0.0, seen()), (0.0, seen(moved))]
    deploying(act, observe_again=looks, group=[moved, moved, moved, RUNS])


def test_a_put_that_is_held_back_is_decided_on_again_a_few_times() -> None:
    late = NotSent("Too late.", service="aci")

    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(NotSent):
            await deployed(run)
        assert told.questions.count("put_group") == DECISIONS
        assert told.questions.count("permit") == told.questions.count("waive") == DECISIONS

    deploying(act, put_group=late, group=OLD)

    async def once(run: Run, told: Asked, at: Scene) -> None:
        assert (await deployed(run)).verdict is Verdict.HEALTHY

    deploying(once, put_group=[late, Put(TODAY, created=False)], group=[OLD, OLD, OLD, OLD, RUNS])


def test_a_limit_that_outlasts_the_run_names_the_command() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(Limited, match="app can be deployed") as caught:
            await deployed(replace(run, deadline=run.clock.elapsed() + 10))
        assert "rotator deploy mycontainerregistry app" in caught.value.remedy

    error = Throttled("A limit.", service="aci")
    error.seconds = 600.0
    deploying(act, put_group=error, group=OLD)


def test_a_comparison_without_an_answer_is_told_and_one_with_a_loss_stops() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        assert [(event.code, event.subject) for event in at.told(Noted)] == [(NoteCode.UNCHECKED, APP)]

    deploying(act, newer_groups=Unavailable("No answer.", service="arm"))

    async def lost(run: Run, told: Asked, at: Scene) -> None:
        await refused(run, told, "priority")

    newer = {APP: worlds.document({"id": "app", "holds": "b", "properties": {"priority": "Spot"}})}
    deploying(lost, newer_groups=(NewerGroups(newer),), group=OLD)


def test_a_secret_that_a_manifest_names_and_that_cannot_be_read_stops_it() -> None:
    container = {
        "name": "app",
        "properties": {
            "image": IMAGE,
            "resources": {"requests": {"cpu": 1.0, "memoryInGB": 1.5}},
            "environmentVariables": [{"name": "DB", "secureValue": "${{ keyvault:db-password }}"}],
        },
    }
    policy = worlds.policy(
        {"groups": [{"id": "app", "manifest": {"containers": [container], "restartPolicy": "Always"}}]}
    )
    for error in (NotFound("It is gone.", service="keyvault"), Forbidden("No.", service="keyvault")):

        async def act(run: Run, told: Asked, at: Scene, words: str = error.happened) -> None:
            await refused(run, told, words)

        deploying(act, policy, secret=error)

    async def read(run: Run, told: Asked, at: Scene) -> None:
        await deployed(run)
        first = [each for each in told.questions if each in ("group", "secret", "value", "access", "put_group")]
        assert first[:7] == ["access", "group", "secret", "value", "access", "group", "put_group"]

    deploying(read, policy)


# new images


def test_new_images_are_proven_before_and_what_is_not_pulled_with_the_password_is_told() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        done = await deployed(run, image=f"{IMAGE}2")
        assert told.questions.index("prove") < told.questions.index("put_group")
        assert done.unproven == (f"{IMAGE}2",), "the group that was read last has another one"

    deploying(act, group=[OLD, OLD, RUNS])

    async def refusing(run: Run, told: Asked, at: Scene) -> None:
        await refused(run, told, "the registry doesn't serve", image=f"{IMAGE}2")

    deploying(refusing, prove=Proof(Outcome.NO_PULL, signed_in=True))


# the end of a job


def job(minutes: float, state: str, **more: Any) -> ContainerGroup:
    return group(minutes, holds="a", since="+1m", started="+70s", state=state, **JOB, **more)


ENDS: dict[str, tuple[list[ContainerGroup], bool, int, int | None]] = {
    "its end is waited for": ([job(2, "running"), job(3, "running"), job(4, "finished")], True, 2, 0),
    "it has ended": ([job(2, "finished")], True, 0, 0),
    "nobody waits": ([job(2, "running")], False, 0, None),
    "a service": ([RUNS], True, 0, None),
}


@pytest.mark.parametrize("which", ENDS)
def test_a_job_is_watched_until_its_end(which: str) -> None:
    reads, wait, pauses, exit_code = ENDS[which]
    before = group(holds="b", state="finished", **JOB)

    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        done = await deployed(run, wait=wait)
        assert done.exit_code == exit_code
        assert run.clock.elapsed() - begun == EVERY * pauses
        assert told.at("group")[-1] == run.clock.elapsed()

    deploying(act, observe_again=(0.0, seen(before)), group=[before, before, *reads])


def test_a_job_that_is_gone_right_after_its_deployment_has_an_unknown_state() -> None:
    before = group(holds="b", state="finished", **JOB)

    async def act(run: Run, told: Asked, at: Scene) -> None:
        done = await deployed(run, wait=True)
        assert (done.verdict, done.exit_code) == (Verdict.UNKNOWN, None)

    policy = worlds.policy({"groups": [{"id": "app", "manifest": True}]})
    deploying(act, policy, observe_again=(0.0, seen(before)), group=[before, before, ABSENT])


@pytest.mark.parametrize(
    ("last", "words"), [(ABSENT, "was deleted before the end"), (UNREADABLE, "can not be read before the end")]
)
def test_an_end_that_is_not_seen_is_no_success(last: ContainerGroup, words: str) -> None:
    before = group(holds="b", state="finished", **JOB)

    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(NotFound, match=words):
            await deployed(run, wait=True)

    deploying(act, observe_again=(0.0, seen(before)), group=[before, before, job(2, "running"), last])
