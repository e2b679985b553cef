"""Find the earliest moment at which a later run has a step to do, while nothing but time changes.

Rules for editors of this file:

1. A run has work if a step is due, if it begins to call for a person (`warn`), or if it would look again.
2. The rules themselves are asked, on the same world at a later time; no deadline is computed here a second time.
3. Every span that a rule compares with the time must be in `_instants`, or be the `until` of a wait.
   `tests/plan/test_due.py` asks the rules at many other moments.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from rotator.codes import NoteCode, WaitCode
from rotator.plan.moves import STOPS_REST
from rotator.plan.rules import next_steps
from rotator.plan.spread import LAST_WEEK
from rotator.plan.unfold import evolve
from rotator.plan.view import TRIAL_ENDS, View
from rotator.policy import Policy
from rotator.state import Observed
from rotator.steps import NOTHING_KNOWN, Intent, Known, Next, Note, Plan, Wait

MOST_LOOKS = 200
"""Moments that are tried at most; a world has a few for each of its groups and credentials."""
JUST_AFTER = timedelta(seconds=1)
"""Added to the last moment of a span, to get the first moment after it."""
Calls = frozenset[tuple[WaitCode | NoteCode, str]]
"""Codes and subjects of what calls for a person."""


def next_due(
    policy: Policy, observed: Observed, following: Next | Plan, known: Known = NOTHING_KNOWN
) -> datetime | None:
    """Return the instant at which a later run without options will have a step to do; None if no time brings any.

    Counts from the world after the steps of `following`, if that is a Plan. `observed.at`, if a step is due already,
    and was refused or failed. None while access is revoked.
    """
    for step in following.steps if isinstance(following, Plan) else ():
        observed = evolve(policy, observed, step)
    known = replace(known, refused=frozenset(), absent_since=None, unnamed_since=(), lost=())
    view, now = View(policy, observed, Intent(), known), next_steps(policy, observed, None, known)
    if view.revoked:
        return None
    if now.steps:
        return view.at
    looks = [view.at + timedelta(seconds=again) for wait in now.waits if (again := _again(wait.code, wait.look_again))]
    due = min((*looks, *_first(view, now)), default=None)
    return due and _whole(due)


def _whole(at: datetime) -> datetime:
    """Return the first whole second that isn't before `at`: a renewal that is spread falls on a fraction of one."""
    return at.replace(microsecond=0) + JUST_AFTER if at.microsecond else at


def _again(code: WaitCode, seconds: float | None) -> float | None:
    """Return the seconds until a run looks again at what holds a step up; a group that settles holds up none."""
    return None if code is WaitCode.SETTLING else seconds


def _first(view: View, now: Next) -> Iterator[datetime]:
    """Yield the first later moment at which the rules ask for a step, or for a person."""
    ahead = [each for each in (*_instants(view), *_ends(now)) if each > view.at]
    heapify(ahead)
    called, tried = _calls(now), view.at
    for _ in range(MOST_LOOKS):
        while ahead and ahead[0] <= tried:
            heappop(ahead)
        if not ahead:
            return
        tried = heappop(ahead)
        then = next_steps(view.policy, later(view.observed, tried), None, view.known)
        if then.steps or not _calls(then) <= called:
            yield tried
            return
        for end in _ends(then):
            heappush(ahead, end)


def later(observed: Observed, at: datetime) -> Observed:
    """Return the same world at a later time."""
    passed = at - observed.at
    return replace(observed, at=at, groups=tuple(replace(each, at=each.at + passed) for each in observed.groups))


def _calls(following: Next) -> Calls:
    findings: tuple[Wait | Note, ...] = (*following.waits, *following.notes)
    return frozenset((each.code, each.subject) for each in findings if each.warn)


def _ends(following: Next) -> Iterator[datetime]:
    return (wait.until for wait in following.waits if wait.until)


def _instants(view: View) -> Iterator[datetime]:
    """Yield each moment at which a rule may decide otherwise, and that no wait names."""
    ends = {credential.end for credential in view.ours}
    ends |= {soonest for dependent in view.dependents if (soonest := view.soonest(dependent))}
    rotation = view.policy.rotation
    for end in ends:
        yield from (end, view.renewal(end), end - rotation.warn_before, end - LAST_WEEK + JUST_AFTER)
    for dependent in view.dependents:
        if dependent.since:
            yield from (dependent.since + STOPS_REST, dependent.since + TRIAL_ENDS)
