"""Writes that are asked of the world, and its answers, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.resource_id import ResourceId
from rotator.state import (
    Access,
    Assignment,
    Credential,
    Home,
    Observed,
    Principal,
    Secret,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Redeployment:
    """PUT of a container group."""

    group: ResourceId


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """Addition of a password to an object of the principal, or its removal."""

    principal: Principal
    home: Home
    adds: bool


@dataclass(frozen=True, slots=True)
class Publication:
    """PUT of the published secret."""

    policy: Policy


Write = Redeployment | PasswordChange | Publication
"""A write for which a place within Azure's limits can be held."""


@dataclass(frozen=True, slots=True)
class Issued:
    """Credential just added, with its secret, shown only once."""

    credential: Credential
    secret: Secret


@dataclass(frozen=True, slots=True)
class Put:
    """ACI accepted a PUT.

    `created`: it answered 201, so there was no such group a moment ago. `at` is Azure's time of the answer.
    """

    at: datetime
    created: bool


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """Access mark of a policy: assignments deleted by a revoke, so that any machine can restore them.

    `disabled`: the assignments can't be read; `deleted`: the secret is soft-deleted, so the mark can't be enabled,
    either.
    """

    access: Access
    since: datetime
    assignments: tuple[Assignment, ...] = ()
    disabled: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Surveyed(Generic[T]):
    """World of one policy as the services' lists show it; each list was read to its end.

    `observed` has only the newest version of the secret, without its id, and no container groups; `groups` is what was
    made of each group that concerns the policy, as a list shows it: without an instance view.
    """

    observed: Observed
    groups: tuple[T, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey(Generic[T]):
    """Worlds of many policies by their names, the reasons why others aren't seen by lists, and the lists' failures."""

    listed: Mapping[str, Surveyed[T]]
    unlisted: Mapping[str, str]
    failures: tuple[AzureError, ...] = ()
