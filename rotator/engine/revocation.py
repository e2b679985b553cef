"""Revoke: record, delete, remove the credentials if requested, and report the remaining access.

Rules for editors of this file:

1. The record is written before the first deletion, and recorded assignments stay recorded.
2. An object not found proves nothing: neither the principal, nor one of its objects, nor a registry. Deletions possible
   without the object are made; then the object is looked for again, and only refusals turn an absence into an end of
   access.
3. A grant made meanwhile ends the revocation: no more is deleted, and the report says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from rotator import guard
from rotator.codes import FailureCode
from rotator.engine.access import end, own, read_record, start
from rotator.engine.evidence import AGREEING, Left, gather, unknown_to_entra
from rotator.engine.exposed import finish
from rotator.engine.retirement import withdraw
from rotator.engine.revocation_mark import AGEING, MarkBefore, mark_revoked
from rotator.engine.run import FRESH, Patience, Run, failure, stopped
from rotator.errors import Locked, NotFound, RotatorError, UnsafeStep
from rotator.events import AssignmentDeleted, VersionDisabled
from rotator.plan import Ending, Shown, Tries, View, credential_steps, revocation_notes, revoke_steps, vanished
from rotator.plan.revocation_end import refused
from rotator.remedy import rotator
from rotator.results import Result
from rotator.state import Access, Assignment, Observed
from rotator.steps import Disable, Retire, Revoke, kind, target

NOT_FOUND = (
    "the principal was not found, which does not prove that access is gone: sign in to the tenant that has the"
    " principal, or correct `principal.app_id`, and run again"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Options of a revocation: `wait` until pulls are seen to be refused, and remove the `credentials` as well."""

    wait: bool
    credentials: bool


@dataclass(frozen=True, slots=True)
class Look:
    """The world at one look.

    `run` is about the registries that were found; without `observed`, the principal wasn't, as `missing` says.
    """

    run: Run
    read: float
    observed: Observed | None
    missing: str = ""


async def revoke(run: Run, *, wait: bool = True, credentials: bool = False) -> Result:
    """Record, delete, report the remaining access, and prove that pulls are refused (at most 15 minutes).

    Idempotent: a second revocation removes all leftovers.

    With `credentials`, every credential of ours is removed, too, and the versions holding them are disabled.
    """

    async def act() -> str:
        return await _revoke(run, Wish(wait, credentials))

    return await finish(run, "revoke", act)


async def _revoke(run: Run, wish: Wish) -> str:
    look = await _look(run)
    if look.observed is None or look.observed.principal.service_principal is None:
        await _recorded(look, wish)
        await Patience(run, "rotator looks for the principal once more: Graph's reads may lag", AGREEING).sleep(
            AGREEING
        )
        look = await _look(run)
    if look.observed is None:
        return await _absent(look, wish)
    if objection := guard.itself(run.policy, look.observed):
        raise UnsafeStep(objection[1], remedy=objection[2])
    return await _take_all(run, wish, look, look.observed)


async def _look(run: Run) -> Look:
    """Observe; a registry not found doesn't prevent a revocation on the others.

    Raises NotFound if none of the registries is found.
    """
    read = run.world.moment()
    try:
        return Look(run, read, await run.observe())
    except NotFound as error:
        if error.code == FailureCode.NO_SUCH_PRINCIPAL:
            return Look(run, read, None, error.happened)
        missing = error
    shown = {
        each.registry.id for each in await run.world.registry_access(run.policy, None) if each.registry.login_server
    }
    found = [registry for registry in run.policy.registries if registry.id in shown]
    if not found:
        raise missing
    narrowed = replace(run, policy=run.policy.model_copy(update={"registries": found}))
    try:
        return Look(narrowed, read, await narrowed.observe())
    except NotFound as error:
        if error.code == FailureCode.NO_SUCH_PRINCIPAL:
            return Look(narrowed, read, None, error.happened)
        raise


async def _take_all(run: Run, wish: Wish, look: Look, observed: Observed) -> Ending:
    """Remove all access from an existing principal, and look at the remaining access."""
    before, read = await read_record(run)
    recorded = before.assignments if before.access is Access.REVOKED else ()
    steps = revoke_steps(run.policy, await _found(look.run, observed, recorded), await own(look.run), recorded)
    mark = await mark_revoked(run, before, [*recorded, *(step.assignment for step in steps)], read)
    left = await Left.before(run)
    if not await _delete_all(run, steps, wish, mark):
        return _regranted(run)
    if wish.credentials:
        taken = await _take_credentials(look, mark)
        if taken is None:
            return _regranted(run)
        observed = taken
    how = await gather(run, observed, left, wait=wish.wait, proving=look.run)
    return _regranted(run) if await mark.granted(run) else how


def _regranted(run: Run) -> Ending:
    run.tell(revocation_notes.regranted(run.policy))
    return Ending.REGRANTED


