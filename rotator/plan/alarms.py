"""Alarms: open access, refused readers, or a pull bound to fail, although a run did all allowed steps.

Rules for editors of this file:

1. An alarm is reported with `warn`, by every run for as long as the world shows its cause: after a veto, a failure or a
   revocation, too.
2. An alarm names the affected, and ends with the fix.
3. Facts shown only by a try of a value are read from `known.tried`; `worth_trying` names those values.
"""

from collections.abc import Iterator

from rotator.codes import NoteCode, WaitCode
from rotator.plan.view import View
from rotator.plan.ways_out import deployed
from rotator.policy import Policy, RegistryProof
from rotator.remedy import rotator
from rotator.state import Credential, Outcome, Version
from rotator.steps import Finding, Issue, Note, Retire, Wait, kind
from rotator.words import HEADLINE, day, days

UNKNOWN = "it is unknown if a compromised credential still works"
"""First words of the text for `NoteCode.UNSEEN_MARKS`."""
MOST_WAYS = 3
"""Most jobs of which an alarm says how they get the current credential."""
AGAIN = 15.0
"""Seconds between two tries of a removed password.

Entra's replicas learn of a removal one after another, mostly within seconds.
"""


def headline(text: str) -> str:
    """Return the first sentence of an alarm, for a summary."""
    return text.partition(". ")[0]


def worth_trying(view: View) -> tuple[Version, ...]:
    """Return the versions whose values a run tries before deciding.

    Those are the version which readers get in place of ours, and versions of removed compromised passwords.
    """
    theirs = [newest for newest in view.versions[-1:] if newest.enabled and _covers(view, newest) and not view.revoked]
    return (*theirs, *(version for version in view.lingering if version not in theirs))


def _covers(view: View, newest: Version) -> bool:
    """Tell if readers get this version of others in place of one of ours."""
    return not newest.ours and view.current_version is not None


def still_open(view: View) -> Iterator[Note]:
    """Report compromised credentials that still sign in."""
    for key_id in sorted(view.compromised):
        credential = view.credentials.get(key_id)
        if credential and credential.live(view.at):
            yield Note(NoteCode.STILL_OPEN, key_id, f"{HEADLINE}: {_held_by(view, credential)}", warn=True)


def unseen_marks(policy: Policy, why: str) -> Note:
    """Return the note of a run that couldn't read the declarations of compromise.

    A declaration may exist, or may have been added since the last look of the run.
    """
    text = f"{UNKNOWN}: {why}. Run again; `{rotator('doctor', policy.name)}` shows what prevents the check"
    return Note(NoteCode.UNSEEN_MARKS, policy.name, text, warn=True)


def lingering(view: View) -> Iterator[Finding]:
    """Report compromised credentials absent from reads, whose password isn't known to be refused yet.

    A lookup without a result doesn't prove the end of a credential.
    """
    for version in view.lingering:
        accepted = view.accepted(version)
        if accepted is not False and view.tried(version):
            yield Note(NoteCode.STILL_OPEN, version.key_id or "", f"{HEADLINE}: {_lingers(view, version)}", warn=True)
        if accepted:
            text = f"credential {version.key_id} was removed; its password is tried until Entra refuses it"
            yield Wait(WaitCode.LINGERING, version.key_id or "", text, look_again=AGAIN)


def readers(view: View) -> Iterator[Finding]:
    """Report a refused value in a newest version that isn't ours: all readers of the secret fail."""
    if view.newest and _covers(view, view.newest):
        yield from refused_readers(view, view.newest)


def refused_readers(view: View, newest: Version) -> Iterator[Note]:
    """Report the result of a try of the newest version, which isn't ours, for its readers."""
    name, proof = view.policy.key_vault.password_secret, view.tried(newest)
    if not newest.enabled:
        yield Note(
            NoteCode.BREAKS_READERS,
            newest.id,
            _broken(view, newest, "it is disabled, so Key Vault answers 403"),
            warn=True,
        )
    elif proof and proof.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.DISABLED, Outcome.NO_PULL):
        yield Note(
            NoteCode.BREAKS_READERS,
            newest.id,
            _broken(view, newest, f"its value doesn't work ({proof.detail})"),
            warn=True,
        )
    elif (
        proof
        and proof.outcome is Outcome.UNREACHABLE
        and not (proof.signed_in and view.policy.proof.registry is RegistryProof.OPTIONAL)
    ):
        text = (
            f"version {newest.id} of {name} was written by others, and its value could not be tried, so it is unknown"
            f" if its readers can sign in: {proof.detail}"
        )
        yield Note(NoteCode.UNTRIED, newest.id, text, warn=True)


