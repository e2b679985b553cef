"""Obstacles that keep a container group from its redeployment now.

See the package's docstring before an edit.

A redeployment restarts a group, so a group moves only without an obstacle.
"""

from datetime import timedelta

from rotator.codes import WaitCode
from rotator.container_group import Choice, Dependent, Failed, Phase, Verdict, yaml_key
from rotator.plan.spread import LAST_WEEK
from rotator.plan.view import View
from rotator.policy import next_open, open_at
from rotator.remedy import rotator
from rotator.rights import WRITE_GROUP
from rotator.state import KEY_ID
from rotator.steps import Wait
from rotator.words import day, days

BACK_OFF = (timedelta(hours=5), timedelta(days=2), timedelta(days=7))
"""Pauses before the same credential is retried on a group after one, two, more failures.

Each retry and its way back restart the group.
"""


SHARE = 15
"""Divisor of `renew_before` for the shortest pause between two retries, near the end of the group's credential."""


def standing(view: View, dependent: Dependent) -> Wait | bool:
    """Return a wait, True if the group can be redeployed now, False if no move is due."""
    if not view.behind(dependent):
        return _unreadable(view, dependent) or settled(view, dependent)
    for obstacle in (
        _unreadable,
        _changing,
        _unmovable,
        _unsuitable,
        _untagged,
        _stripped,
        _failed_before,
        _outside_window,
    ):
        wait = obstacle(view, dependent)
        if wait:
            return wait
    return True


def settled(view: View, dependent: Dependent) -> Wait | bool:
    """Return a wait for a moved group that hasn't come up yet; False if none is due."""
    if dependent.verdict is not Verdict.SETTLING or not dependent.since:
        return False
    until = dependent.since + view.policy.rotation.settle
    if view.at >= until:
        text = f"{dependent.name} has not come up since {day(dependent.since)}, {days(view.at - dependent.since)} ago"
        return Wait(WaitCode.NOT_SETTLED, dependent.id, text, warn=True)
    return Wait(
        WaitCode.SETTLING,
        dependent.id,
        f"{dependent.name} is starting with the current credential",
        until,
        look_again=15,
    )


def late(view: View, dependent: Dependent) -> bool:
    """Tell if the credential that the group may hold has ended or soon will.

    A group without a key id is taken to hold the current credential if no other is left, unless even that one is
    younger than its last deployment.
    """
    soonest = view.soonest(dependent)
    if soonest is None:
        return view.dead(dependent)
    return soonest - view.at <= view.policy.rotation.warn_before


def _unreadable(view: View, dependent: Dependent) -> Wait | None:
    """Return a wait for an unreadable group: health and failed pulls are unknown, and the key id comes from a list."""
    if dependent.phase is Phase.UNREADABLE:
        return Wait(
            WaitCode.UNREADABLE,
            dependent.id,
            f"{dependent.name} can't be read: {dependent.refused or 'no answer'}",
            warn=late(view, dependent),
        )
    return None


def _changing(view: View, dependent: Dependent) -> Wait | None:
    if dependent.phase is Phase.STARTING:
        text = f"{dependent.name} is being changed by Azure or by others"
        return Wait(WaitCode.TRANSITIONING, dependent.id, text, warn=late(view, dependent), look_again=15)
    return None


def _undeclared(view: View, dependent: Dependent) -> str:
    uses = f"{dependent.name} uses this principal, but"
    if owner := view.policy.owner(dependent.id):
        way = said_there(view, dependent, owner) if dependent.unsaid else "let it pull as one of the two principals"
        return f"{uses} {owner} declares it, and a group has one policy: {way}"
    return f"{uses} the policy does not declare it; add `- id: {dependent.id}`, or set `discover: {{redeploy: true}}`"


def effect(dependent: Dependent) -> str:
    """Return what a deployment does to a group beside the credential."""
    if dependent.phase is Phase.FINISHED:
        return "and runs it again"
    return "and starts it" if dependent.phase is Phase.STOPPED else "and restarts it"


def said_there(view: View, dependent: Dependent, owner: str) -> str:
    """Return the lines for another policy, which declares a group, on the secrets in the group's hidden variables."""
    lines = ", ".join(f"`{yaml_key(path)}: {{key_vault: NAME}}`" for path in dependent.unsaid)
    return (
        f"write under its `secrets:` in {owner} which secret each of them is: {lines}; this principal's is"
        f" {view.policy.key_vault.password_secret}"
    )


