"""Veto a new credential: refused by the vault, forbidden for the principal, or unusable for a group."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from rotator import container_group
from rotator.codes import VetoCode
from rotator.guard import seen
from rotator.guard.deploy import newer, put_each, ready
from rotator.guard.objection import Objection
from rotator.policy import Policy
from rotator.remedy import advise, hand_over, recover_secret, rotator, untag
from rotator.state import OWN, Home, Observed, Permissions, marker
from rotator.steps import Intent, Known
from rotator.visible import one_line

TAGS, OTHERS = 15, 9
"""Tags per version in Key Vault (azure-facts E4), and the most of them for others: three are ours, three for marks."""
MOST_UNRESOLVED = 3
"""Adds with an unknown outcome at which no other is made: more would mean that adds outpace reclaiming."""


def secret_usable(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require that the vault takes the new value under the name known to readers."""
    permissions, name = known.permissions, policy.key_vault.password_secret
    if observed.secret_deleted:
        remedy = f"`{recover_secret(policy.key_vault.name, name)}`, or purge it."
        yield (
            VetoCode.SECRET_DELETED,
            f"secret {name} of {policy.key_vault.host} is deleted but recoverable, so its name can't be used",
            remedy,
        )
    refused = observed.vault_refuses or (permissions.vault_refused if permissions else None)
    if refused:
        what = f"{policy.key_vault.host} doesn't let rotator read and set {name}: {refused}"
        yield VetoCode.VAULT_REFUSED, what, str(advise(refused.grounds))


