"""All rules, and the order in which their steps are taken. See the package's docstring before an edit."""

from collections.abc import Callable, Iterator

from rotator.codes import NoteCode
from rotator.plan.alarms import lingering, readers, still_open, unrenewed
from rotator.plan.moves import deploy
from rotator.plan.new_credential import issue
from rotator.plan.not_ours import drift, foreign, keys
from rotator.plan.postponed import held_up, limited
from rotator.plan.retirement import disable, retire, versions_lag
from rotator.plan.unseen import deleted, disabled, hiding, missing, newer, unchecked, unlisted, unshown, would_lose
from rotator.plan.view import View
from rotator.plan.way_back import restore
from rotator.plan.ways_out import kind_unsaid, told
from rotator.policy import Policy
from rotator.remedy import rotator
from rotator.state import Observed
from rotator.steps import (
    NOTHING_KNOWN,
    Deploy,
    Disable,
    Finding,
    Intent,
    Issue,
    Known,
    Next,
    Note,
    Restore,
    Retire,
    Step,
    Wait,
)
from rotator.words import day

SIDE_BY_SIDE = 4
"""Groups redeployed at a time, after the canary, before the world is observed again.

Source: azure-facts A10, 100 PUTs in five minutes.
"""


def next_steps(policy: Policy, observed: Observed, intent: Intent | None = None, known: Known = NOTHING_KNOWN) -> Next:
    """Return the batch that is safe now: steps of one kind, without those refused in this run.

    All waits and notes come along.
    """
    view = View(policy, observed, intent or Intent(), known)
    if view.revoked:
        since = f" since {day(observed.access_since)}" if observed.access_since else ""
        revoked = Note(
            NoteCode.REVOKED, policy.name, f"access is revoked{since}; `{rotator('grant', policy.name)}` restores it"
        )
        unheeded = (finding for finding in (*lingering(view), *keys(view)) if isinstance(finding, Note))
        return Next(waits=tuple(versions_lag(view)), notes=(*still_open(view), *unheeded, revoked))
    findings = [finding for rule in RULES for finding in rule(view)]
    steps = [f for f in findings if isinstance(f, ORDER) and not held_up(view, f)]
    first = next((k for k in ORDER if any(isinstance(s, k) for s in steps)), None)
    batch = tuple(s for s in steps if first and isinstance(s, first))
    waits = tuple(told(view, f) for f in findings if isinstance(f, Wait))
    notes = tuple(f for f in findings if isinstance(f, Note))
    return Next(batch[: SIDE_BY_SIDE if first is Deploy else 1], waits, notes)


RULES: tuple[Callable[[View], Iterator[Finding]], ...] = (
    *(still_open, lingering, readers, unrenewed, drift, restore, limited),
    *(issue, deploy, versions_lag, deleted, retire, disable, kind_unsaid, missing, foreign, keys),
    *(unlisted, unshown, disabled, hiding, unchecked, newer, would_lose),
)
"""All rules, in the order of their waits and notes in the report."""

ORDER: tuple[type[Step], ...] = (Restore, Issue, Deploy, Retire, Disable)
"""Kinds of steps in the order in which they are taken.

A way back comes first, then a new credential, then moves to that credential, then removal of the rest.
"""
