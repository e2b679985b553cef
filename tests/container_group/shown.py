"""Instance views as a GET shows them, in short: containers with their states and events, in minutes of one hour."""

from datetime import UTC, datetime
from typing import Any

IMAGE = "r.azurecr.io/app:v1"
Shown = dict[str, Any]


def at(minute: float) -> datetime:
    """Return an instant, so many minutes after four o'clock."""
    whole, part = divmod(minute, 1)
    return datetime(2026, 3, 1, 4, int(whole), round(part * 60), tzinfo=UTC)


def group(*containers: Shown, runs: str = "Always", state: str = "Running", ready: str = "Succeeded") -> Shown:
    """Return a group with its restart policy, state and provisioning state; `init` marks init containers."""
    properties = {
        kind: [
            {key: value for key, value in each.items() if key != "init"} for each in containers if each["init"] is init
        ]
        for kind, init in (("containers", False), ("initContainers", True))
    }
    return {
        "properties": {
            **properties,
            "restartPolicy": runs,
            "provisioningState": ready,
            "instanceView": {"state": state, "events": []},
        }
    }


def container(
    current: Shown | None = None, *events: Shown, before: Shown | None = None, init: bool = False, name: str = "app"
) -> Shown:
    """Return a container with its present and previous state."""
    shown = {"currentState": current or {}, "previousState": before or {}, "events": list(events)}
    return {"name": name, "init": init, "properties": {"image": IMAGE, "instanceView": shown}}


def running(since: float) -> Shown:
    return {"state": "Running", "startTime": _text(since)}


def ended(code: int, since: float = 0, until: float = 1) -> Shown:
    return {"state": "Terminated", "exitCode": code, "startTime": _text(since), "finishTime": _text(until)}


def waiting(why: str = "") -> Shown:
    return {"state": "Waiting", "detailStatus": why}


BACKING_OFF = "CrashLoopBackOff: Back-off 20s restarting failed"
NO_IMAGE = "ImagePullBackOff"


def event(name: str, message: str, first: float, last: float | None = None) -> Shown:
    return {
        "name": name,
        "message": message,
        "count": 1,
        "firstTimestamp": _text(first),
        "lastTimestamp": _text(first if last is None else last),
    }


def pull_failed(first: float, last: float | None = None) -> Shown:
    return event("Failed", f'Failed to pull image "{IMAGE}"', first, last)


def pulled(minute: float) -> Shown:
    return event("Pulled", f'Successfully pulled image "{IMAGE}"', minute)


def killed(code: int, first: float, last: float | None = None) -> Shown:
    return event("Killing", f"Container terminated with ExitCode {code}.", first, last)


def _text(minute: float) -> str:
    return f"{at(minute):%Y-%m-%dT%H:%M:%SZ}"
