"""Log of a container, as far as Azure keeps the log (azure-facts A10).

A container here writes the whole log at the container's start: each line has the time of the start. Before the start
there is no log; the error has the words reported by users (virtual-kubelet 237).
"""

from local_azure.aci.state import Container
from local_azure.clock import iso
from local_azure.wire import ServiceError

RUNNING, STOPPED, LINES = 4 * 2**20, 16 * 2**10, 1000
"""Bytes kept of a running container; bytes and lines of one that has ended."""


def shown(group: str, container: Container, tail: int | None, *, timestamps: bool = False) -> str:
    """The last `tail` lines of a container's log.

    Raises ServiceError 404 ContainerLogNotAvailable before it has started.
    """
    if not any(event.name == "Started" for event in container.events):
        message = f"Log of container '{container.name}' in container group '{group}' is not available yet."
        advice = "Please check container 'InstanceView' for more information or retry later."
        raise ServiceError(404, "ContainerLogNotAvailable", f"{message} {advice}")
    running = container.phase == "running"
    lines = _last(container.logs, RUNNING if running else STOPPED).splitlines(keepends=True)
    lines = lines if running else lines[-LINES:]
    lines = lines if tail is None else lines[-tail:] if tail else []
    began = max(event.last for event in container.events if event.name == "Started")
    return "".join(f"{iso(began)} {line}" if timestamps else line for line in lines)


def _last(text: str, size: int) -> str:
    return text.encode()[-size:].decode(errors="ignore")
