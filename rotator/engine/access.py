"""Grant, and the parts shared with revoke and provision: role assignments, role ids, and the access record."""

import uuid
from collections.abc import Sequence

from rotator.codes import FailureCode
from rotator.engine.evidence import acceptance
from rotator.engine.exposed import finish
from rotator.engine.run import FRESH, Run, access_now, ensure_granted
from rotator.errors import Conflict, NotFound, UnsafeStep
from rotator.events import AccessRecorded, AssignmentCreated, AssignmentDeleted, StepDone, StepStarted
from rotator.plan import declared_role, grant_steps, own_roles, restorable
from rotator.ports import AccessRecord
from rotator.remedy import recover_secret, rotator
from rotator.resource_id import ArmId, ResourceId
from rotator.results import Result
from rotator.state import Access, Assignment, Observed, Registry
from rotator.steps import Grant, Step, kind, target


async def read_record(run: Run) -> tuple[AccessRecord, float]:
    """Return the access record, enabled again if it was disabled, and the moment before its reading.

    Access counts as granted only after two reads, since one read may show an older version.

    Raises UnsafeStep if the record is soft-deleted: writing to it is impossible then.
    """
    record, read = await access_now(run)
    if record.access is Access.GRANTED:
        record, read = await access_now(run)
    if record.deleted:
        name, vault = run.policy.access_secret, run.policy.key_vault.name
        raise UnsafeStep(
            f"the access mark, secret {name}, is soft-deleted; it says that access is {record.access}",
            remedy=f"`{recover_secret(vault, name)}` recovers the secret; then run again.",
        )
    if record.disabled:
        record = await run.world.enable_record(run.policy)
        run.tell(AccessRecorded(access=record.access, assignments=len(record.assignments)))
    return record, read


def start(run: Run, step: Step) -> None:
    """Report the start of a step."""
    run.tell(StepStarted(step=kind(step), target=target(step), reason=step.reason.text, code=step.reason.code))


def end(run: Run, step: Step, detail: str = "") -> None:
    """Report the end of a step."""
    run.tell(StepDone(step=kind(step), target=target(step), detail=detail))


async def own(run: Run) -> dict[str, str]:
    """Return the GUIDs of the policy's own roles, in either permission mode of its registries."""
    wanted = {name: registry.id for registry in run.policy.registries for name in own_roles(registry.role)}
    found = {name: await _guid(run, name, at) for name, at in sorted(wanted.items())}
    return {name: guid for name, guid in found.items() if guid}


async def _guid(run: Run, name: str, at: ResourceId) -> str | None:
    """Return the GUID of a role; None for a twin role missing in this cloud."""
    try:
        return await run.world.role(name, at)
    except NotFound:
        if any(registry.role == name for registry in run.policy.registries):
            raise
        return None


async def grant(run: Run, *, wait: bool = True) -> Result:
    """Restore the role assignments recorded by a revoke, or create the declared ones; then wait for a pull to succeed.

    Idempotent: the record stays.
    """

    async def act() -> str:
        await _grant(run, wait)
        return ""

    return await finish(run, "grant", act)


async def _grant(run: Run, wait: bool) -> None:
    observed = await run.observe()
    record, read = await read_record(run)
    recorded = restorable(record.assignments, observed.principal.service_principal)
    for step in await _missing(run, observed, recorded):
        await _create(run, step, read)
    read, now = run.world.moment(), await run.world.access(run.policy)
    if (now.access, now.assignments) != (record.access, record.assignments):
        raise Conflict(
            f"the access record changed from {record.access} to {now.access} while access was being granted",
            service="Key Vault",
            state=(
                "The role assignments are made, but access is not marked as granted: another process revokes or"
                " grants access at the same time."
            ),
            remedy=f"Wait until the other process has ended, then run {_either(run)} again.",
        )
    if record.access is Access.REVOKED:
        await run.world.record_access(run.policy, Access.GRANTED, record.assignments, not_after=read + FRESH)
        run.tell(AccessRecorded(access=Access.GRANTED, assignments=len(record.assignments)))
    await _ensure_there(run, observed, recorded)
    if wait:
        await acceptance(run, observed)
    if run.world.moment() - read > FRESH and (await access_now(run))[0].access is Access.REVOKED:
        raise Conflict(
            "access was revoked again after it was granted",
            service="Key Vault",
            state="Access is marked as revoked.",
            remedy=f"Wait until the other process has ended, then run {_either(run)} again.",
        )


