"""Judge a group from the answer of Azure: present phase, and health with the credential of the last PUT.

Rules for editors of this file:

1. Only evidence newer than `since` counts: an answer right after a PUT shows the past.
2. A failed pull proves nothing while a later one may succeed (azure-facts B5); ``Succeeded`` provisioning proves
   nothing about a job (azure-facts B6).
3. Without evidence, the verdict is `settling` or `unknown`, never `healthy`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rotator.arm_json import restart_policy
from rotator.container_group.instance import Instance, InstanceView, view
from rotator.policy import Runs
from rotator.state import ContainerGroup

PATIENCE = timedelta(minutes=5)
"""Time of failed pulls, by Azure's clock, after which a group still being provisioned counts as unable to pull.

Recorded transient failures were over in less (azure-facts B5); the platform itself gives up after 30 minutes.
"""
STEADY = timedelta(minutes=2)
"""Time a container must have run after a crash since the PUT before the container counts as up again."""
ENDING = ("never", "onfailure")
"""Restart policies under which Azure doesn't restart a container that ended with exit code 0."""
_IN_TRANSITION = ("pending", "creating", "updating", "repairing", "deleting", "accepted")


class Phase(StrEnum):
    """Present activity of a group."""

    RUNNING = "running"
    STARTING = "starting"
    """Being provisioned, updated, repaired or restarted; a first pull is part of it."""
    PULLING = "pulling"
    """Waits for an image after a failed pull; no container of a job runs then."""
    CRASHING = "crashing"
    """Containers end with errors, or can't be started although provisioning is over."""
    FINISHED = "finished"
    STOPPED = "stopped"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    """The group exists, and the answer has no instance view: an item of a list."""


class Verdict(StrEnum):
    """Health of a group since the PUT of its credential."""

    HEALTHY = "healthy"
    """Containers started after the PUT, without a later failure; or the group is no worse than before."""
    SETTLING = "settling"
    PULL_FAILED = "pull_failed"
    """Pulls failed after the PUT, for long enough or finally, and none succeeded later."""
    WORSE = "worse"
    """The image was pulled, but the group runs worse than before."""
    UNKNOWN = "unknown"


def run_once(document: Mapping[str, Any] | None, said: Runs | None = None) -> bool:
    """Tell if the group runs a job with an end: as the policy says, else by restart policy Never or OnFailure."""
    return said is Runs.JOB if said else restart_policy(document) in ENDING


def phase(group: ContainerGroup, said: Runs | None = None) -> Phase:
    """Return the present phase of the group; `said`: its kind, according to the policy."""
    if group.unreadable:
        return Phase.UNREADABLE
    return Phase.ABSENT if group.document is None else activity(group.document, said)


def activity(document: Mapping[str, Any], said: Runs | None = None) -> Phase:
    """Return the present phase of a readable group."""
    shown, policy = view(document), restart_policy(document)
    if shown is None:
        return Phase.UNKNOWN
    return _job(shown, policy) if run_once(document, said) else _service(shown, policy)


def _job(shown: InstanceView, policy: str) -> Phase:
    if shown.state == "stopped":
        return Phase.STOPPED
    if any(one.running for one in shown.instances):
        return Phase.RUNNING
    if any(one.waits_for_image for one in shown.instances):
        return Phase.PULLING
    if shown.provisioning in _IN_TRANSITION:
        return Phase.STARTING
    return Phase.FINISHED if _finished(shown, policy) else _down(shown)


def _finished(shown: InstanceView, policy: str) -> bool:
    ended = bool(shown.mains) and all(one.current.state == "terminated" for one in shown.mains)
    for_good = policy == "never" or not any(one.current.exit_code for one in shown.mains)
    return shown.state in ("succeeded", "failed") or (ended and for_good)


def _service(shown: InstanceView, policy: str) -> Phase:
    if shown.state == "stopped":
        return Phase.STOPPED
    if any(one.waits_for_image for one in shown.instances):
        return Phase.PULLING
    if shown.provisioning in _IN_TRANSITION:
        return Phase.STARTING
    return Phase.FINISHED if policy in ENDING and _finished(shown, policy) else _down(shown)


