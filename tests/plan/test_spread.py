"""Tests of spread renewals in a fleet: by lineage and end alone, never too late, and the same for every verb."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rotator.plan import next_due, next_steps, renewal, spread_over
from rotator.policy import Policy, longest_gap
from rotator.state import Observed, lineage
from rotator.steps import Issue
from tests import worlds
from tests.plan.test_plan import world
from tests.worlds import TODAY as NOW

END = NOW + timedelta(days=40)
LINEAGES = [lineage(f"tenant-{n}", "app", "vault", "secret") for n in range(400)]
WEEKLY = {"cron": "0 2 * * SAT", "duration": "4h"}
DAYS = timedelta(days=1)


def policy(**rotation: Any) -> Policy:
    """Return a policy with spread renewals."""
    return worlds.policy({"rotation": {"spread": True, **rotation}})


def current(end: datetime) -> tuple[Policy, Observed]:
    """Return a world with one credential, whose renewal is spread."""
    case = {
        "policy": {"groups": ["app"], "rotation": {"spread": True}},
        "credentials": [{"key": "a", "end": f"+{int((end - NOW).total_seconds())}s"}],
        "versions": [{"id": "v1", "holds": "a"}],
        "groups": [{"id": "app", "holds": "a"}],
    }
    made, observed, _, _ = world(case)
    return made, observed


@pytest.mark.parametrize(
    ("rotation", "room"),
    {
        "by default": ({}, 16 * DAYS),
        "with a weekly window": ({"deploy_window": WEEKLY}, 9 * DAYS),
        "with a warning in the last week": ({"warn_before": "2d"}, 23 * DAYS),
        "with a warning from the beginning": ({"warn_before": "30d"}, timedelta()),
        "of short credentials": ({"validity": "6h"}, timedelta()),
        "without a wish for it": ({"spread": False}, timedelta()),
        "with a monthly window": (
            {"deploy_window": {**WEEKLY, "cron": "0 2 1 * *"}, "renew_before": "40d"},
            timedelta(),
        ),
    }.values(),
)
def test_renewals_have_the_time_up_to_the_last_window_before_warning_and_last_week(
    rotation: Mapping[str, Any], room: timedelta
) -> None:
    asked = policy(**rotation)
    assert spread_over(asked) == room
    moments = [renewal(asked, each, END) for each in LINEAGES]
    first = END - asked.rotation.renew_before
    assert all(first <= each <= first + room for each in moments)
    assert len(set(moments)) == (len(LINEAGES) if room else 1)


def test_renewals_are_spread_evenly() -> None:
    by_day = [(renewal(policy(), each, END) - (END - 30 * DAYS)) // DAYS for each in LINEAGES]
    assert all(by_day.count(day) <= 2 * len(LINEAGES) / 16 for day in range(16))


def test_an_issue_is_due_at_its_moment_and_no_second_earlier() -> None:
    made, observed = current(END)
    due = next_due(made, observed, next_steps(made, observed))
    assert due
    moment = renewal(made, observed.lineage, END)
    assert due - timedelta(seconds=1) < moment <= due != END - 30 * DAYS
    for at, wanted in ((due - timedelta(seconds=1), False), (due, True)):
        _, there = current(END - (at - NOW))
        steps = next_steps(made, worlds_at(there, at, END)).steps
        assert any(isinstance(step, Issue) for step in steps) is wanted


def worlds_at(observed: Observed, at: datetime, end: datetime) -> Observed:
    """Return the world at another time, with the credential's end unchanged."""
    return replace(observed, at=at, credentials=tuple(replace(each, end=end) for each in observed.credentials))


@pytest.mark.parametrize(
    ("cron", "gap"),
    {
        "every minute": ("* * * * *", DAYS),
        "every night": ("0 2 * * *", DAYS),
        "on weekdays": ("0 2 * * 1-5", 3 * DAYS),
        "on Saturdays": ("0 2 * * SAT", 7 * DAYS),
        "twice a month": ("0 2 1,20 * *", 19 * DAYS),
        "every month": ("0 2 1 * *", 31 * DAYS),
        "on the 31st": ("0 2 31 * *", 61 * DAYS),
        "not in summer": ("0 2 * 1-5,9-12 *", 93 * DAYS),
    }.values(),
)
def test_the_longest_time_between_two_openings(cron: str, gap: timedelta) -> None:
    assert longest_gap(cron) == gap
