"""Retire a credential and disable its versions: carry out the decision, and confirm it by a later read.

A removal is sent once for each decision. A repeated removal needs a new look first: a credential unused then may be in
use now. Where the password is at hand, a credential that Graph doesn't list is gone only if Entra refuses the password.
"""

from collections.abc import Awaitable, Callable

from rotator.engine.run import DECISIONS, FRESH, PAUSE, Patience, Run, Seen, Undecided
from rotator.engine.trial import try_removed
from rotator.errors import AzureError, Conflict, NotFound, NotSent, OutcomeUnknown, RotatorError, Throttled, Unavailable
from rotator.events import CredentialRemoved, VersionDisabled
from rotator.plan import View
from rotator.state import Credential, Outcome, Principal, Proof, Secret
from rotator.steps import Disable, Retire

LONGEST = 300.0
"""Longest pause in seconds that Graph may ask for before a removal is sent again."""
LOOKING, EVERY = 120.0, 5.0
"""Longest wait until reads no longer show a removed credential, and pause between two reads, in seconds."""

Permit = Callable[[], Awaitable[float]]
"""Check if a credential may still be removed; return the moment before the check, or raise."""


async def retire(run: Run, seen: Seen, step: Retire) -> str:
    """Remove the credential; return a report of the step.

    Raises Undecided if the next look must decide on the removal again, RotatorError if the removal came too late.
    """
    credential = next(c for c in seen.observed.credentials if c.key_id == step.key_id)
    await remove(run, seen.observed.principal, credential, seen.read + FRESH)
    if run.world.moment() > seen.read + FRESH:
        await _ensure_unheld(run, seen, credential)
    return f"credential {credential.key_id} is removed from the {credential.home.value.replace('_', ' ')}"


async def _ensure_unheld(run: Run, seen: Seen, credential: Credential) -> None:
    """Look for container groups that came to hold the credential while its removal was under way.

    A process stopped inside the request can't be refused any more. Raises RotatorError.
    """
    key_id = credential.key_id
    try:
        now = View(run.policy, await run.observe(), run.intent)
    except AzureError as error:
        error.state = f"Credential {key_id} is removed; the look for container groups that hold it now failed."
        raise
    known = {dependent.id for dependent in run.view(seen).holders(key_id.lower())}
    came = ", ".join(each.name for each in now.holders(key_id.lower()) if each.id not in known)
    if came:
        raise RotatorError(
            f"credential {key_id} was removed more than {FRESH:.0f} s after the look that showed it unused;"
            f" meanwhile {came} took that credential, or may have taken it",
            state=f"Credential {key_id} is removed. A pull of {came} fails if it holds that credential.",
            remedy="Run again now: the next run redeploys these container groups with the current credential.",
        )


async def withdraw(
    run: Run,
    principal: Principal,
    credential: Credential,
    permit: Permit | None = None,
    secret: Secret | None = None,
) -> None:
    """Remove a credential although each try may fail: a bounded number of decisions, each on a new look.

    `permit` makes the look; default: the credential is listed, or Entra accepts its `secret`. A credential that no look
    of two minutes shows is gone, unless its `secret` is known and Entra doesn't refuse it.
    """
    for left in reversed(range(DECISIONS)):
        read = await (permit() if permit else _alive(run, credential, secret))
        if read is None:
            return
        try:
            await remove(run, principal, credential, read + FRESH, secret)
        except (Undecided, NotSent, Throttled) as error:
            pause = max(error.seconds or 0.0, PAUSE) if isinstance(error, Throttled) else PAUSE
            if not left or pause > LONGEST:
                raise
            await run.clock.sleep(pause)
        else:
            return


async def _alive(run: Run, credential: Credential, secret: Secret | None) -> float | None:
    """Return the moment before a look that doesn't show the end of the credential; None if it is gone."""
    if (read := await listed(run, credential)) is not None or secret is None:
        return read
    read = run.world.moment()
    return None if (await _tried(run, secret)).signs_in is False else read


async def _tried(run: Run, secret: Secret) -> Proof:
    """Return a try of a password; a failed try shows nothing."""
    try:
        return await try_removed(run, secret)
    except AzureError as error:
        return Proof(Outcome.UNREACHABLE, error.happened)


