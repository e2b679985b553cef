"""All rules, and the order in which their steps are taken. See the package's docstring before an edit."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from rotator.codes import NoteCode, ReasonCode, WaitCode
from rotator.container_group import Choice, Dependent, Verdict
from rotator.plan.alarms import lingering, readers, still_open, unrenewed
from rotator.plan.moves import deploy
from rotator.plan.postponed import held_up, limited
from rotator.plan.reclaim import reclaim_orphans, unresolved
from rotator.plan.unseen import hiding, missing, newer, unchecked, unlisted, unshown
from rotator.plan.view import CONFIRM, View
from rotator.plan.ways_out import deployed, kind_unsaid, owner_said, told
from rotator.policy import Policy, UnseenSubscriptions
from rotator.remedy import list_passwords, rotator
from rotator.state import Credential, Observed, Version
from rotator.steps import (
    NOTHING_KNOWN,
    Deploy,
    Disable,
    Finding,
    Intent,
    Issue,
    Known,
    Next,
    Note,
    Reason,
    Restore,
    Retire,
    Step,
    Wait,
    kind,
)
from rotator.words import day, days

LAG, LAGGING = timedelta(seconds=15), 8
"""Pause before an incomplete list of versions is read again, and the number of such pauses of one run."""
SIDE_BY_SIDE = 4
"""Groups redeployed at a time, after the canary, before the world is observed again.

