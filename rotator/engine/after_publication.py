"""Standing of a credential right after its publication: a last look, and what is undone where access was revoked."""

from rotator.engine.retirement import withdraw
from rotator.engine.run import FRESH, Run
from rotator.errors import AzureError, RotatorError, UnsafeStep
from rotator.events import VersionDisabled
from rotator.ports import Issued
from rotator.remedy import rotator
from rotator.state import Access, Observed, Version


async def ensure_standing(run: Run, observed: Observed, issued: Issued, version: Version, not_after: float) -> None:
    """Check credential and access once more after the PUT.

    A revocation wins, and a process stopped inside the PUT may have published a removed credential.
    """
    credential = issued.credential
    try:
        record = await run.world.access(run.policy)
        late = run.world.moment() > not_after
        gone = late and all(c.key_id != credential.key_id for c in await run.world.credentials(run.policy))
    except AzureError as error:
        error.state = (
            f"Credential {credential.key_id} is published as version {version.id}; the read after that failed."
        )
        raise
    if record.access is Access.REVOKED:
        raise await _unpublish(run, observed, issued, version)
    if gone:
        raise RotatorError(
            f"credential {credential.key_id} was removed while it was being published: this run was suspended for"
            f" more than {FRESH:.0f} s",
            state=(
                f"Version {version.id} of {run.policy.key_vault.password_secret} holds a password that doesn't"
                " authenticate."
            ),
            remedy="Run again now: the next run publishes a new credential.",
        )


async def _unpublish(run: Run, observed: Observed, issued: Issued, version: Version) -> RotatorError:
    """Undo a publication that met a revocation; return the error that says what is undone, and what isn't."""
    key_id, happened, left = (
        issued.credential.key_id,
        "access was revoked while the new credential was being published",
        [],
    )
    try:
        await withdraw(run, observed.principal, issued.credential, secret=issued.secret)
    except RotatorError as error:
        left.append((f"Credential {key_id} may still authenticate.", error.happened))
    try:
        await run.world.mark_version(run.policy, version.id, enabled=False)
        run.tell(VersionDisabled(version=version.id))
    except AzureError as error:
        left.append((f"Version {version.id} is not known to be disabled.", error.happened))
    if left:
        states, reasons = zip(*left, strict=True)
        return RotatorError(
            f"{happened}, and rotator could not undo all of it: {'; '.join(reasons)}",
            state=" ".join(states),
            remedy=(
                f"`{rotator('revoke', run.policy.name, credentials=True)}` removes the credentials and disables the"
                " versions that are left."
            ),
        )
    return UnsafeStep(
        happened,
        state=f"Credential {key_id} is removed again and version {version.id} is disabled.",
        remedy=f"`{rotator('grant', run.policy.name)}` restores access.",
    )
