"""Issue: add a credential, prove it, publish it. The only module holding a new secret, and only in memory.

From the moment at which the PUT of the secret may have been sent, the credential stays, whatever the later answers:
readers may have its password.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from rotator import container_group
from rotator.codes import NoteCode
from rotator.engine.proving import again, prove
from rotator.engine.retirement import listed, withdraw
from rotator.engine.run import DECISIONS, FRESH, Patience, Proved, Run, Seen, Undecided, ensure_granted
from rotator.engine.standing import ensure_standing
from rotator.errors import (
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProofFailed,
    RotatorError,
    Throttled,
    Unavailable,
    UnsafeStep,
)
from rotator.events import CredentialAdded, Noted, UsernamePublished, VersionPublished
from rotator.plan import MOST_TAGS, View, carried
from rotator.ports import Issued
from rotator.state import (
    ATTEMPT,
    HOME,
    KEY_ID,
    Credential,
    Home,
    Observed,
    Proof,
    Secret,
    Tags,
    Version,
    marker,
    tags,
)
from rotator.steps import Issue

LOOKING, EVERY = 120.0, 10.0
"""Longest search for a write without an answer, and pause between reads, in seconds: Graph's reads lag its writes."""


@dataclass(slots=True)
class _New:
    """A credential on the way to readers.

    `proven`: the moment of its last success; `sent`: its PUT may have reached the vault.
    """

    issued: Issued
    attempt: str
    images: tuple[str, ...] = ()
    proven: float = float("-inf")
    proof: Proof | None = None
    sent: bool = False

    @property
    def credential(self) -> Credential:
        """Credential of the issued password."""
        return self.issued.credential


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
        await _interrupted(run, observed, new)
        raise
    await ensure_standing(run, observed, new.issued, version, not_after)
    return (
        f"credential {new.credential.key_id} is version {version.id}, valid until"
        f" {new.credential.end:%Y-%m-%d %H:%M} UTC"
    )


async def _delivered(run: Run, observed: Observed, new: _New) -> tuple[Version, float]:
    """Prove and publish the new credential.

    A credential certainly not published is removed again; the error describes the resulting state.
    """
    try:
        _ensure_lasting(run, observed, new.credential)
        new.images = container_group.images(run.policy, observed)
        await _prove(run, new, prove)
        # The user name fits the current password, too: what stops it must not come after the publication.
        if await run.world.publish_username(run.policy):
            run.tell(UsernamePublished(secret=run.policy.key_vault.username_secret or ""))
        return await _publish(run, observed, new)
    except Exception as error:  # noqa: BLE001 - a bug must not leave a credential that nobody knows of
        failure = error
    raise await _ended(run, observed, new, failure)


async def _add(run: Run, seen: Seen, step: Issue) -> _New:
    """Send one add.

    After an answer that leaves the result open, remove a credential made by the add, and raise Undecided.
    """
    observed = seen.observed
    home = step.home if observed.principal.application else Home.SERVICE_PRINCIPAL
    attempt = run.clock.attempt()
    name = marker(observed.lineage, attempt)
    await ensure_granted(run)
    try:
        return _New(
            await run.world.add_password(
                observed.principal, home, name, observed.at + step.end, not_after=seen.read + FRESH
            ),
            attempt,
        )
    except OutcomeUnknown as error:
        lost = error
    try:
        found = await _clear(run, observed, name)
    except asyncio.CancelledError:
        text = (
            f"Graph did not answer when a password was added; if it was added, its name is {name}, and a later"
            " run removes it"
        )
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


async def _clear(run: Run, observed: Observed, name: str) -> bool:
    """Look for a credential left behind by an add without an answer, and remove it: no reader has its secret.

    Return True if the credential was found.
    """
    start, patience = (
        run.clock.elapsed(),
        Patience(
            run, f"Graph did not answer when a password was added; rotator looks for a credential named {name}", LOOKING
        ),
    )
    while run.clock.elapsed() - start < LOOKING:
        for credential in await run.world.credentials(run.policy):
            if credential.display_name == name:
                await withdraw(run, observed.principal, credential, partial(_unpublished, run, credential))
                return True
        await patience.sleep(EVERY)
    return False


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


def _ensure_lasting(run: Run, observed: Observed, credential: Credential) -> None:
    if credential.end - observed.at > run.policy.rotation.renew_before:
        return
    got = credential.end - observed.at
    raise ProofFailed(
        f"the tenant limited the lifetime of the new credential to {got} ({run.policy.rotation.validity} were"
        f" requested), and a credential is renewed {run.policy.rotation.renew_before} before its end",
        remedy=(
            "An app management policy of the tenant limits passwords; set `rotation: {validity, renew_before}` below"
            " its limit."
        ),
    )


async def _ended(run: Run, observed: Observed, new: _New, error: Exception) -> Exception:
    """Return the error with the resulting state: a credential certainly not published is removed first."""
    if new.sent:
        return _unknown(run, new.credential, error)
    state = await _taken_back(run, observed, new)
    if isinstance(error, RotatorError):
        error.state = state
        return error
    return RotatorError(
        f"an unexpected {type(error).__name__} between the addition of a credential and its publication: a bug in"
        " rotator",
        state=state,
    )


async def _taken_back(run: Run, observed: Observed, new: _New) -> str:
    credential = new.credential
    try:
        await withdraw(run, observed.principal, credential, partial(_unpublished, run, credential), new.issued.secret)
    except RotatorError as error:
        return (
            f"Credential {credential.key_id} was added and could not be removed ({error}). Nothing was published; a"
            f" later run removes it after {run.policy.rotation.reclaim_after}."
        )
    return (
        f"Credential {credential.key_id} was added, and is removed again. Nothing was published; no container group was"
        " touched."
    )


