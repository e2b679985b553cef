"""State of Azure as frozen values, shared by all other modules.

The module decides nothing, changes nothing and sends no request. Times are UTC and Azure's; collections are sorted
tuples, so that equal states are equal values.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rotator.causes import Denial, Grounds
from rotator.resource_id import ArmId, ResourceId
from rotator.secret import Home as Home  # noqa: PLC0414 - passed on
from rotator.secret import Secret as Secret  # noqa: PLC0414 - passed on

KEY_ID, HOME, ATTEMPT = "rotator-key-id", "rotator-home", "rotator-attempt"
"""Tags of a secret version of ours; `KEY_ID` is also a container group's: the credential that it holds."""
ADOPTED, COMPROMISED = "rotator-adopted", "rotator-compromised"
"""Tags of a secret version: key ids, separated by commas, that a person gave to rotator, or declared known to others
(see `series`).
"""
SINCE, FAILED, PREVIOUS = "rotator-since", "rotator-failed", "rotator-previous"
"""Tags of a container group: since when it holds its credential, which one failed on it, which one it held before."""
ACCESS = "rotator-access"
"""Tag of the access record: ``revoked`` or ``granted``."""
OWN = "rotator-"
"""How the names of all of them begin. They belong to one version, or to one group."""


def lineage(tenant: str, app_id: str, vault_host: str, secret: str) -> str:
    """Return the lineage of a policy: 12 hex digits marking every credential of ours, whatever the file's name."""
    parts = "\n".join(part.strip().lower() for part in (tenant, app_id, vault_host, secret))
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def marker(lineage_: str, attempt: str) -> str:
    """Return the display name of a credential of ours: the only trace of an add with a lost answer."""
    return f"rotator:{lineage_}:{attempt}"


_MARKED = re.compile(marker("(?P<lineage>[0-9a-f]{12})", ""))


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """A Graph ``passwordCredential``, without its secret.

    `hint` is the first three characters, on applications only.
    """

    start: datetime
    key_id: str
    end: datetime
    home: Home
    display_name: str = ""
    hint: str | None = None

    def live(self, at: datetime) -> bool:
        """Tell if the credential has not ended at `at`."""
        return at < self.end

    @property
    def lineage(self) -> str:
        """The lineage for which rotator made the credential; empty if somebody else made it."""
        found = _MARKED.match(self.display_name)
        return found["lineage"] if found else ""

    @property
    def attempt(self) -> str:
        """The attempt by which rotator made the credential; empty if somebody else made it."""
        found = _MARKED.match(self.display_name)
        return self.display_name[found.end() :] if found else ""


