"""Looks at the world for one run, and the preview of its steps."""

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from rotator import guard
from rotator.codes import FailureCode, VetoCode
from rotator.engine.memory import Memory
from rotator.engine.preparation import compare, prepared
from rotator.engine.run import Run, Seen
from rotator.engine.trial import tried
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.guard import Veto
from rotator.plan import View, keys_matter, next_due, next_steps, plan
from rotator.policy import Policy
from rotator.remedy import advise
from rotator.results import Preview
from rotator.state import Credential, Observed, SignIns
from rotator.steps import Intent, Known, kind, target

MOST_VALUES = 10
"""Versions whose values are read to see whose passwords they are; a hand-made secret has few."""


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
    untold, newest = [v for v in view.versions if v.enabled and not v.key_id], view.versions[-1:]
    since = min((c.start for c in view.orphans), default=view.at)
    old = [*(v for v in untold if v.created >= since), *(() if view.current else newest)] if view.orphans else []
    last = [v for v in newest if v in untold] if view.superseded else []
    wanted = dict.fromkeys(v.id for v in (*old, *last))
    if len(wanted) > MOST_VALUES:
        return None
    try:
        hints = {name: (await run.world.value(run.policy, name)).reveal()[:3] for name in wanted}
    except (NotFound, Forbidden):
        return None
    lost = _fitting(view.orphans, {hints[v.id] for v in old})
    return tuple(sorted((*lost, *_fitting(view.superseded, {hints[v.id] for v in last}))))


def _fitting(credentials: Sequence[Credential], hints: AbstractSet[str]) -> tuple[str, ...]:
    """The key ids of those whose password may begin like one of these values; one without a hint may."""
    return tuple(c.key_id for c in credentials if hints and (c.hint is None or c.hint in hints))


async def preview(run: Run) -> Preview:
    """Return the steps that a run would take now.

    Reads only, with one proof of the current value, and permissions as told by RBAC.
    """
    memory = Memory()
    seen = await look_and_try(run, memory, confirmed=True)
    memory.known = await _with_keys(run, seen)
    seen = replace(seen, known=memory.known)
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
    await compare(run, seen.observed, memory, tagged=True)
    return _preview(run, replace(seen, known=replace(seen.known, newer=memory.known.newer)), tuple(vetoes))


async def glance(run: Run) -> Preview:
    """Return the visible state without any try: no proof, no permissions, and only the vetoes that rest on neither."""
    seen = await look(run, Memory(), confirmed=True)
    return _foreseen(run, replace(seen, known=await _with_keys(run, seen)))


async def _with_keys(run: Run, seen: Seen) -> Known:
    """Return what is known, with all that signs in as the principal where it matters; what isn't read is said."""
    if not keys_matter(run.view(seen)):
        return seen.known
    try:
        found = (await run.world.sign_ins(run.policy)).live(seen.observed.at)
    except AzureError as error:
        found = SignIns(unread=(f"what signs in as the principal ({error.happened})",))
    return replace(seen.known, signs_in=found)


def remembered(run: Run) -> Preview | None:
    """Return the preview of the run's last observation, without another look; None if nothing was observed."""
    if not run.latest:
        return None
    latest = run.latest[0]
    return latest.preview or _foreseen(
        run, Seen(latest.observed, latest.read), but=(*guard.PASSING, VetoCode.PUBLISHED)
    )


def _foreseen(run: Run, seen: Seen, but: Collection[VetoCode] = guard.PASSING) -> Preview:
    known, vetoes = foreseen(run.policy, seen.observed, run.intent, seen.known, but)
    return _preview(run, replace(seen, known=known), vetoes)


def foreseen(
    policy: Policy, observed: Observed, intent: Intent, known: Known, but: Collection[VetoCode] = guard.PASSING
) -> tuple[Known, tuple[Veto, ...]]:
    """Return the vetoes that a look alone foresees, and what is known with them; `but`: vetoes left to the run."""
    vetoes: list[Veto] = []
    while found := [veto for veto in _vetoes(policy, observed, intent, known) if veto.code not in but]:
        vetoes += found
        known = replace(known, refused=known.refused | {(kind(veto.step), target(veto.step)) for veto in found})
    return known, tuple(vetoes)


def _vetoes(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Veto]:
    """Yield the vetoes of the batch that is due."""
    for step in next_steps(policy, observed, intent, known).steps:
        if veto := guard.check(step, policy, observed, intent, known):
            yield veto


def _preview(run: Run, seen: Seen, vetoes: tuple[Veto, ...]) -> Preview:
    unfolded = plan(run.policy, seen.observed, run.intent, seen.known)
    due = next_due(run.policy, seen.observed, unfolded, seen.known)
    return Preview(run.policy, seen.observed, seen.known, unfolded, vetoes, due, run.view(seen))