def _down(shown: InstanceView) -> Phase:
    if any(one.crashed for one in shown.instances):
        return Phase.CRASHING
    idle = any(one.current.state in ("", "waiting") and not one.current.backing_off for one in shown.mains)
    if not idle and shown.mains:
        return Phase.RUNNING
    return Phase.CRASHING if shown.provisioning == "failed" else Phase.STARTING


def verdict(
    document: Mapping[str, Any] | None,
    since: datetime | None,
    *,
    at: datetime | None = None,
    before: Mapping[str, Any] | None = None,
) -> Verdict:
    """Judge the group's health since `since`, the instant written into the PUT.

    `at` is the instant of Azure's answer: `at` tells a pull that failed once, without a later event, from a pull under
    retry. `before` is an answer from before the PUT: a container which crashed then is no worse for crashing now.
    """
    shown = view(document)
    if shown is None or since is None or not shown.mains:
        return Verdict.UNKNOWN
    since = since.replace(microsecond=0)
    failing = [one for one in shown.instances if _failing_since(one, since)]
    if failing:
        return Verdict.PULL_FAILED if _given_up(shown, failing, since, at) else Verdict.SETTLING
    if shown.provisioning not in ("succeeded", "failed"):
        return Verdict.SETTLING
    return _ran(shown, since, at, before)


def up(document: Mapping[str, Any] | None, at: datetime) -> timedelta:
    """Return the time for which all main containers had been running at `at`, the instant of the answer.

    Zero if one of them wasn't running.
    """
    shown = view(document)
    begun = [one.started or at if one.running else at for one in shown.mains] if shown else []
    return at - max(begun, default=at)


def begun(document: Mapping[str, Any] | None) -> datetime | None:
    """Return an instant not before the group's last deployment; None if no state of a container shows a start.

    A deployment starts every container, and a later restart changes no password: the first of the starts counts.
    """
    shown = view(document)
    return min((one.current.started for one in shown.mains if one.current.started), default=None) if shown else None


def _failing_since(one: Instance, since: datetime) -> bool:
    return not one.running and any(event.last >= since for event in one.pull_failures)


def _given_up(shown: InstanceView, failing: list[Instance], since: datetime, at: datetime | None) -> bool:
    if shown.provisioning == "failed":
        return True
    events = [event for one in failing for event in one.pull_failures if event.last >= since]
    begun = max(since, min(event.first for event in events))
    return max([*(event.last for event in events), *([at] if at else [])]) - begun >= PATIENCE


def _ran(shown: InstanceView, since: datetime, at: datetime | None, before: Mapping[str, Any] | None) -> Verdict:
    fresh = [one for one in shown.instances if one.succeeded and one.succeeded >= since]
    down = [one for one in fresh if one.crashed and one.crashed >= since and not _crashed_before(one, since, before)]
    if down:
        return Verdict.WORSE
    if not all(one.started and one.started >= since for one in shown.mains):
        final = shown.provisioning == "failed" and shown.latest is not None and shown.latest >= since
        return Verdict.WORSE if final else Verdict.SETTLING
    shaky = [
        one for one in fresh if one.recovered and one.recovered >= since and not _crashed_before(one, since, before)
    ]
    now = at or shown.latest or since
    return Verdict.SETTLING if any(now - (one.started or now) < STEADY for one in shaky) else Verdict.HEALTHY


def _crashed_before(one: Instance, since: datetime, before: Mapping[str, Any] | None) -> bool:
    """Tell if the container crashed before the PUT, too.

    The proof is an earlier answer, or an event with a start before the PUT that still goes on.
    """
    if any(event.crash and event.first < since <= event.last for event in one.events):
        return True
    earlier = view(before)
    same = next((other for other in earlier.instances if other.name == one.name), None) if earlier else None
    return bool(same and (same.crashed or same.recovered))
