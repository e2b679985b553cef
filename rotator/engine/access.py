"""Revoke and grant: role assignments, the record that restores them, and what is left of the access afterwards."""

import uuid
from collections.abc import Awaitable, Callable, Sequence

from rotator import guard
from rotator.engine.evidence import Left, acceptance, evidence
from rotator.engine.retire import withdraw
from rotator.engine.run import Result, Run, Score, failure, told
from rotator.errors import Locked, NotFound, RotatorError, UnsafeStep
from rotator.events import AccessRecorded, AssignmentCreated, AssignmentDeleted, Finished, Noted, StepDone, StepStarted, VersionDisabled
from rotator.plan import Disable, Retire, Revoke, Step, View, credential_steps, fitting, grant_steps, kind, own_roles, revoke_steps, target
from rotator.ports import AccessRecord
from rotator.state import Access, Assignment, Home, Observed, Registry

NO_PRINCIPAL = "NoSuchPrincipal"
"""The client's code where the tenant has neither application nor service principal of that app id."""


async def revoke(run: Run, *, wait: bool = True, credentials: bool = False) -> Result:
    """Record, delete, say what is left, and prove that pulls are refused (at most 15 minutes). Idempotent: whatever is left over goes.

    With `credentials`, every credential of ours goes, too, and the versions that hold them are disabled.
    """

    async def act(score: Score) -> str:
        try:
            observed = await run.world.observe(run.policy)
        except NotFound as error:
            if error.code != NO_PRINCIPAL:
                raise
            return await _without_principal(run, score, error)
        return await _revoke(run, score, observed, wait=wait, credentials=credentials)

    return await _finish(run, "revoke", act)


async def grant(run: Run, *, wait: bool = True) -> Result:
    """Restore what a revoke recorded, or make what the policy declares; then see a pull succeed."""

    async def act(score: Score) -> str:
        await _grant(run, score, wait)
        return ""

    return await _finish(run, "grant", act)


async def _finish(run: Run, verb: str, act: Callable[[Score], Awaitable[str]]) -> Result:
    """Act, and say how it ended before what was counted."""
    score, verdict = Score(), ""
    try:
        verdict = await act(score)
    except RotatorError as error:
        told(run, failure(run, verb, run.policy.name, error), score)
    result = Result(run.policy.name, score.exit_code, verdict or score.summary(), None, score.done)
    run.tell(Finished(policy=run.policy.name, exit_code=result.exit_code, summary=result.summary))
    return result


async def _revoke(run: Run, score: Score, observed: Observed, *, wait: bool, credentials: bool) -> str:
    if objection := guard.itself(run.policy, observed):
        raise UnsafeStep(objection[1], remedy=objection[2])
    record = await _record(run)
    recorded = record.assignments if record.access is Access.REVOKED else ()
    steps = revoke_steps(run.policy, await _found(run, recorded), await own(run), recorded)
    await _mark(run, record, [*recorded, *(step.assignment for step in steps)])
    left = await Left.before(run, observed)
    for step in steps:
        await _delete(run, step, score, credentials=credentials)
    if credentials:
        await _take_credentials(run, score, observed)
    return await evidence(run, score, observed, left, wait=wait)


async def _without_principal(run: Run, score: Score, error: NotFound) -> str:
    """Nobody signs in as what doesn't exist; only what it left behind is there to be deleted."""
    record = await _record(run)
    recorded = record.assignments if record.access is Access.REVOKED else ()
    await _mark(run, record, list(recorded))
    for step in revoke_steps(run.policy, await run.world.standing(recorded), await own(run), recorded):
        await _delete(run, step, score, credentials=False)
    text = f"{error.happened}: nobody can sign in as it, so nothing pulls with it"
    told(run, Noted(policy=run.policy.name, code="no_principal", subject=run.policy.principal.app_id, text=text), score)
    return f"access is gone: {run.policy.principal.app_id} doesn't exist"


