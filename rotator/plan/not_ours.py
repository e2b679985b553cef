"""Report versions and credentials that rotator didn't make. See the package's docstring before an edit."""

from collections.abc import Iterator

from rotator.codes import NoteCode
from rotator.plan.keys import key_note
from rotator.plan.view import View
from rotator.remedy import list_passwords, rotator
from rotator.steps import Finding, Note
from rotator.words import day

MOST_FOREIGN = 4
"""Notes on foreign credentials; where there are more, the last note counts the rest."""


def drift(view: View) -> Iterator[Finding]:
    """Report a version of others on top of ours, always, as an obstacle or not."""
    if not view.drift or view.newest is None:
        return
    text = (
        f"version {view.newest.id} of {view.policy.key_vault.password_secret}, the newest, was not written by rotator"
    )
    dead = view.drift_tolerated and not view.intent.accept_drift
    late = "; the current credential is gone or near its end, so a new version goes on top; the other stays enabled"
    adopt, cover = rotator("adopt", view.policy.name), rotator("rotate", view.policy.name, accept_drift=True)
    held = (
        f"; no credential is issued or removed until it is adopted (`{adopt}`) or a version of rotator goes on top of"
        f" it (`{cover}`)"
    )
    more = late if dead else "" if view.drift_tolerated else held
    yield Note(NoteCode.DRIFT, view.newest.id, f"{text}{more}", warn=dead)


def foreign(view: View) -> Iterator[Finding]:
    """Report foreign credentials: they stay; the note names the command to adopt them."""
    live = [credential for credential in view.foreign if credential.live(view.at)]
    told = live if len(live) <= MOST_FOREIGN else live[: MOST_FOREIGN - 1]
    for credential in told:
        text = (
            f"credential {credential.key_id} ({credential.display_name or 'no name'}, ends {day(credential.end)})"
            " was not made by rotator for this policy, and stays"
        )
        yield Note(
            NoteCode.FOREIGN,
            credential.key_id,
            f"{text}; `{rotator('adopt', view.policy.name, key_id=credential.key_id)}` makes it one of this policy",
        )
    if rest := live[len(told) :]:
        last, app_id = max(credential.end for credential in rest), view.policy.principal.app_id
        text = (
            f"{len(rest)} more credentials were not made by rotator for this policy and stay, the last until"
            f" {day(last)}"
        )
        yield Note(NoteCode.FOREIGN, app_id, f"{text}; `{list_passwords(app_id)}` lists them")


def keys_matter(view: View) -> bool:
    """Tell if certificates and federated credentials matter: passwords are taken, and these sign in as before.

    That is so after a revocation, and while a compromised password still works or may.
    """
    compromised = (view.credentials.get(key_id) for key_id in view.compromised)
    return view.revoked or bool(view.lingering) or any(each.live(view.at) for each in compromised if each)


def keys(view: View) -> Iterator[Finding]:
    """Report certificates and federated credentials, where a plan or a status asked for them."""
    app_id, found = view.policy.principal.app_id, view.known.signs_in
    yield from (key_note(app_id, key) for key in (found.keys if found else ()))
    yield from (Note(NoteCode.UNKNOWN, app_id, f"unknown: {what}") for what in (found.unread if found else ()))
