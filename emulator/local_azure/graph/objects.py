"""What the directory keeps: plain values, so that the state of an emulator can be saved as JSON and loaded again."""

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
    """One password credential, also while it is only remembered because some token endpoint may still accept it.

    `usable_from` and `gone_from` are the instants of the two writes; each replica learns of them later.
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
        """Whether the token endpoint numbered `replica` (from 0) holds it at this instant, expired or not.

        Replicas learn one after another; the last of them after the whole of `timing.secret_valid` or `secret_gone`.
        """
        return _known_to(self, replica, at, timing)

    def forgotten(self, at: datetime, timing: Timing) -> bool:
        """Whether no replica can accept it ever again, because it was removed long enough ago."""
        return self.gone_from is not None and at >= self.gone_from + timedelta(seconds=timing.secret_gone)


@dataclass(slots=True)
class Certificate:
    """One key credential: a certificate whose private key signs assertions.

    `key` is its DER in base64; it spreads as passwords do.
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
        """Whether the token endpoint numbered `replica` holds it at this instant, expired or not."""
        return _known_to(self, replica, at, timing)


def _known_to(credential: Password | Certificate, replica: int, at: datetime, timing: Timing) -> bool:
    share = (replica + 1) / timing.replicas
    if at < credential.usable_from + timedelta(seconds=timing.secret_valid * share):
        return False
    return credential.gone_from is None or at < credential.gone_from + timedelta(seconds=timing.secret_gone * share)


@dataclass(slots=True)
class Earlier:
    """What an object looked like until `until`, for reads that lag: its JSON, in which no secret is, and the lists that hang on it."""

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
    """An oauth2PermissionGrant: what a client may do with a resource on behalf of one user, or of all where there is no `principal_id`."""

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
        """Whether clients may change it: it is neither a managed identity, which its resource governs, nor Microsoft's."""
        return self.properties.get("servicePrincipalType") != "ManagedIdentity" and self.app_id not in known.FIRST_PARTY


@dataclass(slots=True)
class Group:
    """A security group. `members` and `owners` are object ids, some perhaps of objects that are gone."""

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
    """Somebody who works in the tenant. Nobody signs in as a user here, so no password of one is kept."""

    id: str
    display_name: str
    created: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    earlier: list[Earlier] = field(default_factory=list)
    deleted: datetime | None = None

    @property
    def name(self) -> str:
        """The user principal name, by which requests may call it in place of its id."""
        return str(self.properties["userPrincipalName"])


@dataclass(slots=True)
class Policy:
    """An app management policy: `content` is its JSON but for the id."""

    id: str
    content: dict[str, Any]


@dataclass(slots=True)
class Spent:
    """What one client has used of its budgets: resource units since `began`, writes since `writing`."""

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
    """The collection that an object belongs to."""
    if isinstance(target, Group | User):
        return "groups" if isinstance(target, Group) else "users"
    return "applications" if isinstance(target, Application) else "servicePrincipals"


@dataclass(slots=True)
class DirectoryState:
    """Everything that changes in a directory.

    Objects are kept by id, deleted ones too (a lagging read still shows them).
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
    """What was set of the default app management policy."""
    spent: dict[str, Spent] = field(default_factory=dict)
    """app_id of a client → what it has used of Graph's budgets."""
    secrets: list[str] = field(default_factory=list, repr=False)
    """Every secret text ever issued."""
