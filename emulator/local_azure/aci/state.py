"""State of container groups, as plain values for saving as JSON and comparing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from local_azure.wire import Json

Phase = Literal["pulling", "starting", "running", "backoff", "done", "stopped"]
"""State of a container; `due` is the time of the next one.

``backoff`` is between a crash and the next start, ``done`` is for ever.
"""
TRANSITIONING = ("Pending", "Creating", "Updating")
"""Provisioning states in which a change is under way."""


@dataclass
class Event:
    """Event of a container, `count` times from `first` to `last`: Azure aggregates by name and message."""

    name: str
    message: str
    type: str
    count: int
    first: datetime
    last: datetime


@dataclass
class Condition:
    """A container's current or previous state: Waiting, Running or Terminated."""

    state: str
    detail: str = ""
    start: datetime | None = None
    finish: datetime | None = None
    exit_code: int | None = None


@dataclass
class Container:
    """Container of a group, with the behaviour of the container's image."""

    name: str
    image: str
    init: bool = False
    digest: str = ""
    """Digest to which the control plane resolved the image at the deployment; the host pulls this one."""
    cached: str = ""
    """The digest whose layers the host has."""
    phase: Phase = "pulling"
    due: datetime | None = None
    attempts: int = 0
    """Pulls refused in a row."""
    crashes: int = 0
    restart_count: int = 0
    current: Condition | None = None
    previous: Condition | None = None
    events: list[Event] = field(default_factory=list)
    exit_code: int | None = None
    run_seconds: float | None = None
    logs: str = ""
    endless: bool = False
    """Its command never ends, with any restart policy."""
    period: float = 0.0
    """Seconds after which it writes its log again, or 0."""


Containers = list[Container]
"""The containers of a group, init containers first."""


@dataclass
class GroupOperation:
    """A long-running operation.

    `status` is a provisioning state's word; there is no error object where `error` is empty.
    """

    id: str
    group: str
    location: str
    started: datetime
    status: str = "Pending"


@dataclass
class ContainerGroup:
    """Container group: the resource with the hidden values, and the group's life on a host."""

    id: str
    resource: dict[str, Json]
    api_version: str
    containers: list[Container]
    provisioning: str
    deployed: datetime
    operation: str
    ip: str = ""
    pull_failures: int = 0
    """Pulls that a fault will make fail; -1 for ever."""
    crashing: float = 0.0
    """Seconds that its containers run until they end with an error; 0 where they don't."""
    pooled: bool = False
    """Taken from a standby pool, where its containers ran already."""
    fails: bool = False
    """The operation will end as Failed although nothing is wrong."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """The values of its secret references, as they were when it was deployed."""
    before: dict[str, Json] | None = None
    """Answer to a stale read: the group before its last write, or None where there was none."""

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[-1]

    @property
    def mains(self) -> list[Container]:
        """Containers other than init containers."""
        return [container for container in self.containers if not container.init]

    def inits_before(self, container: Container) -> list[Container]:
        """Return the init containers required to succeed before `container` starts: they run one after another."""
        inits = [each for each in self.containers if each.init]
        return inits[: inits.index(container)] if container.init else inits

    @property
    def policy(self) -> str:
        """The restart policy in effect: Always where none is given."""
        return str(self.resource["properties"].get("restartPolicy") or "Always")

    @property
    def stopped(self) -> bool:
        """Tell if the group was stopped by a request."""
        return all(container.phase == "stopped" for container in self.mains)

    @property
    def terminated(self) -> bool:
        """Tell if the group is stopped or all containers have ended for good: a PUT or start then deploys as new."""
        return all(container.phase in ("done", "stopped") for container in self.mains)

    @property
    def busy(self) -> bool:
        """True while Azure answers ContainerGroupTransitioning.

        A group with a failed pull waits, but can be changed.
        """
        return self.provisioning in TRANSITIONING and not any(container.attempts for container in self.containers)

    def state(self) -> str:
        """``instanceView.state`` (container-state.md): Failed is only for policy Never."""
        if self.stopped:
            return "Stopped"
        if self.terminated:
            codes = [container.current.exit_code for container in self.containers if container.current]
            return "Failed" if any(codes) and self.policy == "Never" else "Succeeded"
        waiting = any(
            c.phase in ("pulling", "starting") and not (c.current and c.current.state == "Running") for c in self.mains
        )
        return "Pending" if waiting else "Running"


@dataclass
class RefusedPull:
    """Refused pull, for any cause: at a PUT, start, restart or host move, or at a retry of the host."""

    at: datetime
    group: str
    image: str
    username: str
    reason: str


@dataclass
class Profile:
    """A container group profile: its resource, with hidden values, in every revision, oldest first."""

    id: str
    revisions: list[dict[str, Json]]


@dataclass
class ContainerState:
    """Groups by lower-cased id, operations by id, refused pulls, and the requests counted by the budgets."""

    groups: dict[str, ContainerGroup] = field(default_factory=dict)
    operations: dict[str, GroupOperation] = field(default_factory=dict)
    refused: list[RefusedPull] = field(default_factory=list)
    spent: dict[str, list[datetime]] = field(default_factory=dict)
    deleted: dict[str, dict[str, Json]] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    """Quotas that were raised or lowered, by subscription, location and name."""
