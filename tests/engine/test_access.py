"""Tests of role assignments and the access record, question by question: the reads before a grant, and the precedence
of a revocation.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from rotator.codes import FailureCode
from rotator.engine import Run, grant
from rotator.engine.access import assign, declared, own, read_record
from rotator.engine.run import FRESH
from rotator.errors import NotFound, RotatorError, UnsafeStep
from rotator.events import AccessRecorded, AssignmentCreated, AssignmentDeleted, StepDone, StepFailed, StepStarted
from rotator.ports import AccessRecord
from rotator.resource_id import ArmId, ResourceId
from rotator.state import Access, Assignment, Outcome, Proof, Registry, Secret
from tests import worlds
from tests.answering import fresh_run
from tests.engine.test_permits import Scene, scene
from tests.engine.test_revoking import Revoking
from tests.worlds import REGISTRY, TODAY

ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ONE, TWO = (Assignment(REGISTRY, ROLE, ArmId(f"{REGISTRY}/{name}"), "sp-object") for name in "ab")
SEEN = worlds.observed({"credentials": [{"key": "a"}], "versions": [{"id": "v1", "holds": "a"}]})
UNMARKED = AccessRecord(Access.UNMARKED, TODAY)
REVOKED, GRANTED = (AccessRecord(each, TODAY, (ONE,)) for each in (Access.REVOKED, Access.GRANTED))
LATE = {"create_assignment": FRESH + 1}


def asking(
    act: Callable[[Run, Revoking, Scene], Awaitable[None]],
    policy: Any = None,
    slow: dict[str, float] | None = None,
    **answers: Any,
) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "observe": SEEN,
            "access": UNMARKED,
            "assignments": (),
            "standing": (),
            "role": ROLE,
            "record_access": None,
            "enable_record": REVOKED,
            "create_assignment": True,
            "delete_assignment": True,
            "value": Secret("a password"),
            "prove": Proof(Outcome.PROVEN, signed_in=True),
        }
        told = Revoking(at.run.world, **given | answers)
        told.times, told.after = [], slow or {}
        told.run = run = fresh_run(at, told, policy or worlds.policy({}))
        await act(run, told, at)

    scene(main)


def happened(at: Scene) -> list[str]:
    return [event.happened for event in at.told(StepFailed)]


# the record


@pytest.mark.parametrize(
    ("answers", "access", "reads"),
    [
        (UNMARKED, Access.UNMARKED, 1),
        (REVOKED, Access.REVOKED, 1),
        (GRANTED, Access.GRANTED, 2),
        ([GRANTED, REVOKED], Access.REVOKED, 2),
    ],
)
def test_a_grant_is_believed_after_two_reads(answers: Any, access: Access, reads: int) -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        begun = run.world.moment()
        record, read = await read_record(run)
        assert (record.access, told.questions) == (access, ["access"] * reads)
        assert read == begun + 10 * (reads - 1)

    asking(act, access=answers, slow={"access": 10.0})


def test_a_record_that_is_deleted_is_a_veto_and_a_disabled_one_is_enabled() -> None:
    async def deleted(run: Run, told: Revoking, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match="is soft-deleted; it says that access is revoked"):
            await read_record(run)
        assert told.questions == ["access"]

    asking(deleted, access=replace(REVOKED, deleted=True, disabled=True))

    async def disabled(run: Run, told: Revoking, at: Scene) -> None:
        record, _ = await read_record(run)
        assert (record, told.questions) == (REVOKED, ["access", "enable_record"])
        assert [(event.access, event.assignments) for event in at.told(AccessRecorded)] == [(Access.REVOKED, 1)]

    asking(disabled, access=replace(REVOKED, assignments=(), disabled=True))


# roles


def test_a_role_that_a_cloud_lacks_is_left_out_unless_the_policy_names_it() -> None:
    missing = NotFound("No such role.", service="rbac")

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert await own(run) == {"AcrPull": ROLE}

    asking(act, role=[ROLE, missing])

    async def named(run: Run, told: Revoking, at: Scene) -> None:
        with pytest.raises(NotFound):
            await own(run)

    asking(named, role=[missing, ROLE])
    other = ResourceId.parse(f"{REGISTRY}2")
    two = {"registries": [{"id": REGISTRY}, {"id": other, "role": "AcrPush"}]}
    asking(named, worlds.policy(two), role=[missing, ROLE, ROLE, ROLE])


def test_a_declared_role_is_the_one_that_its_registry_honours() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        found = await declared(run, "sp-object", (Registry(REGISTRY, "x", abac=True),))
        assert [args[0] for name, args in told.asked if name == "role"] == ["Container Registry Repository Reader"]
        assert [each.principal_id for each in found] == ["sp-object"]
        with pytest.raises(NotFound) as caught:
            await declared(run, None, ())
        assert caught.value.code == FailureCode.NO_SERVICE_PRINCIPAL

    asking(act)


# a grant


def test_what_is_recorded_is_created_and_marked_then_looked_for_and_tried() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await grant(run)).exit_code == 0
        assert told.questions[:13] == [
            *("observe", "access", "assignments", "role", "role", "create_assignment", "access", "record_access"),
            *("assignments", "role", "role", "standing", "value"),
        ]
        assert told.questions[13] == "prove"
        asked = dict(told.asked)
        assert asked["create_assignment"] == (ONE,)
        assert asked["record_access"] == (Access.GRANTED, (ONE,))
        assert [event.was_there for event in at.told(AssignmentCreated)] == [False]
        assert len(at.told(StepStarted)) == len(at.told(StepDone)) == 1

    asking(act, access=REVOKED, assignments=[(), (ONE,)])


def test_a_grant_without_a_wait_tries_nothing() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await grant(run, wait=False)
        assert "prove" not in told.questions

    asking(act, access=REVOKED, assignments=(ONE,))


def test_without_a_record_the_declared_role_is_created_and_nothing_is_marked() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await grant(run)).exit_code == 0
        assert "create_assignment" in told.questions
        assert "record_access" not in told.questions

    asking(act, standing=(ONE,))


def test_an_assignment_that_exists_is_told_so() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await grant(run, wait=False)
        assert [event.was_there for event in at.told(AssignmentCreated)] == [True]

    asking(act, create_assignment=False, standing=(ONE,))


@pytest.mark.parametrize("now", [replace(REVOKED, assignments=(ONE, TWO)), replace(GRANTED, assignments=(ONE,))])
def test_a_record_that_changed_meanwhile_is_not_written_over(now: AccessRecord) -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await grant(run)).exit_code == 1
        assert "record_access" not in told.questions
        assert "the access record changed from revoked to" in happened(at)[0]

    asking(act, access=[REVOKED, now])


def test_a_grant_is_marked_while_its_read_is_fresh() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await grant(run, wait=False)
        ways = dict(zip(told.questions, told.ways, strict=True))
        offset = run.world.moment() - run.clock.elapsed()
        assert ways["create_assignment"]["not_after"] == told.at("access")[0] + offset + FRESH
        assert ways["record_access"]["not_after"] == told.at("access")[1] + offset + FRESH

    asking(act, access=REVOKED, slow={"access": 10.0, "create_assignment": 5.0})


def test_assignments_that_are_deleted_while_they_are_granted_are_a_conflict() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await grant(run)).exit_code == 1
        assert happened(at) == ["1 role assignment(s) were deleted while access was being granted"]
        assert "prove" not in told.questions

    asking(act, access=REVOKED, assignments=())


AFTER: dict[str, tuple[list[AccessRecord], float, bool, int]] = {
    "revoked meanwhile": ([REVOKED, REVOKED, REVOKED], FRESH + 1, True, 3),
    "granted still": ([REVOKED, REVOKED, GRANTED], FRESH + 1, False, 3),
    "in time": ([REVOKED, REVOKED, REVOKED], FRESH, False, 2),
}


@pytest.mark.parametrize("which", AFTER)
def test_a_grant_that_took_long_reads_the_mark_again(which: str) -> None:
    answers, seconds, conflict, reads = AFTER[which]

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await grant(run, wait=True)
        asked = told.questions[: told.questions.index("prove")] if "prove" in told.questions else told.questions
        assert (happened(at) == ["access was revoked again after it was granted"]) == conflict
        assert asked.count("access") + told.questions[len(asked) :].count("access") == reads

    asking(act, access=answers, assignments=(ONE,), slow={"prove": seconds})


# of a provision


def test_the_mark_is_read_before_each_assignment_and_after_all() -> None:
    other = ResourceId.parse(f"{REGISTRY}2")
    two = worlds.policy({"registries": [{"id": REGISTRY}, {"id": other}]})

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await assign(run, replace(SEEN, registries=()))
        writes = [each for each in told.questions if each in ("access", "create_assignment")]
        assert writes == ["access", "create_assignment", "access", "create_assignment", "access"]
        ways = [how for name, how in zip(told.questions, told.ways, strict=True) if name == "create_assignment"]
        offset = run.world.moment() - run.clock.elapsed()
        assert [how["not_after"] for how in ways] == [when + offset + FRESH for when in told.at("access")[:2]]

    asking(act, two, slow={"access": 10.0})


def test_an_assignment_that_exists_is_not_taken_back() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await assign(run, SEEN)
        assert "delete_assignment" not in told.questions
        assert told.questions.count("access") == 1

    asking(act, create_assignment=False, access=[UNMARKED, REVOKED])


def test_a_revocation_during_a_provision_wins() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        with pytest.raises(UnsafeStep, match="access was revoked"):
            await assign(run, SEEN)
        assert told.questions[-1] == "delete_assignment"
        assert [event.was_there for event in at.told(AssignmentDeleted)] == [True]
        offset = run.world.moment() - run.clock.elapsed()
        assert told.ways[-1]["not_after"] == told.at("access")[1] + offset + FRESH

    asking(act, access=[UNMARKED, REVOKED], slow={"access": 10.0})


def test_nothing_is_assigned_while_access_is_revoked() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        with pytest.raises(RotatorError):
            await assign(run, SEEN)
        assert "create_assignment" not in told.questions

    asking(act, access=REVOKED)
