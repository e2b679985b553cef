"""Tests of writes at their exact instants: the age of reads, the questions before a write, and the report of a
failure.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rotator.container_group import Document
from rotator.engine import Run
from rotator.engine.after_publication import ensure_standing
from rotator.engine.deployment import deploy, restore
from rotator.engine.group_put import GET_AFTER, PutTarget, put
from rotator.engine.group_put import replace as replaced
from rotator.engine.issuance import _add, _ensure_lasting, _published
from rotator.engine.publication import NewCredential, _publishable, _put, prove_new, publish
from rotator.engine.retirement import LOOKING, remove
from rotator.engine.run import FRESH, Seen, Undecided
from rotator.engine.take_back import _unknown, _unpublished, after_failure, after_interruption
from rotator.errors import (
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProofFailed,
    RotatorError,
    Throttled,
    Unavailable,
    UnsafeStep,
)
from rotator.events import UsernamePublished
from rotator.ports import AccessRecord, Issued, Put
from rotator.state import ATTEMPT, Access, ContainerGroup, Credential, Observed, Outcome, Proof, Secret, Version, tags
from rotator.steps import Deploy, Restore
from tests import worlds
from tests.answering import fresh_run
from tests.engine.test_job import APP, OLD, RUNS, Asked, group
from tests.engine.test_permits import WHY, Scene, scene
from tests.engine.test_provisioning import FIRST
from tests.worlds import TODAY, key

A = key("a") or ""
GRANTED = AccessRecord(Access.UNMARKED, TODAY)
YES = Proof(Outcome.PROVEN, signed_in=True)
USED: dict[str, Any] = {
    "credentials": [{"key": "a"}, {"key": "b"}],
    "versions": [{"id": "v0", "holds": "b", "created": "-90d"}, {"id": "v1", "holds": "a"}],
}
SEEN = replace(worlds.observed(USED), groups=(OLD,))
NEW = next(each for each in SEEN.credentials if each.key_id == A)
UNSURE = OutcomeUnknown("No answer.", service="aci")


def writing(
    act: Callable[[Run, Asked, Scene], Awaitable[None]], slow: dict[str, float] | None = None, **answers: Any
) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "access": GRANTED,
            "credentials": (),
            "versions": SEEN.versions,
            "group": RUNS,
            "value": Secret("a password"),
            "secret": Secret("a value"),
            "prove": YES,
            "put_group": Put(TODAY, created=False),
            "remove_password": None,
        }
        told = Asked(at.run.world, **given | answers)
        told.times, told.after = [], slow or {}
        told.run = run = fresh_run(at, told, worlds.policy({"groups": ["app"]}))
        await act(run, told, at)

    scene(main)


# of a group


@pytest.mark.parametrize(("late", "looks"), [(0.0, False), (1.0, True)])
def test_a_put_is_looked_at_again_only_where_it_came_late(late: float, *, looks: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await put(run, APP, A, {}, not_after=run.world.moment() + 30 - late)
        assert ("access" in told.questions) == looks

    writing(act, slow={"put_group": 30.0}, credentials=(NEW,))


@pytest.mark.parametrize(("shows", "came"), [(RUNS, True), (OLD, False)])
def test_a_put_without_an_answer_is_looked_for_after_a_while(shows: ContainerGroup, *, came: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        if came:
            await put(run, APP, A, {}, not_after=run.world.moment() + FRESH)
        else:
            with pytest.raises(OutcomeUnknown):
                await put(run, APP, A, {}, not_after=run.world.moment() + FRESH)
        assert told.at("group") == [begun + GET_AFTER]

    writing(act, put_group=UNSURE, group=shows)


@pytest.mark.parametrize(
    ("error", "existed", "state"),
    [
        (NotSent("Too late.", service="aci"), True, NotSent.state),
        (Forbidden("No.", service="aci"), True, "Azure refused the deployment, so the group is unchanged."),
        (Forbidden("No.", service="aci"), False, "Azure refused the deployment, so the group was not created."),
    ],
)
def test_a_put_that_was_not_sent_is_told_apart_from_one_that_was_refused(
    error: AzureError, *, existed: bool, state: str
) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(type(error)) as caught:
            await put(run, APP, A, {}, not_after=run.world.moment() + FRESH, existed=existed)
        assert caught.value.state.startswith(state)

    writing(act, put_group=error)


def test_hidden_values_are_fetched_before_the_password_and_the_group_is_read_last() -> None:
    here = group(holds="b", secure_env=["DB"])
    policy = worlds.policy({"groups": [{"id": "app", "secrets": {"containers/app/env/DB": {"key_vault": "db"}}}]})

    async def act(run: Run, told: Asked, at: Scene) -> None:
        run = replace(run, policy=policy)

        async def now() -> ContainerGroup:
            return await run.world.group(APP)

        assert await replaced(run, here, PutTarget(APP, A, "v1"), now) == here
        assert told.questions == ["secret", "value", "access", "group", "put_group"]

    writing(act, group=here)
    assert Document.seen(policy, here).id == APP


@pytest.mark.parametrize("observed", [SEEN, replace(SEEN, versions=())])
def test_a_credential_that_is_not_current_is_not_deployed(observed: Observed) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match="isn't the current one any more"):
            await deploy(run, observed, Deploy(APP, key("b") or "", WHY))
        assert told.questions == []

    writing(act)


def test_a_way_back_says_how_to_try_at_once() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(ProofFailed, match="a pull with credential") as caught:
            await restore(run, SEEN, Restore(APP, A, "v1", key("b") or "", 1, WHY))
        assert "rotate mycontainerregistry --retry" in caught.value.remedy

    writing(act, group=[OLD, RUNS])


# of a credential


def removal(trouble: Exception | None, listed: list[bool]) -> tuple[dict[str, Any], Credential]:
    return {"remove_password": trouble, "credentials": [(NEW,) if each else () for each in listed]}, NEW


REMOVALS: dict[str, tuple[Exception | None, list[bool], float, type[Exception] | None]] = {
    "accepted and gone": (None, [False], 0, None),
    "not known yet, and listed": (NotFound("No.", service="graph"), [True], LOOKING, Undecided),
    "not known, and gone": (NotFound("No.", service="graph"), [False], LOOKING, None),
    "a conflict, and listed": (Conflict("No.", service="graph"), [True], 0, Undecided),
    "a conflict, and gone": (Conflict("No.", service="graph"), [False], LOOKING, None),
    "accepted, and listed": (None, [True], LOOKING, Unavailable),
}


@pytest.mark.parametrize("which", REMOVALS)
def test_a_removal_is_looked_for_as_long_as_its_answer_leaves_it_open(which: str) -> None:
    trouble, listed, seconds, raised = REMOVALS[which]
    answers, credential = removal(trouble, listed)

    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.clock.elapsed()
        if raised:
            with pytest.raises(raised):
                await remove(run, SEEN.principal, credential, run.world.moment() + FRESH)
        else:
            await remove(run, SEEN.principal, credential, run.world.moment() + FRESH)
        assert run.clock.elapsed() - begun == seconds

    writing(act, **answers)


@pytest.mark.parametrize(("more", "lasts"), [(0, False), (1, True)])
def test_a_new_credential_has_to_outlast_its_renewal(more: int, *, lasts: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        end = SEEN.at + run.policy.rotation.renew_before + timedelta(seconds=more)
        if lasts:
            _ensure_lasting(run, SEEN, replace(NEW, end=end))
        else:
            with pytest.raises(ProofFailed, match="limited the lifetime"):
                _ensure_lasting(run, SEEN, replace(NEW, end=end))

    writing(act)


@pytest.mark.parametrize("found", [True, False])
def test_an_addition_without_an_answer_says_what_is_left_of_it(*, found: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        name = f"rotator:{SEEN.lineage}:{'0' * 11}{at.made.clock.attempts + 1:x}"
        made = replace(NEW, display_name=name, key_id="made")
        told._answers["credentials"] = [(made,), ()] if found else [()]
        with pytest.raises(Undecided) as caught:
            await _add(run, Seen(SEEN, run.world.moment()), FIRST)
        left = (
            "What it made is removed again." if found else f"If a credential was added, its name is {name}; a later run"
        )
        assert left in caught.value.state
        assert caught.value.lost == ("" if found else name)

    writing(act, add_password=OutcomeUnknown("No answer.", service="graph"))


def test_an_addition_without_an_answer_that_a_limit_keeps_from_a_look_stays_in_doubt() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(Undecided) as caught:
            await _add(run, Seen(SEEN, run.world.moment()), FIRST)
        assert caught.value.lost.startswith(f"rotator:{SEEN.lineage}:")
        assert "If a credential was added" in caught.value.state

    unsure = OutcomeUnknown("No answer.", service="graph")
    writing(act, add_password=unsure, credentials=Throttled("A limit.", service="graph"))


@pytest.mark.parametrize("published", [True, False])
def test_a_user_name_is_told_where_it_was_published(*, published: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(Unavailable):
            await _published(run, SEEN, new(run))
        assert len(at.told(UsernamePublished)) == published

    writing(act, publish_username=published, permit=Unavailable("No answer.", service="keyvault"))


def new(run: Run, **changes: Any) -> NewCredential:
    return replace(NewCredential(Issued(NEW, Secret("a password")), "attempt-a", proven=run.world.moment()), **changes)


VERSION = SEEN.versions[-1]


@pytest.mark.parametrize(("late", "asked"), [(0.0, False), (1.0, True)])
def test_a_publication_is_looked_at_again_where_it_came_late(late: float, *, asked: bool) -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await ensure_standing(run, SEEN, new(run).issued, VERSION, run.world.moment() - late)
        assert ("credentials" in told.questions) == asked

    writing(act, credentials=(NEW,))


def test_a_look_at_a_publication_that_fails_says_that_it_is_published() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(Unavailable) as caught:
            await ensure_standing(run, SEEN, new(run).issued, VERSION, run.world.moment())
        assert caught.value.state == f"Credential {A} is published as version v1; the read after that failed."

    writing(act, access=Unavailable("No answer.", service="keyvault"))


@pytest.mark.parametrize(("age", "renewed"), [(FRESH / 2, False), (FRESH / 2 + 1, True)])
def test_a_publication_rests_on_a_proof_of_the_last_minute_and_then_on_a_look(age: float, *, renewed: bool) -> None:
    ours = Version("mine", TODAY, tags=tags({ATTEMPT: "attempt-a"}))
    one, two = SEEN.versions
    others = (replace(one, tags=tags({ATTEMPT: "another"})), replace(two, tags=tags({ATTEMPT: "third"})))

    async def act(run: Run, told: Asked, at: Scene) -> None:
        credential = new(run)
        await run.clock.sleep(age)
        newest, not_after = await _publishable(run, replace(SEEN, versions=others), credential)
        assert newest
        assert newest.id == "v1", "not what this attempt may have published"
        assert told.questions == [*["prove"] * renewed, "credentials", "versions", "access"]
        assert not_after == min(credential.proven, run.world.moment()) + FRESH

    writing(act, credentials=(NEW,), versions=(*others, ours))


@pytest.mark.parametrize(("declared", "found"), [("application/x", "application/x"), (None, "text/plain")])
def test_a_content_type_that_the_policy_declares_comes_before_the_one_that_is_there(
    declared: str | None, found: str
) -> None:
    vault = {"url": "https://myvault.vault.azure.net", "password_secret": "pull-pwd", "content_type": declared}

    async def act(run: Run, told: Asked, at: Scene) -> None:
        run = replace(run, policy=worlds.policy({"key_vault": vault}))
        assert await _put(run, new(run), replace(VERSION, content_type="text/plain"), run.world.moment()) == VERSION
        assert dict(told.asked)["publish"][2] == found

    writing(act, publish=VERSION)


def test_a_publication_that_fails_gives_its_permit_back() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        with pytest.raises(Unavailable):
            await publish(run, SEEN, new(run))
        assert told.questions == ["permit", "credentials", "waive"]

    writing(act, permit=0.0, credentials=Unavailable("No answer.", service="graph"))


def test_a_proof_is_dated_after_its_last_success() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        credential, begun = new(run, proven=0.0), run.world.moment()

        async def by(*_: Any) -> Proof:
            await run.clock.sleep(20)
            return YES

        await prove_new(run, credential, by)
        assert (credential.proof, credential.proven) == (YES, begun + 20)

    writing(act)


# removals of new credentials


TAKEN: dict[str, tuple[Exception | None, bool, str]] = {
    "removed": (None, False, "was added, and is removed again. Nothing was published"),
    "refused": (Forbidden("No way.", service="graph"), False, "was added and could not be removed (No way.)"),
    "published perhaps": (None, True, "was added and stays, because a version with its password may exist"),
}


@pytest.mark.parametrize("which", TAKEN)
def test_a_failure_says_what_became_of_the_new_credential(which: str) -> None:
    trouble, sent, state = TAKEN[which]

    async def act(run: Run, told: Asked, at: Scene) -> None:
        error = await after_failure(run, SEEN, new(run, sent=sent), RotatorError("Why."))
        assert isinstance(error, RotatorError)
        assert state in error.state
        assert "Why." in error.happened

    writing(act, remove_password=trouble, versions=(), credentials=[(NEW,), ()] if trouble is None else (NEW,))


def test_a_removal_counts_from_before_the_look_that_shows_no_version_with_it() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        begun = run.world.moment()
        assert await _unpublished(run, NEW) == begun
        assert run.world.moment() == begun + 10

    writing(act, slow={"versions": 10.0}, versions=())


def test_a_bug_is_told_by_its_kind() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        assert _unknown(run, NEW, ValueError("a password")).happened.endswith("was set: an unexpected ValueError")
        assert _unknown(run, NEW, RotatorError("Why.")).happened.endswith("was set: Why.")

    writing(act)


def test_an_interrupted_run_sends_its_removal_at_once() -> None:
    async def act(run: Run, told: Asked, at: Scene) -> None:
        await after_interruption(run, SEEN, new(run))
        assert told.questions == ["remove_password"]
        assert told.ways == [{"not_after": run.world.moment() + FRESH}]

    writing(act)