async def _record(run: Run) -> AccessRecord:
    record = await run.world.access(run.policy)
    if record.deleted:
        name, vault = run.policy.access_secret, run.policy.key_vault.name
        raise UnsafeStep(
            f"the access mark {name} was deleted, and is kept as a deleted secret: it says that access is {record.access}",
            remedy=f"`az keyvault secret recover --vault-name {vault} --name {name}` brings it back; then run again.",
        )
    return await run.world.enable_record(run.policy) if record.disabled else record


async def _found(run: Run, recorded: Sequence[Assignment]) -> list[Assignment]:
    """What the principal has now, and what is recorded and still there although the principal that it names is gone."""
    found = await run.world.assignments(run.policy)
    known = {a.id.lower() for a in found}
    return [*found, *(await run.world.standing([a for a in recorded if a.id.lower() not in known]))]


async def _mark(run: Run, record: AccessRecord, lost: Sequence[Assignment]) -> None:
    """Write the record before anything is deleted, unless it says the same already."""
    wanted = tuple(sorted({a.id.lower(): a for a in lost}.values()))
    if record.access is Access.REVOKED and wanted == record.assignments:
        return
    await run.world.record_access(run.policy, Access.REVOKED, wanted)
    run.tell(AccessRecorded(policy=run.policy.name, access=Access.REVOKED, assignments=len(wanted)))


async def _delete(run: Run, step: Revoke, score: Score, *, credentials: bool) -> None:
    """Delete one assignment; what stops it is told, and stops no other."""
    start(run, step)
    try:
        was_there = await run.world.delete_assignment(step.assignment)
    except RotatorError as error:
        if isinstance(error, Locked):
            if credentials:
                _locked(run, step, error)
                return
            error.state = f"Access is marked as revoked, but the assignment on {step.assignment.scope} stays: the principal can pull."
            error.remedy = f"Remove the lock and run again; or take the passwords away: `rotator revoke {run.policy.name} --credentials`."
        told(run, failure(run, kind(step), target(step), error), score)
        return
    run.tell(AssignmentDeleted(policy=run.policy.name, assignment=step.assignment.id, scope=step.assignment.scope, was_there=was_there))
    end(run, step, "" if was_there else "it was already gone")
    score.done += 1


def _locked(run: Run, step: Revoke, error: Locked) -> None:
    text = f"the role assignment on {step.assignment.scope} stays, since a lock holds it: a new password would pull again ({error.happened})"
    run.tell(Noted(policy=run.policy.name, code="locked", subject=step.assignment.id, text=text))


async def _take_credentials(run: Run, score: Score, observed: Observed) -> None:
    """Remove every credential of ours from either home, and disable what holds them; say who loses a password, and whose remain."""
    view = View(run.policy, observed, run.intent)
    for step in credential_steps(view):
        start(run, step)
        try:
            await _take(run, observed, step)
        except RotatorError as error:
            told(run, failure(run, kind(step), target(step), error), score)
            continue
        end(run, step)
        score.done += 1
    for dependent in view.dependents:
        text = f"{dependent.name} {'holds' if dependent.key_id else 'may hold'} a password that is taken: its next pull fails"
        told(run, Noted(policy=run.policy.name, code="loses_password", subject=dependent.id, text=text), score)
    _tell_untaken(run, score, view)


def _tell_untaken(run: Run, score: Score, view: View) -> None:
    """Whose passwords stay; where the versions' tags may not be read, adopted ones are among them, and nobody knows which."""
    if refused := view.observed.vault_refuses:
        name, host = run.policy.key_vault.password_secret, run.policy.key_vault.host
        text = f"{host} doesn't let rotator read {name}, so adopted passwords aren't known and stay, and no version is disabled: {refused}"
        told(run, Noted(policy=run.policy.name, code="vault_refused", subject=name, text=text, warn=True), score)
    whose = "isn't known to be ours" if refused else "isn't ours"
    for foreign in (c for c in view.foreign if c.live(view.at)):
        home = "app" if foreign.home is Home.APPLICATION else "sp"
        by_hand = f"az ad {home} credential delete --id {run.policy.principal.app_id} --key-id {foreign.key_id}"
        text = f"credential {foreign.key_id} ({foreign.display_name or 'unnamed'}) {whose} and stays; `{by_hand}` removes it"
        told(run, Noted(policy=run.policy.name, code="foreign", subject=foreign.key_id, text=text), score)


