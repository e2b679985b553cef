"""Tests of the limit on unresolved adds: the adds counted, the end of the wait, and the moment of the alarm."""

from datetime import timedelta
from typing import Any

from rotator.plan import View
from rotator.plan.reclaim import unresolved
from rotator.steps import Intent, Wait
from tests import worlds

THREE = [{"key": f"e{nth}", "start": f"-{nth}h", "end": "+90d"} for nth in (1, 2, 3)]


def wait(credentials: list[dict[str, Any]], **case: Any) -> Wait | None:
    """Return the wait in a world with the given credentials beside the current one, `a`."""
    current = {"key": "a", "end": case.pop("end", "+60d")}
    versions = [{"id": "v1", "holds": "a"}]
    case = {"credentials": [current, *credentials], "versions": versions, **case}
    return unresolved(View(worlds.policy({}), worlds.observed(case), Intent(), worlds.known(case)))


def alone(credentials: list[dict[str, Any]]) -> Wait | None:
    """Return the wait in a world without a published value."""
    return unresolved(View(worlds.policy({}), worlds.observed({"credentials": credentials}), Intent()))


def test_two_are_no_reason_to_wait_and_three_are() -> None:
    assert wait(THREE[:2]) is None
    assert wait(THREE) is not None


def test_the_wait_lasts_until_the_oldest_is_reclaimed() -> None:
    found = wait(THREE)
    assert found and found.until == worlds.TODAY + timedelta(hours=21)


def test_what_is_due_to_be_reclaimed_now_has_no_instant_in_the_past() -> None:
    old = [{**one, "start": "-24h"} for one in THREE]
    found = wait(old)
    assert found and found.until is None and "now" in found.text


def test_a_credential_that_has_ended_does_not_count() -> None:
    assert wait([*THREE[:2], {"key": "e9", "start": "-90d", "end": "-1h"}]) is None


def test_it_is_an_alarm_from_the_warning_before_the_end_of_the_current_one() -> None:
    before, at = wait(THREE, end="+14.001d"), wait(THREE, end="+14d")
    assert before and not before.warn
    assert at and at.warn


def test_an_old_add_without_a_hint_counts_where_a_current_credential_lets_it_be_reclaimed() -> None:
    old = [{**one, "start": "-25h"} for one in THREE]
    assert wait(old) is not None
    assert alone(old) is None


def test_a_young_add_without_a_hint_counts_up_to_the_second_at_which_a_person_must_look() -> None:
    assert alone([{**one, "start": "-23h"} for one in THREE]) is not None
    assert alone([{**one, "start": "-24h"} for one in THREE]) is None


def test_one_without_a_trace_counts_too() -> None:
    assert wait(THREE[:2], lost=["rotator:lineage:x"]) is not None
