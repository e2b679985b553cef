"""History of a container as Azure shows it: aggregated events, states, views (azure-facts B3 to B6, A11).

Events are history: they survive restarts and updates in place. A repeated event only increases the event's count.
"""

from datetime import datetime
from hashlib import sha256

from local_azure.aci.state import Condition, Container, ContainerGroup, Event
from local_azure.clock import iso
from local_azure.wire import Json


def reference(container: Container) -> str:
    """The image as events and the host name it: repository and digest, without the group's tag."""
    if "@" in container.image or not container.digest:
        return container.image
    head, slash, last = container.image.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{container.digest}"


def note(container: Container, name: str, message: str, at: datetime, kind: str = "Normal") -> None:
    """Add an event, or count one more of the same name and message."""
    for event in container.events:
        if (event.name, event.message) == (name, message):
            event.count, event.last = event.count + 1, at
            return
    container.events.append(Event(name, message, kind, 1, at, at))


def note_pulling(container: Container, at: datetime) -> None:
    """The host asks the registry for the image."""
    note(container, "Pulling", f'pulling image "{reference(container)}"', at)


def note_pulled(container: Container, at: datetime) -> None:
    """The host has the image."""
    note(container, "Pulled", f'Successfully pulled image "{reference(container)}"', at)


def note_failed(container: Container, why: str, at: datetime) -> None:
    """The pull failed, and will be tried again."""
    note(container, "Failed", f'Failed to pull image "{reference(container)}": {why}', at, "Warning")
    note(container, "BackOff", f'Back-off pulling image "{reference(container)}"', at)


def note_started(container: Container, at: datetime) -> None:
    """The container runs."""
    note(container, "Started", "Started container", at)


def note_killing(container: Container, at: datetime) -> None:
    """The platform ends the container, for a restart, an update or a move."""
    note(container, "Killing", f"Killing container {container.name} (platform initiated).", at)


def note_ended(container: Container, code: int, at: datetime) -> None:
    """The container ended by itself."""
    note(container, "Killing", f"Container {container.name} terminated with ExitCode {code}.", at)


def why(code: str, message: str, image: str) -> str:
    """The reason in a ``Failed`` event, as containerd words what the registry answered."""
    if code in ("MANIFEST_UNKNOWN", "NAME_UNKNOWN"):
        return f"rpc error: code = NotFound desc = failed to pull and unpack image: {image}: not found"
    status = {"UNAUTHORIZED": "401 Unauthorized", "DENIED": "403 Forbidden"}.get(code)
    said = f"unexpected status: {status}" if status else message
    return (
        f'rpc error: code = Unknown desc = failed to resolve reference "{image}": failed to authorize: failed to fetch'
        f" oauth token: {said}"
    )


def views(group: ContainerGroup) -> dict[str, Json]:
    """Return the instance views of a GET: the group's under ``""``, the containers' by name.

    A container without events or states has no view.
    """
    shown: dict[str, Json] = {"": {"events": [], "state": group.state()}}
    for container in group.containers:
        if container.current or container.events:
            shown[container.name] = _view(container)
    return shown


def history(group: ContainerGroup) -> list[Json]:
    """All events of the group's containers, as the operation shows them."""
    return [_event(event) for container in group.containers for event in container.events]


def host_id(group: ContainerGroup, container: Container) -> str:
    """Return the host's id of the container, as older events name the container: 64 hexadecimal digits."""
    return sha256(f"{group.id.lower()}/{container.name}/{container.restart_count}".encode()).hexdigest()


def made_up_digest(image: str) -> str:
    """The digest of a public image: no registry of the emulator has it, but events show one."""
    return f"sha256:{sha256(image.encode()).hexdigest()}"


def _view(container: Container) -> Json:
    view: dict[str, Json] = {"restartCount": container.restart_count}
    if container.current:
        view["currentState"] = _condition(container.current)
    if container.previous:
        view["previousState"] = _condition(container.previous)
    view["events"] = [_event(event) for event in container.events]
    return view


def _condition(condition: Condition) -> Json:
    """Return a state; the end of a container that a client stopped has more digits than others (recorded)."""
    parts: dict[str, Json] = {
        "state": condition.state,
        "startTime": condition.start and iso(condition.start, 3),
        "exitCode": condition.exit_code,
        "finishTime": condition.finish and iso(condition.finish, 3 if condition.start else 7),
    }
    return {**{name: value for name, value in parts.items() if value is not None}, "detailStatus": condition.detail}


def _event(event: Event) -> Json:
    return {
        "count": event.count,
        "firstTimestamp": iso(event.first, 0),
        "lastTimestamp": iso(event.last, 0),
        "name": event.name,
        "message": event.message,
        "type": event.type,
    }
