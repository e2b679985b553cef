"""Tests of the order of redeployments that Azure's limits delay."""

from collections.abc import Mapping
from typing import Any

from rotator.plan import View, next_steps, urgency
from rotator.steps import Deploy, Restore
from tests.plan.test_plan import world

TWO = [{"key": "a", "end": "+20d"}, {"key": "b", "start": "-20m", "end": "+89d"}]
VERSIONS = [{"id": "v1", "holds": "a"}, {"id": "v2", "holds": "b", "created": "-20m"}]


def asked(**case: Any) -> float:
    """Return the urgency of the only step of a case."""
    content: Mapping[str, Any] = {"policy": {"groups": ["app"]}, "credentials": TWO, "versions": VERSIONS, **case}
    policy, observed, intent, known = world(content)
    (step,) = next_steps(policy, observed, intent, known).steps
    assert isinstance(step, Deploy | Restore)
    return urgency(View(policy, observed, intent, known), step)


def test_the_end_of_what_a_group_holds_is_its_urgency() -> None:
    sooner = asked(groups=[{"id": "app", "holds": "a"}])
    later = asked(credentials=[{"key": "a", "end": "+21d"}, TWO[1]], groups=[{"id": "app", "holds": "a"}])
    assert 0 < sooner == later - 86400


def test_what_another_group_holds_changes_nothing() -> None:
    groups = [{"id": "app", "holds": "b", "since": "-10m"}, {"id": "web", "holds": "a"}]
    alone = asked(groups=[{"id": "app", "holds": "a"}])
    assert asked(policy={"groups": ["app", "web"]}, groups=groups) == alone


def test_a_group_that_may_hold_a_compromised_credential_comes_first() -> None:
    three = [*TWO, {"key": "c", "end": "+30d"}]
    versions = [{**VERSIONS[0], "compromised": ["a"]}, {"id": "v0", "holds": "c", "created": "-40d"}, VERSIONS[1]]
    assert asked(credentials=three, versions=versions, groups=[{"id": "app"}]) == 0


def test_compromised_and_gone_credentials_come_first() -> None:
    assert asked(credentials=TWO[1:], groups=[{"id": "app", "holds": "a"}]) == 0
    exposed = [{**VERSIONS[0], "compromised": ["a"]}, VERSIONS[1]]
    assert asked(versions=exposed, groups=[{"id": "app", "holds": "a"}]) == 0


def test_a_way_back_comes_first() -> None:
    failed = {"id": "app", "holds": "b", "previous": "a", "since": "-15m", "state": "pull_failed"}
    assert asked(groups=[failed]) == 0