def unrenewed(view: View) -> Iterator[Finding]:
    """Report a current credential that is gone, or ends soon, without a possible replacement in this run."""
    current, key_id = view.current, view.current_key
    if key_id is None or not any(step == kind(Issue) for step, _ in view.refused):
        return
    ends = current.end if current else view.at
    if ends - view.at > view.policy.rotation.warn_before:
        return
    state = f"ends {day(ends)}, in {days(ends - view.at)}" if current else "is gone"
    text = f"credential {key_id} {state}, and its replacement was refused or has failed: every later pull with it fails"
    yield Wait(WaitCode.NOT_RENEWED, key_id, text, warn=True)


# sentences


def _held_by(view: View, credential: Credential) -> str:
    key_id = credential.key_id.lower()
    holders = view.known_holders(key_id)
    known = [each.name for each in holders if each.key_id]
    perhaps = [f"{each.name} (no rotator-key-id tag)" for each in holders if not each.key_id]
    held = f"held by {', '.join([*known, *perhaps]) or 'nothing'}"
    return (
        f"{held}. Credential {credential.key_id} ends only {day(credential.end)};"
        f" {_why_it_stays(view, credential, blocked=bool(holders))}"
    )


def _why_it_stays(view: View, credential: Credential, *, blocked: bool) -> str:
    name, key_id = view.policy.name, credential.key_id.lower()
    if view.revoked:
        return f"access is revoked, so no rotation removes it: `{rotator('revoke', name, credentials=True)}` does"
    if view.drift and view.newest and not view.drift_tolerated:
        adopt = "" if _useless(view, view.newest) else f"`{rotator('adopt', name)}`, or "
        ways = f"{adopt}`{rotator('rotate', name, accept_drift=True)}`"
        return (
            f"version {view.newest.id}, written by others on top of the one that rotator wrote, blocks its replacement"
            f" and removal: {ways}"
        )
    if view.current is None or key_id == view.current_key:
        refused = any(step == kind(Issue) for step, _ in view.refused)
        return "its replacement was refused or has failed" if refused else f"`{rotator('rotate', name)}` replaces it"
    if blocked and not view.intent.accept_outage:
        moves = [deployed(view, each) for each in view.known_holders(key_id) if each.run_once]
        return (
            f"it is removed when no group holds it. {''.join(f'{way}. ' for way in moves[:MOST_WAYS])}"
            f"`{rotator('rotate', name, accept_outage=True)}` removes it now, and the next pull of each group that"
            " holds it fails"
        )
    refused = (kind(Retire), credential.key_id) in view.refused
    return "its removal was refused or has failed" if refused else f"`{rotator('rotate', name)}` removes it"


def _lingers(view: View, version: Version) -> str:
    proof = view.tried(version)
    if view.accepted(version):
        return (
            f"removed, and Entra still accepts it. Credential {version.key_id}: most replicas apply a removal within"
            " minutes; run again after that"
        )
    why = proof.detail if proof else "not tried"
    return f"removed, but a sign-in with its password could not be tried. Credential {version.key_id}: {why}"


def _broken(view: View, newest: Version, why: str) -> str:
    name, secret = view.policy.name, view.policy.key_vault.password_secret
    text = f"every reader of {secret} is refused: version {newest.id} was written by others, and {why}"
    if view.intent.accept_drift:
        return f"{text}. rotator has not put a version on top yet: the waits and refusals of this run say why"
    if view.current_version is None:
        replaced = f"`{rotator('rotate', name)}` replaces a password that has ended; correct any other value by hand"
        return f"{text}. {replaced}, or `key_vault.password_secret` of the policy names another secret"
    return (
        f"{text}. rotator wrote nothing on top of it: `{rotator('rotate', name, accept_drift=True)}` publishes a"
        " new version; or correct the value by hand"
    )


def _useless(view: View, newest: Version) -> bool:
    return not newest.enabled or view.accepted(newest) is False