async def _take(run: Run, observed: Observed, step: Retire | Disable) -> None:
    if isinstance(step, Retire):
        await withdraw(run, observed.principal, next(c for c in observed.credentials if c.key_id == step.key_id))
        return
    await run.world.mark_version(run.policy, step.version, enabled=False)
    run.tell(VersionDisabled(policy=run.policy.name, version=step.version))


def start(run: Run, step: Step) -> None:
    """Tell that a step begins."""
    run.tell(StepStarted(policy=run.policy.name, step=kind(step), target=target(step), reason=step.reason.text, code=step.reason.code))


def end(run: Run, step: Step, detail: str = "") -> None:
    """Tell that a step is done."""
    run.tell(StepDone(policy=run.policy.name, step=kind(step), target=target(step), detail=detail))


async def own(run: Run) -> dict[str, str]:
    """The GUIDs of the roles that are the policy's own, whichever mode its registries are in."""
    wanted = {name: registry.id for registry in run.policy.registries for name in own_roles(registry.role)}
    found = {name: await _guid(run, name, at) for name, at in sorted(wanted.items())}
    return {name: guid for name, guid in found.items() if guid}


async def _guid(run: Run, name: str, at: str) -> str | None:
    """A role's GUID; None for a twin that this cloud doesn't have."""
    try:
        return await run.world.role(name, at)
    except NotFound:
        if any(registry.role == name for registry in run.policy.registries):
            raise
        return None


async def _grant(run: Run, score: Score, wait: bool) -> None:
    observed = await run.world.observe(run.policy)
    record = await _record(run)
    recorded = record.assignments if record.access is Access.REVOKED else ()
    await assign(run, score, observed, recorded)
    if record.access is Access.REVOKED:
        await run.world.record_access(run.policy, Access.GRANTED, record.assignments)
        run.tell(AccessRecorded(policy=run.policy.name, access=Access.GRANTED, assignments=len(record.assignments)))
    if wait:
        await acceptance(run, score, observed)


async def assign(run: Run, score: Score, observed: Observed, recorded: Sequence[Assignment]) -> None:
    """Create what is recorded, or else declared, as far as it isn't there."""
    wanted = () if recorded else await declared(run, observed.principal.service_principal, observed.registries)
    for step in grant_steps(run.policy, await run.world.assignments(run.policy), recorded, wanted, await own(run)):
        start(run, step)
        created = await run.world.create_assignment(step.assignment)
        told(run, AssignmentCreated(policy=run.policy.name, assignment=step.assignment.id, scope=step.assignment.scope, was_there=not created))
        end(run, step)
        score.done += 1


async def declared(run: Run, oid: str | None, registries: Sequence[Registry]) -> Sequence[Assignment]:
    """The policy's own assignments, each by the role that its registry heeds, under ids that are the same on every machine and in every run."""
    if oid is None:
        raise NotFound(
            f"{run.policy.principal.app_id} has no service principal in this tenant, so no role can be given to it",
            service="Microsoft Graph",
            code="NoServicePrincipal",
            remedy=f"`rotator provision {run.policy.name}` makes it.",
        )
    modes = {registry.id.lower(): registry for registry in registries}
    return [await _declared(run, oid, registry.id, registry.role, modes.get(registry.id.lower())) for registry in run.policy.registries]


async def _declared(run: Run, oid: str, registry_id: str, role: str, seen: Registry | None) -> Assignment:
    name = fitting(role, abac=seen is not None and seen.abac)
    if name == "Owner" and seen is not None and seen.abac:
        raise UnsafeStep(
            f"{registry_id} checks permissions by repository (ABAC), where Owner doesn't let anybody pull",
            remedy="Declare `role: Container Registry Repository Reader` for it.",
        )
    role_id = await run.world.role(name, registry_id)
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"{registry_id.lower()}|{role_id.lower()}|{oid.lower()}")
    return Assignment(registry_id, role_id, f"{registry_id}/providers/Microsoft.Authorization/roleAssignments/{guid}", oid)
