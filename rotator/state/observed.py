"""Observation of one policy: everything read about it at one instant, and the container groups in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rotator.causes import Denial, Grounds
from rotator.resource_id import ResourceId
from rotator.state.roles import Access, Registry
from rotator.state.sign_ins import Credential, PasswordLimit, Principal
from rotator.state.versions import Version


@dataclass(frozen=True, slots=True)
class ContainerGroup:
    """Container group as returned by ACI at `at`.

    `document` is the raw JSON: read with :mod:`rotator.container_group`, never changed.

    Neither `document` nor `unreadable`: Azure says the group doesn't exist (404, with permission to read). Both: the
    group may not be read, and `document` comes from a list.
    """

    id: ResourceId
    at: datetime
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    unreadable: str | None = None
    grounds: Grounds | None = None
    """Cause of a refused read."""


@dataclass(frozen=True, slots=True)
class UnlistedSubscription:
    """Subscription without permission to list container groups: dependents there are unknown."""

    subscription: str
    why: str
    grounds: Grounds | None = None


@dataclass(frozen=True, eq=False)
class NewerGroups:
    """All container groups of a subscription as the newest API version shows them: one list, which never changes.

    Compared by identity, so that what follows from a whole list is computed once for all policies that share it.
    """

    by_id: Mapping[ResourceId, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, order=True)
class NewerValue:
    """Value of a container group in a place that only a newer API version shows.

    `common`: every one of several groups has the same value, so Azure added it.
    """

    group: ResourceId
    path: str
    common: bool = False


@dataclass(frozen=True, slots=True)
class Permissions:
    """Answers of Azure on rotator's permissions; an empty tuple means no known refusal.

    `limits` are the tenant's on new passwords, as far as rotator may read its policies. `unknown` are questions
    without an answer from Azure, each with the reason: an action not known to be refused isn't known to be allowed,
    either.
    """

    groups_refused: tuple[ResourceId, ...] = ()
    vault_refused: Denial | None = None
    limits: tuple[PasswordLimit, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """All observations of a policy at one instant, without secrets. `at` is Azure's time.

    `latest` is the version id returned by a GET without a version; if the list of versions disagrees,
    `versions_complete` is false. The clients fill it, once; facts that a run knows beside it are `steps.Known`.
    """

    at: datetime
    tenant: str
    lineage: str
    signed_in: str
    principal: Principal
    credentials: tuple[Credential, ...] = ()
    versions: tuple[Version, ...] = ()
    latest: str | None = None
    versions_complete: bool = True
    secret_deleted: bool | None = False
    """True if the published secret is soft-deleted, so that its versions can't be read; None if the vault refuses to
    say.
    """
    registries: tuple[Registry, ...] = ()
    groups: tuple[ContainerGroup, ...] = ()
    unseen: tuple[UnlistedSubscription, ...] = ()
    hiding: tuple[ResourceId, ...] = ()
    """Ids of container groups that show nothing of this principal, and hide a variable that is called like a
    principal's password.
    """
    access: Access = Access.UNMARKED
    access_since: datetime | None = None
    vault_refuses: Denial | None = None

    def reread(self, *, versions: tuple[Version, ...] | None = None, group: ContainerGroup | None = None) -> "Observed":
        """Return the observation with a later reading of its versions, or of one group."""
        groups = self.groups if group is None else (*(each for each in self.groups if each.id != group.id), group)
        return replace(self, versions=self.versions if versions is None else versions, groups=groups)
