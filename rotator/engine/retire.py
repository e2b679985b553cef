"""Retire a credential and disable its versions: what was decided is carried out, and a later read must agree."""

from rotator.engine.run import Run, Seen, ensure_fresh
from rotator.errors import AzureError, Conflict, NotFound, OutcomeUnknown, Throttled, Unavailable
from rotator.events import CredentialRemoved, VersionDisabled
from rotator.plan import Disable, Retire
from rotator.state import Credential, Principal

LOOKING, EVERY = 120.0, 5.0
"""Seconds for which, and between which, a removed credential is looked for until a read no longer shows it."""


async def retire(run: Run, seen: Seen, step: Retire) -> str:
    """Remove the credential; returns what was done."""
    credential = next(c for c in seen.observed.credentials if c.key_id == step.key_id)
    ensure_fresh(run, seen.read, f"what shows that nothing relies on {step.key_id}")
    await withdraw(run, seen.observed.principal, credential)
    return f"credential {credential.key_id} is removed from the {credential.home.value.replace('_', ' ')}"


async def withdraw(run: Run, principal: Principal, credential: Credential) -> None:
    """Remove a credential of ours until a read no longer shows it; Unavailable if it is still there after two minutes.

    Removing twice is harmless: a key id is never used again. Graph answers 400 or 404 for one that it doesn't know *yet* just as for
    one that is gone (azure-facts C2), and 409 where two changes of one object meet (C4); so only reading decides, and after such an answer
    only reading for two minutes.
    """
    start, trouble = run.clock.elapsed(), await _remove(run, principal, credential)
    while True:
        late = run.clock.elapsed() - start >= LOOKING
        there = await _there(run, credential)
        if not there and (trouble is None or late):
            break
        if there and late:
            raise _still_there(credential, trouble)
        await run.clock.sleep(EVERY)
        trouble = trouble and await _remove(run, principal, credential)
    run.tell(CredentialRemoved(policy=run.policy.name, key_id=credential.key_id, home=credential.home))


async def _remove(run: Run, principal: Principal, credential: Credential) -> AzureError | None:
    """Ask once; what Graph answered where that proves nothing, None where it accepted."""
    try:
        await run.world.remove_password(principal, credential.home, credential.key_id)
    except (NotFound, Conflict, OutcomeUnknown, Throttled, Unavailable) as error:
        return error
    return None


async def _there(run: Run, credential: Credential) -> bool:
    return any(c.key_id == credential.key_id for c in await run.world.credentials(run.policy))


def _still_there(credential: Credential, trouble: AzureError | None) -> AzureError:
    why = f" ({trouble.happened})" if trouble else ""
    return Unavailable(
        f"credential {credential.key_id} is still there {LOOKING:.0f} s after its removal{why}",
        service="graph",
        state=f"Credential {credential.key_id} may still authenticate.",
        remedy="Run again; the next run removes it.",
    )


async def disable(run: Run, seen: Seen, step: Disable) -> str:
    """Disable the version; returns what was done."""
    ensure_fresh(run, seen.read, f"what shows that version {step.version} is left over")
    await run.world.mark_version(run.policy, step.version, enabled=False)
    run.tell(VersionDisabled(policy=run.policy.name, version=step.version))
    return f"version {step.version} is disabled"
