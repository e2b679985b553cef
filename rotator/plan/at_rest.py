"""Tell if a policy is at rest: nothing is due, nothing waits, and no person is needed.

See the package's docstring before an edit. Rules for editors of this file:

1. A policy is at rest only if no rule has anything to say about it, and nothing is in doubt. A second credential is a
   doubt whoever made it: the adoption of a foreign one may be recorded on an older version.
2. The lists of a survey hide the older versions of the secret and the instance views of container groups. So a survey
   alone proves no rest: an earlier look at everything has to have found rest, in the state that the lists still show
   (`fingerprint`), and since the policy's last time of the day for such a look (`turn`).
3. Rest may be denied to a policy at rest: then the policy is looked at. It is never granted to another one.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rotator.container_group import Phase
from rotator.plan.marks import MOST_TAGS
from rotator.plan.rules import RULES
from rotator.plan.stripped_groups import STRIPPED
from rotator.plan.view import View
from rotator.state import Access
from rotator.steps import Note, Wait, kind

DAY = timedelta(days=1)


def unrest(view: View) -> str:
    """Return the first reason why a policy isn't known to be at rest; empty if the policy is at rest."""
    return next(_doubts(view), "") or next(_findings(view), "")


def _doubts(view: View) -> Iterator[str]:
    """Yield the parts of an observation that are missing, or that change what the rules are asked."""
    seen, newest = view.observed, view.newest
    if seen.access is Access.REVOKED:
        yield "access is revoked"
    if seen.vault_refuses or seen.unseen or not seen.versions_complete:
        yield "not everything could be read"
    if seen.principal.service_principal is None or not seen.principal.enabled:
        yield "every sign-in as the principal is refused"
    if newest is None or not newest.ours or not newest.enabled or view.current is None:
        yield "the newest version of the secret names no credential of this policy"
    elif len(seen.credentials) > 1:
        yield "the principal has another credential"
    elif newest.compromised or newest.listed(STRIPPED):
        yield "the newest version of the secret has a mark"
    elif len(newest.tags) >= MOST_TAGS:
        yield "the newest version of the secret has no room for a mark, which may be on an older one"


def _findings(view: View) -> Iterator[str]:
    findings = (finding for rule in RULES for finding in rule(view))
    return (each.code.value if isinstance(each, Note | Wait) else f"{kind(each)} is due" for each in findings)


def fingerprint(view: View) -> str:
    """Return a digest of the facts that both a survey and a look show, and whose change ends a rest.

    The same digest at two times says that no version was published or marked, that the principal has the same
    credentials, and that the same container groups hold the same credentials since the same redeployments.
    """
    newest = view.newest
    credentials = [(each.key_id, each.end, each.home, each.display_name) for each in view.observed.credentials]
    groups = [
        (each.id.lower(), each.key_id, each.since)
        for each in view.groups
        if each.needs_rotation and each.phase is not Phase.ABSENT
    ]
    shown = (newest and newest.tags, sorted(credentials), sorted(groups, key=lambda group: group[0]))
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def turn(lineage: str, at: datetime) -> datetime:
    """Return the last instant, not after `at`, of a policy's time of the day for a look at everything.

    The times of many policies are spread over the day by their lineages.
    """
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    today = midnight + timedelta(seconds=int(lineage, 16) % int(DAY.total_seconds()))
    return today if today <= at else today - DAY


def still_valid(lineage: str, looked: datetime, at: datetime) -> bool:
    """Tell if a look at everything is recent enough for a survey at `at` to rest on: after the policy's last turn."""
    return turn(lineage, at) < looked <= at
