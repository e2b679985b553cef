"""Take back a new credential that certainly was not published, or name it in the error.

From the moment at which the PUT of the secret may have been sent, the credential stays, whatever the later answers:
readers may have its password.
"""

from functools import partial

from rotator.codes import NoteCode
from rotator.engine.limits import harmless
from rotator.engine.publication import EVERY, LOOKING, NewCredential
from rotator.engine.retirement import withdraw
from rotator.engine.run import FRESH, Patience, Run
from rotator.errors import Conflict, OutcomeUnknown, RotatorError
from rotator.events import Noted
from rotator.state import Credential, Observed
from rotator.words import days


async def remove_lost(run: Run, observed: Observed, name: str) -> bool:
    """Look for a credential left behind by an add without an answer, and remove it: no reader has its secret.

    Return True if the credential was found. The last look begins after the two minutes: a process may have slept during
    the one before.
    """
    start, patience = (
        run.clock.elapsed(),
        Patience(
            run, f"Graph did not answer when a password was added; rotator looks for a credential named {name}", LOOKING
        ),
    )
    while True:
        late = run.clock.elapsed() - start >= LOOKING
        for credential in await run.world.credentials(run.policy):
            if credential.display_name == name:
                await withdraw(run, observed.principal, credential, partial(_unpublished, run, credential))
                return True
        if late:
            return False
        await patience.sleep(EVERY)


async def _unpublished(run: Run, credential: Credential) -> float:
    """Return the moment before a look in which no version names the credential. Raises Conflict if a version does."""
    read = run.world.moment()
    if any(credential.key_id.lower() in (v.key_id, *v.adopted) for v in await run.world.versions(run.policy)):
        raise Conflict(
            (
                f"a version of {run.policy.key_vault.password_secret} names credential {credential.key_id}, so the"
                " credential stays"
            ),
            service="keyvault",
        )
    return read


async def after_failure(run: Run, observed: Observed, new: NewCredential, error: Exception) -> Exception:
    """Return the error with the resulting state: a credential certainly not published is removed first."""
    if new.sent:
        return _unknown(run, new.credential, error)
    gone, state = await _taken_back(run, observed, new)
    if harmless(error):
        error.undone = gone
    if isinstance(error, RotatorError):
        error.state = state
        return error
    return RotatorError(
        f"an unexpected {type(error).__name__} between the addition of a credential and its publication: a bug in"
        " rotator",
        state=state,
    )


async def _taken_back(run: Run, observed: Observed, new: NewCredential) -> tuple[bool, str]:
    """Remove the credential; return True if it is gone, and the resulting state."""
    credential = new.credential
    try:
        await withdraw(run, observed.principal, credential, partial(_unpublished, run, credential), new.issued.secret)
    except RotatorError as error:
        return False, (
            f"Credential {credential.key_id} was added and could not be removed ({error}). Nothing was published; a"
            f" later run removes it after {days(run.policy.rotation.reclaim_after)}."
        )
    return True, (
        f"Credential {credential.key_id} was added, and is removed again. Nothing was published; no container group was"
        " touched."
    )


async def after_interruption(run: Run, observed: Observed, new: NewCredential) -> None:
    """Clean up at once: send one removal of a credential certainly not published; report a credential that stays."""
    key_id, state = new.credential.key_id, "may be published, so it stays; the next run reads the versions and decides"
    if not new.sent:
        try:
            await run.world.remove_password(
                observed.principal, new.credential.home, key_id, not_after=run.world.moment() + FRESH
            )
            state = "was added and not published; rotator asked Graph once to remove it"
        except RotatorError as error:
            state = (
                f"was added and not published, and its removal failed ({error}); a later run removes it after"
                f" {days(run.policy.rotation.reclaim_after)}"
            )
    text = f"credential {key_id} {state}"
    run.tell(Noted(code=NoteCode.INTERRUPTED, subject=key_id, text=text, warn=True))


def _unknown(run: Run, credential: Credential, error: Exception) -> OutcomeUnknown:
    why = error.happened if isinstance(error, RotatorError) else f"an unexpected {type(error).__name__}"
    return OutcomeUnknown(
        f"it is unknown if {run.policy.key_vault.password_secret} was set: {why}",
        service="keyvault",
        state=(
            f"Credential {credential.key_id} was added and stays, because a version with its password may exist. If"
            f" no version names it, a later run removes it after {days(run.policy.rotation.reclaim_after)}. No"
            " container group was changed."
        ),
    )
