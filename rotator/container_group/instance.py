"""The instance view of a group, read: states and events of its containers, with times.

Traps (azure-facts B3 to B6): lists have no instance view; after a PUT or restart the old states and events are still
shown for a while; events are history and aggregated by name and message (`count`, first and last time); a pull from
cached layers leaves no event.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rotator.arm_json import Value, containers, get, objects, text
from rotator.container_group.tags import instant

_PULL_STUCK = ("imagepullbackoff", "errimagepull", "pulling image")
_PLATFORM = (7147, 7148)
"""Exit codes of containers ended by the platform in order to move them (azure-facts A11)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event, aggregated: `count` identical events from `first` to `last`."""

    name: str
    message: str
    first: datetime
    last: datetime

    @property
    def pull_failed(self) -> bool:
        """Tell if the event is a failed pull, or a pull waiting for a retry (azure-facts A11).

        Other failures have the same names.
        """
        return self.name in ("failed", "backoff") and "pull" in self.message.lower()

    @property
    def crash(self) -> bool:
        """Tell if the event is a container that ended with an error, or waits for a restart after one."""
        message = self.message.lower()
        ended = self.name == "killing" and "terminated with exitcode" in message and "exitcode 0" not in message
        return ended or (self.name == "backoff" and "restarting" in message)


@dataclass(frozen=True, slots=True)
class State:
    """State of a container: ``running``, ``waiting``, ``terminated``, or empty before the first state."""

    state: str = ""
    detail: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None

    @property
    def stuck_on_image(self) -> bool:
        """Tell if the container waits for an image after a failed pull."""
        return self.state == "waiting" and any(word in self.detail.lower() for word in _PULL_STUCK)

    @property
    def backing_off(self) -> bool:
        """Tell if the container waits for a restart (azure-facts B6)."""
        return self.state == "waiting" and (
            "crashloopbackoff" in self.detail.lower() or "restarting" in self.detail.lower()
        )

    @property
    def error(self) -> datetime | None:
        """Return the start of the run that ended with an error of its own; None without such an error.

        Platform and updates end containers, too, with an older run.
        """
        return (self.started or self.finished) if self.exit_code and self.exit_code not in _PLATFORM else None


@dataclass(frozen=True, slots=True)
class Instance:
    """One container. `init`: an init container, which runs and ends before the others start."""

    name: str
    init: bool
    current: State
    previous: State
    events: tuple[Happening, ...]

    @property
    def running(self) -> bool:
        """Tell if the container runs now."""
        return self.current.state == "running"

    @property
    def started(self) -> datetime | None:
        """Return the last start of the container, as far as states and events show."""
        begun = [
            state.started
            for state in (self.current, self.previous)
            if state.started and state.state in ("running", "terminated")
        ]
        return max([*begun, *(event.last for event in self.events if event.name == "started")], default=None)

    @property
    def succeeded(self) -> datetime | None:
        """Return the latest instant at which the image was present: pulled, or started."""
        known = [event.last for event in self.events if event.name == "pulled"]
        return max([*known, *([self.started] if self.started else [])], default=None)

    @property
    def pull_failures(self) -> tuple[Happening, ...]:
        """Failed pulls that no pull or start followed.

        At a tie of seconds the success came later: a back-off takes ten.
        """
        return tuple(
            event
            for event in self.events
            if event.pull_failed and (self.succeeded is None or event.last > self.succeeded)
        )

    @property
    def waits_for_image(self) -> bool:
        """Tell if the container is blocked until a failed pull succeeds."""
        return not self.running and (self.current.stuck_on_image or bool(self.pull_failures))

    @property
    def crashed(self) -> datetime | None:
        """Return the start of the run that ended with an error, if the container is still down; else None."""
        if self.current.state == "terminated":
            return self.current.error
        if not self.current.backing_off:
            return None
        if self.previous.state == "terminated" and self.previous.exit_code is not None:
            return self.previous.error
        return max((event.last for event in self.events if event.crash), default=None)

    @property
    def recovered(self) -> datetime | None:
        """Return the start of the run that ended with an error, if the container runs again; else None."""
        return self.previous.error if self.running and self.previous.state == "terminated" else None


@dataclass(frozen=True, slots=True)
class InstanceView:
    """Instance view of a group. `provisioning` and `state` are in lower case."""

    state: str
    provisioning: str
    instances: tuple[Instance, ...]
    events: tuple[Happening, ...]

    @property
    def mains(self) -> tuple[Instance, ...]:
        """Return the main containers: all but the init containers."""
        return tuple(one for one in self.instances if not one.init)

    @property
    def latest(self) -> datetime | None:
        """Return the newest instant in states and events of the group."""
        states = [
            at
            for one in self.instances
            for state in (one.current, one.previous)
            for at in (state.started, state.finished)
            if at
        ]
        return max(
            [
                *states,
                *(event.last for one in self.instances for event in one.events),
                *(event.last for event in self.events),
            ],
            default=None,
        )


def view(document: Mapping[str, Any] | None) -> InstanceView | None:
    """Read it; None where the answer has none (an item of a list)."""
    shown = get(document, "properties", "instanceView")
    listed = list(containers(document))
    if shown is None and all(get(container, "properties", "instanceView") is None for _, container in listed):
        return None
    group = tuple(_events(shown))
    images = [text(container, "properties", "image") for _, container in listed]
    instances = tuple(_instance(kind, container, group, images) for kind, container in listed)
    return InstanceView(
        text(shown, "state").lower(), text(document, "properties", "provisioningState").lower(), instances, group
    )


def _instance(kind: str, container: Value, group: tuple[Happening, ...], images: list[str]) -> Instance:
    shown = get(container, "properties", "instanceView")
    image = text(container, "properties", "image")
    own = (*_events(shown), *(event for event in group if _concerns(event, image, images)))
    current, previous = _state(get(shown, "currentState")), _state(get(shown, "previousState"))
    return Instance(text(container, "name"), kind == "init_containers", current, previous, own)


def _concerns(event: Happening, image: str, images: list[str]) -> bool:
    """Tell if an event of the group is about this image.

    The event names the image, or is a failed pull without the name of any image of the group.
    """
    named = [one for one in images if one and f'"{one}"' in event.message]
    return image in named or (event.pull_failed and not named)


def _state(shown: Value) -> State:
    code = get(shown, "exitCode")
    started, finished = instant(get(shown, "startTime")), instant(get(shown, "finishTime"))
    return State(
        text(shown, "state").lower(),
        text(shown, "detailStatus"),
        started,
        finished,
        code if isinstance(code, int) else None,
    )


def _events(shown: Value) -> Iterator[Happening]:
    for event in objects(shown, "events"):
        last = instant(get(event, "lastTimestamp")) or instant(get(event, "firstTimestamp"))
        if last:
            first = instant(get(event, "firstTimestamp")) or last
            yield Happening(text(event, "name").lower(), text(event, "message"), first, last)
