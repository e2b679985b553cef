"""What the engine needs of the rest of the world, as protocols: Azure in our own words, time, a lease, and somebody to tell.

Rules for whoever implements `World`:

* A method either returns what Azure said, or raises a `rotator.errors.AzureError`. Nothing else comes out, and no
  secret is in it.
* What may be repeated safely is repeated inside, within its patience. `add_password`, `remove_password`, `put_group`
  and `publish` are sent **once**: an answer that never came is `OutcomeUnknown`, and the caller looks at the world.
* A write with `not_after` raises `NotSent` where it would leave this machine later than that, on the scale of `moment`;
  so does each repetition.
* Every reading carries Azure's time, from the answers' ``Date``.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from rotator.events import Event
from rotator.policy import Policy
from rotator.preflight import Examined, Right
from rotator.resource_id import ResourceId
from rotator.state import (
    Access,
    Assignment,
    ContainerGroup,
    Credential,
    Home,
    Identity,
    Observed,
    Permissions,
    Principal,
    Proof,
    Registry,
    RegistryAccess,
    Secret,
    SignIns,
    Tags,
    Version,
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential just added, and the only sight of its secret."""

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
    """The access mark of a policy: what a revoke deleted, so that any machine can restore it.

    `disabled`: its assignments can't be read; `deleted`: nor enabled, since the secret is soft-deleted.
    """

    access: Access
    since: datetime
    assignments: tuple[Assignment, ...] = ()
    disabled: bool = False
    deleted: bool = False


