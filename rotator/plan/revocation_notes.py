"""Notes at the end of a revocation: open ways, ways to sign in, doubts, groups without a password, and the rest."""

from collections.abc import Collection, Iterator, Sequence

from rotator.codes import NoteCode
from rotator.plan.access import Effect, Way
from rotator.plan.keys import key_note
from rotator.plan.revocation_end import Ending, Shown, Tries, alarming, remains, usable
from rotator.plan.view import View
from rotator.policy import Policy
from rotator.remedy import delete_password, rotator
from rotator.state import Credential, SignIns
from rotator.steps import Note, Revoke

RESIDUE = "tokens issued earlier stay valid: up to 1 h for Entra, 75 min and 3 h for the registry"
NOT_WAITED = "it was not waited for"


def residue(policy: Policy) -> Note:
    """Return the note on tokens that outlive every revocation."""
    return Note(NoteCode.RESIDUE, policy.name, RESIDUE)


def regranted(policy: Policy) -> Note:
    """Return the note of a revocation ended by a grant made meanwhile."""
    again = f"`{rotator('revoke', policy.name)}` revokes it, `rotator grant` restores all of it"
    text = f"the access was granted again while it was being revoked; {again}"
    return Note(NoteCode.REGRANTED, policy.name, text, warn=True)


def locked(step: Revoke, why: str) -> Note:
    """Return the note on an assignment held by a lock, where the credentials are taken in its place."""
    where = step.assignment.scope
    text = f"the role assignment on {where} stays because of a lock, so a new password would pull again ({why})"
    return Note(NoteCode.LOCKED, step.assignment.id, text)


def absent(policy: Policy, missing: str) -> Note:
    """Return the note on a principal that doesn't exist, as two looks and both services agree."""
    text = (
        f"{missing}: two reads, two minutes apart, agree, and neither Microsoft Entra ID nor a registry accepts the"
        " published value"
    )
    return Note(NoteCode.NO_PRINCIPAL, policy.principal.app_id, text)


def open_ways(policy: Policy, ways: Sequence[Way], signs_in: SignIns) -> Iterator[Note]:
    """Yield the ways to pull, then the ways to sign in, each with the command to end it."""
    for way in ways:
        closed = (
            way.code is not NoteCode.ANONYMOUS_PULL and way.effect in (Effect.PULLS, Effect.REGAINS) and signs_in.none
        )
        text = f"as soon as the principal can sign in again: {way.text}" if closed else way.text
        yield Note(way.code, way.subject, text, warn=alarming(way, signs_in))
    opens = any(usable(way, signs_in) for way in ways if way.code is not NoteCode.ANONYMOUS_PULL)
    yield from (key_note(policy.principal.app_id, key, warn=opens) for key in signs_in.keys)
    app_id = policy.principal.app_id
    yield from (Note(NoteCode.UNKNOWN, app_id, f"unknown: {what}") for what in signs_in.unread)
    if not signs_in.passwords and not signs_in.unread:
        text = "the principal has no valid password left"
        yield Note(NoteCode.NO_PASSWORD, app_id, text)


def not_proven(policy: Policy, why: str) -> Note:
    """Return the note on a missing proof that pulls are refused; a proof that wasn't asked for is no warning."""
    text = f"it is not proven that pulls are refused: {why}"
    return Note(NoteCode.NOT_PROVEN, policy.name, text, warn=why != NOT_WAITED)


def known_to_remain(policy: Policy, ways: Sequence[Way], signs_in: SignIns, ours: Collection[Credential]) -> Note:
    """Return the note on access known to remain, with the faster way where a password of `ours` signs in."""
    at_once = f"; `{rotator('revoke', policy.name, credentials=True)}` removes every password of this policy at once"
    faster = remains(ways, signs_in) is Ending.REMAINS and {each.key_id for each in ours} & {
        each.key_id for each in signs_in.passwords
    }
    return not_proven(policy, f"access remains{at_once if faster else ''}")


def doubts(policy: Policy, ways: Sequence[Way], signs_in: SignIns, tries: Tries) -> Iterator[Note]:
    """Yield the reasons for a missing proof, each with the action to take."""
    yield from (not_proven(policy, why) for why in _reasons(ways, signs_in, tries))


def _reasons(ways: Sequence[Way], signs_in: SignIns, tries: Tries) -> Iterator[str]:
    if unknown := [way for way in ways if way.effect is Effect.UNKNOWN]:
        yield (
            f"{len(unknown)} way(s) to pull cannot be read; give the rights named above, or correct the id of a"
            " registry that doesn't exist, and run again"
        )
    if signs_in.unread:
        yield "the means to sign in as the principal cannot be read; give the right to read them, and run again"
    if tries.shown is not Shown.PASSWORD and tries.why:
        yield tries.why
    elif tries.shown is Shown.ROLE:
        if any(way.effect is Effect.PULLS for way in ways):
            yield "pulls are refused although a role should allow them; run again"
    elif names := ", ".join(_names(signs_in)):
        untried = "no published value can be tried, and that"
        refusal = "the published value does not sign in, so its refusal"
        yield (
            f"{untried if tries.shown is Shown.UNTRIED else refusal} proves nothing about other means to sign in"
            f" ({names}); remove these, and run again"
        )


def _names(signs_in: SignIns) -> Iterator[str]:
    if signs_in.passwords:
        yield f"passwords {' '.join(sorted(each.key_id for each in signs_in.passwords))}"
    yield from (f"{key.means.value.replace('_', ' ')} {key.id}" for key in signs_in.keys)


def losers(view: View) -> Iterator[Note]:
    """Yield the container groups whose password a revocation of the credentials takes.

    Every group with an Entra password in plain sight may be one: no removed credential shows its hint any more.
    """
    shown = {dependent for dependent in view.groups if dependent.shown}
    for dependent in sorted({*view.dependents, *view.unsaid, *shown}, key=lambda each: each.id):
        holds = "holds" if dependent.key_id else "may hold"
        text = f"{dependent.name} {holds} a password that is removed: its next pull fails"
        yield Note(NoteCode.LOSES_PASSWORD, dependent.id, text)


def untaken(view: View) -> Iterator[Note]:
    """Yield the passwords that a revocation of the credentials leaves.

    If the versions' tags may not be read, adopted passwords are among them, without a way to tell them apart.
    """
    if why := view.observed.vault_refuses:
        name, host = view.policy.key_vault.password_secret, view.policy.key_vault.host
        text = (
            f"{host} does not let rotator read {name}: adopted passwords are unknown and stay, and no version is"
            f" disabled: {why}"
        )
        yield Note(NoteCode.VAULT_REFUSED, name, text, warn=True)
    whose = "isn't known to be ours" if why else "isn't ours"
    for foreign in (c for c in view.foreign if c.live(view.at)):
        by_hand = delete_password(view.policy.principal.app_id, foreign.key_id, foreign.home)
        text = (
            f"credential {foreign.key_id} ({foreign.display_name or 'unnamed'}) {whose} and stays; `{by_hand}`"
            " removes it"
        )
        yield Note(NoteCode.FOREIGN, foreign.key_id, text)
