"""Tests of a fleet's calendar: the renewals and redeployments of each day, and their share of Azure's limit."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from rotator.plan import Redeployed, View, Workload, forecast
from rotator.report.workload import workload_body, workload_text
from tests.plan.test_plan import world
from tests.worlds import TODAY

SUB = "00000000-0000-0000-0000-000000000001"
AT_REST: dict[str, Any] = {
    "policy": {"groups": ["app", "web"]},
    "credentials": [{"key": "a", "end": "+80d"}],
    "versions": [{"id": "v1", "holds": "a"}],
    "groups": [{"id": "app", "holds": "a"}, {"id": "web", "holds": "a"}],
}
WINDOW: dict[str, Any] = {"deploy_window": {"cron": "0 2 * * SAT", "duration": "1h30m"}}


def view(case: Mapping[str, Any]) -> View:
    return View(*world(case))


def days(case: Mapping[str, Any], span: int) -> tuple[Workload, ...]:
    return forecast([view(case)], TODAY + timedelta(days=span))


def on(*after: int) -> list[date]:
    return [(TODAY + timedelta(days=each)).date() for each in after]


def test_each_renewal_follows_from_the_one_before() -> None:
    found = days(AT_REST, 365)
    assert [day.day for day in found] == on(50, 110, 170, 230, 290, 350)
    assert {(day.issues, day.redeployed) for day in found} == {(1, (Redeployed(SUB, 2, 7200),))}


def test_groups_move_in_their_window_and_the_limit_holds_for_its_length() -> None:
    first, second = days({**AT_REST, "policy": {**AT_REST["policy"], "rotation": WINDOW}}, 60)
    assert (first.day, first.issues, first.redeployed) == (*on(50), 1, ())
    assert (second.day, second.issues) == (date(2026, 4, 25), 0), "the Saturday after"
    assert second.redeployed == (Redeployed(SUB, 2, 600),), "an hour, and the windows of five minutes in half an hour"


@pytest.mark.parametrize(
    ("changed", "issued", "moves"),
    {
        "a first rotation is due now": ({"versions": [], "credentials": []}, on(0), 2),
        "what is due is due now": ({"credentials": [{"key": "a", "end": "+2d"}]}, on(0), 2),
        "a job takes its password by itself": (
            {
                "policy": {"groups": [{"id": "app", "manifest": True}]},
                "groups": [{"id": "app", "holds": "a", "restart": "Never"}],
            },
            on(50),
            0,
        ),
        "revoked access renews nothing": ({"access": "revoked"}, [], 0),
    }.values(),
)
def test_what_counts(changed: Mapping[str, Any], issued: list[date], moves: int) -> None:
    found = days({**AT_REST, **changed}, 55)
    assert [day.day for day in found if day.issues] == issued
    assert sum(each.count for day in found for each in day.redeployed) == moves


def test_a_rotation_under_way_still_has_its_redeployments() -> None:
    case = {
        **AT_REST,
        "credentials": [{"key": "a", "end": "+20d"}, {"key": "b", "start": "-1h", "end": "+89d"}],
        "versions": [{"id": "v1", "holds": "a"}, {"id": "v2", "holds": "b", "created": "-1h"}],
        "groups": [{"id": "app", "holds": "b", "since": "-30m"}, {"id": "web", "holds": "a"}],
    }
    (today,) = days(case, 30)
    assert (today.issues, today.redeployed) == (0, (Redeployed(SUB, 1, 7200),))


def test_the_busiest_days_come_first_and_those_above_the_limit_are_counted() -> None:
    calm, busy = (
        Workload(day, 1, (Redeployed(SUB, count, 600),)) for day, count in zip(on(1, 2), (3, 900), strict=True)
    )
    until = TODAY + timedelta(days=365)
    text = workload_text([calm, busy], 5, until)
    rows = [line.split() for line in text.splitlines() if line.startswith("2026")]
    assert rows == [[str(on(2)[0]), "1", "900", "150", "%", SUB], [str(on(1)[0]), "1", "3", "0", "%", SUB]]
    assert "1 of 2 days are above the limit" in text and "5 policies, 2 new credentials, 903 redeployments" in text
    assert "no day is above the limit" in workload_text([calm], 5, until)
    assert "15 busiest of 40 days" in workload_text([calm] * 40, 5, until)
    assert workload_body([calm], until)["days"] == [
        {
            "day": str(on(1)[0]),
            "new_credentials": 1,
            "redeployments": [{"subscription": SUB, "count": 3, "room": 600}],
        }
    ]
