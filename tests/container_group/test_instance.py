"""Tests of single events and states of a container: failed pulls, crashes, starts."""

from typing import Any

import pytest

from rotator.container_group.instance import Happening, Instance, State
from tests.container_group.shown import at

EVENTS = [
    ("failed", 'Failed to pull image "i"', True, False),
    ("backoff", 'Back-off pulling image "i"', True, False),
    ("failed", "Error: mount failed", False, False),
    ("pulling", 'Pulling image "i"', False, False),
    ("killing", "Container app terminated with ExitCode 1.", False, True),
    ("killing", "Container app terminated with ExitCode 0.", False, False),
    ("killing", "Stopping container app", False, False),
    ("stopped", "Container app terminated with ExitCode 1.", False, False),
    ("backoff", "Back-off restarting failed container", False, True),
    ("starting", "restarting", False, False),
]


@pytest.mark.parametrize(("name", "message", "pull", "crash"), EVENTS)
def test_an_event_is_known_by_its_name_and_its_message(name: str, message: str, pull: bool, crash: bool) -> None:
    event = Happening(name, message, at(1), at(2))
    assert (event.pull_failed, event.crash) == (pull, crash)


@pytest.mark.parametrize(
    ("state", "detail", "image", "restart"),
    [
        ("waiting", "ImagePullBackOff", True, False),
        ("waiting", "Pulling image", True, False),
        ("running", "ImagePullBackOff", False, False),
        ("waiting", "CrashLoopBackOff", False, True),
        ("waiting", "Back-off restarting", False, True),
        ("running", "CrashLoopBackOff", False, False),
        ("waiting", "", False, False),
    ],
)
def test_only_a_waiting_container_is_stuck(state: str, detail: str, image: bool, restart: bool) -> None:
    seen = State(state, detail)
    assert (seen.stuck_on_image, seen.backing_off) == (image, restart)


def happening(name: str, message: str, minute: float) -> Happening:
    return Happening(name, message, at(minute), at(minute))


def crash(minute: float) -> Happening:
    return happening("killing", "terminated with ExitCode 1", minute)


PULLED, NO_PULL = happening("pulled", 'pulled "i"', 5), happening("failed", "failed to pull", 5)
UP, LOOPING, WAITING = State("running", started=at(9)), State("waiting", "CrashLoopBackOff"), State("waiting")


def ended(code: int | None, minute: float = 3) -> State:
    return State("terminated", started=at(minute), finished=at(minute + 1), exit_code=code)


def instance(current: State, previous: State, *events: Happening) -> Instance:
    return Instance("app", False, current, previous, events)


SEEN: dict[str, tuple[Instance, str, Any]] = {
    "a start is one of a run": (instance(WAITING, State("waiting", started=at(8)), PULLED), "started", None),
    "the last start": (instance(UP, ended(0)), "started", at(9)),
    "a pull within the second of a failure came later": (
        instance(WAITING, State(), NO_PULL, PULLED),
        "pull_failures",
        (),
    ),
    "a failure that nothing follows": (instance(WAITING, State(), NO_PULL), "pull_failures", (NO_PULL,)),
    "who waits for an image": (instance(WAITING, State(), NO_PULL), "waits_for_image", True),
    "who runs waits for none": (instance(State("running"), State(), NO_PULL), "waits_for_image", False),
    "down, with the code of the run before": (instance(LOOPING, ended(1), crash(8)), "crashed", at(3)),
    "down, after a run that ended well": (instance(LOOPING, ended(0), crash(8)), "crashed", None),
    "down, after an end without a code": (instance(LOOPING, ended(None), crash(7), crash(8)), "crashed", at(8)),
    "down, and the run before is not shown": (instance(LOOPING, State(exit_code=1), crash(8)), "crashed", at(8)),
    "down, by its crashes alone": (
        instance(LOOPING, State(), crash(7), happening("pulled", 'pulled "i"', 8)),
        "crashed",
        at(7),
    ),
    "waiting for something else": (instance(WAITING, ended(1), crash(8)), "crashed", None),
    "up again": (instance(UP, ended(1)), "recovered", at(3)),
    "up for the first time": (instance(UP, State("waiting", started=at(3), exit_code=1)), "recovered", None),
    "not up again": (instance(LOOPING, ended(1)), "recovered", None),
}


@pytest.mark.parametrize("name", SEEN)
def test_states_and_events_tell_of_a_container(name: str) -> None:
    seen, question, answer = SEEN[name]
    assert getattr(seen, question) == answer
