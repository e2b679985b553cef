"""Tests of the role assignments that a revoke deletes and a grant creates: only the principal's, each once."""

from dataclasses import replace

from rotator.plan import grant_steps, revoke_steps
from rotator.resource_id import ArmId
from rotator.state import Assignment
from tests import worlds

PULL, PUSH = "7f951dda-4ed3-4680-a7ca-43fe172d538d", "8311e382-0749-4cb8-b61a-304f252e45ec"
ROLES = {"AcrPull": PULL, "AcrPush": PUSH}
OTHER = worlds.REGISTRY.replace("mycontainerregistry", "another")
MINE = Assignment(worlds.REGISTRY, PULL, ArmId("mine"), "sp")


def of(scope: str, role: str = PULL, name: str = "x") -> Assignment:
    return Assignment(ArmId(scope), role, ArmId(name), "sp")


def test_a_revoke_deletes_the_declared_role_at_the_declared_registry_only() -> None:
    above = worlds.REGISTRY.rsplit("/providers/", 1)[0]
    found = [of(worlds.REGISTRY, PUSH), of(OTHER), of(above), of(worlds.REGISTRY.upper(), PULL.upper(), "again"), MINE]
    steps = revoke_steps(worlds.policy({}), found, ROLES)
    assert [step.assignment.id for step in steps] == ["again", "mine"]
    assert "AcrPull" in steps[0].reason.text


def test_a_revoke_deletes_what_an_earlier_one_recorded_whatever_the_policy_says_now() -> None:
    theirs, recorded = of(worlds.REGISTRY, PUSH, "theirs"), of(OTHER, PUSH, "recorded")
    steps = revoke_steps(worlds.policy({}), [theirs, recorded], ROLES, [of(OTHER, PUSH, "RECORDED"), MINE])
    assert [step.assignment.id for step in steps] == ["recorded"], "and what is gone is not deleted again"


def test_a_grant_creates_what_was_recorded() -> None:
    declared, recorded = of(worlds.REGISTRY, name="declared"), [MINE, of(OTHER, PUSH, "pushes")]
    steps = grant_steps(worlds.policy({}), [], recorded, [declared])
    assert {step.assignment.id for step in steps} == {"mine", "pushes"}
    assert all("revocation" in step.reason.text for step in steps)


def test_a_grant_gives_a_role_at_one_scope_once_even_if_it_was_revoked_twice() -> None:
    limited = replace(
        of(worlds.REGISTRY.upper(), PULL.upper(), "z"), condition="one repository", condition_version="2.0"
    )
    steps = grant_steps(worlds.policy({}), [], [of(worlds.REGISTRY, name="again"), limited, of(OTHER), MINE], [])
    assert [step.assignment.id for step in steps] == ["x", "z"], "Azure refuses the same role twice; the limited one"


def test_a_grant_without_a_record_creates_what_is_declared() -> None:
    (step,) = grant_steps(worlds.policy({}), [], [], [MINE])
    assert step.assignment == MINE
    assert "mycontainerregistry" in step.reason.text.split(": role")[0]


def test_a_grant_creates_nothing_that_is_there() -> None:
    there = of(worlds.REGISTRY.upper(), PULL.upper(), "there already")
    assert grant_steps(worlds.policy({}), [there], [MINE], [MINE]) == ()
    assert len(grant_steps(worlds.policy({}), [of(worlds.REGISTRY, PUSH), of(OTHER)], [MINE], [])) == 1
