"""Effects of a probe at the failure threshold.

Source: "Configure liveness probes", "Configure readiness probes". Containers here can't be probed; a probe fails only
on a call of :func:`fail`.
"""

from datetime import datetime
from typing import Literal

from local_azure.aci import events
from local_azure.aci.host import Host
from local_azure.aci.state import Container, ContainerGroup
from local_azure.wire import Json

Kind = Literal["liveness", "readiness"]
KILLED = 137
"""Exit code of a container that was killed."""


def fail(host: Host, group: ContainerGroup, container: Container, kind: Kind, at: datetime) -> None:
    """Let a running container's probe reach the failure threshold.

    A liveness probe kills the container; the restart policy recreates the container.

    ValueError if the container has no such probe or isn't running.
    """
    given = next(each for each in group.resource["properties"]["containers"] if each["name"] == container.name)
    probe: Json = given["properties"].get(f"{kind}Probe")
    if probe is None or container.phase != "running":
        raise ValueError(
            f"container {container.name} is {container.phase} and has {'a' if probe else 'no'} {kind} probe"
        )
    why = "Command failed" if "exec" in probe else "HTTP probe failed with statuscode: 500"
    for _ in range(int(probe.get("failureThreshold", 3))):
        events.note(container, "Unhealthy", f"{kind.capitalize()} probe failed: {why}", at, "Warning")
    if kind == "liveness":
        message = (
            f"Killing container with id {events.host_id(group, container)}:Container failed liveness probe.. Container"
            " will be killed and recreated."
        )
        events.note(container, "Killing", message, at)
        host.end(group, container, KILLED, at)
