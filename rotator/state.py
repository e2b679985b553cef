"""What the world looks like, as frozen values: the vocabulary that every other file speaks.

Nothing here decides, acts or asks. Times are UTC and Azure's; collections are sorted tuples, so that equal worlds are
equal values.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rotator.resource_id import ArmId, ResourceId
from rotator.secret import Home as Home  # noqa: PLC0414 - passed on
from rotator.secret import Secret as Secret  # noqa: PLC0414 - passed on

KEY_ID, HOME, ATTEMPT = "rotator-key-id", "rotator-home", "rotator-attempt"
"""Tags of a secret version of ours; `KEY_ID` is also a container group's: the credential that it holds."""
ADOPTED, COMPROMISED = "rotator-adopted", "rotator-compromised"
"""Tags of a secret version: key ids, separated by commas, that a person gave to rotator, or declared known to others (see `series`)."""
SINCE, FAILED, PREVIOUS = "rotator-since", "rotator-failed", "rotator-previous"
"""Tags of a container group: since when it holds its credential, which one failed on it, which one it held before."""
ACCESS = "rotator-access"
"""Tag of the access record: ``revoked`` or ``granted``."""
OWN = "rotator-"
"""How the names of all of them begin. They belong to one version, or to one group."""


def lineage(tenant: str, app_id: str, vault_host: str, secret: str) -> str:
    """What a policy manages, whatever its file is called: 12 hex digits that mark every credential of ours."""
    parts = "\n".join(part.strip().lower() for part in (tenant, app_id, vault_host, secret))
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


def marker(lineage_: str, attempt: str) -> str:
    """The display name of a credential of ours: all that survives of an add whose answer was lost."""
    return f"rotator:{lineage_}:{attempt}"


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
        """Whether it has not ended at `at`."""
        return at < self.end


class Means(StrEnum):
    """By what somebody signs in as a principal without a password."""

    CERTIFICATE = "certificate"
    FEDERATED = "federated_credential"
    """Another issuer's assertion that Entra trusts."""
    IDENTITY = "managed_identity"
    """Azure itself signs in as it, wherever it is assigned."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A way to sign in as a principal without a password. `id` is Graph's, `until` its end, None where it has none."""

    means: Means
    id: str
    home: Home
    until: datetime | None = field(default=None, compare=False)
    name: str = ""

    def live(self, at: datetime) -> bool:
        """Whether it has not ended at `at`."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class SignIns:
    """By what can be signed in as a principal, on both of its objects. `unread` says in words what isn't known."""

    passwords: tuple[Credential, ...] = ()
    keys: tuple[Key, ...] = ()
    unread: tuple[str, ...] = ()

    def live(self, at: datetime) -> "SignIns":
        """Those that have not ended at `at`."""
        passwords = tuple(each for each in self.passwords if each.live(at))
        return SignIns(passwords, tuple(each for each in self.keys if each.live(at)), self.unread)

    @property
    def known(self) -> bool:
        """Whether anything is known to sign in."""
        return bool(self.passwords or self.keys)

    @property
    def none(self) -> bool:
        """Whether everything could be read, and nothing signs in."""
        return not self.known and not self.unread


Tags = tuple[tuple[str, str], ...]


def tags(values: Mapping[str, str] | None) -> Tags:
    """Tags as a sorted tuple, so that equal ones are equal."""
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

    def tag(self, name: str) -> str | None:
        """The value of a tag, None where there is none."""
        return dict(self.tags).get(name)

    @property
    def ours(self) -> bool:
        """Whether rotator wrote it: only an issue gives a version an attempt."""
        return bool(self.tag(KEY_ID) and self.tag(ATTEMPT))

    @property
    def key_id(self) -> str | None:
        """The credential whose password it holds, as far as its tags say."""
        return self.tag(KEY_ID) or (None if self.ours else next(iter(self.adopted), None))

    @property
    def adopted(self) -> tuple[str, ...]:
        """Credentials that a person made ours, recorded here."""
        return self.listed(ADOPTED)

    @property
    def compromised(self) -> tuple[str, ...]:
        """Credentials declared compromised, recorded here."""
        return self.listed(COMPROMISED)

    def listed(self, tag: str) -> tuple[str, ...]:
        """The words of a list of ours, in lower case, sorted: those of `tag`, and of the tags that it goes on in."""
        found = dict(self.tags)
        words = (word.strip().lower() for name in series(found, tag) for word in found[name].split(","))
        return tuple(sorted({word for word in words if word}))


def series(found: Mapping[str, str], tag: str) -> tuple[str, ...]:
    """The names among `found` under which the list of `tag` is kept: its own, and with a number behind it where one value couldn't hold it."""
    return tuple(
        sorted(
            name for name in found if name == tag or (name.startswith(f"{tag}-") and name[len(tag) + 1 :].isdecimal())
        )
    )


