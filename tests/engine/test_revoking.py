"""Tests of a revocation, question by question: the record before any deletion, a second look if the first found
nothing, and its end at a grant.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from rotator.codes import FailureCode, NoteCode
from rotator.engine import Run, revoke
from rotator.engine.evidence import AGREEING
from rotator.engine.revocation_mark import AGEING
from rotator.engine.run import FRESH
from rotator.errors import Conflict, Forbidden, Locked, NotFound
from rotator.events import AssignmentDeleted, Noted, StepDone, StepFailed, VersionDisabled
from rotator.plan import Ending
from rotator.ports import AccessRecord
from rotator.resource_id import ArmId, ResourceId
from rotator.results import Result
from rotator.state import Access, Assignment, Outcome, Proof, Registry, RegistryAccess, Secret, SignIns
from tests import worlds
from tests.answering import Answering, fresh_run
from tests.engine.test_permits import Scene, scene
from tests.worlds import REGISTRY, TODAY, key

ROLE = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
ONE, TWO = (Assignment(REGISTRY, ROLE, ArmId(f"{REGISTRY}/{name}"), "sp-object") for name in "ab")
USED: dict[str, Any] = {
    "credentials": [{"key": "a"}],
    "versions": [{"id": "v1", "holds": "a"}],
    "groups": [{"id": "app", "holds": "a"}],
}
SEEN = worlds.observed(USED)
WITHOUT = replace(SEEN, principal=replace(SEEN.principal, service_principal=None))
UNMARKED, REVOKED = AccessRecord(Access.UNMARKED, TODAY), AccessRecord(Access.REVOKED, TODAY, (ONE,))
GRANTED = AccessRecord(Access.GRANTED, TODAY)
SHUT = RegistryAccess(SEEN.registries[0])
NO_PULL, NO = Proof(Outcome.NO_PULL, signed_in=True), Proof(Outcome.REFUSED)
NOBODY = Proof(Outcome.DISABLED, nobody=True)
NO_PRINCIPAL = NotFound("No such principal.", service="graph", code=FailureCode.NO_SUCH_PRINCIPAL)
NO_REGISTRY = NotFound("No such registry.", service="arm")
LEFT = [SignIns(SEEN.credentials)]


class Revoking(Answering):
    """`Answering` that records the time and the deadline of each question."""

    run: Run
    times: list[tuple[str, float]]
    after: dict[str, float]
    """Duration of each question in seconds."""

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name == "moment" or not callable(call) or name.startswith("_"):
            return call

        async def timed(*args: Any, **how: Any) -> Any:
            self.times.append((name, self.run.clock.elapsed()))
            await self.run.clock.sleep(self.after.get(name, 0.0))
            return await call(*args, **how)

        return timed

    def at(self, name: str) -> list[float]:
        return [when for each, when in self.times if each == name]


Act = Callable[[Run, Revoking, Scene], Awaitable[None]]


def revoking(act: Act, slow: dict[str, float] | None = None, policy: Any = None, **answers: Any) -> None:
    async def main(at: Scene) -> None:
        given: dict[str, Any] = {
            "observe": SEEN,
            "access": UNMARKED,
            "assignments": (ONE,),
            "standing": (),
            "role": ROLE,
            "record_access": None,
            "delete_assignment": True,
            "value": Secret("a password"),
            "prove": NO_PULL,
            "pull": NO,
            "registry_access": (SHUT,),
            "sign_ins": LEFT,
            "credentials": (),
            "remove_password": None,
            "mark_version": None,
        }
        told = Revoking(at.run.world, **given | answers)
        told.times, told.after = [], slow or {}
        told.run = run = fresh_run(at, told, policy or worlds.policy({"groups": ["app"]}))
        await act(run, told, at)

    scene(main)


def ended(result: Result, how: Ending) -> bool:
    return result.summary.endswith(str(how))


BEFORE = ["observe", "access", "assignments", "standing", "role", "role", "record_access", "value", "delete_assignment"]
AFTER = ["registry_access", "sign_ins", "prove", "prove", "prove", "access"]


def test_the_record_is_written_and_the_value_read_before_the_first_deletion() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        result = await revoke(run)
        asked = dict(told.asked)
        assert told.questions[: len(BEFORE)] == BEFORE
        assert told.questions[len(BEFORE) : len(BEFORE) + len(AFTER)] == AFTER
        assert asked["record_access"] == (Access.REVOKED, (ONE,))
        assert asked["delete_assignment"] == (ONE,)
        assert (ended(result, Ending.GONE), result.exit_code) == (True, 0)
        assert [event.was_there for event in at.told(AssignmentDeleted)] == [True]
        assert [event.detail for event in at.told(StepDone)] == [""]

    revoking(act)


def test_the_record_rests_on_a_read_of_just_before() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        (sent,) = [how for name, how in zip(told.questions, told.ways, strict=True) if name == "record_access"]
        (read,) = told.at("access")[:1]
        assert sent["not_after"] - FRESH <= read + 10 + told.run.world.moment() - told.run.clock.elapsed()

    revoking(act, slow={"access": 10.0, "assignments": 5.0})


def test_what_an_earlier_revocation_recorded_is_deleted_too_and_stays_recorded() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        asked = [args for name, args in told.asked if name in ("standing", "record_access", "delete_assignment")]
        assert asked[:2] == [([ONE],), (Access.REVOKED, (ONE, TWO))]
        assert sorted(asked[2:]) == [(ONE,), (TWO,)]

    revoking(act, access=REVOKED, assignments=(TWO,), standing=(ONE,))


def test_what_a_list_shows_is_not_looked_for_by_its_id() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        assert dict(told.asked)["standing"] == ([],)

    revoking(act, access=REVOKED, assignments=(ONE,))


def test_the_record_of_a_grant_is_not_looked_for() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        assert dict(told.asked)["standing"] == ([],)
        assert dict(told.asked)["record_access"] == (Access.REVOKED, (ONE,))

    revoking(act, access=AccessRecord(Access.GRANTED, TODAY, (TWO,)))


def test_an_assignment_that_is_already_gone_is_no_failure() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run)
        assert [event.was_there for event in at.told(AssignmentDeleted)] == [False]
        assert [event.detail for event in at.told(StepDone)] == ["it was already gone"]

    revoking(act, delete_assignment=False)


def test_one_deletion_that_fails_stops_no_other() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await revoke(run)).exit_code == 1
        assert told.questions.count("delete_assignment") == 2
        assert (len(at.told(StepFailed)), len(at.told(AssignmentDeleted))) == (1, 1)

    revoking(act, assignments=(ONE, TWO), delete_assignment=[Forbidden("No.", service="rbac"), True])


@pytest.mark.parametrize("credentials", [True, False])
def test_a_lock_is_told_with_the_way_that_remains(*, credentials: bool) -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, credentials=credentials)
        notes = {event.code for event in at.told(Noted)}
        assert (NoteCode.LOCKED in notes) == credentials
        failed = at.told(StepFailed)
        assert bool(failed) != credentials
        if failed:
            assert "stays: the principal can pull" in failed[0].state
            assert "Remove the lock and run again" in failed[0].remedy
            assert "revoke mycontainerregistry --credentials" in failed[0].remedy

    revoking(act, delete_assignment=Locked("Locked.", service="rbac"))


def test_another_refusal_than_a_lock_is_a_failure_although_the_credentials_go() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await revoke(run, wait=False, credentials=True)).exit_code == 1
        assert [event.step for event in at.told(StepFailed)] == ["revoke"]

    revoking(act, observe=[SEEN, replace(TAKEN, versions=())], delete_assignment=Forbidden("No.", service="rbac"))


def test_a_grant_between_two_deletions_ends_the_revocation() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        result = await revoke(run, credentials=True)
        assert told.questions.count("delete_assignment") == 1
        assert "remove_password" not in told.questions
        assert "registry_access" not in told.questions
        assert (ended(result, Ending.REGRANTED), result.exit_code) == (True, 1)
        assert [event.code for event in at.told(Noted)] == [NoteCode.REGRANTED]

    revoking(
        act,
        slow={"delete_assignment": AGEING + 1},
        assignments=(ONE, TWO),
        access=[UNMARKED, GRANTED],
    )


def test_nothing_is_looked_at_after_a_grant() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert ended(await revoke(run), Ending.REGRANTED)
        assert "registry_access" not in told.questions

    revoking(act, slow={"delete_assignment": AGEING + 1}, assignments=(ONE, TWO), access=[UNMARKED, GRANTED])


def test_a_grant_at_the_end_is_told_in_place_of_the_end() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert ended(await revoke(run), Ending.REGRANTED)
        assert told.questions.count("prove") == 3

    revoking(act, access=[UNMARKED, GRANTED])


def test_each_deletion_leaves_while_the_mark_is_fresh() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        left = [
            how["not_after"] for name, how in zip(told.questions, told.ways, strict=True) if name == "delete_assignment"
        ]
        begun = told.at("delete_assignment")
        assert left[0] - begun[0] == left[1] - begun[1] + 30

    revoking(act, slow={"delete_assignment": 30.0}, assignments=(ONE, TWO))


def test_rotators_own_identity_is_not_revoked() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await revoke(run)).exit_code == 3
        assert "record_access" not in told.questions

    revoking(act, observe=worlds.observed({**USED, "signed_in_as_itself": True}))


# an absent principal


def test_without_a_service_principal_what_is_recorded_goes_first_and_then_it_is_looked_for_again() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        first = ["observe", "access", "standing", "role", "role", "delete_assignment", "observe"]
        assert told.questions[: len(first)] == first
        assert dict(told.asked)["standing"] == ([ONE],) or dict(told.asked)["standing"] == ((ONE,),)
        one, two, *_ = told.at("observe")
        assert two - one == AGREEING
        assert told.at("delete_assignment")[0] == one

    revoking(act, observe=[WITHOUT, SEEN], access=REVOKED, standing=[(ONE,), ()], assignments=())


def test_a_principal_that_is_not_found_is_marked_before_anything_is_looked_for() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        first = ["observe", "access", "access", "record_access", "standing", "role", "role", "observe"]
        assert told.questions[: len(first)] == first
        assert dict(told.asked)["record_access"] == (Access.REVOKED, ())

    revoking(act, observe=NO_PRINCIPAL, access=AccessRecord(Access.GRANTED, TODAY, (TWO,)))


def test_a_principal_that_is_there_is_looked_for_once() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False)
        assert told.at("delete_assignment")[0] - told.at("observe")[0] == 0

    revoking(act)


def test_the_first_record_of_a_principal_that_is_not_found_rests_on_its_read() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        begun = run.world.moment()
        await revoke(run, wait=False)
        (sent,) = [how for name, how in zip(told.questions, told.ways, strict=True) if name == "record_access"]
        assert sent["not_after"] == begun + FRESH

    revoking(act, slow={"access": 10.0}, observe=NO_PRINCIPAL)


ABSENT: dict[str, tuple[dict[str, Any], bool, Ending, bool]] = {
    "Entra and the registry know nobody": ({"prove": NOBODY}, True, Ending.ABSENT, True),
    "a registry serves the value": (
        {"prove": NOBODY, "pull": Proof(Outcome.PROVEN, served=("x",))},
        True,
        Ending.UNPROVEN,
        True,
    ),
    "Entra knows the password": ({"prove": NO}, True, Ending.UNPROVEN, False),
    "no value": ({"value": NotFound("It is gone.", service="keyvault")}, True, Ending.UNPROVEN, False),
    "nobody waits": ({"prove": NOBODY}, False, Ending.UNPROVEN, False),
}


@pytest.mark.parametrize("which", ABSENT)
def test_a_principal_is_gone_where_neither_entra_nor_a_registry_knows_its_password(which: str) -> None:
    answers, wait, ends, pulled = ABSENT[which]

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        result = await revoke(run, wait=wait)
        assert ended(result, ends), result.summary
        assert ("pull" in told.questions) == pulled
        notes = [event for event in at.told(Noted) if event.code in (NoteCode.NOT_PROVEN, NoteCode.NO_PRINCIPAL)]
        assert [event.code for event in notes] == [
            NoteCode.NO_PRINCIPAL if ends is Ending.ABSENT else NoteCode.NOT_PROVEN
        ]
        assert "No such principal." in notes[0].text
        assert ("correct `principal.app_id`" in notes[0].text) == (ends is Ending.UNPROVEN)
        assert ("was not waited for" in notes[0].text or "no pull was tried" in notes[0].text) or wait

    revoking(act, observe=NO_PRINCIPAL, **answers)


# an absent registry

OTHER = ResourceId.parse(f"{REGISTRY}2")
BOTH = worlds.policy({"groups": ["app"], "registries": [{"id": REGISTRY}, {"id": OTHER}]})
GONE = RegistryAccess(Registry(OTHER, ""))


def test_a_registry_that_is_not_found_stops_no_revocation_on_the_others() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        heard: list[Any] = []
        answers: list[Any] = [NO_REGISTRY, SEEN]

        async def observe(policy: Any, **how: Any) -> Any:
            heard.append([each.id for each in policy.registries])
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(found, Exception):
                raise found
            return found

        told.observe = observe  # type: ignore[attr-defined]
        await revoke(run, wait=False)
        assert heard[:2] == [[REGISTRY, OTHER], [REGISTRY]]
        assert "delete_assignment" in told.questions

    revoking(act, policy=BOTH, registry_access=(SHUT, GONE))


MISSING: dict[str, tuple[Any, Any, str]] = {
    "none is found": (NO_REGISTRY, (replace(SHUT, registry=Registry(REGISTRY, "")), GONE), "No such registry."),
    "the others aren't, either": ([NO_REGISTRY, NO_REGISTRY], (SHUT, GONE), "No such registry."),
    "nor the principal": ([NO_REGISTRY, NO_PRINCIPAL], (SHUT, GONE), ""),
    "the principal": (NO_PRINCIPAL, (SHUT, GONE), ""),
}


@pytest.mark.parametrize("which", MISSING)
def test_what_is_not_found_is_told_apart(which: str) -> None:
    observe, access, failed = MISSING[which]

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        result = await revoke(run, wait=False)
        assert [event.happened for event in at.told(StepFailed)] == ([failed] if failed else [])
        assert ended(result, Ending.UNPROVEN) != bool(failed)
        assert bool(failed) or "record_access" in told.questions
        assert told.questions.count("observe") == 2 or which != "none is found", "at the end, too"

    revoking(act, policy=BOTH, observe=observe, registry_access=access)


# the credentials


TAKEN = replace(SEEN, credentials=())
LISTED = SEEN.credentials


def test_every_credential_of_ours_is_removed_and_then_its_versions_are_disabled() -> None:
    case = {**USED, "credentials": [{"key": "a"}, {"key": "b"}, {"key": "x", "of": "somebody"}]}
    case["versions"] = [{"id": "v0", "holds": "b", "created": "-90d"}, {"id": "v1", "holds": "a"}]
    three = worlds.observed(case)
    left = replace(three, credentials=three.credentials[2:])
    off = replace(left, versions=tuple(replace(each, enabled=False) for each in left.versions))

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False, credentials=True)
        removed = [args[2] for name, args in told.asked if name == "remove_password"]
        assert sorted(removed) == [key("a"), key("b")]
        assert [args[-1] for name, args in told.asked if name == "mark_version"] == ["v0", "v1"]
        assert len(at.told(VersionDisabled)) == 2
        assert NoteCode.LOSES_PASSWORD in {event.code for event in at.told(Noted)}
        assert told.questions.count("observe") == 3

    revoking(act, observe=[three, three, off])


def test_a_credential_that_cannot_be_removed_is_tried_once_and_told() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await revoke(run, wait=False, credentials=True)).exit_code == 1
        assert told.questions.count("remove_password") == 1
        (failed,) = at.told(StepFailed)
        assert (failed.step, failed.target) == ("retire", key("a"))

    revoking(act, credentials=LISTED, remove_password=Forbidden("No.", service="graph"))


def test_a_grant_before_a_removal_ends_the_revocation() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert ended(await revoke(run, credentials=True), Ending.REGRANTED)
        assert "remove_password" not in told.questions
        assert "registry_access" not in told.questions

    revoking(act, slow={"delete_assignment": AGEING + 1}, access=[UNMARKED, GRANTED])


def test_a_look_that_is_a_minute_old_is_made_again_before_the_next_removal() -> None:
    two = worlds.observed({**USED, "credentials": [{"key": "a"}, {"key": "b"}]})
    one = replace(two, credentials=two.credentials[1:])

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False, credentials=True)
        assert told.questions.count("remove_password") == 2
        between = told.questions[told.questions.index("remove_password") :]
        assert "observe" in between[: between.index("remove_password", 1)]

    revoking(act, slow={"remove_password": AGEING + 1}, observe=[two, two, one, replace(two, credentials=())])


def test_a_principal_that_goes_while_its_credentials_are_taken_is_told() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        result = await revoke(run, wait=False, credentials=True)
        assert [event.happened for event in at.told(StepFailed)] == ["No such principal."]
        assert result.exit_code == 1
        assert "sign_ins" in told.questions

    revoking(act, observe=[SEEN, NO_PRINCIPAL])


@pytest.mark.parametrize(("deleting", "rests_on"), [(30.0, "record_access"), (AGEING + 1, "observe")])
def test_a_version_is_disabled_while_the_look_and_the_mark_are_fresh(deleting: float, rests_on: str) -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False, credentials=True)
        (how,) = [how for name, how in zip(told.questions, told.ways, strict=True) if name == "mark_version"]
        offset = run.world.moment() - run.clock.elapsed()
        assert how["enabled"] is False
        assert how["not_after"] == told.at(rests_on)[-2 if rests_on == "observe" else 0] + offset + FRESH

    slow = {"observe": 20.0, "delete_assignment": deleting}
    revoking(act, observe=[TAKEN, TAKEN, replace(TAKEN, versions=())], slow=slow)


@pytest.mark.parametrize(("seconds", "looks"), [(AGEING, 0), (AGEING + 1, 1)])
def test_a_look_serves_for_a_minute(seconds: float, looks: int) -> None:
    case = {
        **USED,
        "versions": [{"id": "v0", "holds": "b", "created": "-90d"}, {"id": "v1", "holds": "a"}],
        "credentials": [],
    }

    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False, credentials=True)
        first, second = (nth for nth, name in enumerate(told.questions) if name == "mark_version")
        assert told.questions[first:second].count("observe") == looks

    every = worlds.observed(case)
    less = replace(every, versions=tuple(replace(each, enabled=each.id == "v1") for each in every.versions))
    off = replace(every, versions=tuple(replace(each, enabled=False) for each in every.versions))
    revoking(act, observe=[every, every, *[less] * looks, off], slow={"mark_version": seconds})


def test_looks_that_take_minutes_end_all_the_same() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        await revoke(run, wait=False, credentials=True)
        assert told.questions.count("remove_password") == 1
        assert len(at.told(VersionDisabled)) == 0 or told.questions.count("mark_version") == 1

    revoking(act, slow={"observe": AGEING + 1}, observe=[SEEN, SEEN, TAKEN, replace(TAKEN, versions=())])


def test_a_version_that_cannot_be_disabled_is_told() -> None:
    async def act(run: Run, told: Revoking, at: Scene) -> None:
        assert (await revoke(run, wait=False, credentials=True)).exit_code == 1
        assert [(event.step, event.target) for event in at.told(StepFailed)] == [("disable", "v1")]
        assert not at.told(VersionDisabled)

    revoking(act, observe=TAKEN, mark_version=Conflict("No.", service="keyvault"))