def _either(run: Run) -> str:
    return f"`{rotator('grant', run.policy.name)}` or `{rotator('revoke', run.policy.name)}`"


async def _ensure_there(run: Run, observed: Observed, recorded: Sequence[Assignment]) -> None:
    """Check that the granted role assignments still exist: a revocation under way may have deleted them.

    Raises Conflict.
    """
    missing = [step.assignment for step in await _missing(run, observed, recorded)]
    there = await run.world.standing(missing)
    if len(there) < len(missing):
        raise Conflict(
            f"{len(missing) - len(there)} role assignment(s) were deleted while access was being granted",
            service="Azure role-based access control",
            state=(
                "Access is marked as granted, but the principal may not pull: a revocation was running at the same"
                " time."
            ),
            remedy=f"Wait until the revocation has ended, then run {_either(run)} again.",
        )


async def _missing(run: Run, observed: Observed, recorded: Sequence[Assignment]) -> tuple[Grant, ...]:
    """Return the recorded role assignments, or else the declared ones, as far as no list shows them."""
    principal = observed.principal.service_principal
    wanted = () if recorded else await declared(run, principal, observed.registries)
    found = await run.world.assignments(run.policy, principal)
    return grant_steps(run.policy, found, recorded, wanted, await own(run))


async def assign(run: Run, observed: Observed) -> None:
    """Create missing declared role assignments, unless access is revoked.

    The access mark is read before each write, and once after all writes, so that a revocation wins.

    Raises UnsafeStep.
    """
    made: list[Assignment] = []
    for step in await _missing(run, observed, ()):
        read = run.world.moment()
        await ensure_granted(run)
        if await _create(run, step, read):
            made.append(step.assignment)
    if made:
        await _ensure_wanted(run, made)


async def _create(run: Run, step: Grant, read: float) -> bool:
    """Create one role assignment, based on a read at the moment `read`; return False if it existed."""
    start(run, step)
    created = await run.world.create_assignment(step.assignment, not_after=read + FRESH)
    run.tell(AssignmentCreated(assignment=step.assignment.id, scope=step.assignment.scope, was_there=not created))
    end(run, step)
    return created


async def _ensure_wanted(run: Run, made: Sequence[Assignment]) -> None:
    """Delete the role assignments created by this run if access was revoked meanwhile. Raises UnsafeStep then."""
    read = run.world.moment()
    try:
        await ensure_granted(run)
    except UnsafeStep:
        for each in made:
            was_there = await run.world.delete_assignment(each, not_after=read + FRESH)
            run.tell(AssignmentDeleted(assignment=each.id, scope=each.scope, was_there=was_there))
        raise


async def declared(run: Run, oid: str | None, registries: Sequence[Registry]) -> Sequence[Assignment]:
    """Return the policy's own role assignments, each with the role honoured by its registry.

    Their ids are the same on every machine and in every run.
    """
    if oid is None:
        raise NotFound(
            f"{run.policy.principal.app_id} has no service principal in this tenant, so no role can be given to it",
            service="Microsoft Graph",
            code=FailureCode.NO_SERVICE_PRINCIPAL,
            remedy=f"`{rotator('provision', run.policy.name)}` creates the service principal.",
        )
    modes = {registry.id: registry for registry in registries}
    return [
        await _declared(run, oid, registry.id, registry.role, modes.get(registry.id))
        for registry in run.policy.registries
    ]


async def _declared(run: Run, oid: str, registry_id: ResourceId, role: str, seen: Registry | None) -> Assignment:
    name = declared_role(role, registry_id, seen)
    role_id = await run.world.role(name, registry_id)
    guid = uuid.uuid5(uuid.NAMESPACE_URL, f"{registry_id.lower()}|{role_id.lower()}|{oid.lower()}")
    return Assignment(
        registry_id, role_id, ArmId(f"{registry_id}/providers/Microsoft.Authorization/roleAssignments/{guid}"), oid
    )
