"""Tests of the phase and the health of groups whose containers are in different states."""

import pytest

from rotator.container_group import Phase, Verdict, phase, verdict
from rotator.container_group.evidence import begun, up
from rotator.container_group.instance import view
from rotator.policy import Runs
from tests.container_group.documents import seen_group
from tests.container_group.shown import (
    BACKING_OFF,
    NO_IMAGE,
    Shown,
    at,
    container,
    ended,
    event,
    group,
    killed,
    pull_failed,
    pulled,
    running,
    waiting,
)

UP, DONE, STUCK = container(running(10)), container(ended(0)), container(waiting(NO_IMAGE))
FAILED, IDLE, LOOPING = container(ended(3)), container(waiting()), container(waiting(BACKING_OFF), killed(1, 5))

PHASES: dict[str, tuple[Shown, Phase]] = {
    "a service of which one container lacks its image": (group(UP, STUCK), Phase.PULLING),
    "a service of which one container crashed": (group(UP, FAILED), Phase.CRASHING),
    "a service that ended well is to be started again": (group(DONE), Phase.RUNNING),
    "a service without containers": (group(ready="Creating"), Phase.STARTING),
    "a service without containers, when all is over": (group(), Phase.STARTING),
    "a job of which one container lacks its image": (group(STUCK, DONE, runs="Never"), Phase.PULLING),
    "a job of which one container has ended": (group(DONE, IDLE, runs="Never"), Phase.STARTING),
    "a job without containers": (group(runs="Never"), Phase.STARTING),
    "a job that is not to be started again ends with an error": (group(FAILED, DONE, runs="Never"), Phase.FINISHED),
    "a job that is to be started again after an error": (group(FAILED, DONE, runs="OnFailure"), Phase.CRASHING),
    "a job that ended well": (group(DONE, DONE, runs="OnFailure"), Phase.FINISHED),
    "a job that its group calls ended": (group(FAILED, runs="OnFailure", state="Failed"), Phase.FINISHED),
    "a job between two starts": (group(LOOPING, runs="OnFailure"), Phase.CRASHING),
    "a part that waits while provisioning is over": (group(UP, IDLE), Phase.STARTING),
    "a part that waits after provisioning failed": (group(UP, IDLE, ready="Failed"), Phase.CRASHING),
    "an init container between two starts": (
        group(UP, container(waiting(BACKING_OFF), killed(1, 5), init=True)),
        Phase.CRASHING,
    ),
}
SERVICES: dict[str, tuple[Shown, Phase]] = {
    "a service with the restart policy of a job, and an end": (group(DONE, runs="OnFailure"), Phase.FINISHED),
    "a service with the restart policy of a job that goes on": (group(UP, runs="OnFailure"), Phase.RUNNING),
    "a service that is started again": (group(DONE, state="Succeeded"), Phase.RUNNING),
}


@pytest.mark.parametrize("name", PHASES)
def test_the_phase_follows_from_all_containers(name: str) -> None:
    shown, expected = PHASES[name]
    assert phase(seen_group("x", shown)) is expected


@pytest.mark.parametrize("name", SERVICES)
def test_a_policy_can_call_a_group_a_service(name: str) -> None:
    shown, expected = SERVICES[name]
    assert phase(seen_group("x", shown), Runs.SERVICE) is expected


