"""The directory of one tenant: applications, service principals, their passwords and owners, by Graph's rules.

Writes are seen at once by writes and by the token endpoints (which then learn by :meth:`Password.known_to`); reads lag them by
``timing.graph_read``. A new object can be read at once: in every recording of azure-cli the read that follows a creation in the same
second finds it. The 404 that others have met there is what a ``stale`` fault gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from rotator.emulator.clock import Clock
from rotator.emulator.faults import Faults
from rotator.emulator.graph import passwords, shape
from rotator.emulator.graph.filters import Query
from rotator.emulator.graph.objects import Application, DirectoryState, Earlier, Holder, Kind, Password, ServicePrincipal
from rotator.emulator.graph.passwords import unknown_property
from rotator.emulator.ids import Ids
from rotator.emulator.timing import Timing
from rotator.emulator.wire import ServiceError

REMEMBERED = timedelta(hours=1)
"""How long an object's earlier versions are kept for reads that lag."""

STALE = 120.0
"""By how many seconds a ``stale`` read lags unless the fault's argument says otherwise (observed: up to two minutes)."""

TYPES: dict[Kind, str] = {"applications": "microsoft.graph.application", "servicePrincipals": "microsoft.graph.servicePrincipal"}
PROPERTIES: dict[Kind, frozenset[str]] = {
    "applications": frozenset({"id", "deletedDateTime", "appId", *shape.APPLICATION}),
    "servicePrincipals": frozenset({"id", "deletedDateTime", *shape.PRINCIPAL}),
}
"""The properties that each type has here."""

_CREDENTIALS = ("passwordCredentials", "keyCredentials")
_FIXED = frozenset(
    {
        "id",
        "appId",
        "deletedDateTime",
        "createdDateTime",
        "publisherDomain",
        "servicePrincipalType",
        "servicePrincipalNames",
        "appOwnerOrganizationId",
    }
)

AHolder = TypeVar("AHolder", Application, ServicePrincipal)


@dataclass(frozen=True, slots=True)
class Glance:
    """The instant that one read shows. `stale` reads miss even objects that were created since."""

    at: datetime
    stale: bool


