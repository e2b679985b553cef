"""Veto a removal: the credential is in use, may be needed again, or no proven credential would remain."""

from collections.abc import Iterator
from datetime import datetime

from rotator import container_group
from rotator.codes import VetoCode
from rotator.guard import seen
from rotator.guard.objection import Objection
from rotator.policy import Policy, RegistryProof, UnseenSubscriptions
from rotator.remedy import recover_secret, rotator
from rotator.state import Observed, Outcome, marker
from rotator.steps import Intent, Known
from rotator.words import days


def retirable(policy: Policy, observed: Observed, intent: Intent, known: Known, key_id: str) -> Iterator[Objection]:
    """Require that a proven credential remains, and that the removed credential isn't in use."""
    newest, current, wanted = seen.newest(observed), seen.current(observed), key_id.lower()
    yield from complete(policy, observed)
    if current is None and seen.orphan(observed, wanted):
        yield from alone(policy, observed, known, wanted)
        return
    if not seen.is_ours(observed, wanted):
        yield (
            VetoCode.FOREIGN,
            f"credential {key_id} was not made by rotator for this policy",
            f"`{rotator('adopt', policy.name, key_id=key_id)}` makes it a credential of this policy.",
        )
    if current is None or not current.live(observed.at) or current.key_id.lower() == wanted:
        yield (
            VetoCode.LAST,
            f"no other valid credential of this policy would remain besides {key_id}",
            "A new one must be published first.",
        )
    if newest and newest.key_id == wanted:
        yield (
            VetoCode.PUBLISHED,
            f"the newest version of {policy.key_vault.password_secret} holds {key_id}",
            "A newer version must be published first.",
        )
    exposed = seen.exposed(observed, wanted)
    if not (exposed and intent.accept_outage):
        yield from held(policy, observed, wanted)
        yield from readable(policy, observed, known, wanted)
    if not exposed:
        yield from early(policy, observed, intent, wanted)
    proof = known.proof if seen.fresh(observed, known) else None
    if proof is None or not _usable(policy, proof.outcome):
        outcome = proof.detail or proof.outcome if proof else known.unproven or "not tried now"
        remedy = "Find the cause; nothing is removed until the current value works."
        yield VetoCode.UNPROVEN, f"the proof of the current value fails ({outcome}), so {key_id} stays", remedy


def complete(policy: Policy, observed: Observed) -> Iterator[Objection]:
    """Require that every version can be read: a missing one may name the credential.

    Versions are missing from a list without the newest one, and of a secret that is deleted and can be recovered.
    """
    if not observed.versions_complete:
        what = (
            f"Key Vault's list of versions of {policy.key_vault.password_secret} lacks the newest one, so it is"
            " unknown which credentials are named there"
        )
        yield VetoCode.VERSIONS_LAG, what, "Run again; Key Vault's lists may lag."
    if observed.secret_deleted is not False:
        vault, secret = policy.key_vault.name, policy.key_vault.password_secret
        what = (
            f"secret {secret} of {policy.key_vault.host} is, or may be, deleted and recoverable: it is unknown which"
            " credentials its versions name"
        )
        yield VetoCode.SECRET_DELETED, what, f"`{recover_secret(vault, secret)}`, or purge it."


def readable(policy: Policy, observed: Observed, known: Known, key_id: str) -> Iterator[Objection]:
    """Refuse if readers may have the password from a version that names no credential."""
    fits, unnamed = known.may_be_published, [v for v in observed.versions if v.key_id is None]
    rolled_back = seen.newest(observed) in unnamed
    if (rolled_back or seen.orphan(observed, key_id)) and (fits is None or key_id in fits):
        what = f"a value of {policy.key_vault.password_secret} may be the password of {key_id}"
        yield (
            VetoCode.PUBLISHED,
            what,
            f"`{rotator('adopt', policy.name, key_id=key_id)}`, or disable that version once nothing uses it.",
        )


def alone(policy: Policy, observed: Observed, known: Known, key_id: str) -> Iterator[Objection]:
    """Without a current credential, allow only the removal of an old add of ours.

    Two readings must show no name for the add, and the newest value must not be its password.
    """
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id), None)
    if credential is None or not credential.display_name.startswith(marker(observed.lineage, "")):
        yield (
            VetoCode.FOREIGN,
            f"credential {key_id} was not added by rotator for this policy",
            "Leave it to its owner.",
        )
        return
    if observed.at < _reclaimed(policy, observed, key_id):
        yield (
            VetoCode.EARLY,
            f"credential {key_id} was added less than {days(policy.rotation.reclaim_after)} ago",
            "A later run removes it.",
        )
    first = dict(known.unnamed_since).get(key_id)
    if first is None or observed.at - first < seen.FRESH:
        yield (
            VetoCode.EARLY,
            f"only one read shows that no version and no group names {key_id}; two are needed",
            "Run again.",
        )
    yield from readable(policy, observed, known, key_id)
    if credential.hint is None and observed.versions:
        yield (
            VetoCode.PUBLISHED,
            f"Graph shows no hint of the password of {key_id}, so readers of the secret may use it",
            "Make sure by hand that nothing uses it.",
        )
    for dependent in container_group.dependents(policy, observed):
        if dependent.key_id == key_id or dependent.phase is container_group.Phase.UNREADABLE:
            yield VetoCode.HELD, f"{dependent.name} holds credential {key_id}, or can't be read", "It must move first."
    for unseen in observed.unseen:
        yield (
            VetoCode.UNSEEN,
            f"subscription {unseen.subscription} can't be listed ({unseen.why}), and groups there may hold {key_id}",
            "Let rotator list its container groups.",
        )


