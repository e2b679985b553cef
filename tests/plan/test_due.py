"""Tests of `next due`: the earliest moment at which a run would act, if only time changes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rotator.codes import WaitCode
from rotator.plan import evolve, later, next_due, next_steps, plan
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import Intent, Known, Next, Note, Wait, kind, target
from tests import worlds
from tests.cells import cell
from tests.plan.test_plan import cases, world

HORIZON = timedelta(days=400)
"""Time beyond every end in the cases."""
WEEK, SPREAD = timedelta(days=7), 6
"""A week, and the number of moments over a whole wait."""


def calls(following: Next) -> set[tuple[str, str]]:
    """Return the notes and waits that need a person."""
    findings: tuple[Wait | Note, ...] = (*following.waits, *following.notes)
    return {(each.code, each.subject) for each in findings if each.warn}


def awaited(following: Next) -> list[float]:
    """Return the seconds until a run looks again at the reason of a wait."""
    return [wait.look_again for wait in following.waits if wait.look_again and wait.code is not WaitCode.SETTLING]


def moments(at: datetime, until: datetime) -> Iterator[datetime]:
    """Yield moments between two instants, more of them near both, and none within a second of the later one."""
    whole = (until - at).total_seconds() - 1
    near = [span.total_seconds() for span in (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), WEEK)]
    between = (whole * (n * 0.618034 % 1) for n in range(1, SPREAD))
    tried = [whole, *near, *(whole - each for each in near), *between]
    return (at + timedelta(seconds=each) for each in tried if 0 <= each <= whole)


def resting(case: Mapping[str, Any]) -> tuple[Policy, Observed, Known]:
    """Return the world of a case after a run without options in which every step succeeds."""
    policy, observed, _, known = world(case)
    known = replace(known, refused=frozenset(), absent_since=None, unnamed_since=(), lost=())
    for step in plan(policy, observed, None, known).steps:
        observed = evolve(policy, observed, step)
    return policy, observed, known


@pytest.mark.parametrize("case", [cell(*each.values, name=str(each.id), soak=False, share=4) for each in cases()])
def test_a_run_at_next_due_does_something_and_no_earlier_run_does(case: Mapping[str, Any]) -> None:
    policy, observed, known = resting(case)
    now, due = next_steps(policy, observed, None, known), next_due(policy, observed, Next(), known)
    begun = world(case)[1]
    assert next_due(policy, begun, plan(policy, begun, None, known), known) == due
    assert now.steps == () and not (due and due.microsecond)
    again = min((observed.at + timedelta(seconds=each) for each in awaited(now)), default=None)
    if due and due != again:
        then = next_steps(policy, later(observed, due), None, known)
        assert then.steps or calls(then) - calls(now), f"nothing to do at {due}"
    for at in moments(observed.at, due or observed.at + HORIZON):
        then = next_steps(policy, later(observed, at), None, known)
        assert not then.steps, f"{then.steps} at {at} before {due}"
        assert calls(then) <= calls(now), f"{calls(then) - calls(now)} at {at} before {due}"


def due(case: Mapping[str, Any], known: Known | None = None) -> str | None:
    """Return the next due moment, as a span from the case's today."""
    policy, observed, _, seen = world(case)
    found = next_due(policy, observed, next_steps(policy, observed, Intent(), seen), known or seen)
    return f"+{(found - worlds.TODAY).total_seconds() / 60:.0f}m" if found else None


TWO = {
    "policy": {"groups": ["app", "second"]},
    "credentials": [{"key": "a", "end": "+60d"}, {"key": "b", "start": "-10m", "end": "+90d"}],
    "versions": [{"id": "v1", "holds": "a"}, {"id": "v2", "holds": "b", "created": "-10m"}],
}


@pytest.mark.parametrize(
    ("first", "when"),
    [
        ({"since": "-1m", "state": "starting"}, "+0m"),
        ({"since": "-9m", "state": "crashing"}, f"+{24 * 60 - 9}m"),
    ],
    ids=["a canary that starts is looked at again", "after a canary that crashes the others follow after a day"],
)
def test_the_wait_for_a_canary_counts(first: Mapping[str, Any], when: str) -> None:
    groups = [{"id": "app", "holds": "b", **first}, {"id": "second", "holds": "a"}]
    assert due({"when": when, **TWO, "groups": groups}) == when


def test_after_a_failed_pull_the_next_window_counts_and_not_the_end_of_the_pause() -> None:
    window = {"cron": "0 2 * * SAT", "timezone": "UTC", "duration": "4h"}
    groups = [{"id": "app", "holds": "a", "failed": {"key": "b", "at": "-1h"}}]
    assert due({"when": "", **TWO, "policy": {"groups": ["app"]}, "groups": groups}) == f"+{4 * 60}m"
    policy = {"groups": ["app"], "rotation": {"deploy_window": window}}
    assert due({"when": "", **TWO, "policy": policy, "groups": groups}) == f"+{(2 * 24 + 14) * 60}m"


def test_a_job_that_may_hold_a_foreign_credential_calls_for_a_person_before_that_ends() -> None:
    case = {
        "policy": {"groups": [{"id": "job", "when_finished": "wait"}]},
        "credentials": [{"key": "f", "of": "rbac", "end": "+40d"}, {"key": "b", "start": "-1d", "end": "+89d"}],
        "versions": [{"id": "v2", "holds": "b", "created": "-1d"}],
        "groups": [{"id": "job", "restart": "Never", "state": "finished"}],
    }
    assert due(case) == f"+{26 * 24 * 60}m"


def test_what_was_refused_is_due_now() -> None:
    groups = [{"id": "app", "holds": "a"}, {"id": "second", "holds": "b", "since": "-9m"}]
    case = {"when": "", **TWO, "groups": groups}
    policy, observed, _, known = world(case)
    (step,) = next_steps(policy, observed, None, known).steps
    refused = replace(known, refused=frozenset({(kind(step), target(step))}))
    assert due(case, refused) == "+0m"