async def _interrupted(run: Run, observed: Observed, new: _New) -> None:
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
                f" {run.policy.rotation.reclaim_after}"
            )
    text = f"credential {key_id} {state}"
    run.tell(Noted(code=NoteCode.INTERRUPTED, subject=key_id, text=text, warn=True))


async def _publish(run: Run, observed: Observed, new: _New) -> tuple[Version, float]:
    """Publish; return the version, and the moment until which the underlying look was fresh.

    Each PUT follows a look of its own.
    """
    for _ in range(DECISIONS):
        newest, not_after = await _publishable(run, observed, new)
        version = await _put(run, new, newest, not_after)
        if version:
            run.tell(VersionPublished(version=version.id, key_id=new.credential.key_id, expires=new.credential.end))
            _tell_left(run, newest, version)
            run.proved[:] = [Proved(version.id, new.images, new.proven, new.proof)] if new.proof else []
            return version, not_after
    raise OutcomeUnknown(
        f"Key Vault shows no version with the new password after {DECISIONS} tries", service="keyvault"
    )


def _tell_left(run: Run, newest: Version | None, version: Version) -> None:
    """Tell which tags of others a new version could not take over."""
    if newest and (left := carried(newest, run.policy.key_vault.tags).dropped):
        what = f"tags of version {newest.id} were not copied to version {version.id}: {', '.join(left)}"
        text = f"{what}. A version can have {MOST_TAGS} tags (a limit of Key Vault), and some of them are rotator's"
        run.tell(Noted(code=NoteCode.TAGS_DROPPED, subject=version.id, text=text))


async def _put(run: Run, new: _New, newest: Version | None, not_after: float) -> Version | None:
    """Send one PUT; return None if the PUT was held back as too late, or no version of it shows.

    A definite refusal leaves `new.sent` as before.
    """
    before, new.sent = new.sent, True
    declared = run.policy.key_vault
    content_type = declared.content_type or (newest.content_type if newest else None)
    named = _tags(newest, declared.tags, new.credential, new.attempt)
    try:
        return await run.world.publish(
            run.policy, new.issued.secret, new.credential.end, content_type, named, not_after=not_after
        )
    except NotSent:
        new.sent = before
        return None
    except (Forbidden, NotFound, Conflict, Throttled, Unavailable):
        new.sent = before
        raise
    except OutcomeUnknown:
        return await _find(run, new.attempt)


async def _prove(run: Run, new: _New, by: Callable[[Run, str, Secret, Sequence[str]], Awaitable[Proof]]) -> None:
    """Prove the new credential; `proven` is the moment after the last success."""
    new.proof = await by(run, new.credential.key_id, new.issued.secret, new.images)
    new.proven = run.world.moment()


async def _publishable(run: Run, observed: Observed, new: _New) -> tuple[Version | None, float]:
    """Return the newest version, and the moment until which a publication may rest on this look and the last proof.

    An old proof is renewed first. Raises Conflict if a version appeared, or the credential is gone again.
    """
    if run.world.moment() - new.proven > FRESH / 2:
        await _prove(run, new, again)
    read = await listed(run, new.credential)
    if read is None:
        raise Conflict(
            f"credential {new.credential.key_id} isn't listed: others removed it before it was published",
            service="graph",
        )
    versions = await run.world.versions(run.policy)
    await ensure_granted(run)
    _ensure_unchanged(run, observed, versions, new.attempt)
    before = tuple(v for v in versions if v.tag(ATTEMPT) != new.attempt)
    newest = View(run.policy, observed.reread(versions=before), run.intent).newest
    return newest, min(read, new.proven) + FRESH


def _ensure_unchanged(run: Run, observed: Observed, versions: tuple[Version, ...], attempt: str) -> None:
    new = {v.id for v in versions if v.tag(ATTEMPT) != attempt} - {v.id for v in observed.versions}
    if new:
        raise Conflict(
            f"version {', '.join(sorted(new))} of {run.policy.key_vault.password_secret} appeared while a new"
            " credential was being proven",
            service="keyvault",
            remedy="Another run, or a person, wrote that version; run again.",
        )


def _tags(newest: Version | None, declared: Mapping[str, str], credential: Credential, attempt: str) -> Tags:
    return tags(
        {
            **dict(carried(newest, declared).tags),
            KEY_ID: credential.key_id.lower(),
            HOME: credential.home.value,
            ATTEMPT: attempt,
        }
    )


async def _find(run: Run, attempt: str) -> Version | None:
    """Return the version of this attempt, if one shows within two minutes. A failed look counts as an empty look."""
    name = run.policy.key_vault.password_secret
    start, patience = (
        run.clock.elapsed(),
        Patience(run, f"it is unknown if {name} was set; rotator looks for its new version", LOOKING),
    )
    while run.clock.elapsed() - start < LOOKING:
        with suppress(AzureError):
            for version in await run.world.versions(run.policy):
                if version.tag(ATTEMPT) == attempt:
                    return version
        await patience.sleep(EVERY)
    return None


def _unknown(run: Run, credential: Credential, error: Exception) -> OutcomeUnknown:
    why = error.happened if isinstance(error, RotatorError) else f"an unexpected {type(error).__name__}"
    return OutcomeUnknown(
        f"it is unknown if {run.policy.key_vault.password_secret} was set: {why}",
        service="keyvault",
        state=(
            f"Credential {credential.key_id} was added and stays, because a version with its password may exist. If"
            f" no version names it, a later run removes it after {run.policy.rotation.reclaim_after}. No container"
            " group was changed."
        ),
    )
