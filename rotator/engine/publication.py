"""Publish a new credential: a proof not yet old, a look of its own before each PUT, and a search after a lost answer.

Holds a new secret, as issuance and take_back do, and only in memory. From the moment at which the PUT of the secret may
have been sent, the credential stays, whatever the later answers: readers may have its password.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from rotator.codes import NoteCode
from rotator.engine.limits import hold
from rotator.engine.proving import again
from rotator.engine.retirement import listed
from rotator.engine.run import DECISIONS, FRESH, Patience, Proved, Run, ensure_granted
from rotator.errors import AzureError, Conflict, Forbidden, NotFound, NotSent, OutcomeUnknown, Throttled, Unavailable
from rotator.events import Noted, VersionPublished
from rotator.plan import MOST_TAGS, View, carried
from rotator.ports import Issued, Publication
from rotator.state import ATTEMPT, HOME, KEY_ID, Credential, Observed, Proof, Secret, Tags, Version, tags

LOOKING, EVERY = 120.0, 10.0
"""Longest search for a write without an answer, and pause between reads, in seconds: Graph's reads lag its writes."""


@dataclass(slots=True)
class NewCredential:
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


async def publish(run: Run, observed: Observed, new: NewCredential) -> tuple[Version, float]:
    """Publish; return the version, and the moment until which the underlying look was fresh.

    Each PUT follows a permit and a look of its own.
    """
    for _ in range(DECISIONS):
        await hold(run, permit := Publication(run.policy))
        try:
            newest, not_after = await _publishable(run, observed, new)
            version = await _put(run, new, newest, not_after)
        finally:
            run.world.waive(permit)
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


async def _put(run: Run, new: NewCredential, newest: Version | None, not_after: float) -> Version | None:
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


async def prove_new(
    run: Run, new: NewCredential, by: Callable[[Run, str, Secret, Sequence[str]], Awaitable[Proof]]
) -> None:
    """Prove the new credential; `proven` is the moment after the last success."""
    new.proof = await by(run, new.credential.key_id, new.issued.secret, new.images)
    new.proven = run.world.moment()


async def _publishable(run: Run, observed: Observed, new: NewCredential) -> tuple[Version | None, float]:
    """Return the newest version, and the moment until which a publication may rest on this look and the last proof.

    An old proof is renewed first. Raises Conflict if a version appeared, or the credential is gone again.
    """
    if run.world.moment() - new.proven > FRESH / 2:
        await prove_new(run, new, again)
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
    """Return the version of this attempt, if one shows within two minutes. A failed look counts as an empty look.

    The last look begins after the two minutes: a process may have slept during the one before.
    """
    name = run.policy.key_vault.password_secret
    start, patience = (
        run.clock.elapsed(),
        Patience(run, f"it is unknown if {name} was set; rotator looks for its new version", LOOKING),
    )
    while True:
        late = run.clock.elapsed() - start >= LOOKING
        with suppress(AzureError):
            for version in await run.world.versions(run.policy):
                if version.tag(ATTEMPT) == attempt:
                    return version
        if late:
            return None
        await patience.sleep(EVERY)