def early(policy: Policy, observed: Observed, intent: Intent, key_id: str) -> Iterator[Objection]:
    """Refuse a removal while the credential may still be needed.

    Possible users are a run that has just added the credential, a reader of the old value, or a group on its way back.
    """
    until = _overlapped(policy, observed, intent)
    if seen.orphan(observed, key_id):
        purged = _purged(policy, observed, key_id)
        until = max(until, _reclaimed(policy, observed, key_id)) if purged else _reclaimed(policy, observed, key_id)
    if observed.at < until:
        yield (
            VetoCode.EARLY,
            f"credential {key_id} may still be needed until {until:%Y-%m-%d %H:%M} UTC",
            "A later run removes it.",
        )
    for dependent in container_group.dependents(policy, observed):
        if dependent.previous == key_id and dependent.verdict is container_group.Verdict.PULL_FAILED:
            yield (
                VetoCode.WAY_BACK,
                f"{dependent.name} can't pull, and {key_id} is its previous credential",
                "Look at the group's events.",
            )


def _purged(policy: Policy, observed: Observed, key_id: str) -> bool:
    """Tell if a version that was purged may have held the credential: a group did, or every version is younger."""
    added = next((c.start for c in observed.credentials if c.key_id.lower() == key_id), observed.at)
    held = any(d.previous == key_id for d in container_group.dependents(policy, observed))
    return held or all(version.created > added for version in observed.versions)


def _reclaimed(policy: Policy, observed: Observed, key_id: str) -> datetime:
    return (
        next((c.start for c in observed.credentials if c.key_id.lower() == key_id), observed.at)
        + policy.rotation.reclaim_after
    )


def _overlapped(policy: Policy, observed: Observed, intent: Intent) -> datetime:
    version = seen.current_version(observed)
    if version is None or intent.no_overlap:
        return observed.at
    moves = (
        d.since
        for d in container_group.dependents(policy, observed)
        if d.since and not d.run_once and d.key_id == version.key_id
    )
    return max([version.created, *moves]) + policy.rotation.overlap


def _usable(policy: Policy, outcome: Outcome) -> bool:
    return outcome is Outcome.PROVEN or (
        outcome is Outcome.UNREACHABLE and policy.proof.registry is RegistryProof.OPTIONAL
    )


def held(policy: Policy, observed: Observed, key_id: str) -> Iterator[Objection]:
    """Refuse while a group holds the credential, as far as can be seen.

    Unseen or only suspected holders don't keep a compromised credential alive.
    """
    orphan, exposed = seen.orphan(observed, key_id), seen.exposed(observed, key_id)
    hint = next((c.hint for c in observed.credentials if c.key_id.lower() == key_id), None)
    for dependent in container_group.dependents(policy, observed):
        ignored = dependent.choice is container_group.Choice.IGNORE
        counts = dependent.needs_rotation and dependent.phase is not container_group.Phase.ABSENT and not ignored
        untold = dependent.key_id is None and not orphan and not (exposed and dependent.guessed)
        if counts and (dependent.key_id == key_id or untold):
            yield (
                VetoCode.HELD,
                f"{dependent.name} {'holds' if dependent.key_id else 'may hold'} credential {key_id}",
                "It must move first.",
            )
        elif dependent.unsaid and not ignored and not orphan and not exposed:
            lines = "\n".join(f"  {container_group.likely_line(path)}" for path in dependent.unsaid)
            remedy = (
                f"Say which it is, under `secrets:` of `- id: {dependent.id}` in {policy.file}."
                f" {container_group.ANSWERS}. By the names:\n{lines}"
            )
            yield (
                VetoCode.UNSAID,
                f"{dependent.name} may hold credential {key_id} in {', '.join(dependent.unsaid)}",
                remedy,
            )
        elif (shown := dependent.shows(hint)) and not ignored and not orphan and not exposed:
            yield (
                VetoCode.SHOWN,
                f"{dependent.name} shows a password that begins like credential {key_id}, in {', '.join(shown)}",
                "Move it into a secure variable with `{credential: password}` in the policy, and deploy the group.",
            )
    for unseen in observed.unseen:
        if policy.discover.unseen is UnseenSubscriptions.BLOCK and not orphan and not exposed:
            remedy = "Let rotator list its container groups, or accept that with `discover: {unseen: accept}`."
            yield (
                VetoCode.UNSEEN,
                (
                    f"subscription {unseen.subscription} can't be listed ({unseen.why}), and groups there may hold"
                    f" {key_id}"
                ),
                remedy,
            )


def disposable(observed: Observed, version_id: str) -> Iterator[Objection]:
    """Allow to disable only a version of ours, not the newest, and without a live credential."""
    version = next((v for v in observed.versions if v.id == version_id), None)
    if not observed.versions_complete:
        yield (
            VetoCode.VERSIONS_LAG,
            "Key Vault's list of versions lacks the newest one",
            "Run again; Key Vault's lists may lag.",
        )
    if version is None or version.key_id is None:
        yield VetoCode.FOREIGN, f"version {version_id} was not written by rotator", "Leave it to its owner."
    elif version == seen.newest(observed):
        yield (
            VetoCode.PUBLISHED,
            f"version {version_id} is the one that readers get",
            "A newer version must be published first.",
        )
    elif any(c.key_id.lower() == version.key_id and c.live(observed.at) for c in observed.credentials):
        yield VetoCode.LIVE, f"credential {version.key_id} of version {version_id} is live", "It must be retired first."