class World(Protocol):
    """Azure, in our words, for one signed-in identity."""

    def moment(self) -> float:
        """Seconds that have passed since some fixed moment: elapsed time with suspends, or Azure's own, whichever grew more; never goes back.

        `not_after` of the writes is on this scale.
        """
        ...

    def repeat_until(self, deadline: float) -> None:
        """Repeat no request after `deadline` (elapsed seconds of the clock), of whatever run: what was begun before takes no longer than one may."""
        ...

    async def observe(self, policy: Policy, *, confirmed: bool = False) -> Observed:
        """Everything the planner needs of one policy, read now; `confirmed`: that access isn't marked as revoked is read in three places."""
        ...

    async def examine(self, policy: Policy, secrets: Sequence[str]) -> Examined:
        """Everything that a rotation needs, read or asked for and never tried by a write; `secrets` are those that container groups need."""
        ...

    def survey(self, policies: Sequence[Policy]) -> AsyncIterator[tuple[Policy, Observed]]:
        """The same for many, from the services' lists: it may over-report what is due, never under-report."""
        ...

    async def subscriptions(self) -> tuple[str, ...]:
        """The ids of every subscription that the signed-in identity can list, sorted."""
        ...

    async def groups_of(self, subscription: str) -> tuple[Mapping[str, Any], ...]:
        """Every container group of a subscription as its list shows it: raw JSON, without instance view."""
        ...

    async def registries_of(self, subscription: str) -> tuple[Registry, ...]:
        """Every registry of a subscription."""
        ...

    async def principals(self, app_ids: Sequence[str]) -> Mapping[str, str]:
        """The display names of the service principals that the tenant has of these app ids, by app id in lower case."""
        ...

    async def credentials(self, policy: Policy) -> tuple[Credential, ...]:
        """The password credentials of both homes."""
        ...

    async def sign_ins(self, policy: Policy) -> SignIns:
        """By what can be signed in as the principal; what isn't found, or may not be read, is said."""
        ...

    async def identities(self, app_id: str | None, display_name: str | None) -> tuple[Identity, ...]:
        """The application or service principal of `app_id`, or else every application called `display_name`; () where there is none."""
        ...

    async def create_application(self, display_name: str, key: str) -> Identity:
        """The application that has the alternate key `key`, made if need be: twice is once, and a lost answer may be asked for again."""
        ...

    async def create_service_principal(self, app_id: str) -> tuple[str, bool]:
        """The object id of the service principal of `app_id`, made if need be, and whether it was."""
        ...

    async def own(self, home: Home, object_id: str, owner: str) -> None:
        """Make `owner`, an object id, an owner of an application or service principal."""
        ...

    async def signed_in(self) -> tuple[str, str]:
        """The app id and the object id of the identity that rotator signs in as, in lower case."""
        ...

    async def registries(self, policy: Policy) -> tuple[Registry, ...]:
        """The policy's registries as Resource Manager shows them now."""
        ...

    async def username(self, policy: Policy) -> str | None:
        """What the user name's secret says; None where there is none, or the policy names none."""
        ...

    async def add_password(
        self, principal: Principal, home: Home, display_name: str, end: datetime, *, not_after: float | None = None
    ) -> Issued:
        """Add a password credential. Sent once: OutcomeUnknown where no answer came."""
        ...

    async def remove_password(
        self, principal: Principal, home: Home, key_id: str, *, not_after: float | None = None
    ) -> None:
        """Remove a password credential; NotFound where Graph says that there is none (only a later read is proof).

        Sent once: OutcomeUnknown where no answer came.
        """
        ...

    async def versions(self, policy: Policy) -> tuple[Version, ...]:
        """Every version of the published secret, sorted by creation; () where the secret doesn't exist."""
        ...

    async def value(self, policy: Policy, version: str | None = None) -> Secret:
        """The published secret's value: of `version`, or the latest."""
        ...

    async def secret(self, policy: Policy, name: str) -> Secret:
        """Another secret of the policy's vault: a source of a hidden value."""
        ...

    async def publish(
        self,
        policy: Policy,
        secret: Secret,
        expires: datetime,
        content_type: str | None,
        tags: Tags,
        *,
        not_after: float | None = None,
    ) -> Version:
        """A new version of the published secret. Sent once: OutcomeUnknown where no answer came."""
        ...

    async def version(self, policy: Policy, version: str) -> Version:
        """One version of the published secret, enabled or not, read now."""
        ...

    async def mark_version(
        self,
        policy: Policy,
        version: str,
        *,
        tags: Tags | None = None,
        enabled: bool | None = None,
        not_after: float | None = None,
    ) -> None:
        """Replace a version's tags, or enable or disable it; None leaves as it is.

        Who wants to add a tag goes by `engine.marks`.
        """
        ...

    async def publish_username(self, policy: Policy, *, not_after: float | None = None) -> bool:
        """See to it that the user name secret says the app id, where the policy names one; whether it had to be written."""
        ...

    async def prove(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a password once, on fresh connections: an Entra token, then the registry's token and manifest of each image."""
        ...

    async def pull(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a password at the registries alone, whatever Entra says of it in the policy's tenant."""
        ...

    async def group(self, group_id: ResourceId) -> ContainerGroup:
        """One container group, read now."""
        ...

    async def put_group(
        self, group_id: ResourceId, document: Mapping[str, Any], *, not_after: float | None = None
    ) -> Put:
        """Replace a container group. Sent once: OutcomeUnknown where no answer came."""
        ...

    async def logs(self, group_id: ResourceId, container: str) -> str:
        """What a container printed."""
        ...

    async def permissions(self, policy: Policy, groups: Sequence[ResourceId]) -> Permissions:
        """What the signed-in identity may do where a rotation needs it, from RBAC's own answer; no write is tried."""
        ...

    async def rights(self, wanted: Sequence[tuple[str, ResourceId]]) -> tuple[Right, ...]:
        """Whether the signed-in identity may take each of these actions on its resource, from RBAC's own answer; no write is tried."""
        ...

    async def access(self, policy: Policy) -> AccessRecord:
        """The access mark, read now."""
        ...

    async def record_access(
        self, policy: Policy, access: Access, assignments: Sequence[Assignment], *, not_after: float | None = None
    ) -> None:
        """Write the access mark with the assignments that it is about."""
        ...

    async def assignments(self, policy: Policy, principal: str | None = None) -> tuple[Assignment, ...]:
        """Every role assignment of the principal (its object id; None: look it up) at, above or below the policy's registries."""
        ...

    async def standing(self, assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
        """Those of `assignments` that exist now, by their ids: also what a principal left behind that is gone."""
        ...

    async def registry_access(self, policy: Policy, principal: str | None) -> tuple[RegistryAccess, ...]:
        """Of each registry of the policy, by what the principal (its object id) or others may pull; what can't be read is said.

        A registry that isn't found, or may not be read, has no login server.
        """
        ...

    async def enable_record(self, policy: Policy) -> AccessRecord:
        """Enable the access mark's newest version again, and read it: a disabled one still marks, and hides its assignments."""
        ...

    async def delete_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Delete a role assignment; False where it was already gone."""
        ...

    async def create_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Create a role assignment under its recorded id; False where it exists."""
        ...

    async def role(self, name: str, scope: ResourceId) -> str:
        """The GUID of a role by its name."""
        ...


class Clock(Protocol):
    """Elapsed time, waits and ids; Azure's time comes with Azure's answers."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def attempt(self) -> str:
        """A new id for one attempt to add a credential: unique, short, of letters and digits."""
        ...


class Lease(Protocol):
    """Keeps two runs from doing the same work twice; safety doesn't rest on it."""

    def hold(self, name: str, for_: timedelta) -> AbstractAsyncContextManager[None]:
        """Hold the lease called `name` for the duration of the block, which may take `for_`. Raises LeaseHeld."""
        ...


Tell = Callable[[Event], None]
"""Where a run's events go."""
