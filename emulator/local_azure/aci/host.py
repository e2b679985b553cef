"""Life of a container on a host: pulled, started, ended, started again, moved by the platform.

No step runs in the background. Every container knows when the next step is `due`. :meth:`Host.settle` takes the steps
lying in the past, oldest first, each *as of its own instant*: a pull due an hour ago sees the credentials of an hour
ago, however late the group is read.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from local_azure.aci import events
from local_azure.aci.commands import course
from local_azure.aci.pulls import Puller, refusal, username_for
from local_azure.aci.state import Condition, Container, ContainerGroup, ContainerState, GroupOperation, RefusedPull
from local_azure.acr.image import Image
from local_azure.acr.refusal import Refused
from local_azure.clock import Clock
from local_azure.timing import Timing
from local_azure.wire import Json

PROVISIONING_LIMIT = timedelta(seconds=1800)
"""Longest time of a deployment before its operation fails (container-state.md: 30 min); the host goes on trying."""
FIRST_BACK_OFF, LAST_BACK_OFF = 10.0, 300.0
"""Seconds between tries: doubling from ten (recorded: "Back-off 10s restarting failed") to five minutes."""
LONG_BACK_OFF, PATIENCE = 3600.0, 12
"""After PATIENCE refused pulls in a row, some half an hour, the next ones come hourly, so that a failing year stays
cheap.
"""
MOVED = 7147
"""Exit code of a container that the platform killed to move it (azure-facts A11)."""


class Host:
    """Takes the due steps of all containers."""

    def __init__(self, clock: Clock, timing: Timing, puller: Puller, state: Callable[[], ContainerState]) -> None:
        self._clock, self._timing, self._puller, self._state = clock, timing, puller, state

    def settle(self, group: ContainerGroup) -> None:
        """Bring a group to the present."""
        now = self._clock.now()
        while (container := _next(group)) and container.due and container.due <= now:
            self._step(group, container, container.due)
        operation = self._state().operations[group.operation]
        if operation.status not in ("Succeeded", "Failed") and group.deployed + PROVISIONING_LIMIT <= now:
            operation.status = group.provisioning = "Failed"

    def place(self, group: ContainerGroup, at: datetime) -> None:
        """Send every container to a host; images are pulled at the instant `at`."""
        for container in group.containers:
            container.phase, container.due = "pulling", at
            container.attempts = container.crashes = 0

    def warm(self, group: ContainerGroup, at: datetime) -> None:
        """Let the containers run at once, as those of a standby pool do."""
        for container in group.containers:
            self._pull(group, container, at)
            container.due = at
        self.settle(group)

    def move(self, group: ContainerGroup, at: datetime) -> bool:
        """Kill the group's containers and pull again elsewhere, at once; whether every pull succeeded."""
        alive = [
            container for container in group.containers if container.init or container.phase not in ("done", "stopped")
        ]
        for container in alive:
            self._kill(container, at, MOVED)
            container.phase, container.due, container.cached, container.attempts = "pulling", at, "", 0
        for container in alive:
            self._pull(group, container, at)
        return all(container.attempts == 0 for container in alive)

    def end(self, group: ContainerGroup, container: Container, code: int, at: datetime) -> None:
        """A running container ends with `code`; the restart policy says what follows."""
        events.note_ended(container, code, at)
        start = container.current.start if container.current else None
        ended = Condition("Terminated", "Completed" if code == 0 else "Error", start, at, code)
        if _again_after(group, container, code):
            wait = _back_off(container.crashes)
            container.crashes += 1
            container.previous = ended
            container.current = Condition("Waiting", f"CrashLoopBackOff: Back-off {wait:.0f}s restarting failed")
            container.phase, container.due = "backoff", at + timedelta(seconds=wait)
        else:
            container.current, container.phase, container.due = ended, "done", None
            if container.init and code:
                self._give_up(group, at)

    def _give_up(self, group: ContainerGroup, at: datetime) -> None:
        """End a group after an init container's final failure: later containers never start."""
        for container in group.containers:
            if container.phase != "done":
                container.phase, container.due = "done", None
        self._provisioned(group, at)

    def _step(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        if container.phase == "pulling":
            self._begin(group, container, at)
        elif container.phase == "starting":
            self._start(group, container, at)
        elif container.phase == "running":
            self.end(group, container, self._plan(group, container)[0], at)
        else:
            self._again(group, container, at)

    def _begin(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        if group.provisioning == "Pending":
            self._progress(group, "Creating")
        self._kill(container, at, 0)
        if container.cached and container.cached == container.digest:
            self._ready(container, at)
        else:
            self._pull(group, container, at)

    def _pull(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        events.note_pulling(container, at)
        try:
            image = self._image(group, container, at)
        except Refused as refused:
            self._state().refused.append(
                RefusedPull(
                    at, group.id, container.image, username_for(group.resource, container.image), refusal(refused)
                )
            )
            reference = events.reference(container)
            events.note_failed(container, events.why(refused.code, refused.message, reference), at)
            container.current = Condition("Waiting", f'ImagePullBackOff: Back-off pulling image "{reference}"')
            wait = _back_off(container.attempts) if container.attempts < PATIENCE else LONG_BACK_OFF
            container.attempts += 1
            container.due = at + timedelta(seconds=wait)
            return
        events.note_pulled(container, at)
        container.cached, container.exit_code = image.digest, image.exit_code
        container.run_seconds, container.logs = image.run_seconds, image.logs
        container.endless, container.period = False, 0.0
        if done := course(_command(group, container)):
            container.exit_code, container.run_seconds, container.logs = done.exit_code, done.seconds, done.logs
            container.endless, container.period = done.seconds is None, done.period
        self._ready(container, at)

    def _image(self, group: ContainerGroup, container: Container, at: datetime) -> Image:
        if group.pull_failures:
            group.pull_failures -= 1 if group.pull_failures > 0 else 0
            raise Refused("UNAVAILABLE", "to connect to all addresses; last error: UNAVAILABLE: connection refused")
        with _as_of(self._clock, at):
            return self._puller.pull(group.resource, container.image, container.digest, group.secrets)

    def _ready(self, container: Container, at: datetime) -> None:
        container.attempts = 0
        container.phase = "starting"
        container.due = at + timedelta(seconds=max(0.0, self._timing.group_start - self._timing.group_pending))

    def _start(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        before = [each for each in group.inits_before(container) if each.phase != "done" and each.due]
        if before:
            container.due = max(at, *(each.due or at for each in before)) + timedelta(seconds=1)
            return
        self._run(group, container, at)
        if container.init and container.due == at:
            self.end(group, container, self._plan(group, container)[0], at)
        elif not container.init and all(each.phase not in ("pulling", "starting") for each in group.mains):
            self._provisioned(group, at)

    def _run(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        events.note_started(container, at)
        container.current, container.phase = Condition("Running", "", at), "running"
        code_and_seconds = self._plan(group, container)
        container.due = None if code_and_seconds[1] is None else at + timedelta(seconds=code_and_seconds[1])

    def _plan(self, group: ContainerGroup, container: Container) -> tuple[int, float | None]:
        """The exit code a container will end with and after how many seconds; None: it won't end by itself."""
        if container.init:
            return container.exit_code or 0, container.run_seconds or 0.0
        if group.crashing:
            return 1, group.crashing
        if container.endless or (group.policy == "Always" and container.exit_code is None):
            return 0, None
        return container.exit_code or 0, (
            self._timing.job_run if container.run_seconds is None else container.run_seconds
        )

    def _again(self, group: ContainerGroup, container: Container, at: datetime) -> None:
        period = timedelta(seconds=(self._plan(group, container)[1] or 0.0) + LAST_BACK_OFF)
        skipped = max(0, (self._clock.now() - at) // period - 1) if container.crashes > 6 else 0
        container.restart_count += 1 + skipped
        self._run(group, container, at + skipped * period)

    def _provisioned(self, group: ContainerGroup, at: datetime) -> None:
        if at <= group.deployed + PROVISIONING_LIMIT:
            self._progress(group, "Failed" if group.fails else "Succeeded")
        elif self.operation(group).status not in ("Succeeded", "Failed"):
            self.operation(group).status, group.provisioning = "Failed", "Succeeded"
        else:
            group.provisioning = "Succeeded"

    def _progress(self, group: ContainerGroup, status: str) -> None:
        if self.operation(group).status in ("Pending", "Creating", "Updating"):
            self.operation(group).status = group.provisioning = status

    def operation(self, group: ContainerGroup) -> GroupOperation:
        """The group's last long-running operation."""
        return self._state().operations[group.operation]

    def _kill(self, container: Container, at: datetime, code: int) -> None:
        if container.current is None or container.current.state != "Running":
            return
        events.note_killing(container, at)
        container.previous = Condition(
            "Terminated", "Error" if code else "Completed", container.current.start, at, code
        )
        container.current = Condition("Waiting")


def _again_after(group: ContainerGroup, container: Container, code: int) -> bool:
    """Tell if a container is started again; an init container is until success, unless the policy is Never."""
    if container.init:
        return bool(code) and group.policy != "Never"
    return group.policy == "Always" or (group.policy == "OnFailure" and bool(code))


def _command(group: ContainerGroup, container: Container) -> list[str]:
    """Return the command that the group gives a container in place of its image's."""
    properties = group.resource["properties"]
    given = properties.get("initContainers" if container.init else "containers", [])
    entry: Json = next((each for each in given if each["name"] == container.name), {"properties": {}})
    return [str(part) for part in entry["properties"].get("command") or ()]


def _next(group: ContainerGroup) -> Container | None:
    return min(
        (container for container in group.containers if container.due),
        key=lambda container: container.due or group.deployed,
        default=None,
    )


def _back_off(tries: int) -> float:
    return min(FIRST_BACK_OFF * 2.0 ** min(tries, 10), LAST_BACK_OFF)


@contextmanager
def _as_of(clock: Clock, at: datetime) -> Iterator[None]:
    """Let every service answer as of `at`; they all compute from the clock."""
    back = clock.now() - at
    clock.jumped -= back
    try:
        yield
    finally:
        clock.jumped += back
