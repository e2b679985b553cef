"""Tests of `tests/plan/cases/*.yaml`: policy + observed + today → steps, waits and notes, each with its code; and the
guard's verdict.

A case without `guard` expects the guard to pass every step, given a valid proof and permissions.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rotator import guard
from rotator.codes import NoteCode, WaitCode
from rotator.plan import View, evolve, next_steps, plan, ways_out, worth_trying
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import Deploy, Disable, Intent, Issue, Known, Next, Restore, Retire, Step, kind, target
from tests import worlds
from tests.cases import read

CASES = Path(__file__).parent / "cases"


@cache
def cases() -> tuple[Any, ...]:
    return tuple(
        pytest.param(case, id=f"{file.stem}: {case['when']}")
        for file in sorted(CASES.glob("*.yaml"))
        for case in read(file)
    )


def shown(step: Step) -> str:
    """Return a step as the cases write it: kind, target and reason."""
    match step:
        case Issue():
            return f"issue ({step.reason.code}{', warned' if step.warning else ''})"
        case Deploy():
            warned = ", warned" if step.warning else ""
            return (
                f"deploy {step.group.rsplit('/', 1)[-1]}{' as canary' if step.canary else ''}"
                f" ({step.reason.code}{warned})"
            )
        case Restore():
            nth = f", failed {step.count} times" if step.count > 1 else ""
            return f"restore {step.group.rsplit('/', 1)[-1]} to {_short(step.key_id)} ({step.reason.code}{nth})"
        case Retire():
            return f"retire {_short(step.key_id)} ({step.reason.code})"
        case Disable():
            return f"disable {step.version} ({step.reason.code})"
    raise TypeError(step)


def _short(key_id: str) -> str:
    return key_id.split("-", maxsplit=1)[0].rstrip("0")


def _waits(following: Next) -> list[str]:
    found = []
    for wait in following.waits:
        subject = wait.subject.rsplit("/", 1)[-1]
        late = ", late" if wait.warn else ""
        found.append(f"{_short(subject) if '-0000-' in subject else subject} ({wait.code}{late})")
    return found


def _notes(following: Next) -> list[str]:
    return [f"{note.code}, warned" if note.warn else note.code for note in following.notes]


World = tuple[Policy, Observed, Intent, Known]


def world(case: Mapping[str, Any]) -> World:
    """Return the policy, the observation, the intent and the knowledge of a case."""
    return (
        worlds.policy(case.get("policy")),
        worlds.observed(case),
        worlds.intent(case.get("intent")),
        worlds.known(case),
    )


def agree(case: Mapping[str, Any], policy: Policy, observed: Observed, intent: Intent, known: Known) -> None:
    """Compare rules and guard with the case."""
    following = next_steps(policy, observed, intent, known)
    assert [shown(step) for step in following.steps] == case.get("steps", [])
    if "look_again" in case:
        assert min(wait.look_again for wait in following.waits if wait.look_again) == case["look_again"]
    if "waits" in case:
        assert _waits(following) == case["waits"]
    if "since" in case:
        assert [wait.since for wait in following.waits if wait.code == "held"] == [
            worlds.instant(since) for since in case["since"]
        ]
    if "tries" in case:
        assert [version.id for version in worth_trying(View(policy, observed, intent, known))] == case["tries"]
    if "until" in case:
        assert [wait.until for wait in following.waits] == [worlds.instant(until) for until in case["until"]]
    if "notes" in case:
        assert _notes(following) == case["notes"]
    told = "\n".join([*(wait.text for wait in following.waits), *(note.text for note in following.notes)])
    assert [words for words in case.get("says", []) if words not in told] == []
    _ways_out(following)
    proven = worlds.proven(known)
    vetoes = [veto.code for step in following.steps if (veto := guard.check(step, policy, observed, intent, proven))]
    assert vetoes == case.get("guard", [])


WAYS = {
    **dict.fromkeys(ways_out.BY_DOCTOR, "`rotator doctor mycontainerregistry` names the cause"),
    **dict.fromkeys(ways_out.BY_RETRY, "`rotator rotate mycontainerregistry --retry` goes on"),
    WaitCode.REFUSED: "Deploy it by its own means",
    WaitCode.FORWARD_ONLY: "` gives it the current credential and restarts it",
    WaitCode.JOB_RUNNING: "ends it now, and then `rotator deploy",
}
"""Words of the way out at the end of a late wait; other late waits name their way in their own text."""


def _ways_out(following: Next) -> None:
    """Check that a wait ends with its way out if it is late, or if a job looks like a service, and not otherwise."""
    asked = {note.subject for note in following.notes if note.code is NoteCode.SERVICE_OR_JOB}
    for wait in following.waits:
        told = wait.warn or (wait.code is WaitCode.JOB_RUNNING and wait.subject in asked)
        last = wait.text.rpartition(". ")[2]
        assert not wait.warn or "`" in last or "by its own means" in last, wait.text
        if wait.code in WAYS:
            assert (WAYS[wait.code] in wait.text) is told, wait.text
        elif wait.code not in (WaitCode.HELD, WaitCode.NEXT_RUN):
            assert "gives it the current credential" not in wait.text
        if wait.code is WaitCode.STRIPPED:
            assert "--retry`" in wait.text


@pytest.mark.parametrize("case", list(cases()))
def test_case(case: Mapping[str, Any]) -> None:
    agree(case, *world(case))


@pytest.mark.share(2)
@pytest.mark.parametrize("case", list(cases()))
def test_a_plan_comes_to_rest_and_is_what_a_run_does(case: Mapping[str, Any]) -> None:
    policy, observed, intent, known = world(case)
    known = replace(known, refused=frozenset())
    unfolded = plan(policy, observed, intent, known)
    for batch in unfolded.batches:
        assert next_steps(policy, observed, intent, known).steps == batch
        for step in batch:
            observed = evolve(policy, observed, step)
    assert next_steps(policy, observed, intent, known).steps == ()
    taken = [(kind(step), target(step), getattr(step, "key_id", None)) for step in unfolded.steps]
    assert len(set(taken)) == len(taken)


def test_every_case_has_a_sentence_of_its_own() -> None:
    names = [param.id for param in cases()]
    assert len(names) == len(set(names)) >= 60
