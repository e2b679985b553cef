"""Proof, permissions and secrets that the guard asks for before a step, each read once for a run."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import timedelta

from rotator import container_group
from rotator.engine.memory import Memory
from rotator.engine.run import FRESH, Proved, Run, Seen
from rotator.engine.trial import try_value
from rotator.errors import AzureError, Forbidden, NotFound
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import NewerValue, Observed, Outcome, RegistryAccess
from rotator.steps import NOTHING_KNOWN, Deploy, Issue, Known, Restore, Retire, Step

NEWER_VERSION = "whether a newer version of Container Instances shows more of its groups"
"""The question of :func:`newer_values`, for a note where Azure doesn't answer."""
PULLING = "whether a role lets the principal pull"
"""The question of :func:`_ask_for_access`, for a note where Azure doesn't answer."""


async def prepared(run: Run, seen: Seen, memory: Memory, steps: tuple[Step, ...]) -> Seen:
    """Return the look with the proof and permissions that the guard wants for these steps, all of one kind."""
    observed, first = seen.observed, steps[0]
    issuing, deploying = isinstance(first, Issue), isinstance(first, Deploy)
    if (issuing or deploying) and memory.known.permissions is None:
        await _ask(run, observed, memory)
    if isinstance(first, Issue | Deploy | Restore):
        await compare(run, observed, memory, tagged=not issuing)
    if issuing and not memory.sourced:
        memory.known = replace(memory.known, sources=await _unusable(run, observed))
        memory.sourced = True
    if isinstance(first, Issue | Deploy | Retire):
        version = None if issuing else run.view(seen).current_version
        memory.known = await proven(run, observed, version.id if version else None, memory.known, recent=deploying)
    if issuing:
        await _ask_for_access(run, observed, memory)
    return replace(seen, known=memory.known)


async def _ask(run: Run, observed: Observed, memory: Memory) -> None:
    """Ask for the permissions that a rotation takes."""
    rights = await run.world.rights(wanted := linked(run.policy, observed))
    groups = tuple(g.id for g in observed.groups if g.document is not None)
    found = await run.world.permissions(run.policy, groups)
    memory.known = replace(
        memory.known,
        permissions=found,
        links=tuple(link for link, right in zip(wanted, rights, strict=True) if right.allowed is False),
        unanswered=(*found.unknown, *((right.question, right.why) for right in rights if right.allowed is None)),
    )


async def _ask_for_access(run: Run, observed: Observed, memory: Memory) -> None:
    """Read who may pull, where no value of the secret authenticates: no try shows then that a role is missing."""
    tried, principal = memory.known.proof, observed.principal.service_principal
    if principal is None or (tried and tried.outcome not in (Outcome.REFUSED, Outcome.EXPIRED)):
        return
    try:
        access = await run.world.registry_access(run.policy, principal)
    except AzureError as error:
        question = (PULLING, error.happened)
        memory.known = replace(memory.known, unanswered=(*memory.known.unanswered, question))
        return
    unread = tuple((PULLING, why) for each in access for why in (*each.unread, *_unread_roles(each)))
    memory.known = replace(memory.known, access=access, unanswered=(*memory.known.unanswered, *unread))


def _unread_roles(access: RegistryAccess) -> Iterator[str]:
    """Yield the roles whose permissions rotator may not read."""
    shown = {role.id for role in access.roles}
    for role in sorted({each.role.lower() for each in access.assignments} - shown):
        yield f"the permissions of role {role} at {access.registry.id} cannot be read"


async def compare(run: Run, observed: Observed, memory: Memory, *, tagged: bool) -> None:
    """Compare each group once with what the newest version of Container Instances shows of it.

    A group without our tag is compared before any write: its first PUT decides if a rotation begins at all. Any other
    one (`tagged`) is compared when a PUT of a group is due: a newer tool may have changed it since the last, and its
    veto stops neither the new credential nor the other groups. A group with a difference is read once more: it may have
    changed between the two reads.
    """
    groups = {
        d.id
        for d in container_group.dependents(run.policy, observed)
        if d.needs_rotation and (tagged or d.key_id is None) and (d.declared or run.policy.discover.redeploy)
    }
    asked = groups - memory.compared
    memory.compared |= asked
    try:
        found = await newer_values(run, observed, asked)
    except AzureError as error:
        question = (NEWER_VERSION, error.happened)
        memory.known = replace(memory.known, unanswered=(*memory.known.unanswered, question))
        return
    memory.known = replace(memory.known, newer=(*memory.known.newer, *found))


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
    images = container_group.images(run.policy, observed)
    moment = run.world.moment()
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