class Means(StrEnum):
    """Means to sign in as a principal without a password."""

    CERTIFICATE = "certificate"
    FEDERATED = "federated_credential"
    """Another issuer's assertion that Entra trusts."""
    IDENTITY = "managed_identity"
    """Azure itself signs in as it, wherever it is assigned."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Key to sign in as a principal without a password. `id` is Graph's, `until` its end, None if endless."""

    means: Means
    id: str
    home: Home
    until: datetime | None = field(default=None, compare=False)
    name: str = ""

    def live(self, at: datetime) -> bool:
        """Tell if the key has not ended at `at`."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class SignIns:
    """Means to sign in as a principal, on both of its objects. `unread` says in words which parts are unknown."""

    passwords: tuple[Credential, ...] = ()
    keys: tuple[Key, ...] = ()
    unread: tuple[str, ...] = ()

    def live(self, at: datetime) -> "SignIns":
        """Return the credentials and keys not ended at `at`."""
        passwords = tuple(each for each in self.passwords if each.live(at))
        return SignIns(passwords, tuple(each for each in self.keys if each.live(at)), self.unread)

    @property
    def known(self) -> bool:
        """Tell if any means to sign in is known."""
        return bool(self.passwords or self.keys)

    @property
    def none(self) -> bool:
        """Tell if all parts were readable, and no means to sign in exists."""
        return not self.known and not self.unread


Tags = tuple[tuple[str, str], ...]


def tags(values: Mapping[str, str] | None) -> Tags:
    """Return tags as a sorted tuple, so that equal tags are equal values."""
    return tuple(sorted((values or {}).items()))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the Key Vault secret, without its value. `created` has a resolution of one second."""

    id: str
    created: datetime
    enabled: bool = True
    expires: datetime | None = None
    content_type: str | None = None
    tags: Tags = ()
    begins: datetime | None = None

    def tag(self, name: str) -> str | None:
        """The value of a tag, None where there is none."""
        return dict(self.tags).get(name)

    @property
    def ours(self) -> bool:
        """Tell if rotator wrote the version: only an issue gives a version an attempt."""
        return bool(self.tag(KEY_ID) and self.tag(ATTEMPT))

    @property
    def key_id(self) -> str | None:
        """Key id of the credential whose password the version holds, according to its tags."""
        return self.tag(KEY_ID) or (None if self.ours else next(iter(self.adopted), None))

    @property
    def adopted(self) -> tuple[str, ...]:
        """Key ids of credentials adopted by a person, recorded here."""
        return self.listed(ADOPTED)

    @property
    def compromised(self) -> tuple[str, ...]:
        """Credentials declared compromised, recorded here."""
        return self.listed(COMPROMISED)

    def listed(self, tag: str) -> tuple[str, ...]:
        """Return the words of a list of ours, in lower case, sorted: of `tag` and its continuation tags."""
        found = dict(self.tags)
        words = (word.strip().lower() for name in series(found, tag) for word in found[name].split(","))
        return tuple(sorted({word for word in words if word}))


