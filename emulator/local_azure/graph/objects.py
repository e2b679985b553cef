"""Objects of the directory: plain values, so the emulator's state can be saved as JSON and loaded again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from local_azure.graph import known
from local_azure.timing import Timing

Home = Literal["applications", "servicePrincipals"]
"""The two homes of a password credential, by the names of their collections."""
Kind = Literal["applications", "servicePrincipals", "groups", "users"]
"""Every collection of the directory."""


@dataclass(slots=True)
class Password:
    """One password credential; removed credentials stay while a token endpoint may still accept them.

    `usable_from` and `gone_from` are the instants of the two writes; each replica learns of the writes later.
    """

    key_id: str
    display_name: str | None
    start: datetime
    end: datetime
    secret: str = field(repr=False)
    hint: str | None
    usable_from: datetime
    gone_from: datetime | None = None

    def known_to(self, replica: int, at: datetime, timing: Timing) -> bool:
        """Tell if token endpoint number `replica` (from 0) has the password at this instant, expired or not.

        Replicas learn one after another; the last replica after the whole of `timing.secret_valid` or `secret_gone`.
        """
        return _known_to(self, replica, at, timing)

    def forgotten(self, at: datetime, timing: Timing) -> bool:
        """Tell if no replica can accept the password any more, after a removal long enough ago."""
        return self.gone_from is not None and at >= self.gone_from + timedelta(seconds=timing.secret_gone)


@dataclass(slots=True)
class Certificate:
    """One key credential: a certificate; the private key signs assertions.

    `key` is the certificate's DER in base64; a certificate reaches the replicas as passwords do.
    """

    key_id: str
    display_name: str | None
    start: datetime
    end: datetime
    key: str
    identifier: str
    usable_from: datetime
    gone_from: datetime | None = None

    def known_to(self, replica: int, at: datetime, timing: Timing) -> bool:
        """Tell if token endpoint number `replica` has the certificate at this instant, expired or not."""
        return _known_to(self, replica, at, timing)


def _known_to(credential: Password | Certificate, replica: int, at: datetime, timing: Timing) -> bool:
    share = (replica + 1) / timing.replicas
    if at < credential.usable_from + timedelta(seconds=timing.secret_valid * share):
        return False
    return credential.gone_from is None or at < credential.gone_from + timedelta(seconds=timing.secret_gone * share)


@dataclass(slots=True)
class Earlier:
    """Former state of an object, valid until `until`, for lagging reads.

    The state holds the JSON (without secrets) and the lists attached to the object.
    """

    until: datetime
    body: dict[str, Any]
    owners: list[str] = field(default_factory=list)
    federated: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Application:
    """An application registration. `properties` are those that a client has set, by their names in Graph."""

    id: str
    app_id: str
    display_name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    passwords: list[Password] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)
    deleted: datetime | None = None
    policies: list[str] = field(default_factory=list)
    """The app management policies that are assigned to it, by id."""
    federated: list[dict[str, Any]] = field(default_factory=list)
    """Its federated identity credentials, as Graph shows them."""


@dataclass(slots=True)
class Grant:
    """An appRoleAssignment: a role of the application `resource_app_id` that a service principal was given."""

    id: str
    app_role_id: str
    resource_app_id: str
    created: datetime


@dataclass(slots=True)
class DelegatedGrant:
    """An oauth2PermissionGrant: a client's permissions for a resource on behalf of one user.

    Without `principal_id`, the grant is for all users.
    """

    id: str
    client_id: str
    resource_id: str
    principal_id: str | None
    scope: str | None


@dataclass(slots=True)
class ServicePrincipal:
    """An application's identity in this tenant, or a managed identity, or one of Microsoft's own."""

    id: str
    app_id: str
    display_name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    passwords: list[Password] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)
    deleted: datetime | None = None
    policies: list[str] = field(default_factory=list)
    account_enabled: bool = True
    grants: list[Grant] = field(default_factory=list)
    federated: list[dict[str, Any]] = field(default_factory=list)
    """A managed identity's federated identity credentials: name, issuer, subject, audiences."""
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Its custom security attributes, by the names of their sets."""

    @property
    def app_roles(self) -> list[str]:
        """The Graph permissions that an administrator consented to, such as ``Application.ReadWrite.OwnedBy``."""
        names = {role: name for name, role in known.GRAPH_ROLES.items()}
        return [
            names[grant.app_role_id]
            for grant in self.grants
            if grant.resource_app_id == known.GRAPH and grant.app_role_id in names
        ]

    @property
    def is_ours(self) -> bool:
        """Tell if clients may change the service principal.

        False for a managed identity (governed by the resource) and for Microsoft's service principals.
        """
        return self.properties.get("servicePrincipalType") != "ManagedIdentity" and self.app_id not in known.FIRST_PARTY


@dataclass(slots=True)
class Group:
    """A security group. `members` and `owners` are object ids; objects behind a few ids may be gone."""

    id: str
    display_name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    earlier: list[Earlier] = field(default_factory=list)
    deleted: datetime | None = None


@dataclass(slots=True)
class User:
    """A user of the tenant. The emulator has no sign-in of users, so no password is stored."""

    id: str
    display_name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    earlier: list[Earlier] = field(default_factory=list)
    deleted: datetime | None = None

    @property
    def name(self) -> str:
        """The user principal name; requests may use the name in place of the id."""
        return str(self.properties["userPrincipalName"])


@dataclass(slots=True)
class Policy:
    """An app management policy: `content` is its JSON but for the id."""

    id: str
    content: dict[str, Any]


@dataclass(slots=True)
class Spent:
    """One client's use of the budgets: resource units since `began`, writes since `writing`."""

    began: datetime
    writing: datetime
    units: int = 0
    writes: int = 0


Holder = Application | ServicePrincipal
"""An object that can hold passwords."""
Owned = Application | ServicePrincipal | Group
"""An object that can have owners."""
Entry = Owned | User
"""Any object of the directory."""


def kind_of(target: Entry) -> Kind:
    """Return the collection of an object."""
    if isinstance(target, Group | User):
        return "groups" if isinstance(target, Group) else "users"
    return "applications" if isinstance(target, Application) else "servicePrincipals"


@dataclass(slots=True)
class DirectoryState:
    """All mutable state of a directory.

    Objects are kept by id, deleted objects too (a lagging read still shows deleted objects).
    """

    domain: str = "contoso.onmicrosoft.com"
    organization: str = "Contoso"
    created: datetime | None = None
    applications: dict[str, Application] = field(default_factory=dict)
    principals: dict[str, ServicePrincipal] = field(default_factory=dict)
    application_ids: dict[str, str] = field(default_factory=dict)
    """app_id → object id of the application."""
    principal_ids: dict[str, str] = field(default_factory=dict)
    """app_id → object id of the service principal."""
    groups: dict[str, Group] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    delegated: dict[str, DelegatedGrant] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    """App management policies by id."""
    tenant_policy: dict[str, Any] = field(default_factory=dict)
    """Settings that were made in the default app management policy."""
    spent: dict[str, Spent] = field(default_factory=dict)
    """app_id of a client → what it has used of Graph's budgets."""
    secrets: list[str] = field(default_factory=list, repr=False)
    """Every secret text ever issued."""
