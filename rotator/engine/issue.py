"""Issue: add a credential, prove it, publish it. The only place that holds a new secret, and only in memory."""

from rotator import group
from rotator.engine.prove import prove
from rotator.engine.retire import withdraw
from rotator.engine.run import Run, Seen, ensure_fresh, ensure_granted
from rotator.errors import AzureError, Conflict, OutcomeUnknown, ProofFailed, RotatorError, UnsafeStep
from rotator.events import CredentialAdded, VersionPublished
from rotator.plan import Issue, View
from rotator.ports import Issued
from rotator.state import ATTEMPT, HOME, KEY_ID, Access, Credential, Home, Observed, Tags, Version, marker, tags

LOOKING, EVERY = 120.0, 10.0
"""Seconds for which, and between which, a write whose answer was lost is looked for (Graph's reads lag its writes)."""
UNRESOLVED = 3
"""Adds of one run that may end without anybody knowing how."""
OWN = "rotator-"
"""Prefix of the tags that belong to one version and are not carried over to the next."""


async def issue(run: Run, seen: Seen, step: Issue) -> str:
    """Add, prove, publish; returns what was done. What was added is gone again if it can't be published, or is named in the error."""
    observed, limit = seen.observed, run.policy.proof.deadline.total_seconds()
    if run.left() < limit:
        raise UnsafeStep(f"{run.left():.0f} s are left, and a proof may take {limit:.0f} s", remedy="Give the next run more --max-duration.")
    await ensure_granted(run)
    ensure_fresh(run, seen.read, "what shows that a new credential is due")
    attempt, issued = await _add(run, observed, step)
    credential = issued.credential
    run.tell(CredentialAdded(policy=run.policy.name, key_id=credential.key_id, home=credential.home, end=credential.end))
    try:
        _ensure_lasting(run, observed, credential)
        await prove(run, credential.key_id, issued.secret, group.images(run.policy, observed))
        await run.world.publish_username(run.policy)  # which fits the current password, too: whatever stops it must not come after the publication
        version = await _publish(run, observed, issued, attempt)
    except OutcomeUnknown:
        raise
    except RotatorError as error:
        await _take_back(run, observed, credential, error)
        raise
    await _ensure_still_granted(run, observed, credential, version)
    return f"credential {credential.key_id} is version {version.id}, valid until {credential.end:%Y-%m-%d %H:%M} UTC"


async def _add(run: Run, observed: Observed, step: Issue) -> tuple[str, Issued]:
    home = step.home if observed.principal.application else Home.SERVICE_PRINCIPAL
    for _ in range(UNRESOLVED):
        attempt = run.clock.attempt()
        name = marker(observed.lineage, attempt)
        try:
            return attempt, await run.world.add_password(observed.principal, home, name, observed.at + step.end)
        except OutcomeUnknown:
            await _clear(run, observed, name)
    raise OutcomeUnknown(
        f"{UNRESOLVED} adds of a credential got no answer",
        service="graph",
        state=f"Nothing was published. What those adds left behind is named rotator:{observed.lineage}:… and is reclaimed after "
        f"{run.policy.rotation.reclaim_after}.",
        remedy="Run again later.",
    )


async def _clear(run: Run, observed: Observed, name: str) -> None:
    """Look for what an add without an answer left behind, and take it away: nobody has its secret."""
    start = run.clock.elapsed()
    while run.clock.elapsed() - start < LOOKING:
        found = [c for c in await run.world.credentials(run.policy) if c.display_name == name]
        if found:
            await withdraw(run, observed.principal, found[0])
            return
        await run.clock.sleep(EVERY)


def _ensure_lasting(run: Run, observed: Observed, credential: Credential) -> None:
    if credential.end - observed.at > run.policy.rotation.renew_before:
        return
    got = credential.end - observed.at
    raise ProofFailed(
        f"the tenant cut the credential's life to {got} although {run.policy.rotation.validity} were asked for, "
        f"and it would be renewed {run.policy.rotation.renew_before} before its end",
        remedy="An app management policy of the tenant limits passwords; set `rotation: {validity, renew_before}` below its limit.",
    )


async def _take_back(run: Run, observed: Observed, credential: Credential, error: RotatorError) -> None:
    try:
        await withdraw(run, observed.principal, credential)
        error.state = f"Credential {credential.key_id} was added, and is removed again. Nothing was published; no container group was touched."
    except AzureError as second:
        error.state = (
            f"Credential {credential.key_id} was added and could not be removed ({second}). Nothing was published; "
            f"it is reclaimed after {run.policy.rotation.reclaim_after}."
        )


async def _publish(run: Run, observed: Observed, issued: Issued, attempt: str) -> Version:
    read = run.clock.elapsed()
    versions = await run.world.versions(run.policy)
    await ensure_granted(run)
    _ensure_unchanged(run, observed, versions)
    ensure_fresh(run, read, "the secret's list of versions")
    newest = View(run.policy, observed, run.intent).newest
    named = _tags(newest, issued.credential, attempt)
    for _ in range(2):
        try:
            version = await run.world.publish(run.policy, issued.secret, issued.credential.end, newest.content_type if newest else None, named)
            break
        except OutcomeUnknown:
            found = await _find(run, attempt)
            if found:
                version = found
                break
    else:
        raise _unpublished(run, issued.credential)
    run.tell(VersionPublished(policy=run.policy.name, version=version.id, key_id=issued.credential.key_id, expires=issued.credential.end))
    return version


def _ensure_unchanged(run: Run, observed: Observed, versions: tuple[Version, ...]) -> None:
    new = {v.id for v in versions} - {v.id for v in observed.versions}
    if new:
        raise Conflict(
            f"version {', '.join(sorted(new))} of {run.policy.key_vault.password_secret} appeared while a new credential was being proven",
            service="keyvault",
            remedy="Another run, or a person, was faster; run again.",
        )


def _tags(newest: Version | None, credential: Credential, attempt: str) -> Tags:
    carried = {name: value for name, value in (newest.tags if newest else ()) if not name.startswith(OWN)}
    return tags({**carried, KEY_ID: credential.key_id.lower(), HOME: credential.home.value, ATTEMPT: attempt})


async def _find(run: Run, attempt: str) -> Version | None:
    start = run.clock.elapsed()
    while run.clock.elapsed() - start < LOOKING:
        for version in await run.world.versions(run.policy):
            if version.tag(ATTEMPT) == attempt:
                return version
        await run.clock.sleep(EVERY)
    return None


def _unpublished(run: Run, credential: Credential) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"Key Vault didn't answer when {run.policy.key_vault.password_secret} was set, and no version of this attempt is visible",
        service="keyvault",
        state=f"Credential {credential.key_id} was added and stays, since a version of it may still appear; without one it is reclaimed after "
        f"{run.policy.rotation.reclaim_after}. No container group was touched.",
    )


async def _ensure_still_granted(run: Run, observed: Observed, credential: Credential, version: Version) -> None:
    """Revoke wins: if the mark appeared while publishing, what was just added goes again."""
    record = await run.world.access(run.policy)
    if record.access is not Access.REVOKED:
        return
    await withdraw(run, observed.principal, credential)
    await run.world.mark_version(run.policy, version.id, enabled=False)
    raise UnsafeStep(
        "access was revoked while the new credential was being published",
        state=f"Credential {credential.key_id} is removed again and version {version.id} is disabled.",
        remedy=f"`rotator grant {run.policy.name}` restores access.",
    )
