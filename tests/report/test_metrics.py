"""Tests of a fleet's metrics as text: values, names, and the values kept from other runs."""

from dataclasses import replace
from datetime import timedelta

from rotator.codes import NoteCode
from rotator.events import Noted
from rotator.report.alerts import Ended
from rotator.report.metrics import HELP, parse, render, updated
from rotator.report.status import Row, Urgency
from tests.worlds import TODAY, key

ODD = 'a"b\\c\nd,{}=é'
SEEN = Row("web", Urgency.WAITING, key("cur"), at=TODAY, end=TODAY + timedelta(days=80), soonest=TODAY + timedelta(days=7), next_due=TODAY + timedelta(hours=3))  # fmt: skip
AGAIN = TODAY + timedelta(hours=6)


def ended(policy: str = "web", code: int = 0, seen: Row | None = SEEN) -> Ended:
    return Ended(policy, "app", timedelta(days=14), code, seen)


def test_a_run_is_seven_gauges_with_the_policys_name_alone() -> None:
    text = render(updated({}, [ended()], [], TODAY, untold=0))
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'rotator_state{policy="web"} 5',
        'rotator_credential_expiry_timestamp_seconds{policy="web"} 1779537600',
        'rotator_in_use_expiry_timestamp_seconds{policy="web"} 1773230400',
        'rotator_next_due_timestamp_seconds{policy="web"} 1772636400',
        'rotator_last_run_timestamp_seconds{policy="web"} 1772625600',
        'rotator_last_success_timestamp_seconds{policy="web"} 1772625600',
        'rotator_last_exit_code{policy="web"} 0',
        'rotator_compromised_credentials{policy="web"} 0',
        "rotator_notification_failures 0",
    ]
    assert text.count("# TYPE") == text.count("# HELP") == 9
    assert all(meaning.endswith(".") and "\n" not in meaning and "\\" not in meaning for meaning in HELP.values())


def test_what_was_written_is_read_back_whatever_the_names() -> None:
    values = updated({}, [ended(name) for name in (ODD, "web", "")], [], TODAY, untold=2, known={ODD, "web", ""})
    assert parse(render(values)) == {metric: samples for metric, samples in values.items() if samples}
    damaged = (
        'x 1\nrotator_state{policy="web"} \nrotator_state{policy="web"} x\nrotator_state 1\nrotator_state{policy="w'
    )
    assert parse(damaged) == {}


def test_a_run_over_one_policy_keeps_the_others_and_a_run_over_all_ends_what_is_gone() -> None:
    first = updated({}, [ended("web"), ended("api")], [], TODAY, untold=0, known={"web", "api"})
    one = updated(first, [ended("web", 1)], [], AGAIN, untold=0)
    assert one["rotator_last_run_timestamp_seconds"] == {"web": AGAIN.timestamp(), "api": TODAY.timestamp()}
    assert one["rotator_last_success_timestamp_seconds"]["web"] == TODAY.timestamp()
    assert one["rotator_last_full_run_timestamp_seconds"] == {"": TODAY.timestamp()}
    whole = updated(one, [ended("web")], [], AGAIN, untold=0, known={"web"})
    assert {name for samples in whole.values() for name in samples} == {"web", ""}
    assert whole["rotator_last_full_run_timestamp_seconds"] == {"": AGAIN.timestamp()}


def test_what_can_not_be_seen_keeps_its_ends_and_what_is_left_to_another_run_keeps_all() -> None:
    first = updated({}, [ended()], [], TODAY, untold=0)
    unseen = updated(first, [ended(code=1, seen=None)], [], AGAIN, untold=0)
    assert unseen["rotator_state"]["web"] == Urgency.UNREADABLE
    assert unseen["rotator_in_use_expiry_timestamp_seconds"] == first["rotator_in_use_expiry_timestamp_seconds"]
    left = updated(first, [ended(code=4)], [], AGAIN, untold=0)
    assert left == first
    assert updated({}, [ended(code=4)], [], AGAIN, untold=0)["rotator_last_exit_code"] == {"web": 4}


def test_what_a_try_of_the_run_found_open_is_compromised_whatever_the_last_look_showed() -> None:
    still = Noted(policy="web", code=NoteCode.STILL_OPEN, subject="k1", text="COMPROMISED", warn=True)
    for seen in (SEEN, None):
        found = updated({}, [replace(ended(code=1, seen=seen), events=(still,))], [], TODAY, untold=0)
        assert (found["rotator_state"], found["rotator_compromised_credentials"]) == ({"web": 0}, {"web": 1})


def test_an_instant_that_is_no_more_ends_its_series() -> None:
    first = updated({}, [ended()], [], TODAY, untold=0)
    bare = replace(SEEN, end=None, soonest=None, next_due=None, standing=Urgency.DUE)
    assert updated(first, [ended(seen=bare)], [], AGAIN, untold=0)["rotator_credential_expiry_timestamp_seconds"] == {}


def test_a_policy_with_mistakes_is_unreadable_with_2_and_its_last_run_grows_old() -> None:
    first = updated({}, [ended()], [], TODAY, untold=0, known={"web"})
    broken = updated(first, [], ["web"], AGAIN, untold=0, known={"web"})
    assert (broken["rotator_state"]["web"], broken["rotator_last_exit_code"]["web"]) == (1, 2)
    assert broken["rotator_last_run_timestamp_seconds"]["web"] == TODAY.timestamp()
