"""Log of a container, as far as Azure keeps the log (azure-facts A10).

A container here writes the whole log at the container's start, or in the rounds of its loop: each line has the time of
the start or the round. Before the start there is no log; the error has the words reported by users
(virtual-kubelet 237).
"""

from datetime import datetime, timedelta

from local_azure.aci.state import Container
from local_azure.clock import iso
from local_azure.wire import ServiceError

MOST = 10_000
"""Rounds of a loop whose output is made."""
RUNNING, STOPPED, LINES = 4 * 2**20, 16 * 2**10, 1000
"""Bytes kept of a running container; bytes and lines of one that has ended."""


def shown(group: str, container: Container, tail: int | None, now: datetime, *, timestamps: bool = False) -> str:
    """The last `tail` lines of a container's log.

    Raises ServiceError 404 ContainerLogNotAvailable before it has started.
    """
    if not any(event.name == "Started" for event in container.events):
        message = f"Log of container '{container.name}' in container group '{group}' is not available yet."
        advice = "Please check container 'InstanceView' for more information or retry later."
        raise ServiceError(404, "ContainerLogNotAvailable", f"{message} {advice}")
    running = container.phase == "running"
    began = max(event.last for event in container.events if event.name == "Started")
    lines = _written(container, began, now if running else (container.current and container.current.finish) or now)
    lines = lines if running else lines[-LINES:]
    lines = lines if tail is None else lines[-tail:] if tail else []
    kept = _last("".join(line for _, line in lines), RUNNING if running else STOPPED).splitlines(keepends=True)
    lines = lines[len(lines) - len(kept) :]
    return "".join(f"{iso(at)} {line}" if timestamps else line for (at, _), line in zip(lines, kept, strict=True))


def _written(container: Container, began: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """Return each line and its time; of a loop, the last rounds only."""
    text, period = container.logs.splitlines(keepends=True), container.period
    if not period or not text:
        return [(began, line) for line in text]
    rounds = int((until - began) / timedelta(seconds=period)) + 1
    first = max(0, rounds - MOST)
    return [(began + timedelta(seconds=period * number), line) for number in range(first, rounds) for line in text]


def _last(text: str, size: int) -> str:
    return text.encode()[-size:].decode(errors="ignore")