def series(found: Mapping[str, str], tag: str) -> tuple[str, ...]:
    """Return the tag names among `found` with the list of `tag`: its own, and numbered continuations.

    A list continues in a numbered tag when one value is too short.
    """
    return tuple(
        sorted(
            name for name in found if name == tag or (name.startswith(f"{tag}-") and name[len(tag) + 1 :].isdecimal())
        )
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """Entra application and its service principal, by object ids; `application` is None in another tenant.

    `personal`: its audience includes personal accounts, so that the application holds two passwords at most
    (azure-facts C5). `locked`: its instance lock forbids passwords on the service principal (azure-facts C4).
    `enabled`: it gets tokens, as far as Graph shows. `deactivated`: its application gets none in any tenant; None where
    Graph doesn't show that (azure-facts C13).
    """

    app_id: str
    application: str | None
    service_principal: str | None
    display_name: str = ""
    enabled: bool = True
    personal: bool = False
    locked: bool = False
    deactivated: bool | None = False


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """Application and service principal as seen by provision: object ids, and the objects owned by rotator."""

    app_id: str
    display_name: str
    application: str | None
    service_principal: str | None
    owned: tuple[Home, ...] = ()


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
class Registry:
    """A registry of the policy as ARM showed it. `abac`: roles with data actions count, AcrPull doesn't."""

    id: ResourceId
    login_server: str
    abac: bool = False
    admin_user: bool = False
    anonymous_pull: bool = False

    @property
    def name(self) -> str:
        """Name of the registry, as used by people and az."""
        return self.id.name


class Access(StrEnum):
    """The access mark of a policy."""

    UNMARKED = "unmarked"
    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """A role assignment. `role` is the role definition's GUID, `id` the full resource id."""

    scope: ArmId
    role: str
    id: ArmId
    principal_id: str
    condition: str | None = None
    condition_version: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """Permission of a role: actions of management and of data, each less its exceptions.

    Source: "Understand Azure role definitions".
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if the permission grants `action` without excepting the action again.

        ``*`` matches any text; letter case is ignored.
        """
        granted, excepted = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return _covers(granted, action) and not _covers(excepted, action)


def _covers(patterns: tuple[str, ...], action: str) -> bool:
    return any(re.fullmatch(_expression(pattern), action, re.IGNORECASE) for pattern in patterns)


def _expression(pattern: str) -> str:
    """Return a regular expression for a pattern; a ``*`` between slashes may match an empty text.

    Managed Identity Operator allows the assignment of an identity by such a pattern.
    """
    return re.escape(pattern).replace(r"/\*/", "/(.*/)?").replace(r"\*", ".*")


@dataclass(frozen=True, slots=True)
class Role:
    """Role definition: its GUID in lower case, display name, and permissions.

    Roles add up; an exception is no denial.
    """

    id: str
    name: str
    permissions: tuple[Permission, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Tell if any permission of the role allows `action`."""
        return any(permission.allows(action, data=data) for permission in self.permissions)


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """Access of a principal, and of others, to pull from one registry, as far as readable.

    `assignments` are at the registry or above, the principal's own and those of its groups; `groups` pairs a group's
    object id with its name; `tokens` are the enabled repository-scoped ones; `unread` names the unreadable parts.
    """

    registry: Registry
    assignments: tuple[Assignment, ...] = ()
    roles: tuple[Role, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Outcome(StrEnum):
    """Outcome of one try of a credential."""

    PROVEN = "proven"
    REFUSED = "refused"
    """Entra doesn't take the password (AADSTS7000215): wrong, removed, or not yet known to that replica."""
    EXPIRED = "expired"
    """Entra knows the password as one of this application that has ended (AADSTS7000222)."""
    NO_PULL = "no_pull"
    """It authenticates, and the registry refuses the pull (401, 403): no role."""
    DISABLED = "disabled"
    """Entra knows the principal and lets nobody sign in as it, or doesn't know it."""
    UNREACHABLE = "unreachable"
    """The registry or Entra gave no usable answer, or the network is denied."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of one try of a credential against Entra and the registry.

    `missing` are images absent from the registry (404).

    `served` are the images allowed by the registry, missing ones included, whatever became of the others; `digests` are
    the current digests of their names. `nobody`: Entra refused the principal itself, so that no sign-in as the
    principal works, from any place and with any credential. `signed_in`: Entra gave a token, whatever the registry
    answered then. `around` names stray characters around a value otherwise correct.
    """

    outcome: Outcome
    detail: str = ""
    missing: tuple[str, ...] = ()
    registry_reached: bool = True
    served: tuple[str, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()
    nobody: bool = False
    signed_in: bool = False
    around: str = ""
    grounds: Grounds | None = None
    """What a refused sign-in comes to."""

    @property
    def ok(self) -> bool:
        """Tell if the credential authenticated and pulled every existing image."""
        return self.outcome is Outcome.PROVEN

    @property
    def signs_in(self) -> bool | None:
        """Tell if Entra accepts the password; None if the try doesn't show it."""
        if self.signed_in:
            return True
        return False if self.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.DISABLED) else None


@dataclass(frozen=True, slots=True)
class UnlistedSubscription:
    """Subscription without permission to list container groups: dependents there are unknown."""

    subscription: str
    why: str
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True, order=True)
class PasswordLimit:
    """Limit of an app management policy on new passwords: longest lifetime; None forbids passwords.

    `assigned` is the policy's id where the policy is the object's own, and empty for the tenant's policy. `exempts`:
    custom security attributes that exempt a caller, where it is unknown if rotator has one (azure-facts C12).
    """

    home: Home
    policy: str
    longest: timedelta | None
    assigned: str = ""
    exempts: tuple[str, ...] = ()

    def forbids(self, validity: timedelta) -> bool:
        """Tell if the limit refuses a password of this lifetime, to a caller that isn't exempt."""
        return self.longest is None or self.longest < validity

    @property
    def question(self) -> str:
        """The open question about an exemption, in words."""
        return f"whether app management policy {self.policy} exempts rotator by {' or '.join(self.exempts)}"


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

    `secret_deleted`: the name is soft-deleted in the vault. `limits` are the tenant's on new passwords, as far as
    rotator may read its policies. `unknown` are questions without an answer from Azure, each with the reason: an action
    not known to be refused isn't known to be allowed, either.
    """

    groups_refused: tuple[ResourceId, ...] = ()
    vault_refused: Denial | None = None
    secret_deleted: bool = False
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