class Directory:
    """Applications and service principals, and who holds which password."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, tenant: str) -> None:
        self.clock, self.ids, self.timing, self.faults, self.tenant = clock, ids, timing, faults, tenant
        self.state = DirectoryState(created=clock.now())

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

    def groups_of(self, oid: str) -> tuple[str, ...]:
        """The groups that an object is in, directly or through other groups."""
        found, look = list[str](), [oid]
        while look:
            member = look.pop()
            direct = [group for group, members in self.state.groups.items() if member in members and group not in found]
            found, look = found + direct, look + direct
        return tuple(found)

    def every_secret(self) -> set[str]:
        """Every secret text ever issued, so that a test can look for them where they must not be."""
        return set(self.state.secrets)

    # changes, in Python and from the wire

    def create_application(self, display_name: str, **properties: Any) -> Application:
        """Register an application. Raises ServiceError 400 for a property that the type doesn't have."""
        _check(properties, "applications")
        made = Application(self.ids.guid(), self.ids.guid(), display_name, self.clock.now(), _storable(properties))
        self.state.applications[made.id] = made
        self.state.application_ids[made.app_id] = made.id
        return made

    def create_service_principal(self, app_id: str, **properties: Any) -> ServicePrincipal:
        """Give an application an identity in this tenant. Raises ServiceError 400 or 409."""
        _check(properties, "servicePrincipals")
        application = self.application(app_id)
        if application is None:
            message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
            detail = {"code": "NoBackingApplicationObject", "message": message, "target": "appId"}
            raise ServiceError(400, "Request_BadRequest", message, extra={"details": [detail]})
        if self.principal(app_id):
            message = f"The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
            raise ServiceError(409, "Request_MultipleObjectsWithSameKeyValue", message)
        enabled = bool(properties.pop("accountEnabled", True))
        audience = {"signInAudience": application.properties["signInAudience"]} if "signInAudience" in application.properties else {}
        made = ServicePrincipal(self.ids.guid(), application.app_id, application.display_name, self.clock.now(), audience | _storable(properties))
        made.account_enabled = enabled
        self.state.principals[made.id] = made
        self.state.principal_ids[made.app_id] = made.id
        return made

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
        """Make `owner_oid` an owner of an application or a service principal; twice is once."""
        target: Holder = self.state.applications.get(object_id) or self.state.principals[object_id]
        if owner_oid not in target.owners:
            target.owners.append(owner_oid)

    def grant(self, app_id: str, role: str) -> None:
        """Consent to a Graph application permission, such as ``Application.ReadWrite.OwnedBy``; it counts at once."""
        principal = self.principal(app_id)
        if principal is None:
            raise KeyError(f"there is no service principal of {app_id}")
        if role not in principal.app_roles:
            principal.app_roles.append(role)

    def join(self, group: str, oid: str, name: str | None = None) -> None:
        """Put an object into a group, which is made if need be, and may be given a name. Python only."""
        self.state.groups.setdefault(group, []).append(oid)
        if name:
            self.state.group_names[group] = name

    def update(self, target: Holder, changes: Mapping[str, Any]) -> None:
        """Set properties, each as a whole. Raises ServiceError 400 for what doesn't exist or can't be changed."""
        kind = kind_of(target)
        _check(changes, kind)
        self.remember(target)
        rest = dict(changes)
        target.display_name = rest.pop("displayName", target.display_name)
        if isinstance(target, ServicePrincipal):
            target.account_enabled = bool(rest.pop("accountEnabled", target.account_enabled))
        target.properties = {**target.properties, **_storable(rest)}

    def delete(self, target: Holder) -> None:
        """Delete an object; with an application goes its service principal in this tenant."""
        target.deleted = self.clock.now()
        principal = self.principal(target.app_id)
        if isinstance(target, Application) and principal:
            self.delete(principal)

    # lookups for writes, and reads that lag

    def _collection(self, kind: Kind) -> tuple[Mapping[str, Holder], Mapping[str, str]]:
        if kind == "applications":
            return self.state.applications, self.state.application_ids
        return self.state.principals, self.state.principal_ids

    def id_of(self, kind: Kind, app_id: str) -> str:
        """The object id that belongs to an application ID; the latter itself where there is none, for the 404 to name."""
        _, ids = self._collection(kind)
        return ids.get(app_id.lower(), app_id)

    def holder(self, kind: Kind, key: str) -> Holder:
        """The object with this id as a write sees it; an application ID is not one. Raises ServiceError 404."""
        found = self.known(kind, key)
        if found is None:
            raise missing(key)
        return found

    def known(self, kind: Kind, key: str) -> Holder | None:
        """The object as a write sees it; None where there is none."""
        found = self._ever(kind, key)
        return found if found and found.deleted is None else None

    def _ever(self, kind: Kind, key: str) -> Holder | None:
        objects, _ = self._collection(kind)
        return objects.get(key.lower())

    def remember(self, target: Holder) -> None:
        """Keep what an object looks like now, before it changes."""
        now = self.clock.now()
        kept = [version for version in target.earlier if version.until > now - REMEMBERED]
        target.earlier = [*kept, Earlier(now, self.body(target))]

    def body(self, target: Holder) -> dict[str, Any]:
        """An object's JSON as it is now."""
        return shape.body(target, self.tenant, self.state.domain)

    def glance(self) -> Glance:
        """What the read that is being served shows: ``timing.graph_read`` ago, or longer where a ``stale`` fault strikes it."""
        stale = self.faults.active("stale")
        lag = float(stale.argument or STALE) if stale else self.timing.graph_read
        return Glance(self.clock.now() - timedelta(seconds=lag), stale is not None)

    def seen(self, target: Holder, glance: Glance) -> dict[str, Any] | None:
        """An object's JSON as a read shows it; None where it doesn't exist yet, or no longer."""
        if (target.deleted and target.deleted <= glance.at) or (glance.stale and target.created > glance.at):
            return None
        version = next((version for version in target.earlier if version.until > glance.at), None)
        return version.body if version else self.body(target)

    def read(self, kind: Kind, key: str, glance: Glance) -> dict[str, Any]:
        """The object with this id as a read shows it. Raises ServiceError 404."""
        target = self._ever(kind, key)
        body = self.seen(target, glance) if target else None
        if body is None:
            raise missing(key)
        return body

    def page(self, kind: Kind, wanted: Query, glance: Glance) -> tuple[list[dict[str, Any]], bool]:
        """One page of a list as a read shows it, and whether more follow."""
        matching = (body for target in self._candidates(kind, wanted) if (body := self.seen(target, glance)) and wanted.filter.holds(body))
        found = list(islice(matching, wanted.top + 1))
        return found[: wanted.top], len(found) > wanted.top

    def _candidates(self, kind: Kind, wanted: Query) -> Iterator[Holder]:
        objects, ids = self._collection(kind)
        keys = wanted.filter.keys()
        picked = objects if keys is None else sorted({ids.get(key, key) for key in keys} & objects.keys())
        begun = wanted.after is None
        for oid in picked:
            if begun:
                yield objects[oid]
            begun = begun or oid == wanted.after


def kind_of(target: Holder) -> Kind:
    """The collection that an object belongs to."""
    return "applications" if isinstance(target, Application) else "servicePrincipals"


def missing(what: str) -> ServiceError:
    """Graph's 404."""
    message = f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    return ServiceError(404, "Request_ResourceNotFound", message)


def _check(properties: Mapping[str, Any], kind: Kind) -> None:
    for name, value in properties.items():
        if name not in PROPERTIES[kind]:
            raise unknown_property(name, TYPES[kind])
        if name in _FIXED:
            raise ServiceError(400, "Request_BadRequest", f"Property '{name}' is read-only and cannot be set.")
        if name in _CREDENTIALS and value:
            raise ServiceError(501, "NotImplemented", f"The emulator does not implement {name} in a body of graph; use addPassword.")


def _storable(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in _CREDENTIALS}
