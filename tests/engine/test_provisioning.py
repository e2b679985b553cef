"""Tests of provision, question by question: the order of its parts, the preconditions of the first credential, and the
reports on groups and readers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator.codes import NoteCode
from rotator.engine import Run, outline, provision
from rotator.engine.identity import EVERY, VISIBLE, Wanted
from rotator.engine.memory import Memory
from rotator.engine.provisioning import ROLE_TIME, _deploy, _first, _groups, _issue, _readers, _shown, _take_first
from rotator.engine.run import DECISIONS, PAUSE, Seen, Undecided
from rotator.errors import NotFound, NotSent, OutcomeUnknown, ProofFailed, Throttled, UnsafeStep
from rotator.events import Finished, Noted, StepDone, StepFailed, StepStarted, UsernamePublished, Waiting
from rotator.policy import Draft, Policy
from rotator.ports import AccessRecord, PasswordChange, Put
from rotator.resource_id import ArmId
from rotator.state import (
    Access,
    Assignment,
    Home,
    Identity,
    Observed,
    Outcome,
    Permissions,
    Proof,
    Secret,
)
from rotator.steps import TO_COME, Deploy, Grant, Issue, Publish, kind
from tests import worlds
from tests.answering import fresh_run
from tests.engine.test_job import ABSENT, APP, MANIFEST, RUNS, Asked, group, job
from tests.engine.test_permits import WHY, Scene, scene
from tests.plan.test_provision_steps import draft
from tests.worlds import APP_ID, REGISTRY, TODAY

ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
GIVEN = Assignment(REGISTRY, ROLE, ArmId(f"{REGISTRY}/a"), "sp-object")
THERE = Identity(APP_ID, "pull", "app-object", "sp-object", (Home.APPLICATION, Home.SERVICE_PRINCIPAL))
USED: dict[str, Any] = {"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a"}]}
SEEN = replace(worlds.observed(USED), groups=(RUNS,))
BY_HAND = worlds.observed(
    {
        "credentials": [{"key": "b", "of": "us"}],
        "versions": [{"id": "v1", "holds": "a"}, {"id": "v2", "created": "-1d"}],
    }
)
NAMED = {
    "key_vault": {
        "url": "https://myvault.vault.azure.net",
        "password_secret": "pull-pwd",
        "username_secret": "pull-usr",
    }
}
YES, NO = Proof(Outcome.PROVEN, signed_in=True), Proof(Outcome.REFUSED)
GRANTED, REVOKED = (AccessRecord(each, TODAY) for each in (Access.UNMARKED, Access.REVOKED))


def provisioning(
    act: Callable[[Run, Asked, Scene], Awaitable[None]], policy: Policy | None = None, **answers: Any
) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "identities": (THERE,),
            "signed_in": ("another", "me"),
            "access": GRANTED,
            "observe": SEEN,
            "observe_again": (0.0, SEEN),
            "role": ROLE,
            "assignments": (GIVEN,),
            "registries": SEEN.registries,
            "username": APP_ID,
            "versions": SEEN.versions,
            "group": RUNS,
            "value": Secret("a password"),
            "prove": YES,
            "permit": 0.0,
            "rights": (),
            "permissions": Permissions(),
            "newer_groups": (),
            "credentials": (),
            "publish_username": True,
            "put_group": Put(TODAY, created=True),
        }
        told = Asked(at.run.world, **given | answers)
        told.times, told.after = [], {}
        told.run = run = fresh_run(at, told, policy or worlds.policy({"groups": ["app"], **NAMED}))
        await act(run, told, at)

    scene(main)


def wanted(run: Run) -> Wanted:
    return Wanted(run.policy, lambda app_id: None)


LOOKED = ["role", "role", "role", "assignments"]


def test_each_part_rests_on_a_look_of_its_own_and_access_is_asked_before_any() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        result = await provision(run, wanted(run))
        assert (result.exit_code, result.summary) == (0, "nothing was missing")
        first = ["identities", "signed_in", "access", "observe_again"]
        assert told.questions[:4] == first
        rest = [name for name in told.questions[4:] if name not in ("role", "assignments")]
        assert rest == ["observe_again", "username", "observe"]

    provisioning(act)


def test_a_revoked_policy_gets_nothing() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        assert (await provision(run, wanted(run))).exit_code == 3
        assert told.questions[:3] == ["identities", "signed_in", "access"]
        assert "observe_again" not in told.questions

    provisioning(act, access=REVOKED)


def test_what_is_made_or_told_is_its_own_summary() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        result = await provision(run, wanted(run))
        assert (result.exit_code, result.summary) == (0, "1 done")
        assert [event.secret for event in at.told(UsernamePublished)] == ["pull-usr"]

    provisioning(act, username="another")

    async def failed(run: Run, told: Asked, at: Scene) -> None:
        assert (await provision(run, wanted(run))).summary == "1 failed"

    provisioning(failed, identities=NotFound("No.", service="graph"))


def test_a_missing_role_is_given_to_the_principal() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        assert (await provision(run, wanted(run))).summary == "1 done"
        (made,) = dict(told.asked)["create_assignment"]
        assert made.principal_id == "sp-object"
        (step,) = (await outline(run, wanted(run))).steps
        assert step == Grant(made, step.reason)

    provisioning(act, assignments=(), create_assignment=True)


def test_a_group_that_is_not_made_is_no_whole_provision() -> None:
    gone = replace(SEEN, groups=(ABSENT,))

    async def act(run: Run, told: Asked, at: Scene) -> None:
        assert (await provision(run, wanted(run))).summary == "1 failed"

    answers = {"observe": gone, "observe_again": (0.0, gone), "group": ABSENT}
    refused = NotFound("No.", service="aci")
    provisioning(act, worlds.policy({**MANIFEST, **NAMED}), **answers, put_group=refused)


def test_a_group_that_waits_for_a_limit_says_when_the_command_goes_on() -> None:
    gone = replace(SEEN, groups=(ABSENT,))
    error = Throttled("A limit.", service="aci")
    error.seconds = 600.0

    async def act(run: Run, told: Asked, at: Scene) -> None:
        result = await provision(replace(run, deadline=run.clock.elapsed() + 300), wanted(run))
        (wait,) = at.told(Waiting)
        (finished,) = at.told(Finished)
        assert "`rotator deploy mycontainerregistry" in wait.reason
        assert result.next_due == finished.next_due == wait.until is not None

    answers = {"observe": gone, "observe_again": (0.0, gone), "group": ABSENT}
    provisioning(act, worlds.policy({**MANIFEST, **NAMED}), **answers, put_group=error)


def test_a_limit_that_outlasts_the_run_names_the_command() -> None:
    error = Throttled("A limit.", service="graph")
    error.seconds = 600.0

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await provision(replace(run, deadline=run.clock.elapsed() + 10), wanted(run))
        (wait,) = at.told(Waiting)
        assert "what is still missing can be made" in wait.reason
        assert "rotator provision mycontainerregistry" in wait.reason

    provisioning(act, identities=error)


# dry run

NOBODY = replace(THERE, service_principal=None)
OUTLINES: dict[str, tuple[Any, dict[str, Any], list[str], list[str]]] = {
    "nothing": (None, {}, [], ["identities", "assignments", "registries", "versions", "username", "group"]),
    "all of a draft": (
        "draft",
        {"identities": (), "versions": (), "group": ABSENT},
        ["create", "save", "create", "grant", "issue", "publish", "deploy"],
        ["identities", "registries", "versions", "group"],
    ),
    "the rest of a draft": (
        "draft",
        {"username": "another"},
        ["save", "publish"],
        ["identities", "assignments", "registries", "versions", "username", "group"],
    ),
    "a service principal": (
        None,
        {"identities": (NOBODY,)},
        ["create", "grant"],
        ["identities", "registries", "versions", "username", "group"],
    ),
    "a password": (
        None,
        {"versions": tuple(replace(each, enabled=False) for each in SEEN.versions)},
        ["issue"],
        ["identities", "assignments", "registries", "versions", "username", "group"],
    ),
    "a password beside a disabled one": (
        None,
        {"versions": (replace(SEEN.versions[0], enabled=False), *SEEN.versions)},
        [],
        ["identities", "assignments", "registries", "versions", "username", "group"],
    ),
}


@pytest.mark.parametrize("which", OUTLINES)
def test_what_would_be_made_is_read_and_not_made(which: str) -> None:
    kind_, answers, steps, asked = OUTLINES[which]
    policy = worlds.policy({**MANIFEST, **NAMED})

    async def act(run: Run, told: Asked, at: Scene) -> None:
        said: Policy | Draft = run.policy
        if kind_:
            said = Draft(policy.name, policy.file, "pull", replace_said(policy))
        shown = await outline(run, Wanted(said, lambda app_id: None))
        assert [kind(step) for step in shown.steps] == steps
        assert [name for name in told.questions if name != "role"] == asked

    provisioning(act, policy, **answers)


def replace_said(policy: Policy) -> Any:
    """Return a policy's keys as a draft has them."""
    return type(draft().said).model_construct(
        **{name: getattr(policy, name) for name in type(draft().said).model_fields}
    )


