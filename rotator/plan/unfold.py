"""Plan a whole run: unfold `next_steps` through a pure model of each step's success."""

from dataclasses import replace

from rotator import container_group
from rotator.codes import NoteCode
from rotator.plan.rules import next_steps
from rotator.plan.view import TRIAL
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import ATTEMPT, HOME, KEY_ID, Credential, Observed, Version, marker, tags
from rotator.steps import (
    NOTHING_KNOWN,
    TO_COME,
    Deploy,
    Disable,
    Intent,
    Issue,
    Known,
    Plan,
    Restore,
    Retire,
    Step,
)

PRESENT = (NoteCode.STILL_OPEN, NoteCode.BREAKS_READERS)
"""Alarms about the present: a plan reports them although its steps would end them."""
LONGEST_PLAN = 1000
"""Steps after which an endless plan is a bug in a rule."""


def plan(policy: Policy, observed: Observed, intent: Intent | None = None, known: Known = NOTHING_KNOWN) -> Plan:
    """Return the batches of a run in which all steps succeed and no wait ends.

    Raises RuntimeError if the rules never come to rest.
    """
    batches: list[tuple[Step, ...]] = []
    following = next_steps(policy, observed, intent, known)
    alarms = tuple(note for note in following.notes if note.code in PRESENT)
    while following.steps:
        batches.append(following.steps)
        if len(batches) > LONGEST_PLAN:
            raise RuntimeError(
                f"the rules for {policy.name} reach no end: a bug in rotator; last step: {following.steps[0]!r}"
            )
        for step in following.steps:
            observed = evolve(policy, observed, step)
        following = next_steps(policy, observed, intent, known)
    return Plan(
        tuple(batches), following.waits, (*alarms, *(note for note in following.notes if note.code not in PRESENT))
    )


def evolve(policy: Policy, observed: Observed, step: Step) -> Observed:
    """Return the world after a step succeeded, at the same instant."""
    match step:
        case Issue():
            return _issued(observed, step)
        case Deploy(group=group_id, key_id=key_id):
            return _moved(observed, group_id, key_id, None)
        case Restore(group=group_id, key_id=key_id, failed=failed, count=count):
            return _moved(observed, group_id, key_id, container_group.Failed(failed, count, observed.at))
        case Retire(key_id=key_id):
            return replace(observed, credentials=tuple(c for c in observed.credentials if c.key_id != key_id))
        case Disable(version=version):
            return replace(
                observed, versions=tuple(replace(v, enabled=False) if v.id == version else v for v in observed.versions)
            )
        case _:
            return observed


def _issued(observed: Observed, step: Issue) -> Observed:
    nth = sum(c.key_id.startswith(TO_COME) for c in observed.credentials)
    key_id = f"{TO_COME}-{nth + 1}" if nth else TO_COME
    credential = Credential(observed.at, key_id, observed.at + step.end, step.home, marker(observed.lineage, TO_COME))
    named = tags({KEY_ID: key_id, HOME: step.home.value, ATTEMPT: TO_COME})
    version = Version(key_id, observed.at, True, credential.end, None, named)
    return replace(
        observed,
        credentials=(*observed.credentials, credential),
        versions=(*observed.versions, version),
        latest=version.id,
    )


def _moved(observed: Observed, group_id: ResourceId, key_id: str, failed: container_group.Failed | None) -> Observed:
    """Return the world after a group's move, with the group's answer at the end of its trial.

    By then the group has run long enough for others to follow: a plan shows the end of a run.
    """
    at = observed.at + TRIAL
    moved = (
        replace(container_group.moved(g, key_id, observed.at, failed), at=at) if g.id == group_id else g
        for g in observed.groups
    )
    return replace(observed, groups=tuple(moved))
