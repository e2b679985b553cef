"""Read the world for the guard, independently: the guard must not rely on the planner's view."""

from collections.abc import Iterator
from datetime import timedelta

from rotator import container_group
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import Credential, Observed, Version, marker
from rotator.steps import Known

FRESH = timedelta(minutes=2)
"""Greatest age of a proof on which a step may rest."""


def newest(observed: Observed) -> Version | None:
    """Return the version read by readers of the secret."""
    return max(observed.versions, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def current_version(observed: Observed) -> Version | None:
    """Return the newest version of ours, to be held by all dependents."""
    mine = [v for v in observed.versions if v.ours]
    return max(mine, key=lambda v: (v.created, v.id == observed.latest, v.id), default=None)


def current(observed: Observed) -> Credential | None:
    """Return the credential of :func:`current_version`, if the principal has it."""
    version = current_version(observed)
    return next((c for c in observed.credentials if version and c.key_id.lower() == version.key_id), None)


def is_ours(observed: Observed, key_id: str) -> bool:
    """Tell if a version names the credential, or its display name has our marker."""
    named = any(key_id in (v.key_id, *v.adopted, *v.compromised) for v in observed.versions)
    credential = next((c for c in observed.credentials if c.key_id.lower() == key_id), None)
    return named or bool(credential and credential.display_name.startswith(marker(observed.lineage, "")))


def others(observed: Observed) -> Iterator[Credential]:
    """Yield the credentials that rotator made for another lineage, and that no version of ours names."""
    return (c for c in observed.credentials if c.lineage and not is_ours(observed, c.key_id.lower()))


def orphan(observed: Observed, key_id: str) -> bool:
    """Tell if no version names the credential: an add with a lost answer."""
    return all(key_id not in (v.key_id, *v.adopted, *v.compromised) for v in observed.versions)


def exposed(observed: Observed, key_id: str) -> bool:
    """Tell if the credential is declared compromised."""
    return any(key_id in v.compromised for v in observed.versions)


def dependent_of(policy: Policy, observed: Observed, group_id: ResourceId) -> container_group.Dependent | None:
    """Return the dependent with the given id, as the world shows it now."""
    return next((d for d in container_group.dependents(policy, observed) if d.id == group_id), None)


def fresh(observed: Observed, known: Known) -> bool:
    """Tell if the current value was tried within `FRESH`."""
    return known.proof_at is not None and observed.at - known.proof_at <= FRESH
