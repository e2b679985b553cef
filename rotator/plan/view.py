"""Facts for the rules, derived once each from a policy and one observation."""

from datetime import datetime, timedelta
from functools import cached_property

from rotator import container_group
from rotator.container_group import Dependent, Phase, Verdict
from rotator.plan.spread import LAST_WEEK, renewal
from rotator.plan.stripped_groups import stripped
from rotator.policy import Policy
from rotator.state import Access, Credential, Observed, Proof, Version, marker
from rotator.steps import NOTHING_KNOWN, Intent, Known, Refused

CONFIRM = timedelta(minutes=2)
"""Time between two reads needed to confirm an absence: Graph's reads lag its writes (azure-facts C6)."""
SKEW = timedelta(minutes=5)
"""Most by which the clocks of Graph and Container Instances are taken to differ."""
TRIAL = timedelta(seconds=30)
"""Time the first group must have been running, by Azure's clock, before others follow."""
TRIAL_ENDS = timedelta(minutes=5)
"""Time since a redeployment after which a group no worse than before counts, even if its containers run briefly."""


class View:
    """One policy, one observation, one intent, and the run's knowledge beside the observation.

    `listed`: the container groups of a survey, whose observation has none.
    """

    def __init__(
        self,
        policy: Policy,
        observed: Observed,
        intent: Intent,
        known: Known = NOTHING_KNOWN,
        listed: tuple[Dependent, ...] | None = None,
    ) -> None:
        self.policy, self.observed, self.intent, self.known = policy, observed, intent, known
        self.at: datetime = observed.at
        self._listed = listed

    def renewal(self, end: datetime) -> datetime:
        """Return the moment from which a credential of this policy that ends at `end` is renewed."""
        return renewal(self.policy, self.observed.lineage, end)

    @property
    def refused(self) -> Refused:
        """Return kind and target of the steps vetoed or failed in this run."""
        return self.known.refused

    @property
    def overlap(self) -> timedelta:
        """Return the time for which a credential stays after the last dependent moved."""
        return timedelta() if self.intent.no_overlap else self.policy.rotation.overlap

    @property
    def revoked(self) -> bool:
        """Tell if access was revoked: then no other decision is made."""
        return self.observed.access is Access.REVOKED

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """Return the versions, oldest first; of two in one second the latest is last."""
        return tuple(sorted(self.observed.versions, key=lambda v: (v.created, v.id == self.observed.latest, v.id)))

    @property
    def newest(self) -> Version | None:
        """Return the version read by readers of the secret."""
        return self.versions[-1] if self.versions else None

    @cached_property
    def current_version(self) -> Version | None:
        """Return the newest version of ours."""
        return next((v for v in reversed(self.versions) if v.ours), None)

    @cached_property
    def credentials(self) -> dict[str, Credential]:
        """Return all credentials of the principal by key id."""
        return {c.key_id.lower(): c for c in self.observed.credentials}

    @property
    def current_key(self) -> str | None:
        """Return the key id named by the current version."""
        version = self.current_version
        return version.key_id if version else None

    @property
    def current(self) -> Credential | None:
        """Return the credential named by the current version, if Graph shows it."""
        return self.credentials.get(self.current_key or "")

    @cached_property
    def named(self) -> frozenset[str]:
        """Return the key ids named by the tags of any version."""
        return frozenset(
            k for v in self.versions for k in (*([v.key_id] if v.key_id else []), *v.adopted, *v.compromised)
        )

    @cached_property
    def ours(self) -> tuple[Credential, ...]:
        """Return the credentials with our marker, or named by a version; sorted by start."""
        prefix = marker(self.observed.lineage, "")
        mine = (
            c for c in self.observed.credentials if c.display_name.startswith(prefix) or c.key_id.lower() in self.named
        )
        return tuple(sorted(mine))

    @property
    def foreign(self) -> tuple[Credential, ...]:
        """Return the credentials added by others."""
        return tuple(sorted(c for c in self.observed.credentials if c not in self.ours))

    @cached_property
    def compromised(self) -> frozenset[str]:
        """Return the key ids declared compromised."""
        return frozenset(k for v in self.versions for k in v.compromised)

    @property
    def lingering(self) -> tuple[Version, ...]:
        """Return enabled versions of compromised credentials absent from Graph.

        Entra may accept their values for a while.
        """
        return tuple(
            v for v in self.versions if v.enabled and v.key_id in self.compromised and v.key_id not in self.credentials
        )

    def tried(self, version: Version) -> Proof | None:
        """Return the result of a try of this version's value in this run."""
        return dict(self.known.tried).get(version.id)

    def accepted(self, version: Version) -> bool | None:
        """Tell if Entra accepts the version's value; None if unknown."""
        proof = self.tried(version)
        return proof.signs_in if proof else None

    @property
    def drift(self) -> bool:
        """Tell if a version of others is on top of ours, without an adoption."""
        newest = self.newest
        known = newest is None or newest.ours or bool(newest.adopted)
        return not known and self.current_version is not None

    @property
    def drift_tolerated(self) -> bool:
        """Tell if drift stops no step: accepted, or the current credential is gone or under a week from its end."""
        current = self.current
        return self.intent.accept_drift or current is None or current.end - self.at < LAST_WEEK

    @cached_property
    def groups(self) -> tuple[Dependent, ...]:
        """Return the declared container groups, and the others that use the principal."""
        if self._listed is not None:
            return self._listed
        return container_group.dependents(self.policy, self.observed)

    @cached_property
    def dependents(self) -> tuple[Dependent, ...]:
        """Return the container groups that hold a credential of the principal, or may."""
        return tuple(
            d
            for d in self.groups
            if d.needs_rotation and d.phase is not Phase.ABSENT and d.choice is not container_group.Choice.IGNORE
        )

    @cached_property
    def unsaid(self) -> tuple[Dependent, ...]:
        """Return container groups with a hidden variable that may hold a credential, regardless of their tags.

        For these variables, the policy doesn't name the owner of the password.
        """
        return tuple(d for d in self.groups if d.unsaid and d.choice is not container_group.Choice.IGNORE)

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """Return id and name of declared groups absent from Azure and without a manifest."""
        return tuple(
            (d.id, d.name) for d in self.groups if d.group and d.phase is Phase.ABSENT and not d.group.manifest
        )

    def movable(self, dependent: Dependent) -> bool:
        """Tell if the policy lets rotator redeploy the group."""
        return dependent.declared or self.policy.discover.redeploy

    def proven(self, dependent: Dependent) -> bool:
        """Tell if the dependent proves that a group can run with the current credential.

        A group without a working credential mostly ends within seconds of its start. A job may end in any way. For a
        group that crashed before its redeployment, too, the wait is not much longer than a start takes.
        """
        if self.behind(dependent) or dependent.verdict is not Verdict.HEALTHY:
            return False
        old = self.at - (dependent.since or self.at) >= TRIAL_ENDS
        return dependent.run_once or old or dependent.up >= TRIAL

    def behind(self, dependent: Dependent) -> bool:
        """Tell if the dependent isn't known to hold the current credential."""
        return dependent.key_id != self.current_key

    def held(self, dependent: Dependent) -> tuple[Credential, ...]:
        """Return the credentials that a dependent may hold: the one in its tag; without a tag, all but the current.

        A group without a tag can't hold a credential younger than its last deployment.
        """
        if dependent.key_id:
            named = self.credentials.get(dependent.key_id)
            return (named,) if named else ()
        others = (c for c in self.observed.credentials if c.key_id.lower() != self.current_key)
        return tuple(c for c in others if not _younger(c, dependent))

    def dead(self, dependent: Dependent) -> bool:
        """Tell if the password of a dependent is certainly gone.

        Without a tag, it is gone if all remaining credentials were added after the group's last deployment.
        """
        if dependent.key_id:
            return dependent.key_id not in self.credentials
        return all(_younger(c, dependent) for c in self.observed.credentials)

    def soonest(self, dependent: Dependent) -> datetime | None:
        """Return the earliest end of the credentials that a dependent may hold; None if none is left."""
        return min((c.end for c in self.held(dependent)), default=None)

    @property
    def removed(self) -> tuple[str, ...]:
        """Return the key ids of our credentials once published and now gone."""
        return tuple(sorted({v.key_id for v in self.versions if v.key_id and v.key_id not in self.credentials}))

    def returnable(self, key_id: str | None) -> Version | None:
        """Return the newest enabled version of a live, uncompromised credential, for a way back of a group."""
        credential = self.credentials.get(key_id or "")
        if credential is None or not credential.live(self.at) or key_id in self.compromised:
            return None
        return next((v for v in reversed(self.versions) if v.enabled and v.key_id == key_id), None)

    def holders(self, key_id: str) -> tuple[Dependent, ...]:
        """Return the dependents that hold the credential, or may."""
        return tuple(d for d in self.dependents if d.key_id in (key_id, None))

    def known_holders(self, key_id: str) -> tuple[Dependent, ...]:
        """Return the holders without those suspected only because of a hidden variable.

        Such a suspicion doesn't keep a compromised credential alive.
        """
        return tuple(d for d in self.holders(key_id) if d.key_id or not d.guessed)

    @cached_property
    def orphans(self) -> tuple[Credential, ...]:
        """Return our credentials named by no version and no group's tag: a lost answer to an add, or a dead run."""
        tagged = {d.key_id for d in self.dependents}
        return tuple(c for c in self.ours if c.key_id.lower() not in self.named and c.key_id.lower() not in tagged)

    @property
    def moved(self) -> datetime | None:
        """Return the instant of the last move of a group to the current credential; None without a move.

        Jobs don't count: a job takes its password with every run.
        """
        return max(
            (d.since for d in self.dependents if d.since and not d.run_once and not self.behind(d)), default=None
        )

    @cached_property
    def superseded(self) -> tuple[Credential, ...]:
        """Return our credentials once in use, neither current nor in the newest version: they wait for retirement."""
        keep = {self.current_key, self.newest.key_id if self.newest else None}
        return tuple(c for c in self.ours if c.key_id.lower() not in keep and c not in self.orphans)

    def readable(self, credential: Credential) -> bool:
        """Tell if readers of the secret may have the password, from a newest version that names no credential."""
        untold, fits = [v for v in self.versions if not v.key_id], self.known.may_be_published
        return self.newest in untold and (fits is None or credential.key_id in fits)

    def superseded_since(self, credential: Credential) -> datetime | None:
        """Return the instant at which another credential of ours was published over this one.

        None for a credential made by a person.
        """
        held = next((v for v in reversed(self.versions) if v.key_id == credential.key_id.lower()), None)
        after = (v.created for v in self.versions if v.ours and held and v.created > held.created)
        return min(after, default=None)

    @property
    def unfinished(self) -> bool:
        """Tell if the last rotation still has steps to do."""
        moved = all(not self.behind(d) for d in self.dependents if d.key_id and self.movable(d))
        return bool(self.superseded) or not moved

    def strips(self, dependent: Dependent) -> bool:
        """Tell if this group lost our tags after a PUT with the current credential."""
        return stripped(self.current_version, dependent.id)


def _younger(credential: Credential, dependent: Dependent) -> bool:
    """Tell if the credential was added after the last deployment of the group, as far as the group shows it.

    A group that is only suspected to hold a credential shows nothing.
    """
    return dependent.begun is not None and not dependent.guessed and credential.start > dependent.begun + SKEW