# the first credential


def issuing(**case: Any) -> Observed:
    return worlds.observed({"credentials": [], "versions": [], **case})


def test_a_published_value_is_all_that_a_first_credential_is_for() -> None:
    off = {"id": "v0", "holds": "a", "enabled": False, "created": "-90d"}

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _first(run, frozenset())
        assert told.questions == ["observe_again", "username"]

    provisioning(act, observe_again=(0.0, worlds.observed({**USED, "versions": [off, *USED["versions"]]})))


def test_the_user_name_is_not_asked_of_a_vault_that_refuses() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _take_first(run, Seen(SEEN, 0.0), Memory(), ())
        assert told.questions == []

    provisioning(act)


def test_a_user_name_that_is_published_already_is_not_told() -> None:
    step = Publish("pull-usr", WHY)

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _take_first(run, Seen(SEEN, 0.0), Memory(), (step,))
        assert told.questions == ["publish_username"]
        assert at.told(StepStarted) == []

    provisioning(act, publish_username=False)

    async def made(run: Run, told: Asked, at: Scene) -> None:
        await _take_first(run, Seen(SEEN, 0.0), Memory(), (step,))
        assert (len(at.told(StepStarted)), len(at.told(StepDone))) == (1, 1)

    provisioning(made)


FIRST = Issue(Home.APPLICATION, timedelta(days=90), WHY)