Source: azure-facts A10, 100 PUTs in five minutes.
"""


def next_steps(policy: Policy, observed: Observed, intent: Intent | None = None, known: Known = NOTHING_KNOWN) -> Next:
    """Return the batch that is safe now: steps of one kind, without those refused in this run.

    All waits and notes come along.
    """
    view = View(policy, observed, intent or Intent(), known)
    if view.revoked:
        since = f" since {day(observed.access_since)}" if observed.access_since else ""
        revoked = Note(
            NoteCode.REVOKED, policy.name, f"access is revoked{since}; `{rotator('grant', policy.name)}` restores it"
        )
        unheeded = (finding for finding in lingering(view) if isinstance(finding, Note))
        return Next(notes=(*still_open(view), *unheeded, revoked))
    findings = [finding for rule in RULES for finding in rule(view)]
    steps = [f for f in findings if isinstance(f, ORDER) and not held_up(view, f)]
    first = next((k for k in ORDER if any(isinstance(s, k) for s in steps)), None)
    batch = tuple(s for s in steps if first and isinstance(s, first))
    waits = tuple(told(view, f) for f in findings if isinstance(f, Wait))
    notes = tuple(f for f in findings if isinstance(f, Note))
    return Next(batch[: SIDE_BY_SIDE if first is Deploy else 1], waits, notes)


MOST_FOREIGN = 4
"""Notes on foreign credentials; where there are more, the last note counts the rest."""


def issue(view: View) -> Iterator[Finding]:
    """Issue a new credential if no current one exists, or if the current one has to be replaced."""
    reason = _issue_reason(view)
    if isinstance(reason, Wait | Note):
        yield reason
    elif reason and reason.code is not ReasonCode.COMPROMISED and (wait := unresolved(view)):
        yield wait
    elif reason:
        yield Issue(view.policy.principal.home, view.policy.rotation.validity, reason, _covering(view))


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
        return Reason(ReasonCode.SUPERSEDED, f"version {top} was written by others on top of the version of rotator")
    ids = ", ".join(c.key_id for c in crowd)
    ends = {found.until for found in retire(view) if isinstance(found, Wait) and found.subject in ids}
    until = ends.pop() if len(ends) == 1 else None
    text = (
        f"rotator puts a new version on top of version {top} when credential {ids} is removed: rotator keeps at"
        " most two credentials of its own"
    )
    if until is None:
        return Wait(WaitCode.ON_TOP, top, text)
    asked = rotator("rotate", view.policy.name, accept_drift=bool(view.drift), no_overlap=True)
    return Wait(WaitCode.ON_TOP, top, f"{text}; `{asked}` doesn't wait for its overlap", until)


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
        " wrote on top of the version of rotator"
    )
    return f"{text}, since the current credential is gone or near its end; the other version stays enabled"


def _forced(view: View, version: Version, current: Credential) -> Reason | Note | None:
    """Return the reason for `--force`, ahead of time; a rotation under way ends first."""
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


def drift(view: View) -> Iterator[Finding]:
    """Report a version of others on top of ours, always, as an obstacle or not."""
    if not view.drift or view.newest is None:
        return
    text = (
        f"version {view.newest.id} of {view.policy.key_vault.password_secret}, the newest, was not written by rotator"
    )
    dead = view.drift_tolerated and not view.intent.accept_drift
    late = "; the current credential is gone or near its end, so a new version goes on top; the other stays enabled"
    yield Note(NoteCode.DRIFT, view.newest.id, f"{text}{late if dead else ''}", warn=dead)


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


def restore(view: View) -> Iterator[Finding]:
    """Put a group back on its previous credential, on new evidence of a failed pull with the current one."""
    for dependent in view.dependents:
        if (
            view.behind(dependent)
            or not view.current_key
            or dependent.verdict is not Verdict.PULL_FAILED
            or not view.movable(dependent)
        ):
            continue
        if dependent.choice is Choice.WAIT:
            text = f"{dependent.name} couldn't pull with credential {view.current_key}, and is {dependent.phase.value}"
            text = f"{text}: going back would start it, or end its job, so it goes back after its next start"
            yield Wait(WaitCode.NEXT_RUN, dependent.id, text, warn=True, remedy=deployed(view, dependent))
            continue
        yield _way_back(view, dependent, view.current_key)


def _way_back(view: View, dependent: Dependent, failed: str) -> Step | Wait:
    previous, version = dependent.previous, view.returnable(dependent.previous)
    if dependent.follows or version is None:
        text = (
            f"{dependent.name} can't pull with credential {failed}, and there is no way back:"
            f" {_no_way_back(view, dependent)}"
        )
        return Wait(WaitCode.FORWARD_ONLY, dependent.id, text, warn=True)
    count = dependent.failed.count + 1 if dependent.failed and dependent.failed.key_id == failed else 1
    reason = Reason(
        ReasonCode.PULL_FAILED,
        f"a pull with credential {failed} failed after {dependent.name} was redeployed; back to {previous}",
    )
    return Restore(dependent.id, previous or "", version.id, failed, count, reason)


def _no_way_back(view: View, dependent: Dependent) -> str:
    if dependent.follows:
        return f"Azure reads the newest version of {view.policy.key_vault.password_secret} for it"
    if not dependent.previous:
        return "it has no rotator-previous tag, so its earlier credential is unknown"
    if dependent.previous in view.compromised:
        return f"credential {dependent.previous} is compromised"
    return f"credential {dependent.previous} is gone, or no enabled version holds it"


def retire(view: View) -> Iterator[Finding]:
    """Remove unused credentials: superseded ones after the overlap, orphans after `reclaim_after`."""
    if view.drift and not view.drift_tolerated:
        return
    if not view.observed.versions_complete:
        secret = view.policy.key_vault.password_secret
        if view.superseded or view.orphans:
            text = (
                f"Key Vault's list of versions of {secret} lacks the newest one, so others may be missing too: nothing"
                " is removed now"
            )
            yield Wait(WaitCode.VERSIONS_LAG, secret, text, look_again=LAG.total_seconds(), looks=LAGGING)
        return
    if view.current and view.current_version:
        for credential in view.superseded:
            yield from _superseded(view, credential, view.current_version.created)
    yield from reclaim_orphans(view)


def _superseded(view: View, credential: Credential, published: datetime) -> Iterator[Finding]:
    """Retire a superseded credential after the overlap, counted from the last move of a group.

    Jobs don't count: a job takes its password with every run, and would restart the overlap each night.
    """
    obstacles = list(_obstacles(view, credential))
    exposed = credential.key_id.lower() in view.compromised
    if obstacles and not (exposed and view.intent.accept_outage):
        yield from obstacles
        return
    moved = view.moved or published
    until = moved if exposed else moved + view.overlap
    if view.at < until:
        text = (
            f"credential {credential.key_id} stays until {day(until)}: overlap of {days(view.overlap)} since the last"
            " move"
        )
        yield Wait(WaitCode.OVERLAP, credential.key_id, text, until)
        return
    why = "is compromised" if exposed else f"is held by no group since {day(moved)}"
    yield Retire(
        credential.key_id,
        credential.home,
        Reason(ReasonCode.COMPROMISED if exposed else ReasonCode.SUPERSEDED, f"credential {credential.key_id} {why}"),
    )


def _obstacles(view: View, credential: Credential) -> Iterator[Wait]:
    late = credential.end - view.at <= view.policy.rotation.warn_before
    since = view.superseded_since(credential)
    waited = f"superseded since {day(since)}, " if since else ""
    stays = f"credential {credential.key_id} ({waited}ends {day(credential.end)}) stays"
    exposed = credential.key_id.lower() in view.compromised
    for dependent in (
        view.known_holders(credential.key_id.lower()) if exposed else view.holders(credential.key_id.lower())
    ):
        holds = "holds it" if dependent.key_id else "may hold it, as it has no rotator-key-id tag"
        yield Wait(
            WaitCode.HELD,
            credential.key_id,
            f"{stays}: {dependent.name} {holds}",
            warn=late,
            since=since,
            remedy=deployed(view, dependent),
        )
    if view.readable(credential):
        text = f"{stays}: the newest version of the secret names no credential, and its value may be this password"
        yield Wait(WaitCode.MAY_BE_PUBLISHED, credential.key_id, text, warn=late or exposed)
    if not exposed:
        yield from _unsaid(view, credential, stays, late=late)
    for dependent in view.dependents:
        struggles = not view.behind(dependent) and dependent.verdict is Verdict.PULL_FAILED
        if struggles and not exposed:
            yield Wait(
                WaitCode.STRUGGLING,
                credential.key_id,
                f"credential {credential.key_id} stays: {dependent.name} can't pull with the new one",
                warn=True,
            )
    if view.policy.discover.unseen is UnseenSubscriptions.BLOCK and not exposed:
        for unseen in view.observed.unseen:
            text = (
                f"credential {credential.key_id} stays: subscription {unseen.subscription} can't be searched for"
                f" dependents ({unseen.why})"
            )
            yield Wait(WaitCode.UNSEEN, credential.key_id, text, warn=late)


def _unsaid(view: View, credential: Credential, stays: str, *, late: bool) -> Iterator[Wait]:
    """Yield a wait for groups with other key ids in their tags that may hold the credential in a variable."""
    said = {dependent.id for dependent in view.holders(credential.key_id.lower())}
    for dependent in view.unsaid:
        if dependent.id not in said:
            text = (
                f"{stays}: {dependent.name} may hold it in {', '.join(dependent.unsaid)}, whose value Azure hides."
                f" {owner_said(view, dependent)}"
            )
            yield Wait(WaitCode.UNSAID, credential.key_id, text, warn=late)


def disable(view: View) -> Iterator[Finding]:
    """Disable secret versions whose credential no longer exists."""
    for version in view.versions:
        stale = (
            version.key_id
            and version.key_id not in view.credentials
            and version not in (view.newest, view.current_version)
        )
        if stale and version.enabled and view.current and view.observed.versions_complete and not _taken(view, version):
            yield Disable(
                version.id, Reason(ReasonCode.RETIRED, f"credential {version.key_id} of version {version.id} is gone")
            )


def _taken(view: View, version: Version) -> bool:
    """Tell if a compromised password isn't known to be refused yet: a disabled version could not be tried any more."""
    return view.tried(version) is not None and view.accepted(version) is not False


RULES: tuple[Callable[[View], Iterator[Finding]], ...] = (
    *(still_open, lingering, readers, unrenewed, drift, restore, limited),
    *(issue, deploy, retire, disable, kind_unsaid, missing, foreign),
    *(unlisted, unshown, hiding, unchecked, newer),
)
"""All rules, in the order of their waits and notes in the report."""

ORDER: tuple[type[Step], ...] = (Restore, Issue, Deploy, Retire, Disable)
"""Kinds of steps in the order in which they are taken.

A way back comes first, then a new credential, then moves to that credential, then removal of the rest.
"""
