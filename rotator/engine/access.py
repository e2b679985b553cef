"""Revoke and grant: role assignments, the record that restores them, and the proof that pulls are refused."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from rotator import group
from rotator.engine.run import Result, Run, Score, failure, told
from rotator.errors import Forbidden, NotFound, RotatorError
from rotator.events import AccessRecorded, AssignmentCreated, AssignmentDeleted, Finished, Noted, PullRefused, StepDone, StepStarted
from rotator.plan import Revoke, Step, grant_steps, kind, revoke_steps, target
from rotator.state import Access, Assignment, Observed, Outcome

PATIENCE, EVERY = 900.0, 15.0
"""Seconds for which, and between which, a change of role assignments is waited for (Azure takes up to ten minutes: azure-facts F4)."""
PULLING = ("AcrPull", "AcrPush", "Owner", "Contributor", "Reader", "Container Registry Repository Reader")
"""Roles that let a principal pull, some only in one of the two modes of a registry (azure-facts F6, G5)."""
REFUSALS = (Outcome.NO_PULL, Outcome.REFUSED, Outcome.EXPIRED, Outcome.DISABLED)
"""Outcomes of a try with which nobody pulls."""
RESIDUE = "tokens that were issued before live on: up to 1 h of Entra, 75 min and 3 h of the registry"


async def revoke(run: Run, *, wait: bool = True) -> Result:
    """Record, delete, and prove that pulls are refused (at most 15 minutes). Idempotent: whatever is left over goes, and the proof is made again."""
    return await _finish(run, "revoke", _revoke, wait)


async def grant(run: Run, *, wait: bool = True) -> Result:
    """Restore what a revoke recorded, or make what the policy declares; then see a pull succeed."""
    return await _finish(run, "grant", _grant, wait)


async def _finish(run: Run, verb: str, act: Callable[[Run, Score, bool], Awaitable[None]], wait: bool) -> Result:
    score = Score()
    try:
        await act(run, score, wait)
    except RotatorError as error:
        told(run, failure(run, verb, run.policy.name, error), score)
    result = Result(run.policy.name, score.exit_code, score.summary(), None, score.done)
    run.tell(Finished(policy=run.policy.name, exit_code=result.exit_code, summary=result.summary))
    return result


async def _revoke(run: Run, score: Score, wait: bool) -> None:
    observed = await run.world.observe(run.policy)
    roles = await _roles(run)
    found = await run.world.assignments(run.policy)
    record = await run.world.access(run.policy)
    steps = revoke_steps(run.policy, found, roles)
    recorded = record.assignments if record.access is Access.REVOKED else ()
    lost = sorted({a.id.lower(): a for a in (*recorded, *(s.assignment for s in steps))}.values())
    await run.world.record_access(run.policy, Access.REVOKED, lost)
    run.tell(AccessRecorded(policy=run.policy.name, access=Access.REVOKED, assignments=len(lost)))
    for step in steps:
        await _delete(run, step, score)
    await _evidence(run, score, observed, wait)


async def _delete(run: Run, step: Revoke, score: Score) -> None:
    """Delete one assignment; what stops it is told, and stops no other."""
    _start(run, step)
    try:
        was_there = await run.world.delete_assignment(step.assignment)
    except RotatorError as error:
        told(run, failure(run, kind(step), target(step), error), score)
        return
    run.tell(AssignmentDeleted(policy=run.policy.name, assignment=step.assignment.id, scope=step.assignment.scope, was_there=was_there))
    _end(run, step, "" if was_there else "it was already gone")
    score.done += 1


def _start(run: Run, step: Step) -> None:
    run.tell(StepStarted(policy=run.policy.name, step=kind(step), target=target(step), reason=step.reason.text, code=step.reason.code))


def _end(run: Run, step: Step, detail: str = "") -> None:
    run.tell(StepDone(policy=run.policy.name, step=kind(step), target=target(step), detail=detail))


async def _roles(run: Run) -> dict[str, str]:
    return {r.role: await run.world.role(r.role, r.id) for r in run.policy.registries}


async def _evidence(run: Run, score: Score, observed: Observed, wait: bool) -> None:
    remaining = await _remaining(run)
    for name, assignment in remaining:
        text = f"{name} at {assignment.scope} still lets the principal pull; it isn't this policy's to delete"
        told(run, Noted(policy=run.policy.name, code="still_granted", subject=assignment.id, text=text, warn=True), score)
    for registry in observed.registries:
        if registry.admin_user:
            text = f"the admin user of {registry.login_server} is enabled: whoever has its password can pull"
            told(run, Noted(policy=run.policy.name, code="admin_user", subject=registry.id, text=text), score)
    if remaining or not wait:
        text = f"that pulls are refused is not proven: {'access remains' if remaining else 'it was not waited for'}"
        told(run, Noted(policy=run.policy.name, code="not_proven", subject=run.policy.name, text=text, warn=bool(remaining)), score)
        return
    await _refusal(run, score, observed)


async def _remaining(run: Run) -> list[tuple[str, Assignment]]:
    names = {(await run.world.role(name, run.policy.registries[0].id)).lower(): name for name in PULLING}
    scopes = [r.id.lower() for r in run.policy.registries]
    found = await run.world.assignments(run.policy)
    above = (a for a in found if any(scope == a.scope.lower() or scope.startswith(a.scope.lower().rstrip("/") + "/") for scope in scopes))
    return [(names[a.role.lower()], a) for a in above if a.role.lower() in names]


async def _refusal(run: Run, score: Score, observed: Observed) -> None:
    images = group.images(run.policy, observed)
    if not images:
        _unproven(run, score, "no container group names an image to try")
        return
    try:
        value = await run.world.value(run.policy)
    except (NotFound, Forbidden) as error:
        _unproven(run, score, error.happened)
        return
    start = run.clock.elapsed()
    while (proof := await run.world.prove(run.policy, value, images)).outcome not in REFUSALS:
        if run.clock.elapsed() - start >= PATIENCE:
            _unproven(run, score, f"after {PATIENCE / 60:.0f} minutes a pull still isn't refused ({proof.outcome}); Azure documents up to ten")
            return
        await run.clock.sleep(EVERY)
    run.tell(PullRefused(policy=run.policy.name, after=run.clock.elapsed() - start))
    told(run, Noted(policy=run.policy.name, code="residue", subject=run.policy.name, text=RESIDUE), score)


def _unproven(run: Run, score: Score, why: str) -> None:
    text = f"that pulls are refused is not proven: {why}"
    told(run, Noted(policy=run.policy.name, code="not_proven", subject=run.policy.name, text=text, warn=True), score)


async def _grant(run: Run, score: Score, wait: bool) -> None:
    observed = await run.world.observe(run.policy)
    record = await run.world.access(run.policy)
    declared = await _declared(run, observed)
    found = await run.world.assignments(run.policy)
    for step in grant_steps(run.policy, found, record.assignments if record.access is Access.REVOKED else (), declared):
        _start(run, step)
        created = await run.world.create_assignment(step.assignment)
        told(run, AssignmentCreated(policy=run.policy.name, assignment=step.assignment.id, scope=step.assignment.scope, was_there=not created))
        _end(run, step)
        score.done += 1
    if record.access is Access.REVOKED:
        await run.world.record_access(run.policy, Access.GRANTED, record.assignments)
        run.tell(AccessRecorded(policy=run.policy.name, access=Access.GRANTED, assignments=len(record.assignments)))
    if wait:
        await _acceptance(run, score, observed)


async def _declared(run: Run, observed: Observed) -> Sequence[Assignment]:
    """The policy's own assignments, under ids that are the same on every machine and in every run."""
    oid, roles = observed.principal.service_principal or "", await _roles(run)
    declared = []
    for registry in run.policy.registries:
        guid = uuid.uuid5(uuid.NAMESPACE_URL, f"{registry.id.lower()}|{roles[registry.role].lower()}|{oid.lower()}")
        at = f"{registry.id}/providers/Microsoft.Authorization/roleAssignments/{guid}"
        declared.append(Assignment(registry.id, roles[registry.role], at, oid))
    return declared


async def _acceptance(run: Run, score: Score, observed: Observed) -> None:
    images = group.images(run.policy, observed)
    try:
        value = await run.world.value(run.policy)
    except (NotFound, Forbidden):
        return
    start = run.clock.elapsed()
    while images and not (proof := await run.world.prove(run.policy, value, images)).ok:
        if proof.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.DISABLED) or run.clock.elapsed() - start >= PATIENCE:
            text = f"the role is granted, and a pull doesn't succeed yet: {proof.outcome} {proof.detail}".rstrip()
            told(run, Noted(policy=run.policy.name, code="not_proven", subject=run.policy.name, text=text, warn=True), score)
            return
        await run.clock.sleep(EVERY)