@dataclass(frozen=True, slots=True)
class Principal:
    """The Entra application and its service principal. Object ids; `application` is None where another tenant has it.

    `personal`: its audience includes personal accounts, so that the application holds two passwords at most
    (azure-facts C5). `locked`: its instance lock forbids passwords on the service principal (azure-facts C4).
    """

    app_id: str
    application: str | None
    service_principal: str | None
    display_name: str = ""
    enabled: bool = True
    personal: bool = False
    locked: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """An application and its service principal as provision sees them: object ids, and on which of the two rotator's own identity is an owner."""

    app_id: str
    display_name: str
    application: str | None
    service_principal: str | None
    owned: tuple[Home, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerGroup:
    """A container group as ACI showed it at `at`.

    `document` is its raw JSON, to be read with :mod:`rotator.container_group` and never changed.

    None of `document` and `unreadable`: Azure says that it doesn't exist (404, with permission to read). Both: it may
    not be read, and `document` is what a list shows.
    """

    id: ResourceId
    at: datetime
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    unreadable: str | None = None
    writable: bool = True


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
        """What people and az call it."""
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
    """What a role allows: actions of management and of data, each less its exceptions.

    Source: "Understand Azure role definitions".
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Whether it grants `action` and doesn't except it again; ``*`` stands for anything, and letter case for nothing."""
        granted, excepted = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return _covers(granted, action) and not _covers(excepted, action)


def _covers(patterns: tuple[str, ...], action: str) -> bool:
    return any(re.fullmatch(_expression(pattern), action, re.IGNORECASE) for pattern in patterns)


def _expression(pattern: str) -> str:
    """A ``*`` between slashes may stand for nothing: Managed Identity Operator allows the assignment of an identity by such a pattern."""
    return re.escape(pattern).replace(r"/\*/", "/(.*/)?").replace(r"\*", ".*")


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition: its GUID in lower case, what people call it, and what it allows.

    Roles add up; an exception is no denial.
    """

    id: str
    name: str
    permissions: tuple[Permission, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        """Whether any of its permissions allows `action`."""
        return any(permission.allows(action, data=data) for permission in self.permissions)


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """By what a principal, or others, may pull from one registry, as far as that may be read.

    `assignments` are at the registry or above, the principal's own and those of groups that it is in; `groups` pairs a
    group's object id with its name; `tokens` are the enabled repository-scoped ones; `unread` says what may not be
    read.
    """

    registry: Registry
    assignments: tuple[Assignment, ...] = ()
    roles: tuple[Role, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What one try of a credential showed."""

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
    """One try of a credential against Entra and the registry.

    `missing` are images that the registry doesn't have (404).

    `served` are the images that it gave, or would have if it had them, whatever became of the others; `digests` what
    their names stand for now. `nobody`: Entra refused the principal itself, so that nobody signs in as it, from
    wherever and with whatever. `signed_in`: Entra gave a token, whatever the registry said then. `around` is what
    stands around a value that would be right without it.
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

    @property
    def ok(self) -> bool:
        """Whether it authenticated and pulled everything that exists."""
        return self.outcome is Outcome.PROVEN


@dataclass(frozen=True, slots=True)
class Unseen:
    """A subscription whose container groups may not be listed: who depends there is unknown."""

    subscription: str
    why: str


@dataclass(frozen=True, slots=True, order=True)
class PasswordLimit:
    """What an app management policy says of new passwords on an object: how long one may live; None forbids them.

    `assigned` is the policy's id where it is the object's own, and empty where it is the tenant's.
    """

    home: Home
    policy: str
    longest: timedelta | None
    assigned: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is known to be refused; an empty tuple means that nothing is.

    `secret_deleted`: the name is soft-deleted in the vault.

    `sources` are secrets that a container group needs and that can't be used, each with why; `links` are the actions
    that a redeployment takes on other resources than its group, each with the resource: the engine adds both. `limits`
    are the tenant's on new passwords, as far as rotator may read its policies. `unknown` are questions that Azure
    didn't answer, each with why: what isn't known to be refused isn't known to be allowed, either.
    """

    groups_refused: tuple[ResourceId, ...] = ()
    vault_refused: str | None = None
    secret_deleted: bool = False
    sources: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, ResourceId], ...] = ()
    limits: tuple[PasswordLimit, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything seen of a policy's world at one instant, with no secret in it. `at` is Azure's time.

    `latest` is the id of the version that a GET without a version returns; where the list of versions doesn't agree
    with that, it is not `versions_complete`. `proof` is the latest proof of the current value in this run,
    `absent_since` when this run first saw the current credential missing, `permissions` what RBAC says, `tried` what a
    try of the value of other versions showed, by version id: the engine adds the four. So it does `lost`, the display
    names of credentials that adds of this run may have made and that no read shows; `unnamed_since`, of each orphan
    since when this run has seen that nothing names it; and `may_be_published`, the orphans whose password readers of an
    untagged version, or, without a current credential, of the newest one may have, and the superseded ones whose
    password readers of an untagged newest version may have, by their hints; None where that can't be known.
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
    unseen: tuple[Unseen, ...] = ()
    hiding: tuple[ResourceId, ...] = ()
    """Ids of container groups that show nothing of this principal, and hide a variable that is called like a principal's password."""
    access: Access = Access.UNMARKED
    access_since: datetime | None = None
    vault_refuses: str | None = None
    proof: Proof | None = None
    proof_at: datetime | None = None
    unproven: str = ""
    """Why the current value couldn't be tried, where it may not be read."""
    absent_since: datetime | None = None
    permissions: Permissions | None = None
    lost: tuple[str, ...] = ()
    unnamed_since: tuple[tuple[str, datetime], ...] = ()
    may_be_published: tuple[str, ...] | None = ()
    tried: tuple[tuple[str, Proof], ...] = ()