async def listed(run: Run, credential: Credential) -> float | None:
    """Return the moment before a read that lists the credential; None if no read of two minutes does.

    A new credential may take a while to be listed: Graph's reads lag its writes (azure-facts C6).
    """
    start, patience = run.clock.elapsed(), Patience(run, f"credential {credential.key_id} isn't listed", LOOKING)
    while True:
        read, late = run.world.moment(), run.clock.elapsed() - start >= LOOKING
        if await _there(run, credential):
            return read
        if late:
            return None
        await patience.sleep(EVERY)


async def remove(
    run: Run, principal: Principal, credential: Credential, not_after: float, secret: Secret | None = None
) -> None:
    """Send one removal, and look until a read no longer shows the credential.

    Graph answers 400 or 404 for a key id not known *yet*, just as for a removed one (azure-facts C2), and 409 where two
    changes of one object meet (azure-facts C4). So only reading decides; after such an answer an absence counts if it
    lasts for two minutes, and if Entra then refuses the `secret`, where it is known. Raises Throttled if a limit has
    refused the removal and the credential is still listed, Undecided if it is after another answer but a yes,
    Unavailable if it is listed two minutes after a yes, or if Entra doesn't refuse its password.
    """
    patience = Patience(
        run, f"Graph's reads may lag, so rotator looks again for credential {credential.key_id}", LOOKING
    )
    trouble = await _remove(run, principal, credential, not_after)
    start = run.clock.elapsed()
    while True:
        late = run.clock.elapsed() - start >= LOOKING
        there = await _there(run, credential)
        if not there and (trouble is None or late):
            break
        if there and isinstance(trouble, Throttled):
            raise trouble
        if there and trouble is not None and not isinstance(trouble, NotFound):
            raise _undecided(credential, trouble)
        if late:
            raise _undecided(credential, trouble) if trouble else _still_there(credential)
        await patience.sleep(EVERY)
    if trouble and secret and (proof := await _tried(run, secret)).signs_in is not False:
        raise _not_refused(credential, trouble, proof)
    run.tell(CredentialRemoved(key_id=credential.key_id, home=credential.home))


async def _remove(run: Run, principal: Principal, credential: Credential, not_after: float) -> AzureError | None:
    """Send one removal; return Graph's answer if inconclusive, None if Graph accepted."""
    try:
        await run.world.remove_password(principal, credential.home, credential.key_id, not_after=not_after)
    except (NotFound, Conflict, OutcomeUnknown, Throttled, Unavailable) as error:
        return error
    return None


async def _there(run: Run, credential: Credential) -> bool:
    return any(c.key_id == credential.key_id for c in await run.world.credentials(run.policy, credential.home))


def _undecided(credential: Credential, trouble: AzureError) -> Undecided:
    return Undecided(
        f"credential {credential.key_id} is still listed after rotator asked Graph to remove it: {trouble.happened}",
        state=f"Credential {credential.key_id} may still authenticate.",
    )


def _still_there(credential: Credential) -> AzureError:
    return Unavailable(
        f"credential {credential.key_id} is still listed {LOOKING:.0f} s after Graph accepted its removal",
        service="graph",
        state=f"Credential {credential.key_id} may still authenticate.",
        remedy="Run again; the next run removes it.",
    )


def _not_refused(credential: Credential, trouble: AzureError, proof: Proof) -> AzureError:
    untried = f"its password could not be tried: {proof.detail}"
    end = "Microsoft Entra ID still accepts its password" if proof.signs_in else untried
    return Unavailable(
        f"Graph does not list credential {credential.key_id} in reads of {LOOKING:.0f} s, but did not confirm its"
        f" removal ({trouble.happened}), and {end}",
        service="graph",
        state=f"Credential {credential.key_id} may still authenticate.",
        remedy="Run again: a run that sees the credential removes it.",
    )


async def disable(run: Run, seen: Seen, step: Disable) -> str:
    """Disable the version; return a report of the step."""
    await run.world.mark_version(run.policy, step.version, enabled=False, not_after=seen.read + FRESH)
    run.tell(VersionDisabled(version=step.version))
    return f"version {step.version} is disabled"
