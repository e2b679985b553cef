"""Tests of `tests/guard/vetoes.yaml`: a step with an observation → the code of the guard's veto, or none.

The rules of `plan` aren't asked: the guard must refuse any mistake of theirs by itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rotator import guard
from rotator.causes import Cause, Denial, Grounds
from rotator.codes import ReasonCode
from rotator.policy import Policy
from rotator.resource_id import ArmId
from rotator.state import Assignment, Home, Observed
from rotator.steps import Deploy, Disable, Grant, Intent, Issue, Known, Reason, Restore, Retire, Step
from tests import worlds
from tests.cases import read

WHY = Reason(ReasonCode.FORCED, "a test asks for it")
World = tuple[Policy, Observed, Intent, Known]


@cache
def vetoes() -> tuple[Any, ...]:
    return tuple(pytest.param(case, id=case["when"]) for case in read(Path(__file__).parent / "vetoes.yaml"))


def asked(text: str) -> Step:
    """Return the step of a text such as ``retire a``, ``deploy app to b`` or ``issue``."""
    match text.split():
        case ["grant"]:
            return Grant(Assignment(worlds.REGISTRY, "role", ArmId("id"), "principal"), WHY)
        case ["issue"]:
            return Issue(Home.APPLICATION, timedelta(days=90), WHY)
        case ["deploy", name, "to", key]:
            return Deploy(worlds.group_id(name), worlds.key(key) or "", WHY)
        case ["restore", name, "to", key]:
            return Restore(worlds.group_id(name), worlds.key(key) or "", "v1", "", 1, WHY)
        case ["retire", key]:
            return Retire(worlds.key(key) or "", Home.APPLICATION, WHY)
        case ["disable", version]:
            return Disable(version, WHY)
    raise ValueError(text)


def world(case: Mapping[str, Any]) -> World:
    """Return the policy, the observation, the intent and the knowledge of a case; the current value has just proven,
    unless the case differs.
    """
    said = case.get("vault_refuses")
    refused = Denial(said, Grounds(Cause(case.get("cause", "role")), vault="myvault")) if said else None
    observed = replace(worlds.observed(case), vault_refuses=refused)
    known = worlds.known(case) if case.get("untried") else worlds.proven(worlds.known(case))
    if "proof_at" in case:
        known = replace(known, proof_at=worlds.instant(case["proof_at"]))
    return worlds.policy(case.get("policy")), observed, worlds.intent(case.get("intent")), known


def agree(case: Mapping[str, Any], policy: Policy, observed: Observed, intent: Intent, known: Known) -> None:
    """Compare the guard with the case."""
    step = asked(case["asked"])
    if case.get("by_hand"):
        assert isinstance(step, Deploy)
        veto = guard.check_asked(step, policy, observed)
    else:
        veto = guard.check(step, policy, observed, intent, known)
    assert (veto.code if veto else None) == case.get("guard")
    told = f"{veto.happened}\n{veto.remedy}" if veto else ""
    assert [words for words in case.get("says", []) if words not in told] == []
    assert [words for words in case.get("says_not", []) if words in told] == []


@pytest.mark.parametrize("case", list(vetoes()))
def test_veto(case: Mapping[str, Any]) -> None:
    agree(case, *world(case))


@pytest.mark.parametrize("case", [param for param in vetoes() if param.values[0].get("guard")])
def test_a_veto_says_what_is_wrong_and_what_to_do(case: Mapping[str, Any]) -> None:
    policy, observed, intent, known = world(case)
    veto = guard.check(asked(case["asked"]), policy, observed, intent, known)
    assert veto is not None
    diagnosis = veto.error().diagnose()
    assert veto.happened in diagnosis.happened
    assert diagnosis.state
    assert diagnosis.remedy.endswith((".", "}", "app_id")) or "\n" in diagnosis.remedy
