"""The directory of one tenant: applications, service principals, their passwords and owners, by Graph's rules.

Other writes and the token endpoints see a write at once (token endpoints then learn by :meth:`Password.known_to`);
reads may lag writes (``timing.graph_read``). A new object can be read at once: in every recording of azure-cli, the
read in the same second after a creation finds the object. A ``stale`` fault gives the 404 reported by other clients
after a creation.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.graph import certificates, known, passwords, policies, shape
from local_azure.graph.delegated import DelegatedGrants
from local_azure.graph.deleted import DeletedItems
from local_azure.graph.grants import Grants
from local_azure.graph.groups import Groups
from local_azure.graph.objects import (
    Application,
    Certificate,
    DirectoryState,
    Entry,
    Group,
    Holder,
    Owned,
    Password,
    ServicePrincipal,
    User,
    kind_of,
)
from local_azure.graph.properties import KINDRED, check, storable
from local_azure.graph.reading import Reads
from local_azure.graph.records import Records
from local_azure.graph.users import Users, kept
from local_azure.ids import Ids
from local_azure.timing import Timing
from local_azure.wire import ServiceError


class Directory:
    """Applications and service principals, with their passwords."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, tenant: str) -> None:
        self.clock, self.ids, self.faults = clock, ids, faults
        self.records = records = Records(clock, ids, timing, tenant, DirectoryState(created=clock.now()))
        self.reads, self.groups, self.users = Reads(records, faults), Groups(records), Users(records)
        self.grants, self.delegated, self.deleted = (
            Grants(records),
            DelegatedGrants(records),
            DeletedItems(records, self.users),
        )
        for app_id in known.FIRST_PARTY:
            self._settle(app_id)

    def _settle(self, app_id: str) -> None:
        """Have one of Microsoft's own service principals; its object id depends on the tenant alone."""
        oid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.tenant}/{app_id}"))
        self.records.register(
            ServicePrincipal(oid, app_id, known.FIRST_PARTY[app_id][0], self.clock.now(), known.properties(app_id))
        )

    # what the parts share, and others may replace

    @property
    def state(self) -> DirectoryState:
        """All mutable state."""
        return self.records.state

    @state.setter
    def state(self, state: DirectoryState) -> None:
        self.records.state = state

    @property
    def timing(self) -> Timing:
        """Delays of the emulated Azure."""
        return self.records.timing

    @timing.setter
    def timing(self, timing: Timing) -> None:
        self.records.timing = timing

    @property
    def tenant(self) -> str:
        """The id of the tenant."""
        return self.records.tenant

    @tenant.setter
    def tenant(self, tenant: str) -> None:
        self.records.tenant = tenant

    # what other services ask

    def application(self, app_id: str) -> Application | None:
        """Return the application with this application (client) ID, in the current state."""
        return self.records.application(app_id)

    def principal(self, app_id: str) -> ServicePrincipal | None:
        """Return the service principal of an application in this tenant, in the current state."""
        return self.records.principal(app_id)

    def principal_by_id(self, oid: str) -> ServicePrincipal | None:
        """Return the service principal with this object id, in the current state."""
        return self.records.principal_by_id(oid)

    def passwords(self, app_id: str) -> list[Password]:
        """Return all passwords of an application and the application's service principal.

        The list includes removed passwords, because a replica may still accept them.
        """
        return [
            password
            for home in (self.application(app_id), self.principal(app_id))
            if home
            for password in home.passwords
        ]

    def certificates(self, app_id: str) -> list[Certificate]:
        """Return all certificates of an application and the application's service principal, removed ones included."""
        return [
            each for home in (self.application(app_id), self.principal(app_id)) if home for each in home.certificates
        ]

    def groups_of(self, oid: str) -> tuple[str, ...]:
        """The groups that an object is in, directly or through other groups."""
        return tuple(group.id for group in self.groups.of(oid, through=True))

    def every_secret(self) -> set[str]:
        """Every secret text ever issued, so that a test can look for them where they must not be."""
        return set(self.state.secrets)

    # changes, in Python and from the wire

    def create_application(self, display_name: str, **properties: Any) -> Application:
        """Register an application. Raises ServiceError 400 for a property that the type doesn't have."""
        check(properties, "applications")
        self._unclaimed(properties, None)
        keys = certificates.asked(properties.get("keyCredentials") or [], (), self.clock.now(), "Application")
        made = Application(
            self.ids.guid(),
            self.ids.guid(),
            display_name,
            self.clock.now(),
            storable(properties),
            certificates=self._named(keys),
        )
        self.state.applications[made.id] = made
        self.state.application_ids[made.app_id] = made.id
        return made

    def unmake(self, made: Application) -> None:
        """Remove an application after a failed creation, without a deleted item."""
        del self.state.applications[made.id], self.state.application_ids[made.app_id]

    def create_service_principal(self, app_id: str, **properties: Any) -> ServicePrincipal:
        """Create the service principal of an application in this tenant. Raises ServiceError 400 or 409."""
        check(properties, "servicePrincipals")
        application = self.records.vacant(app_id)
        enabled = bool(properties.pop("accountEnabled", True))
        audience = (
            {"signInAudience": application.properties["signInAudience"]}
            if "signInAudience" in application.properties
            else {}
        )
        made = ServicePrincipal(
            self.ids.guid(),
            application.app_id,
            application.display_name,
            self.clock.now(),
            audience | storable(properties),
        )
        made.account_enabled = enabled
        made.certificates = self._named(
            certificates.asked(properties.get("keyCredentials") or [], (), self.clock.now(), "ServicePrincipal")
        )
        return self.records.register(made)

    def create_identity(self, name: str, resource_id: str) -> ServicePrincipal:
        """The service principal of a managed identity; `resource_id` is the user-assigned identity's."""
        own = {
            "servicePrincipalType": "ManagedIdentity",
            "alternativeNames": ["isExplicit=True", resource_id],
            "signInAudience": None,
        }
        made = ServicePrincipal(
            self.ids.guid(), self.ids.guid(), name, self.clock.now(), {**own, "appOwnerOrganizationId": None}
        )
        return self.records.register(made)

    def erase(self, oid: str) -> None:
        """Remove the service principal of a managed identity for good; twice is once."""
        if gone := self.state.principals.pop(oid, None):
            self.state.principal_ids.pop(gone.app_id, None)

    def _unclaimed(self, properties: Mapping[str, Any], own: str | None) -> None:
        """An identifier URI belongs to one application of the tenant. Raises ServiceError 400."""
        wanted = {str(uri).lower() for uri in properties.get("identifierUris") or ()}
        others = (app for app in self.state.applications.values() if wanted and app.deleted is None and app.id != own)
        if any(str(uri).lower() in wanted for app in others for uri in app.properties.get("identifierUris") or ()):
            message = "Another object with the same value for property identifierUris already exists."
            raise ServiceError(
                400, "Request_BadRequest", message, extra={"details": [{"code": "ObjectConflict", "message": message}]}
            )

    def _named(self, keys: list[Certificate]) -> list[Certificate]:
        """Give an id to each certificate without an id."""
        for each in keys:
            each.key_id = each.key_id or self.ids.guid()
        return keys

    def add_password(
        self,
        owner: Holder,
        display_name: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        key: str | None = None,
        at_once: bool = False,
        actor: str = "",
    ) -> Password:
        """Add a password credential; the default lifetime is two years, the default `key` a new id.

        With `at_once`, all replicas know the password at once, as if added long ago (for seeds). `actor`: the caller's
        object id, by which a policy may exempt the caller.

        Raises ServiceError 400.
        """
        now = self.clock.now()
        begins, ends = passwords.lifetime(now, start, end)
        if policy := self.faults.active("app_policy"):
            ends = passwords.under_policy(now, begins, ends, policy.argument)
        policies.permit(self.state, owner, begins, ends, self.attributes(actor))
        passwords.room(owner, self.application(owner.app_id))
        secret = self.ids.secret()
        known = now - timedelta(seconds=self.timing.secret_valid) if at_once else now
        hint = secret[:3]
        added = Password(key or self.ids.guid(), display_name, begins, ends, secret, hint, known)
        if not at_once:
            self.records.remember(owner)
        owner.passwords = [added, *self._unforgotten(owner)]
        self.state.secrets.append(secret)
        return added

    def enabled(self, principal: ServicePrincipal) -> bool:
        """Tell if a service principal may sign in: neither disabled itself, nor of a deactivated application."""
        application = self.application(principal.app_id)
        return principal.account_enabled and not (application and application.properties.get("isDisabled"))

    def attributes(self, oid: str) -> dict[str, dict[str, Any]]:
        """Return the custom security attributes of a service principal, by the names of their sets."""
        found = self.principal_by_id(oid)
        return found.attributes if found else {}

    def _unforgotten(self, owner: Holder) -> list[Password]:
        now = self.clock.now()
        return [password for password in owner.passwords if not password.forgotten(now, self.timing)]

    def remove_password(self, owner: Holder, key_id: str) -> None:
        """Remove a password credential. Raises ServiceError 400 where the object has none with this key id."""
        password = next(
            (each for each in owner.passwords if each.key_id == key_id.lower() and each.gone_from is None), None
        )
        if password is None:
            raise ServiceError(400, "Request_BadRequest", f"No password credential found with keyId {key_id}.")
        self.records.remember(owner)
        password.gone_from = self.clock.now()

    def add_owner(self, object_id: str, owner_oid: str) -> None:
        """Make `owner_oid` an owner of an application, a service principal or a group; twice is once."""
        target = cast(
            "Owned",
            self.records.known("applications", object_id)
            or self.records.known("groups", object_id)
            or self.state.principals[object_id],
        )
        if owner_oid not in target.owners:
            self.records.remember(target)
            target.owners.append(owner_oid)

    def grant(self, app_id: str, role: str) -> None:
        """Consent to a Graph application permission, such as ``Application.ReadWrite.OwnedBy``; it counts at once."""
        principal = self.principal(app_id)
        if principal is None:
            raise KeyError(f"there is no service principal of {app_id}")
        if role not in principal.app_roles:
            self.grants.give(principal, known.GRAPH_ROLES[role], known.GRAPH)

    def join(self, group: str, oid: str, name: str | None = None) -> None:
        """Put an object into a group, which is made if need be, and may be given a name. Python only."""
        found = self.state.groups.setdefault(group, Group(group, group, self.clock.now()))
        found.display_name = name or found.display_name
        found.members.append(oid)

    def update(self, target: Entry, changes: Mapping[str, Any]) -> None:
        """Set properties, each as a whole. Raises ServiceError 400 for what doesn't exist or can't be changed."""
        check(changes, kind_of(target))
        self._unclaimed(changes, target.id)
        if isinstance(target, ServicePrincipal):
            for name in {"keyCredentials", "tokenEncryptionKeyId"} & set(changes):
                passwords.unlocked(target, self.application(target.app_id), name)
        if isinstance(target, User):
            self.users.permit(changes, target.id)
        self.records.remember(target)
        if "keyCredentials" in changes and isinstance(target, Application | ServicePrincipal):
            live = [each for each in target.certificates if each.gone_from is None]
            keys = certificates.asked(
                changes["keyCredentials"] or [], live, self.clock.now(), KINDRED[kind_of(target)].resource
            )
            target.certificates = certificates.replaced(target.certificates, self._named(keys), self.clock.now())
        if changes.get("passwordCredentials") == [] and isinstance(target, Application | ServicePrincipal):
            passwords.end_all(target, self.clock.now())
        rest = dict(changes)
        target.display_name = rest.pop("displayName", target.display_name)
        if isinstance(target, ServicePrincipal):
            target.account_enabled = bool(rest.pop("accountEnabled", target.account_enabled))
        target.properties = shape.merged(target.properties, kept(rest) if isinstance(target, User) else storable(rest))
        if (
            isinstance(target, Application)
            and "displayName" in changes
            and (principal := self.principal(target.app_id))
        ):
            self.records.remember(principal)
            principal.display_name = target.display_name

    def delete(self, target: Entry) -> None:
        """Delete an object; with an application, also delete the service principal in this tenant.

        A deleted security group can't be restored.
        """
        target.deleted = self.clock.now()
        if isinstance(target, Group):
            del self.state.groups[target.id]
        elif isinstance(target, Application) and (principal := self.principal(target.app_id)):
            self.delete(principal)
