"""Looks at the world for one run: observation, the run's memory of earlier looks, proof and permissions."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from rotator import container_group, guard
from rotator.engine.run import Patience, Run
from rotator.engine.trial import trial, tried
from rotator.errors import Forbidden, NotFound
from rotator.events import StepFailed, Vetoed
from rotator.guard import Veto
from rotator.plan import View, next_due, next_steps, plan
from rotator.policy import Policy
from rotator.remedy import rotator
from rotator.resource_id import ResourceId
from rotator.state import Credential, Observed, Permissions, Proof
from rotator.steps import Deploy, Issue, Note, Plan, Retire, Step, kind, target

MOST_VALUES = 10
"""Versions whose values are read to see whose passwords they are; a hand-made secret has few."""

LET_IN = "`{}` says what keeps rotator out of the vault, with the command that lets it in."
"""What to do where nothing is known of a policy, since its vault may not be read."""


@dataclass(slots=True)
class Memory:
    """Facts seen by one run and missing in a single observation."""

    absent_since: datetime | None = None
    permissions: Permissions | None = None
    sources: tuple[tuple[str, str], ...] | None = None
    tried: dict[str, Proof] = field(default_factory=dict)
    alarms: tuple[Note, ...] = ()
    """Compromised credentials that the last look showed to work."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    asked: frozenset[tuple[str, str]] = frozenset()
    """Kind and target of the steps that the look before this one asked for."""
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often this run decided on a step that may not have happened."""
    undecided: dict[tuple[str, str], StepFailed | Vetoed] = field(default_factory=dict)
    """Those of which this run doesn't know yet that they happened, with what to tell if it never does."""
    late: int = 0
    """Looks that showed nothing due, and took so long that they were repeated: what the run ends with is to be true of
    the world now.
    """
    lost: set[str] = field(default_factory=set)
    """Display names of credentials that an add of this run may have made."""
    paused: Patience | None = None
    """For what it has waited last."""
    unnamed: dict[str, datetime] = field(default_factory=dict)
    """When this run first saw, and has seen ever since, that nothing names a credential of ours."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Steps of a possible run, and the obstacles to them."""

    policy: Policy
    observed: Observed
    plan: Plan
    vetoes: tuple[Veto, ...]
    next_due: datetime | None
    view: View


async def look(run: Run, memory: Memory, *, confirmed: bool = False) -> Observed:
    """Observe, and add this run's earlier knowledge; `confirmed` as in `World.observe`.

    Raises Forbidden if the vault may not be read: an empty answer would not prove an empty vault.
    """
    observed = _permitted(await run.observe(confirmed=confirmed), memory)
    if observed.vault_refuses:
        raise Forbidden(
            observed.vault_refuses,
            service="Key Vault",
            code="VaultUnreadable",
            status=403,
            remedy=LET_IN.format(rotator("doctor", run.policy.name)),
        )
    view = View(run.policy, observed, run.intent)
    if view.current_key and not view.current:
        memory.absent_since = memory.absent_since or observed.at
    else:
        memory.absent_since = None
    names = {c.display_name for c in observed.credentials}
    observed = replace(observed, absent_since=memory.absent_since, lost=tuple(sorted(memory.lost - names)))
    memory.unnamed = (
        {c.key_id: memory.unnamed.get(c.key_id, observed.at) for c in view.orphans}
        if observed.versions_complete
        else {}
    )
    fits = await _may_be_published(run, view)
    return replace(observed, unnamed_since=tuple(sorted(memory.unnamed.items())), may_be_published=fits)


async def _may_be_published(run: Run, view: View) -> tuple[str, ...] | None:
    """Return our credentials whose password may be in a version without a key id, judged by Graph's `hint`.

    Return None if a value can't be read. An orphan's password may be in any such version since the orphan was added;
    the password of a credential once in use counts only in the newest version, the one read by readers.
    """
    newest = view.newest if view.newest and view.newest.enabled and not view.newest.key_id else None
    superseded = view.superseded if newest else ()
    since = min((c.start for c in view.orphans), default=view.at)
    older = [v for v in view.versions if view.orphans and v.enabled and not v.key_id and v.created >= since]
    older += [view.newest] if view.orphans and view.newest and not view.current and view.newest not in older else []
    wanted = {v.id: v for v in (*older, *([newest] if superseded and newest else []))}
    if len(wanted) > MOST_VALUES:
        return None
    try:
        hints = {name: (await run.world.value(run.policy, name)).reveal()[:3] for name in wanted}
    except (NotFound, Forbidden):
        return None
    lost = _fitting(view.orphans, {hints[v.id] for v in older})
    return tuple(sorted((*lost, *(_fitting(superseded, {hints[newest.id]}) if newest and superseded else ()))))


