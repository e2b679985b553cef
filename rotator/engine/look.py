"""Looks at the world with the eyes of one run: observation, what the run remembers of earlier looks, proof and permissions."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator import group, guard
from rotator.engine.run import Run
from rotator.errors import Forbidden, NotFound
from rotator.guard import Veto
from rotator.plan import Deploy, Issue, Plan, Retire, Step, View, kind, next_due, next_steps, plan, target
from rotator.policy import Policy
from rotator.state import Observed, Outcome, Permissions, Proof

TRIES, PAUSE = 3, 5.0
"""Tries of the current value, and seconds between them: one replica's hiccup is no reason to veto."""

LET_IN = "`rotator doctor {}` says what keeps rotator out of the vault, with the command that lets it in."
"""What to do where nothing is known of a policy, since its vault may not be read."""


@dataclass(slots=True)
class Memory:
    """What one run has seen that a single observation can't show."""

    absent_since: datetime | None = None
    permissions: Permissions | None = None
    sources: tuple[tuple[str, str], ...] | None = None
    refused: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do, and why it might not."""

    policy: Policy
    observed: Observed
    plan: Plan
    vetoes: tuple[Veto, ...]
    next_due: datetime | None
    view: View


async def look(run: Run, memory: Memory) -> Observed:
    """Observe, and add what this run knows already. Raises Forbidden where the vault may not be read: no version seen is not no version there."""
    observed = _permitted(await run.world.observe(run.policy), memory)
    if observed.vault_refuses:
        raise Forbidden(observed.vault_refuses, service="Key Vault", code="VaultUnreadable", status=403, remedy=LET_IN.format(run.policy.name))
    view = View(run.policy, observed, run.intent)
    if view.current_key and not view.current:
        memory.absent_since = memory.absent_since or observed.at
    else:
        memory.absent_since = None
    return replace(observed, absent_since=memory.absent_since)


def _permitted(observed: Observed, memory: Memory) -> Observed:
    if memory.permissions is None:
        return observed
    refused = {group_id.lower() for group_id in memory.permissions.groups_refused}
    groups = tuple(replace(g, writable=g.writable and g.id.lower() not in refused) for g in observed.groups)
    return replace(observed, groups=groups, permissions=replace(memory.permissions, sources=memory.sources or ()))


async def prepared(run: Run, observed: Observed, memory: Memory, steps: tuple[Step, ...]) -> Observed:
    """The observation with the proof and permissions that the guard wants for these steps."""
    if any(isinstance(step, Issue | Deploy) for step in steps) and memory.permissions is None:
        groups = tuple(g.id for g in observed.groups if g.document is not None)
        rights = await run.world.rights(linked(run.policy, observed))
        refused = tuple((right.action, right.scope) for right in rights if right.allowed is False)
        memory.permissions = replace(await run.world.permissions(run.policy, groups), links=refused)
    if any(isinstance(step, Issue) for step in steps) and memory.sources is None:
        memory.sources = await _unusable(run, observed)
    observed = _permitted(observed, memory)
    if any(isinstance(step, Issue | Deploy | Retire) for step in steps):
        latest = any(isinstance(step, Issue) for step in steps)
        observed = await proven(run, observed, None if latest else _current_version(run, observed))
    return observed


def linked(policy: Policy, observed: Observed) -> tuple[tuple[str, str], ...]:
    """What rotator must be allowed to do beside the container groups that it may redeploy: action and resource, sorted."""
    moved = (d for d in group.dependents(policy, observed) if d.needs_rotation and (d.declared or policy.discover.redeploy))
    return tuple(sorted({link for dependent in moved for link in dependent.links}))


async def _unusable(run: Run, observed: Observed) -> tuple[tuple[str, str], ...]:
    """The secrets that container groups need and that can't be used, each with why: to be known before anything is written."""
    dependents = group.dependents(run.policy, observed)
    found: list[tuple[str, str]] = []
    for name in sorted({name for dependent in dependents if dependent.needs_rotation for name in dependent.sources}):
        try:
            value = await run.world.secret(run.policy, name)
        except (NotFound, Forbidden) as error:
            found.append((name, error.happened))
            continue
        if name in group.wanted_as_objects(run.policy, observed) and not group.is_object(value.reveal()):
            found.append((name, "it isn't a JSON object, as the protected settings of an extension must be"))
    return tuple(found)


def _current_version(run: Run, observed: Observed) -> str | None:
    version = View(run.policy, observed, run.intent).current_version
    return version.id if version else None


async def proven(run: Run, observed: Observed, version: str | None) -> Observed:
    """The observation with a proof, made now, of the value of `version` (None: the latest)."""
    try:
        value = await run.world.value(run.policy, version)
    except (NotFound, Forbidden):
        return replace(observed, proof=None, proof_at=None)
    images = group.images(run.policy, observed)
    proof = Proof(Outcome.UNREACHABLE, "not tried")
    for attempt in range(TRIES):
        if attempt:
            await run.clock.sleep(PAUSE)
        proof = await run.world.prove(run.policy, value, images)
        if proof.outcome in (Outcome.PROVEN, Outcome.EXPIRED):
            break
    return replace(observed, proof=proof, proof_at=observed.at)


async def preview(run: Run) -> Preview:
    """What a run would do now: reads only, with one proof of the current value and RBAC's word on permissions."""
    memory = Memory()
    observed = await look(run, memory)
    vetoes: list[Veto] = []
    while steps := next_steps(run.policy, observed, run.intent, frozenset(memory.refused)).steps:
        if observed.proof is None:
            observed = await prepared(run, observed, memory, steps)
        found = [veto for step in steps if (veto := guard.check(step, run.policy, observed, run.intent))]
        if not found:
            break
        vetoes += found
        memory.refused |= {(kind(veto.step), target(veto.step)) for veto in found}
    return _preview(run, observed, memory, tuple(vetoes))


async def glance(run: Run) -> Preview:
    """What is visible without trying anything: no proof, no permissions."""
    memory = Memory()
    return _preview(run, await look(run, memory), memory, ())


def _preview(run: Run, observed: Observed, memory: Memory, vetoes: tuple[Veto, ...]) -> Preview:
    unfolded = plan(run.policy, observed, run.intent, frozenset(memory.refused))
    due = next_due(run.policy, observed, unfolded, run.intent)
    return Preview(run.policy, observed, unfolded, vetoes, due, View(run.policy, observed, run.intent))
