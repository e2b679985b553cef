"""Azure in rotator's terms: the `World` of `rotator.ports`, over the services connected by `services.py`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from rotator.clients.access import registry_access
from rotator.clients.examination import examine
from rotator.clients.observation import observe
from rotator.clients.password_trial import prove, pull
from rotator.clients.pipeline import together
from rotator.clients.sending import no_later
from rotator.clients.services import Services, group_key, secret_key
from rotator.clients.signins import sign_ins
from rotator.clients.survey import read_lists
from rotator.clients.write_permissions import permissions
from rotator.policy import Policy
from rotator.ports import AccessRecord, Issued, Put, Survey, Tell, Write
from rotator.preflight import Examined
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


class AzureWorld(Services):
    """Implementation of `ports.World`, created and closed by :func:`rotator.clients.connect`."""

    def moment(self) -> float:
        """Return the seconds passed, by elapsed time or by Azure's, whichever is more."""
        return self.line.time.moment()

    def repeat_until(self, deadline: float) -> None:
        """Stop all repetitions after `deadline`."""
        self.line.limit.until = deadline

    def tell_waits(self, tell: Tell) -> None:
        """Report long waits for a host."""
        self.line.limit.waits.tell = tell

    async def observe(self, policy: Policy, *, confirmed: bool = False) -> Observed:
        """Read all facts the planner needs of one policy now."""
        return await observe(self, policy, confirmed=confirmed)

    async def survey(self, policies: Sequence[Policy], read: Callable[[Policy, ContainerGroup], T | None]) -> Survey[T]:
        """Read the services' lists, each once, for all policies."""
        return await read_lists(self, policies, read)

    async def observe_again(
        self, policy: Policy, *, since: float, recent: bool, confirmed: bool = False
    ) -> tuple[float, Observed]:
        """Observe with readings made for another policy, or all recent ones; return the moment of the oldest one."""
        with self.readings.reusing(recent=recent, since=since) as reuse:
            observed = await self.observe(policy, confirmed=confirmed)
        return reuse.oldest, observed

    async def examine(self, policy: Policy, secrets: Sequence[str]) -> Examined:
        """Read all facts needed by a rotation, without any write."""
        return await examine(self, policy, secrets)

    async def subscriptions(self) -> tuple[str, ...]:
        """Return the ids of every subscription listed for the signed-in identity, sorted."""
        return await self.arm.subscriptions()

    async def groups_of(self, subscription: str) -> tuple[Mapping[str, Any], ...]:
        """Return every container group in the list of a subscription. Raises Unexpected where one is unreadable."""
        return await self.groups.readable(subscription)

    async def registries_of(self, subscription: str) -> tuple[Registry, ...]:
        """Return every registry of a subscription."""
        return await self.arm.registries(subscription)

    async def principals(self, app_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the display names of the tenant's service principals, by app id."""
        return await self.graph.names(app_ids)

    async def identities(self, app_id: str | None, display_name: str | None) -> tuple[Identity, ...]:
        """Return the application or service principal of `app_id`, or else every application called `display_name`."""
        return await self.graph.identities((await self.token.who()).object_id, app_id, display_name)

    async def create_application(self, display_name: str, key: str) -> Identity:
        """Return the application with the alternate key `key`, created if absent."""
        return await self.graph.create_application(display_name, key)

    async def create_service_principal(self, app_id: str) -> tuple[str, bool]:
        """Return the object id of the service principal of `app_id`, created if absent, and True if newly created."""
        return await self.graph.create_service_principal(app_id)

    async def own(self, home: Home, object_id: str, owner: str) -> None:
        """Add `owner` as an owner of an application or service principal."""
        await self.graph.own(owner, home, object_id)

    async def signed_in(self) -> tuple[str, str]:
        """Return the app id and the object id of rotator's signed-in identity."""
        who = await self.token.who()
        return who.app_id, who.object_id

    async def username(self, policy: Policy) -> str | None:
        """Return the value of the user name secret."""
        return await self.vault.username(policy)

    async def credentials(self, policy: Policy, home: Home | None = None) -> tuple[Credential, ...]:
        """Return the password credentials of one home, or of both."""
        if home is None:
            return (await self.principal(policy))[1]
        found = await self.password_holder(policy, home)
        return found.credentials if found else ()

    async def sign_ins(self, policy: Policy) -> SignIns:
        """Read the ways to sign in as the principal."""
        return await sign_ins(self, policy)

    async def add_password(
        self, principal: Principal, home: Home, display_name: str, end: datetime, *, not_after: float | None = None
    ) -> Issued:
        """Add a password credential; the POST is sent once."""
        with no_later(not_after), self.readings.writing((home.value, principal.app_id.lower())):
            return await self.graph.add_password(principal, home, display_name, end)

    async def remove_password(
        self, principal: Principal, home: Home, key_id: str, *, not_after: float | None = None
    ) -> None:
        """Remove a password credential; raises NotFound where Graph reports the credential as absent."""
        with no_later(not_after), self.readings.writing((home.value, principal.app_id.lower())):
            await self.graph.remove_password(principal, home, key_id)

    async def versions(self, policy: Policy) -> tuple[Version, ...]:
        """Return every version of the published secret, sorted by creation.

        Among versions of the same second, the one returned to readers comes last.
        """
        return (await self.published(policy)).versions

    async def value(self, policy: Policy, version: str | None = None) -> Secret:
        """Return the published secret's value."""
        return await self.vault.value(policy, policy.key_vault.password_secret, version)

    async def secret(self, policy: Policy, name: str) -> Secret:
        """Return the value of another secret in the policy's vault."""
        return await self.vault.value(policy, name)

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
        """Create a new version of the published secret; the PUT is sent once."""
        with no_later(not_after), self._setting(policy, policy.key_vault.password_secret):
            return await self.vault.publish(policy, secret, expires, content_type, tags)

    async def version(self, policy: Policy, version: str) -> Version:
        """Read one version of the published secret now, enabled or not."""
        return await self.vault.version(policy, version)

    async def mark_version(
        self,
        policy: Policy,
        version: str,
        *,
        tags: Tags | None = None,
        enabled: bool | None = None,
        not_after: float | None = None,
    ) -> None:
        """Replace a version's tags, or enable or disable the version."""
        with no_later(not_after), self._setting(policy, policy.key_vault.password_secret):
            await self.vault.mark(policy, version, tags, enabled)

    async def publish_username(self, policy: Policy, *, not_after: float | None = None) -> bool:
        """Make sure the user name secret holds the app id."""
        with no_later(not_after):
            return await self.vault.publish_username(policy)

    def _setting(self, policy: Policy, name: str) -> AbstractContextManager[None]:
        return self.readings.writing(secret_key(policy, name))

    async def prove(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try a password once on separate connections: at Entra, then with each image of the policy's registries."""
        return await prove(self, policy, secret, images)

    async def pull(self, policy: Policy, secret: Secret, images: Sequence[str]) -> Proof:
        """Try the password at the registries alone, on separate connections.

        Registries ask their own tenant, whatever tenant the policy names.
        """
        return await pull(self, policy, secret, images)

    async def newer_groups(self, subscriptions: Sequence[str]) -> Sequence[NewerGroups]:
        """Return all groups of each subscription as the newest stable API version shows them."""
        return await self.newer_lists(subscriptions)

    async def permit(self, write: Write, *, urgency: float, patience: float) -> float:
        """Hold a place for a write within Azure's limits; return 0.0, or the seconds until one is free."""
        return await self.budgets.permit(write, urgency=urgency, patience=patience)

    def waive(self, write: Write) -> None:
        """Give back what is held for a write."""
        self.budgets.waive(write)

    async def put_group(
        self, group_id: ResourceId, document: Mapping[str, Any], *, not_after: float | None = None
    ) -> Put:
        """Replace a container group; the PUT is sent once."""
        with no_later(not_after), self.readings.writing(group_key(group_id)):
            return await self.groups.put(group_id, document)

    async def logs(self, group_id: ResourceId, container: str) -> str:
        """Return a container's printed output."""
        return await self.groups.logs(group_id, container)

    async def permissions(self, policy: Policy, groups: Sequence[ResourceId]) -> Permissions:
        """Return known refusals, from RBAC's own answer, and the unknown rights."""
        return await permissions(self, policy, groups)

    async def access(self, policy: Policy) -> AccessRecord:
        """Read the access mark now."""
        return await self.marked(policy)

    async def record_access(
        self, policy: Policy, access: Access, assignments: Sequence[Assignment], *, not_after: float | None = None
    ) -> None:
        """Write the access mark with its assignments."""
        with no_later(not_after), self._setting(policy, policy.access_secret):
            await self.mark.write(policy, access, assignments)

    async def assignments(self, policy: Policy, principal: str | None = None) -> tuple[Assignment, ...]:
        """Return every role assignment of the principal at, above or below the policy's registries.

        Empty where the principal has no service principal.
        """
        owner = principal or (await self.principal(policy))[0].service_principal
        return await self.rbac.assignments([registry.id for registry in policy.registries], owner) if owner else ()

    async def standing(self, assignments: Sequence[Assignment]) -> tuple[Assignment, ...]:
        """Return those of `assignments` that exist now, by their ids."""
        return await self.rbac.standing(assignments)

    async def registry_access(self, policy: Policy, principal: str | None) -> tuple[RegistryAccess, ...]:
        """Return for each registry of the policy the ways to pull, for the principal or for others."""
        return tuple(await together(*(registry_access(self, registry.id, principal) for registry in policy.registries)))

    async def enable_record(self, policy: Policy) -> AccessRecord:
        """Enable the access mark's newest version again, and read the mark."""
        with self._setting(policy, policy.access_secret):
            return await self.mark.enable(policy)

    async def delete_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Delete a role assignment; False if already gone."""
        with no_later(not_after):
            return await self.rbac.delete(assignment)

    async def create_assignment(self, assignment: Assignment, *, not_after: float | None = None) -> bool:
        """Create a role assignment under its recorded id; False if already present."""
        with no_later(not_after):
            return await self.rbac.create(assignment)

    async def role(self, name: str, scope: ResourceId) -> str:
        """Return the GUID of a role by its name."""
        return await self.rbac.role(name, scope)
