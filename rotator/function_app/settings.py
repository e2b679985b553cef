"""Settings of the function app, from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rotator.cloud import CLOUDS
from rotator.errors import RotatorError
from rotator.notify import HOOK, Receivers
from rotator.policy import durations
from rotator.secret import struck

DEFAULT_SCHEDULE = "0 0 */6 * * *"
"""At the full hour, four times a day: often enough for an overlap of a day, and one failed run costs six hours of 30
days.
"""
DEFAULT_DURATION = "25m"
"""Longest run: within ``functionTimeout`` in host.json, which is the default of the Flex Consumption plan.

Source: "Azure Functions hosting options", function app timeout duration (azure-facts I). The Consumption plan allows
ten minutes; then lower both.
"""
CONNECTION = "AzureWebJobsStorage"
"""Default prefix of the app settings with which the host reaches the queue."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Settings of the app; `queue` and `container` are addresses of Azure Storage, empty where not set."""

    policies: Path
    at_most: timedelta
    cloud: str
    queue: str = ""
    container: str = ""
    receivers: Receivers = field(default_factory=Receivers)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "AppSettings":
        """Read the settings from the environment. Raises RotatorError.

        The host puts the app settings and the app's directory there.
        """
        root, cloud = Path(environment.get("AzureWebJobsScriptRoot") or "."), _cloud(environment)
        return cls(
            root / (environment.get("ROTATOR_POLICIES") or "policies"),
            _span(environment.get("ROTATOR_MAX_DURATION") or DEFAULT_DURATION),
            cloud,
            _address(environment, cloud, "queue", "ROTATOR_QUEUE"),
            _address(environment, cloud, "blob", "ROTATOR_LEASE_CONTAINER"),
            _receivers(environment),
        )


def _cloud(environment: Mapping[str, str]) -> str:
    cloud = environment.get("ROTATOR_CLOUD") or "public"
    if cloud not in CLOUDS:
        raise RotatorError(
            f"the app setting ROTATOR_CLOUD is {cloud!r}, which is not a cloud",
            remedy=f"Write {', '.join(CLOUDS)}, or leave it out.",
        )
    return cloud


def _receivers(environment: Mapping[str, str]) -> Receivers:
    try:
        return Receivers.read(environment, environment.get(HOOK))
    except ValueError as error:
        raise RotatorError(
            f"an app setting can't be used: {error}",
            remedy="Correct it, or leave it out: docs/notifications.md has the settings.",
        ) from None


def _span(text: str) -> timedelta:
    try:
        return durations.parse(text)
    except ValueError as error:
        raise RotatorError(
            f"the app setting ROTATOR_MAX_DURATION is {text!r}: {error}", remedy="Write 8m, 25m or 1h30m."
        ) from None


def _address(environment: Mapping[str, str], cloud: str, service: str, name: str) -> str:
    said = environment.get(name) or ""
    try:
        if said:
            CLOUDS[cloud].storage(service, said)
    except ValueError as error:
        raise RotatorError(f"the app setting {name} is {struck(said)!r}", remedy=f"{error}.".capitalize()) from None
    return said


def schedule(environment: Mapping[str, str]) -> str:
    """Return the timer's schedule: a reference to the app setting, or the default if not set.

    A reference lets the portal show and change the schedule.
    """
    return "%ROTATOR_SCHEDULE%" if environment.get("ROTATOR_SCHEDULE") else DEFAULT_SCHEDULE


def trigger(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the name of the queue to listen to, and its connection; None without a queue.

    A setting that is no address is none here: the timer says so at each tick.
    """
    try:
        address = _address(environment, _cloud(environment), "queue", "ROTATOR_QUEUE")
    except RotatorError:
        return None
    name = address.rstrip("/").rpartition("/")[2]
    return (name, environment.get("ROTATOR_QUEUE_CONNECTION") or CONNECTION) if name else None
