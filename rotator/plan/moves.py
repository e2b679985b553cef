"""Select the container groups to move to the current credential now: the canary, then the others.

See the package's docstring before an edit.

A redeployment restarts a group. So a group moves only without an obstacle; the canary moves alone; the others follow
once the canary is healthy.
"""

from collections.abc import Iterator
from datetime import timedelta

from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.container_group import Dependent, Phase, Verdict
from rotator.plan.obstacles_to_moves import exposed, late, settled, standing
from rotator.plan.view import TRIAL, View
from rotator.policy import next_open, open_at
from rotator.state import KEY_ID
from rotator.steps import Deploy, Finding, Note, Reason, Wait, kind
from rotator.words import day

STOPS_REST = timedelta(hours=24)
"""Time for which a group with a worse state, or still not up, keeps the others from following.
"""
SOON = timedelta(seconds=1)
"""Shortest pause between two looks at a group for which others wait."""
OWN_TROUBLE = 3
"""Failed pulls after which a group no longer keeps the others from following.

Two days have passed by then, and the trouble counts as the group's own.
"""


def deploy(view: View) -> Iterator[Finding]:
    """Move every dependent to the current credential: the canary first, the others once the canary is healthy."""
    if not view.current:
        return
    ready: list[Dependent] = []
    for dependent in view.dependents:
        found = standing(view, dependent)
        if isinstance(found, Wait):
            yield found
        elif found and (kind(Deploy), dependent.id) not in view.refused:
            ready.append(dependent)
        elif found and late(view, dependent):
            text = (
                f"{dependent.name} was not moved: its redeployment was refused or has failed, and its credential is"
                " gone or ends soon"
            )
            yield Wait(WaitCode.NOT_MOVED, dependent.id, text, warn=True)
    yield from _batch(view, ready)


def _warning(view: View, dependent: Dependent) -> str:
    """Return the warning for a restart outside of the deploy window; empty if no warning is due."""
    window, soonest = view.policy.rotation.deploy_window, view.soonest(dependent)
    if not window or open_at(window, view.at) or exposed(view, dependent):
        return ""
    why = f"ends {day(soonest)}" if soonest else "is gone"
    return (
        f"{dependent.name} restarts outside its deploy window: its credential {why}, and the window opens only"
        f" {day(next_open(window, view.at))}"
    )


def _batch(view: View, ready: list[Dependent]) -> Iterator[Finding]:
    worse = [d for d in view.dependents if not view.behind(d) and _worse(view, d)]
    failed = [d for d in view.dependents if 0 < _failures(view, d) < OWN_TROUBLE]
    if worse and not view.intent.retry:
        names = ", ".join(d.name for d in worse)
        yield from (
            Wait(
                WaitCode.HALTED,
                d.id,
                f"{d.name} waits, since {names} runs worse with the current credential",
                warn=True,
            )
            for d in ready
        )
        yield from (
            Note(NoteCode.WORSE, d.id, f"{d.name} runs worse since it was redeployed ({d.verdict.value})", warn=True)
            for d in worse
        )
        return
    candidates = [d for d in ready if d in failed] or ([] if failed and not view.intent.retry else ready)
    for each in (d for d in ready if d not in candidates):
        yield Wait(
            WaitCode.HALTED,
            each.id,
            f"{each.name} waits until a group that failed has succeeded",
            warn=late(view, each),
        )
    proven = any(map(view.proven, view.dependents))
    tried = [d for d in view.dependents if _starting(view, d) or _on_trial(view, d)]
    if tried and not proven:
        yield from _after(view, tried, candidates)
        return
    first = sorted(candidates, key=lambda d: (_failures(view, d), d.phase is not Phase.RUNNING))[:1]
    chosen = candidates if proven and not failed else first
    yield from (
        Deploy(d.id, view.current_key or "", _deploy_reason(view, d), not proven, _warning(view, d)) for d in chosen
    )


def _on_trial(view: View, dependent: Dependent) -> bool:
    """Tell if the group came up with the current credential, even just now."""
    return dependent.verdict is Verdict.HEALTHY and not view.behind(dependent)


def _after(view: View, tried: list[Dependent], candidates: list[Dependent]) -> Iterator[Wait]:
    names, needed = ", ".join(d.name for d in tried), int(TRIAL.total_seconds())
    pause = max(TRIAL - max(d.up for d in tried), SOON).total_seconds()
    for each in candidates:
        text = f"{each.name} waits until {names} has come up and run for {needed} s"
        yield Wait(WaitCode.CANARY, each.id, text, warn=late(view, each), look_again=pause)


def _failures(view: View, dependent: Dependent) -> int:
    """Return the number of failed pulls in a row with the current credential."""
    failed = dependent.failed
    return failed.count if failed and failed.key_id == view.current_key and view.behind(dependent) else 0


def _starting(view: View, dependent: Dependent) -> bool:
    """Tell if the group was redeployed within `STOPS_REST`, and its health isn't known yet."""
    settling = not view.behind(dependent) and isinstance(settled(view, dependent), Wait)
    return settling and dependent.since is not None and view.at - dependent.since < STOPS_REST


def _worse(view: View, dependent: Dependent) -> bool:
    """Tell if the group runs worse since a recent redeployment; the exit code of an ended job says nothing of that."""
    ended = dependent.run_once and dependent.phase is Phase.FINISHED
    bad = dependent.verdict is Verdict.PULL_FAILED or (dependent.verdict is Verdict.WORSE and not ended)
    return bad and bool(dependent.since) and view.at - (dependent.since or view.at) < STOPS_REST


def _deploy_reason(view: View, dependent: Dependent) -> Reason:
    name, end = dependent.name, _one_way(view, dependent)
    if view.dead(dependent):
        return Reason(ReasonCode.HOLDS_GONE, f"{name} {_password_gone(dependent)}{end}")
    if not dependent.key_id:
        return Reason(
            ReasonCode.UNTAGGED,
            f"{name} has no {KEY_ID} tag; its credential is unknown, and may be one that ends or is to be removed{end}",
        )
    return Reason(
        ReasonCode.BEHIND, f"{name} holds credential {dependent.key_id}, not the current {view.current_key}{end}"
    )


def _password_gone(dependent: Dependent) -> str:
    """Say how it is known that the password of a group is gone."""
    if dependent.key_id:
        return f"holds credential {dependent.key_id}, which is gone"
    return "was last deployed before any credential of the principal was added, so its credential is gone"


def _one_way(view: View, dependent: Dependent) -> str:
    """Return the warning for a redeployment that rotator could not undo; empty if a way back exists."""
    return "; no way back if its pull fails" if dependent.follows or view.returnable(dependent.key_id) is None else ""