def test_a_first_credential_that_the_guard_refuses_is_not_added() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(UnsafeStep):
            await _issue(run, Seen(issuing(signed_in_as_itself=True), 0.0), Memory(), FIRST)
        assert "permit" not in told.questions

    provisioning(act)


def test_a_wait_for_a_permit_makes_everything_be_read_again() -> None:
    seen = worlds.observed({**USED, "versions": [{**USED["versions"][0], "enabled": False}]})

    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        with pytest.raises(Undecided, match="is read again"):
            await _first(run, frozenset())
        assert told.questions.count("observe_again") == DECISIONS
        assert run.clock.elapsed() - begun == PAUSE * (DECISIONS - 1)

    provisioning(act, observe_again=(0.0, seen), permit=[30.0, 0.0] * DECISIONS)


DISABLED = worlds.observed({**USED, "versions": [{**USED["versions"][0], "enabled": False}]})
UNSURE = OutcomeUnknown("No answer.", service="graph")


def test_a_first_credential_whose_addition_may_have_happened_counts_to_the_three() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match="names 3 credentials of rotator"):
            await _first(run, frozenset())
        assert told.questions.count("add_password") == 3
        assert "publish_username" not in told.questions
        added = PasswordChange(DISABLED.principal, Home.APPLICATION, adds=True)
        assert [args for name, args in told.asked if name == "permit"] == [(added,)] * 5
        assert [args for name, args in told.asked if name == "waive"] == [(added,)] * 3

    provisioning(act, observe_again=(0.0, DISABLED), add_password=UNSURE, permit=[30.0, 0.0])


def test_a_first_credential_that_is_held_back_is_decided_on_again_a_few_times() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(NotSent):
            await _first(run, frozenset())
        assert told.questions.count("add_password") == DECISIONS

    provisioning(act, observe_again=(0.0, DISABLED), add_password=NotSent("Too late.", service="graph"))


@pytest.mark.parametrize(
    ("rotation", "longest"),
    [({}, ROLE_TIME.total_seconds()), ({"reclaim_after": "40m"}, 600), ({"reclaim_after": "20m"}, 300)],
)
def test_a_first_proof_waits_for_the_new_role(rotation: dict[str, Any], longest: float) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match=f"the proof of a new credential may take {longest:.0f} s"):
            await _first(replace(run, deadline=run.clock.elapsed() + 10), frozenset())

    provisioning(act, worlds.policy({"rotation": rotation}), observe_again=(0.0, DISABLED))


