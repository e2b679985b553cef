"""The second opinion: vetoes a step that the rules should never have asked for, or that the world forbids.

Rules for whoever edits this file:

1. It shares no rule with `rotator.plan`, and reads the world by itself: a bug there must not be one here.
2. A veto has a code, names and numbers, says that nothing was changed, and ends with what to do.
3. It never makes a step possible; nothing overrides it but what a person can see in the world.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotator import group
from rotator.errors import UnsafeStep
from rotator.plan import Deploy, Disable, Intent, Issue, Restore, Retire, Step, kind, target
from rotator.policy import Policy
from rotator.state import Access, Credential, Home, Observed, Outcome, Permissions, Version, marker

MOST_UNRESOLVED = 3
"""Adds whose outcome stayed unknown; more would mean that something makes credentials faster than they are reclaimed."""
FRESH = timedelta(minutes=2)
"""How old a proof may be when a step rests on it."""
AT_WORK = (group.Phase.RUNNING, group.Phase.STARTING, group.Phase.CRASHING)
"""What a job does that must not be interrupted; one that crashed is about to be started again, or it would have finished."""


@dataclass(frozen=True, slots=True)
class Veto:
    """Why a step must not be taken, and what would change that."""

    step: Step
    code: str
    happened: str
    remedy: str

    def error(self) -> UnsafeStep:
        """The veto as an exception, for who must stop."""
        return UnsafeStep(f"{kind(self.step)} {target(self.step)}: {self.happened}", remedy=self.remedy)


Objection = tuple[str, str, str]
"""A code, what is wrong, what to do."""


def check(step: Step, policy: Policy, observed: Observed, intent: Intent | None = None) -> Veto | None:
    """The first objection to a step, or None. Pure; `observed` must be fresh."""
    if isinstance(step, Issue | Deploy | Restore | Retire | Disable) and observed.access is Access.REVOKED:
        return Veto(step, "revoked", "access is revoked", f"`rotator grant {policy.name}` restores it.")
    for objection in _objections(step, policy, observed, intent or Intent()):
        return Veto(step, *objection)
    return None


def itself(policy: Policy, observed: Observed) -> Objection | None:
    """The objection to any change of rotator's own identity, for verbs whose steps aren't a rotation's."""
    return next(_itself(policy, observed), None)


