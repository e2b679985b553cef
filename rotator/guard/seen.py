"""What the guard reads of the world, by itself: it must not lean on what the planner sees."""

from datetime import timedelta

from rotator import container_group
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import Credential, Observed, Version, marker

FRESH = timedelta(minutes=2)
"""How old a proof may be when a step rests on it."""


def newest(observed: Observed) -> Version | None:
    """The version that readers of the secret get."""
    return max(observed.versions, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def current_version(observed: Observed) -> Version | None:
    """The newest version of ours: what every dependent should hold."""
    mine = [v for v in observed.versions if v.ours]
    return max(mine, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def current(observed: Observed) -> Credential | None:
    """The credential of :func:`current_version`, if the principal has it."""
    version = current_version(observed)
    return next((c for c in observed.credentials if version and c.key_id.lower() == version.key_id), None)


def is_ours(observed: Observed, key_id: str) -> bool:
    """Whether a version names the credential, or its own name says so."""
    named = any(key_id in (v.key_id, *v.adopted, *v.compromised) for v in observed.versions)
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id), None)
    return named or bool(credential and credential.display_name.startswith(marker(observed.lineage, "")))


def orphan(observed: Observed, key_id: str) -> bool:
    """Whether no version names the credential: an add whose answer was lost."""
    return all(key_id not in (v.key_id, *v.adopted, *v.compromised) for v in observed.versions)


def exposed(observed: Observed, key_id: str) -> bool:
    """Whether the credential is declared compromised."""
    return any(key_id in v.compromised for v in observed.versions)


def dependent_of(policy: Policy, observed: Observed, group_id: ResourceId) -> container_group.Dependent | None:
    """The dependent of that id, as the world shows it now."""
    return next((d for d in container_group.dependents(policy, observed) if d.id == group_id), None)


def fresh(observed: Observed) -> bool:
    """Whether the current value was tried just now."""
    return observed.proof_at is not None and observed.at - observed.proof_at <= FRESH
