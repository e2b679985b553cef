"""Looks at the world for one run: observation, the run's memory of earlier looks, proof and permissions."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rotator import container_group, guard
from rotator.codes import FailureCode
from rotator.engine.run import FRESH, Patience, Proved, Run, Seen
from rotator.engine.trial import tried, try_value
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.events import StepFailed, Vetoed
from rotator.guard import Veto
from rotator.plan import View, next_due, next_steps, plan
from rotator.policy import Policy
from rotator.ports import Write
from rotator.remedy import advise
from rotator.resource_id import ResourceId
from rotator.results import Preview
from rotator.state import Credential, NewerValue, Observed
from rotator.steps import NOTHING_KNOWN, Deploy, Issue, Known, Note, Postponed, Retire, Step, Wait, kind, target

NEWER_VERSION = "whether a newer version of Container Instances shows more of its groups"
"""The question of :func:`newer_values`, for a note where Azure doesn't answer."""
MOST_VALUES = 10
"""Versions whose values are read to see whose passwords they are; a hand-made secret has few."""


@dataclass(slots=True)
class Memory:
    """Facts seen by one run and missing in a single observation."""

    known: Known = NOTHING_KNOWN
    """For the rules and the guard."""
    seen_at: float = float("-inf")
    """The moment after the last look."""
    sourced: bool = False
    """The secrets that groups need were read."""
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
    alarms: tuple[Note, ...] = ()
    """Compromised credentials that the last look showed to work."""
    held: set[Write] = field(default_factory=set)
    """Writes with a permit."""
    paused: Patience | None = None
    """For what it has waited last."""
    looked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often this run has looked again for a wait, by code and subject."""

    def worth_a_look(self, waits: Sequence[Wait]) -> tuple[Wait, ...]:
        """Return the waits that this run looks at again."""
        return tuple(w for w in waits if w.look_again and (w.looks is None or self.looked[w.code, w.subject] < w.looks))

    def refuse(self, *steps: tuple[str, str]) -> None:
        """Don't ask for these steps again, each given by kind and target."""
        self.known = replace(self.known, refused=self.known.refused | set(steps))

    def postpone(self, limits: Iterable[Postponed]) -> None:
        """Don't ask for these steps again before their limits end."""
        new = {(each.step, each.target): each for each in (*self.known.limited, *limits)}
        self.known = replace(self.known, limited=tuple(new[asked] for asked in sorted(new)))

    def saw(self, view: View, may_be_published: tuple[str, ...] | None) -> None:
        """Remember the facts of a new look, and forget the proof made for an earlier one."""
        observed, known = view.observed, self.known
        absent = view.current_key and not view.current
        names, first = {c.display_name for c in observed.credentials}, dict(known.unnamed_since)
        unnamed = view.orphans if observed.versions_complete else ()
        self.known = replace(
            known,
            proof=None,
            proof_at=None,
            unproven=None,
            absent_since=(known.absent_since or observed.at) if absent else None,
            lost=tuple(sorted(self.lost - names)),
            unnamed_since=tuple(sorted((c.key_id, first.get(c.key_id, observed.at)) for c in unnamed)),
            may_be_published=may_be_published,
        )


async def look(run: Run, memory: Memory, *, confirmed: bool = False, reuse: bool = False) -> Seen:
    """Observe, and remember; `confirmed` as in `World.observe`, `reuse` to rest on recent readings.

    Raises Forbidden if the vault may not be read: an empty answer would not prove an empty vault.
    """
    read, observed = await run.observe_again(since=memory.seen_at, recent=reuse, confirmed=confirmed)
    memory.seen_at = run.world.moment()
    if refused := observed.vault_refuses:
        remedy = str(advise(refused.grounds))
        raise Forbidden(
            refused.text,
            service="Key Vault",
            code=FailureCode.VAULT_UNREADABLE,
            status=403,
            remedy=remedy,
            grounds=refused.grounds,
        )
    view = View(run.policy, observed, run.intent)
    memory.saw(view, await _may_be_published(run, view))
    return Seen(observed, read, memory.known)


async def look_and_try(run: Run, memory: Memory, *, confirmed: bool = False, reuse: bool = False) -> Seen:
    """Look, and try each value of the secret needed by the rules."""
    seen = await look(run, memory, confirmed=confirmed, reuse=reuse)
    memory.known = replace(memory.known, tried=await tried(run, seen))
    return replace(seen, known=memory.known)


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


