"""The directory of one tenant: applications, service principals, their passwords and owners, by Graph's rules.

Writes are seen at once by writes and by the token endpoints (which then learn by :meth:`Password.known_to`); reads lag them by
``timing.graph_read``. A new object can be read at once: in every recording of azure-cli the read that follows a creation in the same
second finds it. The 404 that others have met there is what a ``stale`` fault gives.
"""

import uuid
from collections.abc import Mapping
from copy import deepcopy
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
    Earlier,
    Entry,
    Group,
    Holder,
    Kind,
    Owned,
    Password,
    ServicePrincipal,
    User,
)
from local_azure.graph.properties import KINDRED, check, storable
from local_azure.graph.reading import Reads
from local_azure.graph.refusals import missing
from local_azure.graph.users import Users, kept
from local_azure.ids import Ids
from local_azure.timing import Timing
from local_azure.wire import ServiceError

REMEMBERED = timedelta(hours=1)
"""How long an object's earlier versions are kept for reads that lag."""


class Directory:
    """Applications and service principals, and who holds which password."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, tenant: str) -> None:
        self.clock, self.ids, self.timing, self.faults, self.tenant = clock, ids, timing, faults, tenant
        self.state = DirectoryState(created=clock.now())
        self.reads, self.deleted, self.groups, self.grants = Reads(self), DeletedItems(self), Groups(self), Grants(self)
        self.users, self.delegated = Users(self), DelegatedGrants(self)
        for app_id in known.FIRST_PARTY:
            self._settle(app_id)

    def _settle(self, app_id: str) -> None:
        """Have one of Microsoft's own service principals; its object id depends on the tenant alone."""
        oid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.tenant}/{app_id}"))
        self._register(ServicePrincipal(oid, app_id, known.FIRST_PARTY[app_id][0], self.clock.now(), known.properties(app_id)))

    def _register(self, made: ServicePrincipal) -> ServicePrincipal:
        self.state.principals[made.id] = made
        self.state.principal_ids[made.app_id] = made.id
        return made

    # what other services ask

    def application(self, app_id: str) -> Application | None:
        """The application with this application (client) ID, as it is now."""
        found = self.state.applications.get(self.state.application_ids.get(app_id.lower(), ""))
        return found if found and found.deleted is None else None

    def principal(self, app_id: str) -> ServicePrincipal | None:
        """The service principal of an application in this tenant, as it is now."""
        return self.principal_by_id(self.state.principal_ids.get(app_id.lower(), ""))

    def principal_by_id(self, oid: str) -> ServicePrincipal | None:
        """The service principal with this object id, as it is now."""
        found = self.state.principals.get(oid.lower())
        return found if found and found.deleted is None else None

    def passwords(self, app_id: str) -> list[Password]:
        """What may authenticate as an application, from both homes; also removed ones that a replica may still accept."""
        return [password for home in (self.application(app_id), self.principal(app_id)) if home for password in home.passwords]

    def certificates(self, app_id: str) -> list[Certificate]:
        """The same for certificates."""
        return [each for home in (self.application(app_id), self.principal(app_id)) if home for each in home.certificates]

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
        made = Application(self.ids.guid(), self.ids.guid(), display_name, self.clock.now(), storable(properties), certificates=self._named(keys))
        self.state.applications[made.id] = made
        self.state.application_ids[made.app_id] = made.id
        return made

    def unmake(self, made: Application) -> None:
        """An application that could not be made whole was never there."""
        del self.state.applications[made.id], self.state.application_ids[made.app_id]

    def create_service_principal(self, app_id: str, **properties: Any) -> ServicePrincipal:
        """Give an application an identity in this tenant. Raises ServiceError 400 or 409."""
        check(properties, "servicePrincipals")
        application = self.vacant(app_id)
        enabled = bool(properties.pop("accountEnabled", True))
        audience = {"signInAudience": application.properties["signInAudience"]} if "signInAudience" in application.properties else {}
        made = ServicePrincipal(self.ids.guid(), application.app_id, application.display_name, self.clock.now(), audience | storable(properties))
        made.account_enabled = enabled
        made.certificates = self._named(certificates.asked(properties.get("keyCredentials") or [], (), self.clock.now(), "ServicePrincipal"))
        return self._register(made)

    def vacant(self, app_id: str) -> Application:
        """The application that a service principal is to be of, which has none yet. Raises ServiceError 400 or 409."""
        application = self.application(app_id)
        if application is None:
            message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            detail = {"code": "NoBackingApplicationObject", "message": message, "target": "appId"}
            raise ServiceError(400, "Request_BadRequest", message, extra={"details": [detail]})
        if self.principal(app_id):
            message = f"The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)
        return application

    def create_identity(self, name: str, resource_id: str) -> ServicePrincipal:
        """The service principal of a managed identity; `resource_id` is the user-assigned identity's."""
        own = {"servicePrincipalType": "ManagedIdentity", "alternativeNames": ["isExplicit=True", resource_id], "signInAudience": None}
        made = ServicePrincipal(self.ids.guid(), self.ids.guid(), name, self.clock.now(), {**own, "appOwnerOrganizationId": None})
        return self._register(made)

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
            raise ServiceError(400, "Request_BadRequest", message, extra={"details": [{"code": "ObjectConflict", "message": message}]})

    def _named(self, keys: list[Certificate]) -> list[Certificate]:
        """Certificates of which each has an id."""
        for each in keys:
            each.key_id = each.key_id or self.ids.guid()
        return keys

    def add_password(
        self, owner: Holder, display_name: str | None = None, start: datetime | None = None, end: datetime | None = None, *, at_once: bool = False
    ) -> Password:
        """Add a password credential; two years are its default life. `at_once`: as if it had been added long ago, for seeds.

        Raises ServiceError 400.
        """
        now = self.clock.now()
        begins, ends = passwords.lifetime(now, start, end)
        if policy := self.faults.active("app_policy"):
            ends = passwords.under_policy(now, begins, ends, policy.argument)
        policies.permit(self.state, owner, begins, ends)
        passwords.room(owner, self.application(owner.app_id))
        secret = self.ids.secret()
        known = now - timedelta(seconds=self.timing.secret_valid) if at_once else now
        hint = secret[:3] if isinstance(owner, Application) else None
        added = Password(self.ids.guid(), display_name, begins, ends, secret, hint, known)
        if not at_once:
            self.remember(owner)
        owner.passwords = [added, *self._unforgotten(owner)]
        self.state.secrets.append(secret)
        return added

    def _unforgotten(self, owner: Holder) -> list[Password]:
        now = self.clock.now()
        return [password for password in owner.passwords if not password.forgotten(now, self.timing)]

    def remove_password(self, owner: Holder, key_id: str) -> None:
        """Remove a password credential. Raises ServiceError 400 where the object has none with this key id."""
        password = next((each for each in owner.passwords if each.key_id == key_id.lower() and each.gone_from is None), None)
        if password is None:
            raise ServiceError(400, "Request_BadRequest", f"No password credential found with keyId {key_id}.")
        self.remember(owner)
        password.gone_from = self.clock.now()

    def add_owner(self, object_id: str, owner_oid: str) -> None:
        """Make `owner_oid` an owner of an application, a service principal or a group; twice is once."""
        target = cast("Owned", self.known("applications", object_id) or self.known("groups", object_id) or self.state.principals[object_id])
        if owner_oid not in target.owners:
            self.remember(target)
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
        if isinstance(target, User):
            self.users.permit(changes, target.id)
        self.remember(target)
        if "keyCredentials" in changes and isinstance(target, Application | ServicePrincipal):
            live = [each for each in target.certificates if each.gone_from is None]
            keys = certificates.asked(changes["keyCredentials"] or [], live, self.clock.now(), KINDRED[kind_of(target)].resource)
            target.certificates = certificates.replaced(target.certificates, self._named(keys), self.clock.now())
        rest = dict(changes)
        target.display_name = rest.pop("displayName", target.display_name)
        if isinstance(target, ServicePrincipal):
            target.account_enabled = bool(rest.pop("accountEnabled", target.account_enabled))
        target.properties = shape.merged(target.properties, kept(rest) if isinstance(target, User) else storable(rest))
        if isinstance(target, Application) and "displayName" in changes and (principal := self.principal(target.app_id)):
            self.remember(principal)
            principal.display_name = target.display_name

    def delete(self, target: Entry) -> None:
        """Delete an object; with an application goes its service principal in this tenant. A security group is gone for good."""
        target.deleted = self.clock.now()
        if isinstance(target, Group):
            del self.state.groups[target.id]
        elif isinstance(target, Application) and (principal := self.principal(target.app_id)):
            self.delete(principal)

    # lookups for writes, and what reads that lag will show

    def collection(self, kind: Kind) -> Mapping[str, Entry]:
        """Every object of a collection by its id, deleted ones too."""
        if kind == "groups":
            return self.state.groups
        if kind == "users":
            return self.state.users
        return self.state.applications if kind == "applications" else self.state.principals

    def ids_by_app(self, kind: Kind) -> Mapping[str, str]:
        """app_id → object id, in a collection whose objects belong to applications."""
        if kind in ("groups", "users"):
            return {}
        return self.state.application_ids if kind == "applications" else self.state.principal_ids

    def id_of(self, kind: Kind, app_id: str) -> str:
        """The object id that belongs to an application ID; the latter itself where there is none, for the 404 to name."""
        return self.ids_by_app(kind).get(app_id.lower(), app_id)

    def holder(self, kind: Kind, key: str) -> Entry:
        """The object with this id as a write sees it; an application ID is not one. Raises ServiceError 404."""
        found = self.known(kind, key)
        if found is None:
            raise missing(key)
        return found

    def known(self, kind: Kind, key: str) -> Entry | None:
        """The object as a write sees it; None where there is none."""
        found = self.collection(kind).get(key.lower())
        return found if found and found.deleted is None else None

    def any(self, oid: str) -> Entry | None:
        """The object of whatever kind that has this id."""
        return self.known("servicePrincipals", oid) or self.known("groups", oid) or self.known("applications", oid) or self.known("users", oid)

    def remember(self, target: Entry) -> None:
        """Keep what an object looks like now, before it changes."""
        now = self.clock.now()
        kept = [version for version in target.earlier if version.until > now - REMEMBERED]
        hung = [list(map(deepcopy, getattr(target, name, ()))) for name in ("owners", "federated")]
        target.earlier = [*kept, Earlier(now, self.body(target), *hung)]

    def body(self, target: Entry) -> dict[str, Any]:
        """An object's JSON as it is now."""
        application = self.application(target.app_id) if isinstance(target, ServicePrincipal) else None
        return shape.body(target, self.tenant, self.state.domain, application)


def kind_of(target: Entry) -> Kind:
    """The collection that an object belongs to."""
    if isinstance(target, Group | User):
        return "groups" if isinstance(target, Group) else "users"
    return "applications" if isinstance(target, Application) else "servicePrincipals"
