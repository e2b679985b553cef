"""Tests of a group's phase and health, judged from a history of events and from possibly old states."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rotator import container_group
from rotator.container_group import Phase, Verdict
from rotator.container_group.evidence import up
from rotator.container_group.instance import view
from tests.container_group.documents import document, seen_group

PHASES = {
    "plain": Phase.RUNNING,
    "everything": Phase.RUNNING,
    "transient-pull": Phase.RUNNING,
    "restarted-from-cache": Phase.RUNNING,
    "job-running": Phase.RUNNING,
    "odd-letters": Phase.RUNNING,
    "just-created": Phase.STARTING,
    "updating": Phase.STARTING,
    "moved-by-platform": Phase.STARTING,
    "pull-failing": Phase.PULLING,
    "job-pull-failing": Phase.PULLING,
    "crash-loop": Phase.CRASHING,
    "job-retrying": Phase.CRASHING,
    "mount-failing": Phase.CRASHING,
    "init-crashing": Phase.CRASHING,
    "job-finished": Phase.FINISHED,
    "job-failed": Phase.FINISHED,
    "stopped": Phase.STOPPED,
    "list-item": Phase.UNKNOWN,
}
DAY = datetime(2026, 3, 3, tzinfo=UTC)
AT_TWO, AT_ONE = DAY + timedelta(hours=2), DAY + timedelta(hours=1)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize("name", PHASES)
def test_what_a_group_does(name: str) -> None:
    assert container_group.phase(seen_group(name)) is PHASES[name]


def test_absent_is_not_unreadable() -> None:
    assert container_group.phase(seen_group("plain", {}, unreadable=None)) is Phase.UNKNOWN
    gone = seen_group("plain")
    assert container_group.phase(type(gone)(gone.id, gone.at)) is Phase.ABSENT
    assert container_group.phase(type(gone)(gone.id, gone.at, unreadable="403")) is Phase.UNREADABLE


def test_one_running_container_makes_a_job_run_whatever_the_others_wait_for() -> None:
    shown = document("job-pull-failing")
    shown["properties"]["containers"].append(document("job-running")["properties"]["containers"][0])
    assert container_group.phase(seen_group("job", shown)) is Phase.RUNNING


@pytest.mark.parametrize("state", ["Pending", "Creating", "Updating", "Repairing", "Deleting", "Accepted"])
def test_a_service_in_transition_starts_and_settles_whatever_its_old_states_say(state: str) -> None:
    shown = document("plain")
    shown["properties"]["provisioningState"] = state
    assert container_group.phase(seen_group("x", shown)) is Phase.STARTING
    assert container_group.verdict(shown, datetime(2026, 3, 1, 4, tzinfo=UTC)) is Verdict.SETTLING


def test_the_words_for_phases_and_verdicts_are_stable() -> None:
    assert " ".join(Phase) == "running starting pulling crashing finished stopped absent unreadable unknown"
    assert " ".join(Verdict) == "healthy settling pull_failed worse unknown"


def test_a_service_of_which_a_part_has_not_started_starts() -> None:
    shown = document("plain")
    shown["properties"]["containers"].append(document("just-created")["properties"]["containers"][0])
    assert container_group.phase(seen_group("x", shown)) is Phase.STARTING


def test_a_job_that_somebody_stopped_is_stopped() -> None:
    shown = document("stopped")
    shown["properties"]["restartPolicy"] = "OnFailure"
    assert container_group.phase(seen_group("x", shown)) is Phase.STOPPED


def test_a_job_that_ended_but_not_by_its_group_s_word_is_finished_only_if_it_stays_so() -> None:
    shown = document("job-failed")
    shown["properties"]["instanceView"]["state"] = "Running"
    assert container_group.phase(seen_group("job", shown)) is Phase.FINISHED
    shown["properties"]["restartPolicy"] = "OnFailure"
    assert container_group.phase(seen_group("job", shown)) is Phase.CRASHING


@pytest.mark.parametrize(
    ("name", "since", "expected"),
    [
        ("transient-pull", AT_TWO, Verdict.HEALTHY),
        ("transient-pull", AT_TWO + 70 * SECOND, Verdict.HEALTHY),
        ("transient-pull", AT_TWO + 71 * SECOND, Verdict.SETTLING),
        ("restarted-from-cache", AT_TWO + 20 * SECOND, Verdict.HEALTHY),
        ("restarted-from-cache", AT_TWO + MINUTE, Verdict.SETTLING),
        ("updating", AT_TWO, Verdict.SETTLING),
        ("updating", DAY - timedelta(days=30), Verdict.SETTLING),
        ("just-created", AT_TWO, Verdict.SETTLING),
        ("list-item", AT_TWO, Verdict.UNKNOWN),
        ("pull-failing", AT_TWO, Verdict.PULL_FAILED),
        ("pull-failing", AT_TWO + 8 * MINUTE, Verdict.SETTLING),
        ("pull-failing", AT_TWO + 10 * MINUTE, Verdict.SETTLING),
        ("job-pull-failing", AT_ONE, Verdict.PULL_FAILED),
        ("job-finished", AT_ONE, Verdict.HEALTHY),
        ("job-finished", AT_TWO, Verdict.SETTLING),
        ("job-failed", AT_ONE, Verdict.WORSE),
        ("job-failed", AT_TWO, Verdict.SETTLING),
        ("crash-loop", AT_TWO, Verdict.WORSE),
        ("crash-loop", AT_TWO + 5 * MINUTE, Verdict.HEALTHY),
        ("crash-loop", AT_TWO + 11 * MINUTE, Verdict.SETTLING),
        ("mount-failing", AT_TWO, Verdict.WORSE),
        ("mount-failing", AT_TWO + 30 * MINUTE, Verdict.SETTLING),
        ("init-crashing", AT_TWO, Verdict.WORSE),
        ("moved-by-platform", AT_TWO, Verdict.HEALTHY),
        ("stopped", datetime(2026, 3, 1, 4, tzinfo=UTC), Verdict.HEALTHY),
    ],
)
def test_only_newer_evidence_counts(name: str, since: datetime, expected: Verdict) -> None:
    assert container_group.verdict(document(name), since) is expected


def test_without_a_time_or_a_document_nothing_is_known() -> None:
    assert container_group.verdict(document("plain"), None) is Verdict.UNKNOWN
    assert container_group.verdict(None, AT_TWO) is Verdict.UNKNOWN
    assert container_group.verdict(document("unlike-a-group"), AT_TWO) is Verdict.UNKNOWN


def test_a_fraction_of_a_second_before_the_put_is_not_older_than_it() -> None:
    shown = document("plain")
    shown["properties"]["containers"][0]["properties"]["instanceView"]["currentState"]["startTime"] = (
        "2026-03-01T04:00:12Z"
    )
    assert container_group.verdict(shown, datetime(2026, 3, 1, 4, 0, 12, 999999, tzinfo=UTC)) is Verdict.HEALTHY


def failing(first: datetime, last: datetime, provisioning: str = "Creating") -> dict[str, Any]:
    shown = document("pull-failing")
    shown["properties"]["provisioningState"] = provisioning
    event = shown["properties"]["containers"][0]["properties"]["instanceView"]["events"][-1]
    event |= {"firstTimestamp": first.isoformat(), "lastTimestamp": last.isoformat()}
    return shown


def test_pulls_that_just_began_to_fail_may_still_succeed() -> None:
    assert container_group.verdict(failing(AT_TWO, AT_TWO + 4 * MINUTE), AT_TWO) is Verdict.SETTLING
    assert container_group.verdict(failing(AT_TWO, AT_TWO + 5 * MINUTE), AT_TWO) is Verdict.PULL_FAILED


def test_failures_from_before_do_not_make_the_new_ones_older() -> None:
    assert container_group.verdict(failing(AT_ONE, AT_TWO + MINUTE), AT_TWO) is Verdict.SETTLING


def test_a_pull_that_failed_once_long_ago_and_was_never_followed_by_anything_has_failed() -> None:
    once = failing(AT_TWO, AT_TWO)
    assert container_group.verdict(once, AT_TWO, at=AT_TWO + MINUTE) is Verdict.SETTLING
    assert container_group.verdict(once, AT_TWO, at=AT_TWO + 6 * MINUTE) is Verdict.PULL_FAILED


def test_a_pull_that_failed_when_azure_gave_up_has_failed_at_once() -> None:
    assert container_group.verdict(failing(AT_TWO, AT_TWO + MINUTE, "Failed"), AT_TWO) is Verdict.PULL_FAILED


def test_a_failed_pull_of_the_group_s_own_events_counts_for_the_container_with_that_image() -> None:
    shown = document("just-created")
    shown["properties"]["provisioningState"] = "Failed"
    event = {
        "name": "Failed",
        "message": 'Failed to pull image "mycontainerregistry.azurecr.io/aci-helloworld:v1": no',
        "count": 1,
    }
    shown["properties"]["instanceView"]["events"] = [
        {**event, "firstTimestamp": "2026-03-03T02:00:00Z", "lastTimestamp": "2026-03-03T02:00:00Z"}
    ]
    assert container_group.verdict(shown, AT_TWO) is Verdict.PULL_FAILED
    assert container_group.phase(seen_group("x", shown)) is Phase.PULLING


def test_a_failed_pull_of_the_group_s_own_events_does_not_count_for_another_image() -> None:
    shown = document("plain")
    other = document("just-created")["properties"]["containers"][0]
    other["properties"]["image"] = "other.azurecr.io/x:1"
    shown["properties"]["containers"].append({**other, "name": "other"})
    at = "2026-03-03T02:00:00Z"
    message = 'Failed to pull image "other.azurecr.io/x:1": no'
    shown["properties"]["instanceView"]["events"] = [
        {"name": "Failed", "message": message, "firstTimestamp": at, "lastTimestamp": at}
    ]
    shown["properties"]["provisioningState"] = "Failed"
    shown["properties"]["containers"][0]["properties"]["instanceView"]["currentState"]["state"] = "Waiting"
    assert container_group.verdict(shown, AT_TWO) is Verdict.PULL_FAILED
    shown["properties"]["containers"][1]["properties"]["instanceView"] = {
        "currentState": {"state": "Running", "startTime": at},
        "events": [],
    }
    assert container_group.verdict(shown, AT_TWO - MINUTE) is Verdict.WORSE


def test_an_image_that_came_after_all_is_no_failed_pull_although_nothing_runs_yet() -> None:
    shown = document("transient-pull")
    shown["properties"]["provisioningState"] = "Creating"
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view["currentState"] = {"state": "Waiting", "detailStatus": ""}
    view["events"] = [event for event in view["events"] if event["name"] != "Started"]
    assert container_group.verdict(shown, AT_TWO, at=AT_TWO + 20 * MINUTE) is Verdict.SETTLING
    assert container_group.phase(seen_group("x", shown)) is Phase.STARTING


def test_an_older_wording_of_a_back_off_is_one_too() -> None:
    shown = document("crash-loop")
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view["currentState"]["detailStatus"] = "Back-off restarting failed container"
    assert container_group.phase(seen_group("x", shown)) is Phase.CRASHING


def test_a_group_that_azure_calls_failed_and_that_runs_is_healthy() -> None:
    shown = document("plain")
    shown["properties"]["provisioningState"] = "Failed"
    assert container_group.verdict(shown, datetime(2026, 3, 1, 4, tzinfo=UTC)) is Verdict.HEALTHY


def test_one_container_of_two_that_has_not_started_keeps_the_group_settling() -> None:
    shown = document("plain")
    second = document("updating")["properties"]["containers"][0]
    shown["properties"]["containers"].append({**second, "name": "second"})
    assert container_group.verdict(shown, datetime(2026, 3, 1, 4, tzinfo=UTC)) is Verdict.SETTLING


def test_what_crashed_before_is_no_worse_for_crashing_now() -> None:
    before = document("crash-loop")
    assert container_group.verdict(document("crash-loop"), AT_TWO, before=before) is Verdict.HEALTHY
    assert container_group.verdict(document("crash-loop"), AT_TWO, before=document("plain")) is Verdict.WORSE
    assert container_group.verdict(document("job-failed"), AT_ONE, before=document("job-failed")) is Verdict.HEALTHY


def test_an_event_that_began_before_and_goes_on_shows_that_it_crashed_before() -> None:
    shown = document("crash-loop")
    events = shown["properties"]["containers"][0]["properties"]["instanceView"]["events"]
    events[-1]["firstTimestamp"] = "2026-03-01T00:00:00Z"
    assert container_group.verdict(shown, AT_TWO) is Verdict.HEALTHY


def test_a_pull_that_failed_before_and_after_is_no_crash_from_before() -> None:
    shown = document("crash-loop")
    events = shown["properties"]["containers"][0]["properties"]["instanceView"]["events"]
    events[-1] |= {
        "message": "Back-off pulling image",
        "firstTimestamp": "2026-03-01T00:00:00Z",
        "lastTimestamp": "2026-03-03T02:10:00Z",
    }
    assert container_group.verdict(shown, AT_TWO) is Verdict.WORSE


def test_a_container_that_the_update_ended_with_an_error_did_not_crash() -> None:
    shown = document("restarted-from-cache")
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view["previousState"]["exitCode"] = 143
    assert container_group.verdict(shown, AT_TWO) is Verdict.HEALTHY


def test_a_service_that_ends_well_and_is_started_again_does_not_crash() -> None:
    shown = document("crash-loop")
    shown["properties"]["containers"][0]["properties"]["instanceView"]["previousState"]["exitCode"] = 0
    assert container_group.verdict(shown, AT_TWO) is Verdict.HEALTHY
    assert container_group.phase(seen_group("x", shown)) is Phase.RUNNING


def test_a_container_that_crashed_and_runs_again_must_run_for_a_while() -> None:
    shown = document("crash-loop")
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view["currentState"] = {"state": "Running", "startTime": "2026-03-03T02:10:30Z", "detailStatus": ""}
    restarted = AT_TWO + 10 * MINUTE + 30 * SECOND
    assert container_group.verdict(shown, AT_TWO, at=restarted + MINUTE) is Verdict.SETTLING
    assert container_group.verdict(shown, AT_TWO) is Verdict.SETTLING
    assert container_group.verdict(shown, AT_TWO, at=restarted + 2 * MINUTE) is Verdict.HEALTHY
    assert container_group.verdict(shown, AT_TWO, before=document("crash-loop")) is Verdict.HEALTHY


def test_a_group_that_runs_and_later_can_not_pull_has_failed_only_with_the_newer_evidence() -> None:
    shown = document("pull-failing")
    shown["properties"]["provisioningState"] = "Succeeded"
    assert container_group.verdict(shown, datetime(2026, 2, 20, 2, tzinfo=UTC)) is Verdict.PULL_FAILED
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view["currentState"] = {"state": "Running", "startTime": "2026-02-20T02:00:08Z"}
    assert container_group.verdict(shown, datetime(2026, 2, 20, 2, tzinfo=UTC)) is Verdict.HEALTHY


def test_garbage_in_a_view_is_no_evidence() -> None:
    shown = document("plain")
    view = shown["properties"]["containers"][0]["properties"]["instanceView"]
    view |= {
        "events": [None, 7, {"name": "Started"}, {"name": "Started", "lastTimestamp": "soon"}],
        "currentState": {"state": 5, "startTime": 9},
    }
    assert container_group.verdict(shown, AT_TWO) is Verdict.SETTLING


@pytest.mark.parametrize(
    ("name", "code"),
    [("job-finished", 0), ("job-failed", 2), ("job-running", None), ("job-retrying", None), ("list-item", None)],
)
def test_what_a_job_ended_with(name: str, code: int | None) -> None:
    assert container_group.exit_code(document(name)) == code


def test_the_digest_that_was_pulled_last() -> None:
    shown = document("plain")
    events = shown["properties"]["containers"][0]["properties"]["instanceView"]["events"]
    older = {
        **events[1],
        "message": events[1]["message"].replace("ab" * 32, "00" * 32),
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    events.append(older)
    image = shown["properties"]["containers"][0]["properties"]["image"]
    running = "sha256:" + "ab" * 32
    assert container_group.pulled(shown) == ((image, running),)
    assert container_group.pulled(document("list-item")) == ()
    assert container_group.moved_tags(shown, {image: running}) == container_group.moved_tags(shown, {}) == ()
    assert container_group.moved_tags(shown, {image: "sha256:" + "cd" * 32}) == (
        (image, running, "sha256:" + "cd" * 32),
    )


def test_a_planned_move_shows_a_group_that_runs_with_its_new_credential() -> None:
    for name in ("plain", "job-finished", "crash-loop", "odd-letters", "list-item"):
        seen = seen_group(name)
        after = container_group.moved(seen, "D" * 8 + "-0000-4000-8000-000000000000", seen.at)
        assert container_group.phase(after) is Phase.RUNNING
        assert container_group.verdict(after.document, seen.at) is Verdict.HEALTHY
        assert container_group.shows(after.document).key_id == "d" * 8 + "-0000-4000-8000-000000000000"
        assert seen.document == document(name)


@pytest.mark.parametrize(
    ("name", "for_", "expected"),
    [
        ("plain", 30 * SECOND, 30 * SECOND),
        ("crash-loop", MINUTE, timedelta()),
        ("stopped", MINUTE, timedelta()),
        ("list-item", MINUTE, timedelta()),
    ],
)
def test_how_long_a_group_has_run_is_counted_from_its_youngest_container_by_azures_time(
    name: str, for_: timedelta, expected: timedelta
) -> None:
    shown = view(document(name))
    started = max((one.started for one in shown.mains if one.started), default=AT_TWO) if shown else AT_TWO
    assert up(document(name), started + for_) == expected