async def prepared(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> Seen:
    """Return the look with the proof and permissions that the guard wants for these steps."""
    observed = seen.observed
    if any(isinstance(step, Issue | Deploy) for step in steps) and memory.known.permissions is None:
        await _ask(run, observed, memory)
        await _compare(run, observed, memory)
    if any(isinstance(step, Issue) for step in steps) and not memory.sourced:
        memory.known, memory.sourced = replace(memory.known, sources=await _unusable(run, observed)), True
    if any(isinstance(step, Issue | Deploy | Retire) for step in steps):
        latest = any(isinstance(step, Issue) for step in steps)
        version = None if latest else run.view(seen).current_version
        recent = all(isinstance(step, Deploy) for step in steps)
        memory.known = await proven(run, observed, version.id if version else None, memory.known, recent=recent)
    return replace(seen, known=memory.known)


async def _ask(run: Run, observed: Observed, memory: Memory) -> None:
    """Ask for the permissions that a rotation takes."""
    rights = await run.world.rights(wanted := linked(run.policy, observed))
    groups = tuple(g.id for g in observed.groups if g.document is not None)
    found = await run.world.permissions(run.policy, groups, published=bool(observed.versions))
    memory.known = replace(
        memory.known,
        permissions=found,
        links=tuple(link for link, right in zip(wanted, rights, strict=True) if right.allowed is False),
        unanswered=(*found.unknown, *((right.question, right.why) for right in rights if right.allowed is None)),
    )


async def _compare(run: Run, observed: Observed, memory: Memory) -> None:
    """Compare the groups before their first PUT with what the newest version of Container Instances shows of them.

    A group with our tag was compared before. A group with a difference is read once more: somebody may have changed it
    between the two reads.
    """
    first = {
        d.id
        for d in container_group.dependents(run.policy, observed)
        if d.needs_rotation and d.key_id is None and (d.declared or run.policy.discover.redeploy)
    }
    if not first:
        return
    try:
        memory.known = replace(memory.known, newer=await newer_values(run, observed, first))
    except AzureError as error:
        question = (NEWER_VERSION, error.happened)
        memory.known = replace(memory.known, unanswered=(*memory.known.unanswered, question))


async def newer_values(run: Run, observed: Observed, groups: Collection[ResourceId]) -> tuple[NewerValue, ...]:
    """Return what the newest version of Container Instances alone shows of some groups. Raises AzureError."""
    ours = {each.id: each.document for each in observed.groups if each.id in groups and each.document is not None}
    if not ours:
        return ()
    newer = await run.world.newer_groups(sorted({each.subscription for each in ours}))
    for group in sorted({each.group for each in container_group.newer_values(ours, newer)}):
        ours[group] = (await run.world.group(group)).document or ours[group]
    return container_group.newer_values(ours, newer)


def linked(policy: Policy, observed: Observed) -> tuple[tuple[str, ResourceId], ...]:
    """Return the permissions needed beside those on redeployed container groups: action and resource, sorted."""
    moved = (
        d
        for d in container_group.dependents(policy, observed)
        if d.needs_rotation and (d.declared or policy.discover.redeploy)
    )
    return tuple(sorted({link for dependent in moved for link in dependent.links}))


async def _unusable(run: Run, observed: Observed) -> tuple[tuple[str, str, str], ...]:
    """Return unusable secrets needed by container groups, each with reason and remedy: known before the first write.

    A missing secret has no remedy of Azure's.
    """
    dependents = container_group.dependents(run.policy, observed)
    objects = container_group.wanted_as_objects(run.policy, observed)
    found: list[tuple[str, str, str]] = []
    for name in sorted({name for dependent in dependents if dependent.needs_rotation for name in dependent.sources}):
        try:
            value = await run.world.secret(run.policy, name)
        except (NotFound, Forbidden) as error:
            found.append((name, error.happened, error.remedy if isinstance(error, Forbidden) else ""))
            continue
        if name in objects and not container_group.is_object(value.reveal()):
            found.append(
                (name, "its value is not a JSON object, which the protected settings of an extension must be", "")
            )
    return tuple(found)


async def proven(
    run: Run, observed: Observed, version: str | None, known: Known = NOTHING_KNOWN, *, recent: bool = False
) -> Known:
    """Return the run's knowledge with a proof of the value of `version` (None: the latest).

    The proof is made now, or, with `recent`, in the last minute by this run with the same images.
    """
    images, moment = container_group.images(run.policy, observed), run.world.moment()
    earlier = next((p for p in run.proved if (p.version, p.images) == (version, images)), None)
    if recent and earlier and moment - earlier.moment <= FRESH / 2:
        proof_at = observed.at - timedelta(seconds=moment - earlier.moment)
        return replace(known, proof=earlier.proof, proof_at=proof_at, unproven=None)
    try:
        value = await run.world.value(run.policy, version)
    except (NotFound, Forbidden) as error:
        return replace(known, proof=None, proof_at=None, unproven=error.denial)
    proof = await try_value(run, value, images)
    run.proved[:] = [Proved(version, images, moment, proof)] if version and proof.ok else []
    return replace(known, proof=proof, proof_at=observed.at, unproven=None)


async def preview(run: Run) -> Preview:
    """Return the steps that a run would take now.

    Reads only, with one proof of the current value, and permissions as told by RBAC.
    """
    memory = Memory()
    seen = await look_and_try(run, memory, confirmed=True)
    vetoes: list[Veto] = []
    while steps := next_steps(run.policy, seen.observed, run.intent, seen.known).steps:
        if seen.known.proof is None:
            seen = await prepared(run, seen, memory, steps)
        found = [v for step in steps if (v := guard.check(step, run.policy, seen.observed, run.intent, seen.known))]
        if not found:
            break
        vetoes += found
        memory.refuse(*((kind(veto.step), target(veto.step)) for veto in found))
        seen = replace(seen, known=memory.known)
    return _preview(run, seen, tuple(vetoes))


async def glance(run: Run) -> Preview:
    """Return the visible state without any try: no proof, no permissions."""
    return _preview(run, await look(run, Memory(), confirmed=True), ())


def remembered(run: Run) -> Preview | None:
    """Return the preview of the run's last observation, without another look; None if nothing was observed."""
    if not run.latest:
        return None
    latest = run.latest[0]
    return latest.preview or _preview(run, Seen(latest.observed, latest.read), ())


def _preview(run: Run, seen: Seen, vetoes: tuple[Veto, ...]) -> Preview:
    unfolded = plan(run.policy, seen.observed, run.intent, seen.known)
    due = next_due(run.policy, seen.observed, unfolded, seen.known)
    return Preview(run.policy, seen.observed, seen.known, unfolded, vetoes, due, run.view(seen))
