"""Steps held up by Azure's limits on requests, and who comes first where many want the same.

Rules for editors of this file:

1. A limit is no failure: the step waits until the limit ends, and calls for a person only if what it replaces is late.
2. The engine learns of a limit from the world (`known.limited`); nothing here counts requests.
"""

from collections.abc import Iterator
from datetime import timedelta

from rotator.codes import WaitCode
from rotator.plan.view import View
from rotator.remedy import rotator
from rotator.steps import Deploy, Issue, Postponed, Restore, Retire, Step, Wait, kind, target
from rotator.words import day

AT_ONCE = 0.0
"""Urgency of what can't wait."""


def limited(view: View) -> Iterator[Wait]:
    """Report steps that wait for the end of one of Azure's limits on requests."""
    for each in view.known.limited:
        if view.at < each.until:
            text, late = f"{_done(each)} after {day(each.until)}: {each.why}", _late(view, each)
            text = f"{text}. `{rotator('rotate', view.policy.name)}` continues after that" if late else text
            yield Wait(WaitCode.LIMITED, each.target, text, each.until, warn=late)


def held_up(view: View, step: Step) -> bool:
    """Tell if a step was refused or has failed in this run, or waits for the end of a limit."""
    asked = kind(step), target(step)
    return asked in view.refused or any(
        (each.step, each.target) == asked and view.at < each.until for each in view.known.limited
    )


def urgency(view: View, step: Step) -> float:
    """Return the order in which steps are done where limits hold them apart: the smallest comes first.

    Ways back and groups that hold a compromised or ended credential come first, then those whose credential ends first.
    """
    if not isinstance(step, Deploy):
        return AT_ONCE
    dependent = next(each for each in view.dependents if each.id == step.group)
    soonest = view.soonest(dependent)
    exposed = any(held.key_id.lower() in view.compromised for held in view.held(dependent))
    return AT_ONCE if soonest is None or exposed else soonest.timestamp()


def _late(view: View, limit: Postponed) -> bool:
    """Tell if the step's delay calls for a person: a way back, or what it replaces is within its warning."""
    warned = view.policy.rotation.warn_before
    if limit.step == kind(Issue):
        return _ends_within(view, warned)
    dependent = next((each for each in view.dependents if each.id == limit.target), None)
    if dependent is None:
        return False
    soonest = view.soonest(dependent)
    return limit.step == kind(Restore) or soonest is None or soonest - view.at <= warned


def _ends_within(view: View, span: timedelta) -> bool:
    return view.current is None or view.current.end - view.at <= span


def _done(limit: Postponed) -> str:
    if limit.step == kind(Issue):
        return "a new credential is added"
    if limit.step == kind(Retire):
        return f"credential {limit.target} is removed"
    name = limit.target.rpartition("/")[2]
    return f"{name} is redeployed" if limit.step in (kind(Deploy), kind(Restore)) else f"{limit.step} of {name} is done"
