"""Retire credentials that nothing needs any more, and disable the versions that hold them.

See the package's docstring before an edit.

A superseded credential goes after the overlap, and only if no group holds it, as far as can be seen.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rotator.codes import ReasonCode, WaitCode
from rotator.container_group import Choice, Dependent, Verdict
from rotator.plan.reclaim import reclaim_orphans
from rotator.plan.view import View
from rotator.plan.ways_out import deployed, out_of_sight, owner_said
from rotator.policy import UnseenSubscriptions
from rotator.remedy import rotator
from rotator.state import Credential, Version
from rotator.steps import Disable, Finding, Reason, Retire, Wait
from rotator.words import day, days

LAG, LAGGING = timedelta(seconds=15), 8
"""Pause before an incomplete list of versions is read again, and the number of such pauses of one run."""


def retire(view: View) -> Iterator[Finding]:
    """Remove unused credentials: superseded ones after the overlap, orphans after `reclaim_after`."""
    if (view.drift and not view.drift_tolerated) or not view.observed.versions_complete:
        return
    if view.current and view.current_version:
        for credential in view.superseded:
            yield from _superseded(view, credential, view.current_version.created)
    yield from reclaim_orphans(view)


def versions_lag(view: View) -> Iterator[Wait]:
    """Report a list of versions without the newest one.

    A missing version may name a credential, or declare one compromised.
    """
    if view.observed.versions_complete:
        return
    secret = view.policy.key_vault.password_secret
    text = (
        f"Key Vault's list of versions of {secret} lacks the newest one, so others may be missing too: nothing is"
        " removed, no credential is added before one is needed, and it is unknown if a compromised credential still"
        f" works. Run `{rotator('rotate', view.policy.name)}` again"
    )
    yield Wait(WaitCode.VERSIONS_LAG, secret, text, warn=True, look_again=LAG.total_seconds(), looks=LAGGING)


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
        yield from _shown(view, credential, stays, late=late)
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
                f"{stays}: {dependent.name} may hold it in {', '.join(dependent.unsaid)}. {owner_said(view, dependent)}"
            )
            yield Wait(WaitCode.UNSAID, credential.key_id, text, warn=late)


def _shown(view: View, credential: Credential, stays: str, *, late: bool) -> Iterator[Wait]:
    """Yield a wait for groups with other key ids in their tags that show the credential's password in plain sight."""
    said = {dependent.id for dependent in view.holders(credential.key_id.lower())}
    for dependent in showing(view, credential):
        if dependent.id not in said:
            text = (
                f"{stays}: {dependent.name} shows a password that begins like it in plain sight, in"
                f" {', '.join(dependent.shows(credential.hint))}. {out_of_sight(view, dependent)}"
            )
            yield Wait(WaitCode.SHOWN, credential.key_id, text, warn=late)


def showing(view: View, credential: Credential) -> tuple[Dependent, ...]:
    """Return container groups that show a password with the credential's hint, regardless of their tags."""
    return tuple(d for d in view.groups if d.shows(credential.hint) and d.choice is not Choice.IGNORE)


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