async def _recorded(look: Look, wish: Wish) -> None:
    """Mark, and delete remaining role assignments recorded by an earlier revocation: no principal is needed."""
    run = look.run
    before, read = await read_record(run)
    recorded = before.assignments if before.access is Access.REVOKED else ()
    mark = await mark_revoked(run, before, recorded, read)
    steps = revoke_steps(run.policy, await run.world.standing(recorded), await own(run), recorded)
    await _delete_all(run, steps, wish, mark)


async def _absent(look: Look, wish: Wish) -> Ending:
    """Handle a principal not found.

    The principal counts as gone only if two looks agree, and neither Entra nor any registry knows its password.
    """
    run = look.run
    left = await Left.before(run)
    tries = await unknown_to_entra(run, left) if wish.wait else Tries(Shown.NOTHING, revocation_notes.NOT_WAITED)
    served = (
        tries.shown is not Shown.PRINCIPAL
        or left.value is None
        or not refused(await run.world.pull(run.policy, left.value, ()))
    )
    how = vanished(tries.shown, agreed=wish.wait, served=served)
    why = "; ".join(filter(None, (look.missing, tries.why, NOT_FOUND)))
    unproven = how is Ending.UNPROVEN
    note = (
        revocation_notes.not_proven(run.policy, why) if unproven else revocation_notes.absent(run.policy, look.missing)
    )
    run.tell(note)
    return how


async def _found(run: Run, observed: Observed, recorded: Sequence[Assignment]) -> list[Assignment]:
    """Return the principal's present role assignments, and recorded ones still there.

    Recorded role assignments stay in Azure even after their principal is gone.
    """
    oid = observed.principal.service_principal
    found = await run.world.assignments(run.policy, oid) if oid else ()
    known = {a.id for a in found}
    return [*found, *(await run.world.standing([a for a in recorded if a.id not in known]))]


async def _delete_all(run: Run, steps: Sequence[Revoke], wish: Wish, mark: MarkBefore) -> bool:
    """Delete one role assignment after the other; a failure of one doesn't stop the others.

    Return False if access was granted meanwhile.
    """
    for step in steps:
        if (not_after := await mark.not_after(run)) is None:
            return False
        start(run, step)
        try:
            was_there = await run.world.delete_assignment(step.assignment, not_after=not_after)
        except RotatorError as error:
            _stays(run, step, error, credentials=wish.credentials)
            continue
        run.tell(AssignmentDeleted(assignment=step.assignment.id, scope=step.assignment.scope, was_there=was_there))
        end(run, step, "" if was_there else "it was already gone")
    return True


def _stays(run: Run, step: Revoke, error: RotatorError, *, credentials: bool) -> None:
    """Report an assignment that can't be deleted; a lock is no failure if the credentials are removed."""
    where = step.assignment.scope
    if isinstance(error, Locked) and credentials:
        run.tell(revocation_notes.locked(step, error.happened))
        return
    if isinstance(error, Locked):
        error.state = f"Access is marked as revoked, but the assignment on {where} stays: the principal can pull."
        error.remedy = (
            "Remove the lock and run again; or remove the passwords:"
            f" `{rotator('revoke', run.policy.name, credentials=True)}`."
        )
    run.tell(failure(run, kind(step), target(step), error))


async def _take_credentials(look: Look, mark: MarkBefore) -> Observed | None:
    """Remove every credential of ours from either home, and disable the versions holding them.

    Report the groups losing a password, and the remaining foreign passwords. Each credential is tried once, based on a
    look of the last minute, the first one on a look that may have taken longer; then all is looked at again, since a
    rotation may have been under way. Return None if access was granted meanwhile.
    """
    run, tried = look.run, set[tuple[str, str]]()
    while True:
        read = run.world.moment()
        try:
            observed = await run.observe()
        except NotFound as error:
            run.tell(stopped(run, "revoke", error))
            return look.observed
        view = View(run.policy, observed, run.intent)
        due = [step for step in credential_steps(view) if (kind(step), target(step)) not in tried]
        if not due:
            break
        for step in due:
            if step is not due[0] and run.world.moment() - read > AGEING:
                break
            if (not_after := await mark.not_after(run)) is None:
                return None
            tried.add((kind(step), target(step)))
            await _take(run, observed, step, mark, min(not_after, read + FRESH))
    for note in (*revocation_notes.losers(view), *revocation_notes.untaken(view)):
        run.tell(note)
    return observed


async def _take(run: Run, observed: Observed, step: Retire | Disable, mark: MarkBefore, not_after: float) -> None:
    start(run, step)
    try:
        if isinstance(step, Retire):
            await withdraw(
                run,
                observed.principal,
                next(c for c in observed.credentials if c.key_id == step.key_id),
                partial(mark.permit, run),
            )
        else:
            await run.world.mark_version(run.policy, step.version, enabled=False, not_after=not_after)
            run.tell(VersionDisabled(version=step.version))
    except RotatorError as error:
        run.tell(failure(run, kind(step), target(step), error))
        return
    end(run, step)