def _fitting(credentials: Sequence[Credential], hints: AbstractSet[str]) -> tuple[str, ...]:
    """The key ids of those whose password may begin like one of these values; one without a hint may."""
    return tuple(c.key_id for c in credentials if hints and (c.hint is None or c.hint in hints))


def _permitted(observed: Observed, memory: Memory) -> Observed:
    if memory.permissions is None:
        return observed
    refused = memory.permissions.groups_refused
    groups = tuple(replace(g, writable=g.writable and g.id not in refused) for g in observed.groups)
    return replace(observed, groups=groups, permissions=replace(memory.permissions, sources=memory.sources or ()))


async def prepared(run: Run, observed: Observed, memory: Memory, steps: tuple[Step, ...]) -> Observed:
    """The observation with the proof and permissions that the guard wants for these steps."""
    if any(isinstance(step, Issue | Deploy) for step in steps) and memory.permissions is None:
        groups = tuple(g.id for g in observed.groups if g.document is not None)
        links = linked(run.policy, observed)
        rights = await run.world.rights(links)
        refused = tuple(link for link, right in zip(links, rights, strict=True) if right.allowed is False)
        found, unknown = (
            await run.world.permissions(run.policy, groups),
            [(right.question, right.why) for right in rights if right.allowed is None],
        )
        memory.permissions = replace(found, links=refused, unknown=(*found.unknown, *unknown))
    if any(isinstance(step, Issue) for step in steps) and memory.sources is None:
        memory.sources = await _unusable(run, observed)
    observed = _permitted(observed, memory)
    if any(isinstance(step, Issue | Deploy | Retire) for step in steps):
        latest = any(isinstance(step, Issue) for step in steps)
        observed = await proven(run, observed, None if latest else _current_version(run, observed))
    return observed


def linked(policy: Policy, observed: Observed) -> tuple[tuple[str, ResourceId], ...]:
    """Return the permissions needed beside those on redeployed container groups: action and resource, sorted."""
    moved = (
        d
        for d in container_group.dependents(policy, observed)
        if d.needs_rotation and (d.declared or policy.discover.redeploy)
    )
    return tuple(sorted({link for dependent in moved for link in dependent.links}))


async def _unusable(run: Run, observed: Observed) -> tuple[tuple[str, str], ...]:
    """Return unusable secrets needed by container groups, each with the reason: known before the first write."""
    dependents = container_group.dependents(run.policy, observed)
    found: list[tuple[str, str]] = []
    for name in sorted({name for dependent in dependents if dependent.needs_rotation for name in dependent.sources}):
        try:
            value = await run.world.secret(run.policy, name)
        except (NotFound, Forbidden) as error:
            found.append((name, error.happened))
            continue
        if name in container_group.wanted_as_objects(run.policy, observed) and not container_group.is_object(
            value.reveal()
        ):
            found.append((name, "it isn't a JSON object, as the protected settings of an extension must be"))
    return tuple(found)


def _current_version(run: Run, observed: Observed) -> str | None:
    version = View(run.policy, observed, run.intent).current_version
    return version.id if version else None


async def proven(run: Run, observed: Observed, version: str | None) -> Observed:
    """The observation with a proof, made now, of the value of `version` (None: the latest)."""
    try:
        value = await run.world.value(run.policy, version)
    except (NotFound, Forbidden) as error:
        return replace(observed, proof=None, proof_at=None, unproven=error.happened)
    images = container_group.images(run.policy, observed)
    return replace(observed, proof=await trial(run, value, images), proof_at=observed.at, unproven="")


async def preview(run: Run) -> Preview:
    """Return the steps that a run would take now.

    Reads only, with one proof of the current value, and permissions as told by RBAC.
    """
    memory = Memory()
    observed = await tried(run, await look(run, memory, confirmed=True), memory.tried)
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
    """Return the visible state without any try: no proof, no permissions."""
    memory = Memory()
    return _preview(run, await look(run, memory, confirmed=True), memory, ())


def _preview(run: Run, observed: Observed, memory: Memory, vetoes: tuple[Veto, ...]) -> Preview:
    unfolded = plan(run.policy, observed, run.intent, frozenset(memory.refused))
    due = next_due(run.policy, observed, unfolded, run.intent)
    return Preview(run.policy, observed, unfolded, vetoes, due, View(run.policy, observed, run.intent))
