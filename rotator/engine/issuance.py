"""Issue: add a credential, prove it, publish it.

With publication and take_back the only modules of the engine holding a new secret, and only in memory.

From the moment at which the PUT of the secret may have been sent, the credential stays, whatever the later answers:
readers may have its password.
"""

import asyncio
from functools import partial

from rotator import container_group
from rotator.codes import NoteCode
from rotator.engine.after_publication import ensure_standing
from rotator.engine.limits import home_of, outlast
from rotator.engine.proving import prove
from rotator.engine.publication import NewCredential, prove_new, publish
from rotator.engine.run import FRESH, Run, Seen, Undecided, ensure_granted
from rotator.engine.take_back import after_failure, after_interruption, remove_lost
from rotator.errors import OutcomeUnknown, ProofFailed, RotatorError, Throttled, UnsafeStep
from rotator.events import CredentialAdded, Noted, UsernamePublished
from rotator.state import Credential, Observed, Version, marker
from rotator.steps import Issue
from rotator.words import days


async def issue(run: Run, seen: Seen, step: Issue) -> str:
    """Add, prove, publish; return a report of the step.

    A credential certainly not published is removed again, or named in the error.

    Raises Undecided if the add may not have happened: the next look decides on another add.
    """
    observed, limit = seen.observed, run.policy.proof.deadline.total_seconds()
    if run.left() < limit:
        raise UnsafeStep(
            f"the run has {run.left():.0f} s left, and the proof of a new credential may take {limit:.0f} s",
            remedy="Give the next run more --max-duration.",
        )
    new = await _add(run, seen, step)
    run.tell(CredentialAdded(key_id=new.credential.key_id, home=new.credential.home, end=new.credential.end))
    try:
        version, not_after = await _delivered(run, observed, new)
    except asyncio.CancelledError:
        await after_interruption(run, observed, new)
        raise
    await ensure_standing(run, observed, new.issued, version, not_after)
    return (
        f"credential {new.credential.key_id} is version {version.id}, valid until"
        f" {new.credential.end:%Y-%m-%d %H:%M} UTC"
    )


async def _delivered(run: Run, observed: Observed, new: NewCredential) -> tuple[Version, float]:
    """Prove and publish the new credential.

    A credential certainly not published is removed again; the error describes the resulting state.
    """
    try:
        _ensure_lasting(run, observed, new.credential)
        new.images = container_group.images(run.policy, observed)
        await prove_new(run, new, prove)
        longest = run.policy.rotation.reclaim_after.total_seconds() / 4
        return await outlast(run, partial(_published, run, observed, new), longest)
    except Exception as error:  # noqa: BLE001 - a bug must not leave a credential that nobody knows of
        failure = error
    raise await after_failure(run, observed, new, failure)


async def _published(run: Run, observed: Observed, new: NewCredential) -> tuple[Version, float]:
    """Publish the user name, then the password.

    The user name fits the current password, too: what stops it must not come after the publication.
    """
    if await run.world.publish_username(run.policy):
        run.tell(UsernamePublished(secret=run.policy.key_vault.username_secret or ""))
    return await publish(run, observed, new)


async def _add(run: Run, seen: Seen, step: Issue) -> NewCredential:
    """Send one add.

    After an answer that leaves the result open, remove a credential made by the add, and raise Undecided.
    """
    observed = seen.observed
    home = home_of(observed, step.home)
    attempt = run.clock.attempt()
    name = marker(observed.lineage, attempt)
    await ensure_granted(run)
    try:
        return NewCredential(
            await run.world.add_password(
                observed.principal, home, name, observed.at + step.end, not_after=seen.read + FRESH
            ),
            attempt,
        )
    except OutcomeUnknown as error:
        lost = error
    try:
        found = await remove_lost(run, observed, name)
    except Throttled:
        found = False
    except RotatorError as error:
        error.state = f"Nothing was published. {_unanswered(name)} after {days(run.policy.rotation.reclaim_after)}."
        raise
    except asyncio.CancelledError:
        text = _unanswered(name)
        run.tell(Noted(code=NoteCode.INTERRUPTED, subject=name, text=text, warn=True))
        raise
    left = (
        "What it made is removed again."
        if found
        else f"If a credential was added, its name is {name}; a later run removes it."
    )
    raise Undecided(
        f"{lost.happened}; it is unknown if the password was added",
        state=f"Nothing was published. {left}",
        lost="" if found else name,
    )


def _unanswered(name: str) -> str:
    return (
        f"Graph did not answer when a password was added; if it was added, its name is {name}, and a later run removes"
        " it"
    )


def _ensure_lasting(run: Run, observed: Observed, credential: Credential) -> None:
    if credential.end - observed.at > run.policy.rotation.renew_before:
        return
    got = credential.end - observed.at
    raise ProofFailed(
        f"the tenant limited the lifetime of the new credential to {days(got)} ({days(run.policy.rotation.validity)}"
        f" were requested), and a credential is renewed {days(run.policy.rotation.renew_before)} before its end",
        remedy=(
            "An app management policy of the tenant limits passwords; set `rotation: {validity, renew_before}` below"
            " its limit."
        ),
    )