def _objections(step: Step, policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    yield from _itself(policy, observed)
    match step:
        case Issue():
            for rule in (_secret_usable, _addable, _drifted, _unresolved, _groups_ready, _value_proves):
                yield from rule(policy, observed, intent)
        case Deploy(group=group_id, key_id=key_id):
            yield from _deployable(policy, observed, group_id, key_id)
        case Restore(group=group_id, key_id=key_id):
            yield from _restorable(policy, observed, group_id, key_id)
        case Retire(key_id=key_id):
            yield from _drifted(policy, observed, intent)
            yield from _retirable(policy, observed, intent, key_id)
        case Disable(version=version):
            yield from _disposable(observed, version)


def _itself(policy: Policy, observed: Observed) -> Iterator[Objection]:
    if observed.signed_in.lower() == policy.principal.app_id.lower():
        remedy = "Sign in as an identity of its own for rotator; one that rotates its own credential can lock itself out."
        yield "itself", f"rotator is signed in as {policy.principal.app_id}, the very principal of this policy", remedy


def _secret_usable(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    permissions, name = observed.permissions, policy.key_vault.password_secret
    if permissions and permissions.secret_deleted:
        remedy = f"`az keyvault secret recover --vault-name {policy.key_vault.host.split('.')[0]} --name {name}`, or purge it."
        yield "secret_deleted", f"secret {name} of {policy.key_vault.host} is deleted but recoverable, so its name can't be used", remedy
    refused = observed.vault_refuses or (permissions.vault_refused if permissions else None)
    if refused:
        remedy = "Give the identity that runs rotator the role Key Vault Secrets Officer on the vault (or on this secret)."
        yield "vault_refused", f"{policy.key_vault.host} doesn't let rotator read and set {name}: {refused}", remedy


def _drifted(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    newest = _newest(observed)
    if not newest or newest.ours or newest.adopted or intent.accept_drift:
        return
    current = _current(observed)
    if current and current.end - observed.at >= timedelta(days=7):
        remedy = f"`rotator adopt {policy.name}` if that credential is to be yours; `rotator rotate {policy.name} --accept-drift` puts ours on top."
        yield "drift", f"version {newest.id} of {policy.key_vault.password_secret} was written by somebody else on top of ours", remedy


def _addable(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    home = policy.principal.home if observed.principal.application else Home.SERVICE_PRINCIPAL
    if home is Home.SERVICE_PRINCIPAL and observed.principal.locked:
        remedy = "Write `principal: {home: application}`, or lift the lock (servicePrincipalLockConfiguration)."
        yield "locked_principal", "the application's instance lock forbids passwords on its service principal", remedy
    held = ", ".join(c.key_id for c in observed.credentials if c.home is home)
    if home is Home.APPLICATION and observed.principal.personal and held.count(",") >= 1:
        yield "no_slot", f"an application for personal accounts holds two passwords at most, and has {held}", "Remove one that nothing uses."
    for limit in [one for one in (observed.permissions or Permissions()).limits if one.home is home]:
        if limit.longest is None:
            yield "passwords_forbidden", f"app management policy {limit.policy} forbids new passwords", "Have this application exempted."
        elif limit.longest < policy.rotation.validity:
            yield "password_life", f"app management policy {limit.policy} lets passwords live {limit.longest.days} d", "Write a shorter `validity`."


def _unresolved(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    named = {key for v in observed.versions for key in (v.key_id, *v.adopted)}
    prefix = marker(observed.lineage, "")
    unresolved = [c for c in observed.credentials if c.display_name.startswith(prefix) and c.key_id not in named and c.live(observed.at)]
    if len(unresolved) >= MOST_UNRESOLVED:
        oldest = min(unresolved).start + policy.rotation.reclaim_after
        listed = ", ".join(c.key_id for c in unresolved)
        remedy = f"Wait until {oldest:%Y-%m-%d %H:%M} UTC, when they are reclaimed, or remove them by hand: {listed}."
        yield "unresolved", f"{len(unresolved)} credentials of ours are named by nothing: adds whose answer was lost", remedy


def _groups_ready(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    waiting = [dependent for dependent in group.dependents(policy, observed) if dependent.declared and dependent.needs_rotation]
    lacking = [dependent for dependent in waiting if dependent.unsourced and not dependent.refused]
    if len(lacking) > 1:
        count = sum(len(dependent.unsourced) for dependent in lacking)
        blocks = "\n".join(f"under {dependent.name}:\n{dependent.lines_to_add}" for dependent in lacking)
        what = f"{', '.join(dependent.name for dependent in lacking)} have {count} values that Azure doesn't show and a redeployment would lose"
        yield "hidden_values", what, f"{_put(policy)}\n{blocks}"
    for dependent in waiting:
        yield from _ready(policy, dependent)
        yield from _sourced(policy, observed, dependent)


def _put(policy: Policy) -> str:
    return f"Put each value into {policy.key_vault.host}, and say in {policy.file} where it comes from:"


def _sourced(policy: Policy, observed: Observed, dependent: group.Dependent) -> Iterator[Objection]:
    """Whether the sources that are named can be used, now, before anything is written; and whether a manifest could ever be deployed."""
    for name, why in observed.permissions.sources if observed.permissions else ():
        if name in dependent.sources:
            remedy = f"Put it into {policy.key_vault.host}, or correct its name where the policy or the manifest of {dependent.name} says it."
            yield "source", f"{dependent.name} needs secret {name}, which can't be used: {why}", remedy
    said = dependent.group
    if said and said.manifest and (wrong := group.manifest_problems(said.manifest, policy, said)):
        yield "manifest", f"{said.manifest.file} of {dependent.name} can't be deployed: {'; '.join(wrong)}", f"Correct {said.manifest.file}."


def _ready(policy: Policy, dependent: group.Dependent) -> Iterator[Objection]:
    if dependent.unsourced and not dependent.refused:
        what = f"{dependent.name} has {len(dependent.unsourced)} value(s) that Azure doesn't show and a redeployment would lose"
        yield "hidden_values", what, f"{_put(policy)}\n{dependent.lines_to_add}"
    if dependent.choice == "undecided":
        what = f"{dependent.name} runs once and is {dependent.phase.value}: redeploying it would run it again"
        remedy = f"Say in {policy.file}, under this group: `when_finished: wait` (or `redeploy`, `ignore`), or give its `manifest:`."
        yield "undecided", what, remedy


def _value_proves(policy: Policy, observed: Observed, intent: Intent) -> Iterator[Objection]:
    newest, proof = _newest(observed), observed.proof
    if newest is None or not newest.enabled:
        return
    if proof is None or not _fresh(observed):
        yield "unproven", f"the current value of {policy.key_vault.password_secret} has not been tried", "Run again."
        return
    if proof.outcome is Outcome.REFUSED and not any(v.ours for v in observed.versions):
        remedy = "Correct `key_vault.password_secret`; it must name the secret that holds this principal's password."
        yield "wrong_secret", f"the value of {policy.key_vault.password_secret} doesn't authenticate as {policy.principal.app_id}", remedy
    if proof.ok and newest.ours and _current(observed) is None:
        what = f"credential {newest.key_id} isn't among the principal's, but it still authenticates"
        yield "still_works", what, "Run again; Graph's reads may lag far behind."
    yield from _pull_objection(policy, proof.outcome, proof.detail)


def _pull_objection(policy: Policy, outcome: Outcome, detail: str) -> Iterator[Objection]:
    if outcome is Outcome.NO_PULL:
        remedy = f"`rotator grant {policy.name}` gives the declared role; a new password would not."
        yield "no_pull", f"the principal may not pull: {detail}", remedy
    if outcome is Outcome.DISABLED:
        remedy = "Enable the service principal (accountEnabled), or correct `app_id`."
        yield "disabled", f"nobody can sign in as {policy.principal.app_id}: {detail}", remedy
    if outcome is Outcome.UNREACHABLE and policy.proof.registry == "required":
        remedy = "Let rotator reach the registry, or set `proof: {registry: optional}` and accept that pulls are not proven."
        yield "unreachable", f"a pull can't be tried: {detail}", remedy


def _deployable(policy: Policy, observed: Observed, group_id: str, key_id: str) -> Iterator[Objection]:
    dependent = _dependent(policy, observed, group_id)
    if dependent is None:
        yield "no_dependent", f"{group_id} doesn't use this principal", "Run `rotator plan` again; the world has changed."
        return
    yield from _anothers(observed, dependent)
    if dependent.refused:
        yield "refused", f"{dependent.name} can't be redeployed: {dependent.refused}", "Update it by its own means, with the secret from Key Vault."
    yield from _ready(policy, dependent)
    if gone := sorted(set(dependent.images) & set(observed.proof.missing if observed.proof else ())):
        remedy = "Push it again, or deploy the group with an image that there is; until then it keeps the credential that it holds."
        yield "no_image", f"the registry doesn't have {', '.join(gone)}, so Azure would refuse to deploy {dependent.name}", remedy
    version = _current_version(observed)
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id.lower()), None)
    if not credential or not credential.live(observed.at):
        yield "not_live", f"credential {key_id} isn't live", "Run again; a new one is issued first."
    elif version is None or version.key_id != key_id.lower():
        yield "not_current", f"credential {key_id} isn't the published one", "Run again."
    if dependent.run_once and dependent.phase in AT_WORK:
        yield "job_running", f"{dependent.name} is a job at work", "Wait until it has finished."


def _anothers(observed: Observed, dependent: group.Dependent) -> Iterator[Objection]:
    held = next((c for c in observed.credentials if c.key_id.lower() == dependent.key_id and c.live(observed.at)), None)
    prefix = marker(observed.lineage, "")
    if held and held.display_name.startswith("rotator:") and not held.display_name.startswith(prefix):
        remedy = "Two policies manage one container group; keep the one whose vault it should follow."
        yield "another_lineage", f"{dependent.name} holds credential {held.key_id} of another policy ({held.display_name})", remedy


def _restorable(policy: Policy, observed: Observed, group_id: str, key_id: str) -> Iterator[Objection]:
    dependent = _dependent(policy, observed, group_id)
    if dependent is None or dependent.previous != key_id.lower():
        yield "not_previous", f"{group_id} doesn't say that it held {key_id} before", "Run `rotator plan` again; the world has changed."
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id.lower()), None)
    if credential is None or not credential.live(observed.at):
        yield "not_live", f"credential {key_id} isn't live, so going back to it would help nobody", "Look at the group's events."
    if any(key_id.lower() in v.compromised for v in observed.versions):
        yield "compromised", f"credential {key_id} is compromised; there is no way back to it", "Look at the group's events."


def _retirable(policy: Policy, observed: Observed, intent: Intent, key_id: str) -> Iterator[Objection]:
    newest, current, wanted = _newest(observed), _current(observed), key_id.lower()
    if not _is_ours(observed, wanted):
        yield "foreign", f"credential {key_id} is not ours", f"`rotator adopt {policy.name} --key-id {key_id}` makes it ours."
    if current is None or not current.live(observed.at) or current.key_id.lower() == wanted:
        yield "last", f"no other valid credential of ours would remain besides {key_id}", "A new one must be published first."
    if newest and newest.key_id == wanted:
        yield "published", f"the newest version of {policy.key_vault.password_secret} holds {key_id}", "A newer version must be published first."
    exposed = any(wanted in v.compromised for v in observed.versions)
    if not (exposed and intent.accept_outage):
        yield from _held(policy, observed, wanted)
    if not exposed:
        yield from _early(policy, observed, intent, wanted)
    proof = observed.proof if _fresh(observed) else None
    if proof is None or not _usable(policy, proof.outcome):
        outcome = proof.detail or proof.outcome if proof else "not tried now"
        remedy = "See why; nothing is removed until the current one works."
        yield "unproven", f"the current value doesn't prove ({outcome}), so {key_id} stays", remedy


def _fresh(observed: Observed) -> bool:
    return observed.proof_at is not None and observed.at - observed.proof_at <= FRESH


def _early(policy: Policy, observed: Observed, intent: Intent, key_id: str) -> Iterator[Objection]:
    """Whether somebody may still want it: a run that has just added it, a reader of the old value, a group on its way back."""
    until = _reclaimed(policy, observed, key_id) if _orphan(observed, key_id) else _overlapped(policy, observed, intent)
    if observed.at < until:
        yield "early", f"credential {key_id} may still be wanted until {until:%Y-%m-%d %H:%M} UTC", "A later run removes it."
    for dependent in group.dependents(policy, observed):
        if dependent.previous == key_id and dependent.verdict is group.Verdict.PULL_FAILED:
            yield "way_back", f"{dependent.name} can't pull, and {key_id} is what it held before", "Look at the group's events."


def _reclaimed(policy: Policy, observed: Observed, key_id: str) -> datetime:
    return next((c.start for c in observed.credentials if c.key_id.lower() == key_id), observed.at) + policy.rotation.reclaim_after


def _overlapped(policy: Policy, observed: Observed, intent: Intent) -> datetime:
    version = _current_version(observed)
    if version is None or intent.no_overlap:
        return observed.at
    moves = (d.since for d in group.dependents(policy, observed) if d.since and not d.run_once and d.key_id == version.key_id)
    return max([version.created, *moves]) + policy.rotation.overlap


def _usable(policy: Policy, outcome: Outcome) -> bool:
    return outcome is Outcome.PROVEN or (outcome is Outcome.UNREACHABLE and policy.proof.registry == "optional")


def _held(policy: Policy, observed: Observed, key_id: str) -> Iterator[Objection]:
    orphan = _orphan(observed, key_id)
    for dependent in group.dependents(policy, observed):
        counts = dependent.needs_rotation and dependent.phase is not group.Phase.ABSENT and dependent.choice != "ignore"
        untold = dependent.key_id is None and not orphan
        if counts and (dependent.key_id == key_id or untold):
            yield "held", f"{dependent.name} {'holds' if dependent.key_id else 'may hold'} credential {key_id}", "It must move first."
    for unseen in observed.unseen:
        if policy.discover.unseen == "block" and not orphan:
            remedy = "Let rotator list its container groups, or accept that with `discover: {unseen: accept}`."
            yield "unseen", f"who holds {key_id} in subscription {unseen.subscription} can't be seen ({unseen.why})", remedy


def _orphan(observed: Observed, key_id: str) -> bool:
    return all(key_id not in (v.key_id, *v.adopted) for v in observed.versions)


def _disposable(observed: Observed, version_id: str) -> Iterator[Objection]:
    version = next((v for v in observed.versions if v.id == version_id), None)
    if version is None or version.key_id is None:
        yield "foreign", f"version {version_id} is not ours", "Leave it to its owner."
    elif version == _newest(observed):
        yield "published", f"version {version_id} is the one that readers get", "A newer version must be published first."
    elif any(c.key_id.lower() == version.key_id and c.live(observed.at) for c in observed.credentials):
        yield "live", f"credential {version.key_id} of version {version_id} is live", "It must be retired first."


def _newest(observed: Observed) -> Version | None:
    return max(observed.versions, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def _current_version(observed: Observed) -> Version | None:
    mine = [v for v in observed.versions if v.ours]
    return max(mine, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def _current(observed: Observed) -> Credential | None:
    version = _current_version(observed)
    return next((c for c in observed.credentials if version and c.key_id.lower() == version.key_id), None)


def _is_ours(observed: Observed, key_id: str) -> bool:
    named = any(key_id in (v.key_id, *v.adopted, *v.compromised) for v in observed.versions)
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id), None)
    return named or bool(credential and credential.display_name.startswith(marker(observed.lineage, "")))


def _dependent(policy: Policy, observed: Observed, group_id: str) -> group.Dependent | None:
    return next((d for d in group.dependents(policy, observed) if d.id.lower() == group_id.lower()), None)


RULES: tuple[Callable[..., Iterator[Objection]], ...] = (
    *(_itself, _secret_usable, _addable, _drifted, _unresolved, _groups_ready, _value_proves, _deployable),
    *(_anothers, _restorable, _retirable, _early, _held, _disposable),
)
"""Every check, so that a test can take each away and see that something notices."""
