"""Issue a new credential: the reasons for one, and the waits before it. See the package's docstring before an edit."""

from collections.abc import Iterator

from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.plan.moves import deploy
from rotator.plan.reclaim import unresolved
from rotator.plan.retirement import retire
from rotator.plan.view import CONFIRM, View
from rotator.remedy import rotator
from rotator.state import Credential, Version
from rotator.steps import Deploy, Finding, Issue, Note, Reason, Wait, kind
from rotator.words import day, days

RESTING_ON_ALL = (ReasonCode.NONE, ReasonCode.SUPERSEDED, ReasonCode.FORCED)
"""Reasons that a version missing from the list may refute: they wait for a complete list."""


def issue(view: View) -> Iterator[Finding]:
    """Issue a new credential if no current one exists, or if the current one has to be replaced."""
    reason = _issue_reason(view)
    if isinstance(reason, Wait | Note):
        yield reason
    elif reason and (view.observed.secret_deleted or _may_be_refuted(view, reason)):
        return
    elif reason and reason.code is not ReasonCode.COMPROMISED and (wait := unresolved(view)):
        yield wait
    elif reason:
        yield Issue(view.policy.principal.home, view.policy.rotation.validity, reason, _covering(view))


def _may_be_refuted(view: View, reason: Reason) -> bool:
    """Tell if a version missing from the list may refute the reason."""
    return reason.code in RESTING_ON_ALL and not view.observed.versions_complete


def _issue_reason(view: View) -> Reason | Wait | Note | None:
    version, current, at = view.current_version, view.current, view.at
    if version is None:
        return Reason(ReasonCode.NONE, "no credential of rotator is published yet")
    if current is None:
        return _gone(view)
    if current.key_id.lower() in view.compromised:
        return Reason(ReasonCode.COMPROMISED, f"credential {current.key_id} is declared compromised")
    if at >= view.renewal(current.end):
        return Reason(
            ReasonCode.ENDS, f"credential {current.key_id} ends on {day(current.end)}, in {days(current.end - at)}"
        )
    if not version.enabled:
        return Reason(ReasonCode.DISABLED, f"version {version.id} of the current credential was disabled by others")
    if view.newest is not version and (view.drift_tolerated or not view.drift):
        return _on_top(view)
    return _forced(view, version, current)


def _on_top(view: View) -> Reason | Wait:
    """Put a new version of ours on top of a version of others, once no third credential of ours would be live then."""
    top, crowd = view.newest.id if view.newest else "", _crowd(view)
    if not crowd:
        return Reason(
            ReasonCode.SUPERSEDED, f"version {top} was written by others on top of the one that rotator wrote"
        )
    ids = ", ".join(c.key_id for c in crowd)
    ends = {found.until for found in retire(view) if isinstance(found, Wait) and found.subject in ids}
    until = ends.pop() if len(ends) == 1 else None
    text = (
        f"rotator publishes a new version on top of version {top} when credential {ids} is removed: rotator keeps at"
        " most two credentials of its own"
    )
    if until is None:
        return Wait(WaitCode.ON_TOP, top, text)
    name, accepted = view.policy.name, bool(view.drift)
    now = f"`{rotator('rotate', name, accept_drift=accepted, no_overlap=True)}` doesn't wait for its overlap"
    if accepted:
        again = rotator("rotate", name, accept_drift=True)
        now = f"only a run with --accept-drift does that, so run `{again}` then; {now}"
    return Wait(WaitCode.ON_TOP, top, f"{text}; {now}", until)


def _crowd(view: View) -> tuple[Credential, ...]:
    """Return the superseded credentials which, beside the current one, leave no room for another.

    Excused are credentials held by a waiting group, compromised ones, and those that readers of the secret may have
    until our version is on top. None counts if readers may have a compromised credential, which is replaced at once.
    """
    if any(view.readable(c) for c in view.superseded if c.key_id.lower() in view.compromised):
        return ()
    waiting = {found.subject for found in deploy(view) if isinstance(found, Wait) and found.look_again is None}
    kept = (d.key_id for d in view.dependents if d.id in waiting or (kind(Deploy), d.id) in view.refused)
    excused = view.compromised | frozenset(kept)
    return tuple(
        c for c in view.superseded if c.live(view.at) and c.key_id.lower() not in excused and not view.readable(c)
    )


def _covering(view: View) -> str:
    """Return the note of an issue that covers a version of others without `--accept-drift`."""
    if not view.drift or not view.drift_tolerated or view.intent.accept_drift or view.newest is None:
        return ""
    text = (
        f"a new version covers version {view.newest.id} of {view.policy.key_vault.password_secret}, which others"
        " wrote on top of the one that rotator wrote"
    )
    return f"{text}, since the current credential is gone or near its end; the other version stays enabled"


def _forced(view: View, version: Version, current: Credential) -> Reason | Note | None:
    """Return the reason of an early rotation, as `--force` asks for; an unfinished rotation has to end first."""
    if not view.intent.force_before or version.created >= view.intent.force_before:
        return None
    if view.unfinished:
        text = f"credential {current.key_id} is not replaced early: its own rotation is unfinished, and must end first"
        return Note(NoteCode.NOT_FORCED, current.key_id, text)
    return Reason(ReasonCode.FORCED, "an early rotation was requested (--force)")


def _gone(view: View) -> Reason | Wait:
    key_id, since = view.current_key or "", view.known.absent_since
    if since and view.at - since >= CONFIRM:
        return Reason(
            ReasonCode.GONE,
            f"credential {key_id} is gone: two reads, {int((view.at - since).total_seconds())} s apart, don't show it",
        )
    text = f"Graph does not show credential {key_id}; its reads may lag, so it is read again"
    return Wait(WaitCode.ABSENT, key_id, text, warn=True, look_again=CONFIRM.total_seconds())
