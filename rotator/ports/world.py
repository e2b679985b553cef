"""Protocol of Azure in rotator's own types.

Rules for implementers of `World`:

* A method either returns Azure's answer, or raises a `rotator.errors.AzureError`. No other exception comes out, and
  none contains a secret.
* Requests safe to repeat are repeated inside, within the retry limits. `add_password`, `remove_password`, `put_group`
  and `publish` are sent **once**: a lost answer is `OutcomeUnknown`, and the caller reads the state again.
* A write with `not_after` raises `NotSent` rather than leave the machine later, on the scale of `moment`; so does each
  retry.
* Every reading carries Azure's time, from the answers' ``Date``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from rotator.policy import Policy
from rotator.ports.machine import Tell
from rotator.ports.values import AccessRecord, Issued, Put, Survey, Write
from rotator.preflight import Examined, Right
from rotator.resource_id import ResourceId
from rotator.state import (
    Access,
    Assignment,
    ContainerGroup,
    Credential,
    Home,
    Identity,
    NewerGroups,
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

T = TypeVar("T")


class World(Protocol):
    """Azure, in our words, for one signed-in identity."""

    def moment(self) -> float:
        """Return seconds since a fixed moment: elapsed time with suspends, or Azure's own, whichever grew more.

        Never goes back. `not_after` of the writes is on the same scale.
        """
        ...

    def repeat_until(self, deadline: float) -> None:
        """Retry no request after `deadline` (elapsed seconds of the clock), in any run.

        A request begun before takes no longer than a single try.
        """
        ...

    def tell_waits(self, tell: Tell) -> None:
        """Report each long wait for a host, of any run, by HostAwaited and HostAnswered."""
        ...

    async def observe(self, policy: Policy, *, confirmed: bool = False) -> Observed:
        """Read all inputs of the planner for one policy now.

        `confirmed`: read in three places to confirm the absence of an access mark.
        """
        ...

    async def survey(self, policies: Sequence[Policy], read: Callable[[Policy, ContainerGroup], T | None]) -> Survey[T]:
        """Read the lists of the services, each once, for all these policies.

        `read` is given each container group that a policy declares, or that names the policy's principal; what it
        returns is kept, unless None. A list that can't be read leaves the policies that need it unlisted.
        """
        ...

    async def observe_again(
        self, policy: Policy, *, since: float, recent: bool, confirmed: bool = False
    ) -> tuple[float, Observed]:
        """Observe as one of several looks; return the `moment` before the oldest reading, too.

        The look may reuse registries that were read some minutes ago, and lists of container groups that were read for
        another policy after the moment `since`. With `recent`, it may reuse every reading of the last minute, unless a
        write of ours touched its target since.
        """
        ...

    async def examine(self, policy: Policy, secrets: Sequence[str]) -> Examined:
        """Read or query all conditions of a rotation, without a write.

        `secrets` are the secrets needed by container groups.
        """
        ...

    async def subscriptions(self) -> tuple[str, ...]:
        """The ids of every subscription that the signed-in identity can list, sorted."""
        ...

    async def groups_of(self, subscription: str) -> tuple[Mapping[str, Any], ...]:
        """Return every container group of a subscription from the list: raw JSON, without instance view."""
        ...

    async def registries_of(self, subscription: str) -> tuple[Registry, ...]:
        """Every registry of a subscription."""
        ...

    async def principals(self, app_ids: Sequence[str]) -> Mapping[str, str]:
        """The display names of the service principals that the tenant has of these app ids, by app id in lower case."""
        ...

    async def credentials(self, policy: Policy, home: Home | None = None) -> tuple[Credential, ...]:
        """Return the password credentials of one home (empty without the object), or of both."""
        ...

    async def sign_ins(self, policy: Policy) -> SignIns:
        """Return the means to sign in as the principal; missing or unreadable parts are named."""
        ...

    async def identities(self, app_id: str | None, display_name: str | None) -> tuple[Identity, ...]:
        """Return the application or service principal of `app_id`, or else every application called `display_name`.

        Returns () if none exists.
        """
        ...

    async def create_application(self, display_name: str, key: str) -> Identity:
        """Return the application with the alternate key `key`, created if necessary.

        Idempotent: a second call creates no second application, and a lost answer may be retried.
        """
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
        """Return the value of the user name secret; None if missing, or not named by the policy."""
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
        """Replace a version's tags, or enable or disable the version; None means unchanged.

        To add a tag, use `engine.marks`.
        """
        ...

    async def publish_username(self, policy: Policy, *, not_after: float | None = None) -> bool:
        """Set the user name secret to the app id, if named by the policy. Return True if a write was necessary."""
        ...

    async def prove(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a password once, on fresh connections.

        Requests an Entra token, then the registry's token and manifest of each image.
        """
        ...

    async def pull(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a password at the registries alone, whatever Entra says of it in the policy's tenant."""
        ...

    async def group(self, group_id: ResourceId) -> ContainerGroup:
        """One container group, read now."""
        ...

    async def newer_groups(self, subscriptions: Sequence[str]) -> Sequence[NewerGroups]:
        """Return all groups of each subscription as the newest stable API version shows them.

        Empty where rotator's own version is the newest. Raises AzureError.
        """
        ...

    async def permit(self, write: Write, *, urgency: float, patience: float) -> float:
        """Hold a place for a write within Azure's limits, until it is sent or `waive`.

        Return 0.0, or the seconds until one is free: then none is held. Waits for at most `patience` seconds; of all
        who wait for a redeployment, the one with the smallest `urgency` is first.
        """
        ...

    def waive(self, write: Write) -> None:
        """Give back what is held for a write."""
        ...

    async def put_group(
        self, group_id: ResourceId, document: Mapping[str, Any], *, not_after: float | None = None
    ) -> Put:
        """Replace a container group. Sent once: OutcomeUnknown where no answer came."""
        ...

    async def logs(self, group_id: ResourceId, container: str) -> str:
        """Return the log of a container."""
        ...

    async def permissions(self, policy: Policy, groups: Sequence[ResourceId]) -> Permissions:
        """Return RBAC's refusals of the signed-in identity for a rotation; no write is tried."""
        ...

    async def rights(self, wanted: Sequence[tuple[str, ResourceId]]) -> tuple[Right, ...]:
        """Return the rights of the signed-in identity for each action on its resource, from RBAC; no write is tried."""
        ...

    async def access(self, policy: Policy) -> AccessRecord:
        """The access mark, read now."""
        ...

    async def record_access(
        self, policy: Policy, access: Access, assignments: Sequence[Assignment], *, not_after: float | None = None
    ) -> None:
        """Write the access mark with the assignments to record."""
        ...

    async def assignments(self, policy: Policy, principal: str | None = None) -> tuple[Assignment, ...]:
        """Return all role assignments of the principal at, above or below the policy's registries.

        `principal` is its object id; None: look the id up.
        """
        ...

    async def standing(self, assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
        """Return the existing ones of `assignments`, by id: also those left by a deleted principal."""
        ...

    async def registry_access(self, policy: Policy, principal: str | None) -> tuple[RegistryAccess, ...]:
        """Return, per registry of the policy, the pull access of the principal (its object id) and of others.

        Unreadable parts are named. A registry missing or unreadable has no login server.
        """
        ...

    async def enable_record(self, policy: Policy) -> AccessRecord:
        """Enable the access mark's newest version again, and read the version.

        A disabled version still marks access as revoked, and hides its assignments.
        """
        ...

    async def delete_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Delete a role assignment; False if already gone."""
        ...

    async def create_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Create a role assignment under its recorded id; False if existing."""
        ...

    async def role(self, name: str, scope: ResourceId) -> str:
        """Return the GUID of a role by its name."""
        ...