def addable(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require that Graph takes one more password, with the validity of the policy."""
    home = policy.principal.home if observed.principal.application else Home.SERVICE_PRINCIPAL
    if home is Home.SERVICE_PRINCIPAL and observed.principal.locked:
        remedy = "Write `principal: {home: application}`, or lift the lock (servicePrincipalLockConfiguration)."
        yield (
            VetoCode.LOCKED_PRINCIPAL,
            "the application's instance lock forbids passwords on its service principal",
            remedy,
        )
    held = ", ".join(c.key_id for c in observed.credentials if c.home is home)
    if home is Home.APPLICATION and observed.principal.personal and held.count(",") >= 1:
        yield (
            VetoCode.NO_SLOT,
            f"an application for personal accounts holds two passwords at most, and has {held}",
            "Remove one that nothing uses.",
        )
    for limit in [one for one in (known.permissions or Permissions()).limits if one.home is home and not one.exempts]:
        if limit.longest is None:
            yield (
                VetoCode.PASSWORDS_FORBIDDEN,
                f"app management policy {limit.policy} forbids new passwords",
                "Have this application exempted.",
            )
        elif limit.longest < policy.rotation.validity:
            yield (
                VetoCode.PASSWORD_LIFE,
                f"app management policy {limit.policy} limits the lifetime of passwords to {limit.longest.days} days",
                "Write a shorter `validity`.",
            )


def tags_fit(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require room in a new version for the tags of others, for ours and for our marks.

    An urgent credential takes over only the tags that fit.
    """
    newest, version, current = seen.newest(observed), seen.current_version(observed), seen.current(observed)
    held = [name for name, _ in newest.tags if not name.startswith(OWN)] if newest else []
    theirs = [*policy.key_vault.tags, *(name for name in held if name not in policy.key_vault.tags)]
    if newest is None or len(theirs) <= OTHERS:
        return
    exposed = version is not None and any(version.key_id in v.compromised for v in observed.versions)
    dying = current is None or current.end - observed.at < timedelta(days=7)
    if version is not None and (exposed or dying):
        return
    name, left = policy.key_vault.password_secret, theirs[OTHERS:]
    kept = f"Key Vault gives a version {TAGS}, of which {TAGS - OTHERS} are for rotator's own"
    what = f"version {newest.id} of {name} has {_counted(policy, theirs)}, and {OTHERS} fit: {kept}"
    command = untag(policy.key_vault.name, policy.key_vault.password_secret, newest, left)
    remedy = f"Remove {len(left)} or more of them; this command removes {one_line(', '.join(left))}:\n{command}"
    yield VetoCode.TAG_LIMIT, what, remedy


def _counted(policy: Policy, names: Sequence[str]) -> str:
    """Return the numbers of the tags that a new version would have beside rotator's: the old one's, the policy's."""
    given = len(policy.key_vault.tags)
    taken = f"{len(names) - given} tags that a new version would take over"
    return f"{taken}, beside {given} that the policy gives it" if given else taken


def drifted(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Refuse to cover a version of others on top of ours."""
    newest = seen.newest(observed)
    if not newest or newest.ours or newest.adopted or intent.accept_drift:
        return
    current = seen.current(observed)
    if current and current.end - observed.at >= timedelta(days=7):
        cover = rotator("rotate", policy.name, accept_drift=True)
        remedy = (
            f"`{rotator('adopt', policy.name)}` makes that credential one of this policy; `{cover}` publishes a new"
            " version on top."
        )
        yield (
            VetoCode.DRIFT,
            (
                f"version {newest.id} of {policy.key_vault.password_secret} was written by others on top of the one"
                " that rotator wrote"
            ),
            remedy,
        )


def one_lineage(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Refuse to begin a second lineage beside a live one: after a changed vault, name or tenant, or of another policy.

    A credential counts that no version of ours names, and that is newer than our current one or stands without one. A
    compromised current credential is replaced in any case.
    """
    current = seen.current(observed)
    if current and seen.exposed(observed, current.key_id.lower()):
        return
    since = current.start if current and current.live(observed.at) else None
    others = [c for c in seen.others(observed) if c.live(observed.at) and (since is None or c.start > since)]
    if not others:
        return
    last, host, name = max(others), policy.key_vault.host, policy.key_vault.password_secret
    what = (
        f"credential {last.key_id} is live until {last.end:%Y-%m-%d} and was made by rotator for another lineage"
        f" ({last.lineage}): another vault, secret name or tenant than {name} of {host} in {observed.tenant}"
    )
    back = "Write the former vault, secret name or tenant into the policy or its defaults again"
    if seen.current_version(observed):
        adopt = rotator("adopt", policy.name, key_id=last.key_id)
        yield VetoCode.LINEAGE_CHANGED, what, f"{back}; or `{adopt}` makes it a credential of this policy."
        return
    moved = "To keep the new place, copy the password there, with the tags that name its credential, then run again"
    yield VetoCode.LINEAGE_CHANGED, what, f"{back}. {moved}:\n{hand_over(policy.key_vault.name, name, last)}"


def unresolved(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Limit the number of adds with a lost answer; a compromised credential is replaced in any case."""
    current = seen.current(observed)
    if current and any(current.key_id.lower() in v.compromised for v in observed.versions):
        return
    named = {key for v in observed.versions for key in (v.key_id, *v.adopted)}
    prefix, span = marker(observed.lineage, ""), policy.rotation.reclaim_after
    mine = [
        c
        for c in observed.credentials
        if c.display_name.startswith(prefix) and c.key_id not in named and c.live(observed.at)
    ]
    lost = [c for c in mine if current or c.hint or observed.at - c.start < span]
    count = len(lost) + len(known.lost)
    if count >= MOST_UNRESOLVED:
        reclaimed = min((c.start for c in lost), default=observed.at) + span
        when = (
            f"Wait until {reclaimed:%Y-%m-%d %H:%M} UTC, when they are removed"
            if reclaimed > observed.at
            else "Run again, which removes them"
        )
        listed = ", ".join([*(c.key_id for c in lost), *known.lost])
        yield (
            VetoCode.UNRESOLVED,
            f"no version and no group names {count} credentials of rotator: the answers to their adds were lost",
            f"{when}, or remove them by hand: {listed}.",
        )


def groups_ready(policy: Policy, observed: Observed, intent: Intent, known: Known) -> Iterator[Objection]:
    """Require that all groups can follow before a new credential exists."""
    waiting = [
        dependent
        for dependent in container_group.dependents(policy, observed)
        if dependent.declared and dependent.needs_rotation
    ]
    lacking = [dependent for dependent in waiting if dependent.unsourced and not dependent.refused]
    if len(lacking) > 1:
        count = sum(len(dependent.unsourced) for dependent in lacking)
        blocks = "\n".join(f"under {dependent.name}:\n{dependent.lines_to_add}" for dependent in lacking)
        what = (
            f"{', '.join(dependent.name for dependent in lacking)} have {count} values that Azure doesn't show, and a"
            " redeployment could lose them"
        )
        yield VetoCode.HIDDEN_VALUES, what, f"{put_each(policy)}\n{blocks}"
    yield from newer(policy, known, [dependent.id for dependent in waiting if dependent.key_id is None])
    for dependent in waiting:
        yield from ready(policy, dependent)
        yield from _sourced(policy, known, dependent)


def _sourced(policy: Policy, known: Known, dependent: container_group.Dependent) -> Iterator[Objection]:
    """Require usable sources, and a deployable manifest, before the first write."""
    for name, why, refused in known.sources:
        if name in dependent.sources:
            remedy = refused or (
                f"Put it into {policy.key_vault.host}, or correct its name where the policy or the manifest of"
                f" {dependent.name} says it."
            )
            yield VetoCode.SOURCE, f"{dependent.name} needs secret {name}, which can't be used: {why}", remedy
    written = container_group.manifest_of(policy, dependent.group)
    if written and (wrong := container_group.manifest_problems(written)):
        yield (
            VetoCode.MANIFEST,
            f"{written.file} of {dependent.name} can't be deployed: {'; '.join(wrong)}",
            container_group.manifest_remedy(written),
        )