def _unmovable(view: View, dependent: Dependent) -> Wait | None:
    if not view.movable(dependent):
        return Wait(WaitCode.UNDECLARED, dependent.id, _undeclared(view, dependent), warn=late(view, dependent))
    if dependent.refused:
        return Wait(
            WaitCode.REFUSED,
            dependent.id,
            f"{dependent.name} can't be redeployed: {dependent.refused}",
            warn=late(view, dependent),
        )
    if dependent.follows and view.newest is not view.current_version:
        text = (
            f"{dependent.name} reads the newest version of {view.policy.key_vault.password_secret}, which was not"
            " written by rotator"
        )
        return Wait(
            WaitCode.DRIFTED,
            dependent.id,
            f"{text}: `{rotator('adopt', view.policy.name)}`, or `--accept-drift`",
            warn=late(view, dependent),
        )
    if dependent.id in view.known.groups_refused:
        text = f"rotator may not write {dependent.name} ({WRITE_GROUP})"
        return Wait(WaitCode.NOT_WRITABLE, dependent.id, text, warn=late(view, dependent))
    return None


def _unsuitable(view: View, dependent: Dependent) -> Wait | None:
    if dependent.run_once and dependent.phase in (Phase.RUNNING, Phase.CRASHING):
        return Wait(
            WaitCode.JOB_RUNNING,
            dependent.id,
            f"{dependent.name} is a running job, and rotator never interrupts a job",
            warn=late(view, dependent),
        )
    if dependent.choice is Choice.WAIT:
        state = "has ended" if dependent.phase is Phase.FINISHED else f"is {dependent.phase.value}"
        command = rotator("deploy", view.policy.name, dependent.name)
        effect = "runs it again" if dependent.phase is Phase.FINISHED else "starts it"
        text = f"{dependent.name} {state}; it takes the current credential with its next deployment"
        text = f"{text}: `{command}` {effect}"
        return Wait(WaitCode.NEXT_RUN, dependent.id, text, warn=late(view, dependent))
    return None


def _untagged(view: View, dependent: Dependent) -> Wait | None:
    if dependent.key_id or view.superseded or view.intent.force_before:
        return None
    soonest = view.soonest(dependent)
    if soonest is None or view.at >= view.renewal(soonest):
        return None
    text = (
        f"{dependent.name} has no {KEY_ID} tag, so its credential is unknown; no old credential waits for removal, so"
        " it is not redeployed now"
    )
    gone = (
        "if that credential was removed, its next pull fails"
        if view.removed
        else "rotator has removed no credential that it may hold"
    )
    command = rotator("deploy", view.policy.name, dependent.name)
    return Wait(
        WaitCode.UNTAGGED,
        dependent.id,
        f"{text}; {gone}. `{command}` gives it the current one {effect(dependent)}",
        view.renewal(soonest),
    )


def _stripped(view: View, dependent: Dependent) -> Wait | None:
    if not view.strips(dependent) or view.intent.retry:
        return None
    text = f"{dependent.name} lost rotator's tags right after a redeployment, so it isn't redeployed again"
    again = rotator("rotate", view.policy.name, retry=True)
    text = f"{text}; find what strips tags (an Azure Policy, a pipeline), then run `{again}`"
    return Wait(WaitCode.STRIPPED, dependent.id, text, warn=True)


def _failed_before(view: View, dependent: Dependent) -> Wait | None:
    failed = dependent.failed
    if not failed or failed.key_id != view.current_key or view.intent.retry or exposed(view, dependent):
        return None
    until = failed.at + _pause(view, dependent, failed)
    if view.at >= until:
        return None
    times = "once" if failed.count == 1 else f"{failed.count} times in a row"
    text = f"{dependent.name} couldn't pull with credential {failed.key_id}, {times}, and holds {dependent.key_id}"
    text = (
        f"{text}; it isn't tried again before {day(until)}. `{rotator('rotate', view.policy.name, retry=True)}` tries"
        " at once"
    )
    return Wait(WaitCode.BACKING_OFF, dependent.id, text, until, warn=True)


def _pause(view: View, dependent: Dependent, failed: Failed) -> timedelta:
    """Return the time between a failure and the next retry.

    The pause grows with each failure, but stays within half of the time left to the credential held by the group.
    """
    pause, ends = BACK_OFF[min(failed.count, len(BACK_OFF)) - 1], view.soonest(dependent)
    if ends is None or ends <= failed.at:
        return pause
    return min(pause, max((ends - failed.at) / 2, view.policy.rotation.renew_before / SHARE))


def _outside_window(view: View, dependent: Dependent) -> Wait | None:
    window, soonest = view.policy.rotation.deploy_window, view.soonest(dependent)
    if (
        not window
        or open_at(window, view.at)
        or soonest is None
        or soonest - view.at < LAST_WEEK
        or exposed(view, dependent)
    ):
        return None
    opens = next_open(window, view.at)
    return Wait(
        WaitCode.WINDOW,
        dependent.id,
        f"{dependent.name} restarts in its deploy window, which opens {day(opens)}",
        opens,
    )


def exposed(view: View, dependent: Dependent) -> bool:
    """Tell if the group may hold a compromised credential."""
    return any(c.key_id.lower() in view.compromised for c in view.held(dependent))