SINCE = 10
AT: float | None = 30
VERDICTS: dict[str, tuple[Shown, float | None, Verdict]] = {
    "it started after the PUT": (group(container(running(11))), AT, Verdict.HEALTHY),
    "one of two has not started again": (group(container(running(11)), container(running(9))), AT, Verdict.SETTLING),
    "failed pulls count from the PUT on": (
        group(container(waiting(NO_IMAGE), pull_failed(1, 11)), ready="Creating"),
        12,
        Verdict.SETTLING,
    ),
    "they are told by the first and the last of all": (
        group(container(waiting(NO_IMAGE), pull_failed(11, 12), pull_failed(14, 16)), ready="Creating"),
        None,
        Verdict.PULL_FAILED,
    ),
    "those from before the PUT don't count": (
        group(container(waiting(NO_IMAGE), pull_failed(2, 9), pull_failed(13, 15)), ready="Creating"),
        15,
        Verdict.SETTLING,
    ),
    "the instant of the answer counts, too": (
        group(container(waiting(NO_IMAGE), pull_failed(11)), ready="Creating"),
        16,
        Verdict.PULL_FAILED,
    ),
    "a pull that was over before a failed one": (
        group(container(waiting(), pulled(11), pull_failed(12)), ready="Failed"),
        AT,
        Verdict.PULL_FAILED,
    ),
    "a pull within the second of a failed one": (
        group(container(running(12), pulled(12), pull_failed(12))),
        AT,
        Verdict.HEALTHY,
    ),
    "it crashed after the PUT": (
        group(container(waiting(BACKING_OFF), pulled(11), before=ended(1, 12, 13))),
        AT,
        Verdict.WORSE,
    ),
    "it crashed before the PUT": (
        group(container(waiting(BACKING_OFF), pulled(11), before=ended(1, 8, 9))),
        AT,
        Verdict.SETTLING,
    ),
    "it goes on crashing as before the PUT": (
        group(container(waiting(BACKING_OFF), pulled(11), killed(1, 5, 13), before=ended(1, 12, 13))),
        AT,
        Verdict.HEALTHY,
    ),
    "provisioning failed long ago, and nothing happened since": (
        group(container(running(5)), ready="Failed"),
        AT,
        Verdict.SETTLING,
    ),
    "provisioning failed after the PUT": (
        group(container(ended(0, 5, 12)), ready="Failed"),
        AT,
        Verdict.WORSE,
    ),
    "nothing is shown after a failed provisioning": (group(container(), ready="Failed"), AT, Verdict.SETTLING),
    "up again, for a minute": (group(container(running(29), before=ended(1, 20, 28))), AT, Verdict.SETTLING),
    "up again, for two minutes": (group(container(running(28), before=ended(1, 20, 27))), AT, Verdict.HEALTHY),
    "up again, by the newest event": (
        group(container(running(20), event("Started", "Started container", 23), before=ended(1, 12, 19))),
        None,
        Verdict.SETTLING,
    ),
    "up again, by the newest of all that is shown": (
        group(container(running(20), event("Other", "", 23), before=ended(1, 12, 19))),
        None,
        Verdict.HEALTHY,
    ),
    "an end without a start since the PUT may be the PUT's own": (
        group(container(waiting(BACKING_OFF), killed(1, 12))),
        AT,
        Verdict.SETTLING,
    ),
    "an image of long ago, and an end since the PUT": (
        group(container(waiting(BACKING_OFF), pulled(5), killed(1, 12))),
        AT,
        Verdict.SETTLING,
    ),
    "a crash within the second of the PUT": (
        group(container(waiting(BACKING_OFF), pulled(10), before=ended(1, 10, 11))),
        AT,
        Verdict.WORSE,
    ),
    "provisioning failed within the second of the PUT": (
        group(container(ended(0, 5, 10)), ready="Failed"),
        AT,
        Verdict.WORSE,
    ),
    "a crash within the second of the PUT, and up again for a minute": (
        group(container(running(29), before=ended(1, 10, 28))),
        AT,
        Verdict.SETTLING,
    ),
    "an init container up again, of which no start is shown": (
        group(
            container(running(11)),
            container(
                {"state": "Running"},
                pulled(12),
                before={"state": "Terminated", "exitCode": 1, "finishTime": "2026-03-01T04:13:00Z"},
                init=True,
            ),
        ),
        AT,
        Verdict.SETTLING,
    ),
    "an init container's end is no start": (
        group(container(running(11)), container(ended(0, 2, 3), init=True)),
        AT,
        Verdict.HEALTHY,
    ),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_health_since_a_put_follows_from_all_containers(name: str) -> None:
    shown, minute, expected = VERDICTS[name]
    assert verdict(shown, at(SINCE), at=None if minute is None else at(minute)) is expected


def test_a_container_that_crashed_before_is_no_worse_for_crashing_now() -> None:
    crashed = group(container(waiting(BACKING_OFF), pulled(11), before=ended(1, 12, 13)))
    for before, expected in (
        (group(container(waiting(BACKING_OFF), before=ended(1, 2, 3))), Verdict.HEALTHY),
        (group(container(running(4), before=ended(1, 2, 3))), Verdict.HEALTHY),
        (group(container(running(4))), Verdict.WORSE),
        (group(container(waiting(BACKING_OFF), before=ended(1, 2, 3), name="other")), Verdict.WORSE),
        (None, Verdict.WORSE),
    ):
        assert verdict(crashed, at(SINCE), before=before) is expected, before


def test_a_group_is_up_since_its_youngest_container_and_was_deployed_by_the_oldest_start() -> None:
    assert up(group(container(running(5)), container(running(9))), at(20)) == at(20) - at(9)
    assert up(group(container(running(5)), DONE), at(20)) == up(group(), at(20)) == up(None, at(20)) == at(20) - at(20)
    assert up(group(container({"state": "Running"})), at(20)) == at(20) - at(20)
    assert begun(group(container(running(5)), container(running(9)), container(waiting()))) == at(5)
    assert begun(group(container(waiting()))) is begun(None) is None


def test_an_end_by_the_platform_is_no_error() -> None:
    seen = view(group(container(ended(7147)), container(ended(1)), container(ended(0))))
    assert seen and [one.crashed for one in seen.instances] == [None, at(0), None]