# groups


def test_a_job_that_is_made_is_not_waited_for() -> None:
    absent = replace(SEEN, groups=(ABSENT,))

    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        await _deploy(run, Deploy(APP, TO_COME, WHY))
        assert run.clock.elapsed() == begun

    policy = worlds.policy({"groups": [{"id": "app", "manifest": True}]})
    provisioning(act, policy, observe_again=(0.0, absent), group=[ABSENT, ABSENT, job(2, "running")])


def test_a_group_that_is_there_is_left_alone() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        assert await _groups(run) == SEEN
        assert told.questions == ["observe"]

    provisioning(act)


def test_a_missing_group_is_made_once_its_credential_shows_and_pulls() -> None:
    gone = replace(SEEN, groups=(ABSENT,))
    hidden = replace(gone, credentials=())

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _groups(run)
        first = told.questions[: told.questions.index("permit")]
        assert first == ["observe", "observe", "observe", "value", "prove"]
        assert len(at.told(StepDone)) == 1

    reads = [ABSENT, ABSENT, RUNS]
    answers = {"observe": [gone, hidden, gone], "observe_again": (0.0, gone), "group": reads}
    provisioning(act, worlds.policy(MANIFEST), **answers)

    async def failing(run: Run, told: Asked, at: Scene) -> None:
        await _groups(run)
        assert (len(at.told(StepFailed)), at.told(StepDone)) == (1, [])

    provisioning(
        failing, worlds.policy(MANIFEST), **{**answers, "group": ABSENT, "put_group": NotFound("No.", service="aci")}
    )


def test_a_missing_group_without_a_manifest_is_told() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _groups(run)
        assert [event.code for event in at.told(Noted)] == [NoteCode.MISSING]
        assert told.questions == ["observe"]

    provisioning(act, observe=replace(SEEN, groups=(ABSENT,)))


def test_a_group_that_fails_to_pull_is_a_failure() -> None:
    failed = group(60, holds="a", since="+1m", state="pull_failed", pull_failed_since="+2m")

    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(ProofFailed, match="its state is"):
            await _deploy(run, Deploy(APP, TO_COME, WHY))

    provisioning(
        act,
        worlds.policy(MANIFEST),
        observe_again=(0.0, replace(SEEN, groups=(ABSENT,))),
        group=[ABSENT, ABSENT, failed],
    )


@pytest.mark.parametrize(
    ("looks", "pauses"),
    [
        ([SEEN], 0),
        ([replace(SEEN, versions=())], 0),
        ([replace(SEEN, credentials=()), SEEN], 1),
        ([replace(SEEN, credentials=())], VISIBLE / EVERY),
    ],
)
def test_a_new_credential_is_waited_for_until_graph_shows_it(looks: list[Observed], pauses: float) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        await _shown(run)
        assert run.clock.elapsed() - begun == pauses * EVERY
        assert told.questions.count("observe") == min(pauses + 1, VISIBLE / EVERY)

    provisioning(act, observe=looks)


READERS: dict[str, tuple[dict[str, Any], Any, list[str], bool]] = {
    "ours": (USED, NO, [], False),
    "nothing": ({}, NO, [], False),
    "somebody's that signs in": ({**USED, "versions": [{"id": "v2"}]}, YES, [], True),
    "somebody's that doesn't": ({**USED, "versions": [{"id": "v2"}]}, NO, [NoteCode.BREAKS_READERS], True),
    "somebody's that is disabled": (
        {**USED, "versions": [{"id": "v2", "enabled": False}]},
        NO,
        [NoteCode.BREAKS_READERS],
        False,
    ),
}


@pytest.mark.parametrize("which", READERS)
def test_readers_that_get_a_value_which_does_not_sign_in_are_told(which: str) -> None:
    case, proof, notes, tried = READERS[which]

    async def act(run: Run, told: Asked, at: Scene) -> None:
        await _readers(run, worlds.observed(case))
        assert [event.code for event in at.told(Noted)] == notes
        assert ("prove" in told.questions) == tried

    provisioning(act, prove=proof)
