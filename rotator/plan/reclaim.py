"""Reclaim credentials of ours that no version or group names: adds with a lost answer, or of a run that died.

See the package's docstring before an edit.

The password of such an orphan is known only to a run between its add and its publication, and to readers of a version
missing in a read. So an orphan is removed by age, while a current credential proves; without a current one only if
several readings agree that no version or group names the orphan. One that may have been published has its overlap, too.
"""

from collections.abc import Iterator
from datetime import datetime

from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.container_group import Phase
from rotator.plan.view import CONFIRM, View
from rotator.remedy import delete_password
from rotator.state import Credential
from rotator.steps import Finding, Note, Reason, Retire, Wait
from rotator.words import day, days

MOST_UNRESOLVED = 3
"""Orphans that may stand before another add: more would mean that adds outpace reclaiming."""


def reclaim_orphans(view: View) -> Iterator[Finding]:
    """Remove orphans that are older than `reclaim_after`, and no more in their overlap."""
    for credential in view.orphans:
        until = credential.start + view.policy.rotation.reclaim_after
        if view.at < until:
            yield _young(credential, until)
        elif view.current:
            yield _published(view, credential) or _overlap(view, credential) or _removal(credential)
        elif not view.observed.secret_deleted:
            yield _alone(view, credential)


def _young(credential: Credential, until: datetime) -> Wait:
    text = f"no version and no group names credential {credential.key_id} yet; it is removed after {day(until)}"
    return Wait(WaitCode.RECLAIM, credential.key_id, text, until)


def _overlap(view: View, credential: Credential) -> Wait | None:
    """Return the wait for the overlap of an orphan that may have been published in a version purged since.

    So it seems if a group's tag says that the group held it, or if every version is younger.
    """
    version, key_id = view.current_version, credential.key_id.lower()
    older = any(v.created <= credential.start for v in view.versions)
    if version is None or (older and all(d.previous != key_id for d in view.dependents)):
        return None
    until = (view.moved or version.created) + view.overlap
    text = (
        f"credential {credential.key_id} stays until {day(until)}: no version names it, but a purged one may"
        f" have named it; overlap of {days(view.overlap)} since the last move"
    )
    return Wait(WaitCode.OVERLAP, credential.key_id, text, until) if view.at < until else None


def _removal(credential: Credential) -> Retire:
    text = (
        f"credential {credential.key_id} was added by rotator on {day(credential.start)}, and no version and no group"
        " names it"
    )
    return Retire(credential.key_id, credential.home, Reason(ReasonCode.ORPHAN, text))


def _alone(view: View, credential: Credential) -> Finding:
    """Return the finding for an old orphan without a current credential: readers might have the orphan's password."""
    key_id = credential.key_id
    if credential.hint is None and view.newest:
        command = delete_password(view.policy.principal.app_id, key_id, credential.home)
        text = (
            f"credential {key_id} was added by rotator, no version and no group names it, and Graph shows no hint"
            " of its password: readers of the secret may use it, so it stays"
        )
        return Note(NoteCode.NO_HINT, key_id, f"{text}; `{command}` removes it")
    if wait := _published(view, credential):
        return wait
    if unread := _unread(view):
        return Wait(
            WaitCode.UNREAD_TAGS,
            key_id,
            f"no readable version and no readable group names credential {key_id}, but it stays: {unread}",
            warn=True,
        )
    since = dict(view.known.unnamed_since).get(key_id)
    if since is None or view.at - since < CONFIRM:
        text = (
            f"no version and no group names credential {key_id}; rotator reads again after"
            f" {CONFIRM.total_seconds():.0f} s, before it removes the credential"
        )
        return Wait(WaitCode.UNNAMED, key_id, text, look_again=CONFIRM.total_seconds())
    return _removal(credential)


def _published(view: View, credential: Credential) -> Wait | None:
    """Return the wait for a person if a version that names no credential may hold the orphan's password."""
    fits, key_id = view.known.may_be_published, credential.key_id
    if fits is not None and key_id not in fits:
        return None
    why = "can't be read" if fits is None else "begins like its password"
    secret, late = view.policy.key_vault.password_secret, credential.end - view.at <= view.policy.rotation.warn_before
    text = (
        f"no version and no group names credential {key_id}, but it stays: a value of {secret} without a"
        f" rotator-key-id tag {why}, so its readers may use this password"
    )
    return Wait(WaitCode.MAY_BE_PUBLISHED, key_id, text, warn=late or view.current is None)


def _unread(view: View) -> str:
    """Return the places that may name a credential and can't be read, as a text.

    Those are tags of groups, subscriptions that can't be listed, and deleted secrets.
    """
    names = [d.name for d in view.dependents if d.phase is Phase.UNREADABLE]
    names += [unseen.subscription for unseen in view.observed.unseen]
    names += [f"deleted secrets of {view.policy.key_vault.host}"] if view.observed.secret_deleted is None else []
    return f"{', '.join(names)} can't be read" if names else ""


def unresolved(view: View) -> Wait | None:
    """Return the wait for orphans to be reclaimed, once the limit of standing orphans is reached.

    An orphan to be removed by a person doesn't count.
    """
    standing = [c for c in view.orphans if c.live(view.at) and not _for_a_person(view, c)]
    if len(standing) + len(view.known.lost) < MOST_UNRESOLVED:
        return None
    until = min((c.start for c in standing), default=view.at) + view.policy.rotation.reclaim_after
    when = f"from {day(until)} on" if until > view.at else "now"
    listed = ", ".join([*(c.key_id for c in standing), *view.known.lost])
    text = (
        f"no version and no group names {len(standing) + len(view.known.lost)} credentials of rotator ({listed}):"
        " the answers to their adds were lost"
    )
    text = f"{text}. No other credential is added before one of them is removed, {when}"
    current = view.current
    warn = current is None or current.end - view.at <= view.policy.rotation.warn_before
    return Wait(WaitCode.UNRESOLVED, view.policy.name, text, until if until > view.at else None, warn=warn)


def _for_a_person(view: View, credential: Credential) -> bool:
    old = view.at >= credential.start + view.policy.rotation.reclaim_after
    return view.current is None and credential.hint is None and old
