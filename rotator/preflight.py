"""Inputs of `rotator doctor`, as frozen values: all conditions of a rotation, with a reason for each unknown one.

The module decides nothing, changes nothing and sends no request. An `Unknown` in place of a value: Azure didn't give
the value.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rotator.causes import Grounds
from rotator.errors import Holder
from rotator.resource_id import ArmId, ResourceId
from rotator.state import Observed, PasswordLimit, Registry, SignIns
from rotator.steps import NOTHING_KNOWN, Known

NOTHING = SignIns()


class Why(StrEnum):
    """Reason for an unknown value."""

    REFUSED = "refused"
    ABSENT = "absent"
    SILENT = "silent"
    """No usable answer."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Value not given by Azure: refused, not existing, or without a usable answer.

    `code` is Azure's.
    """

    kind: Why
    text: str
    code: str = ""
    grounds: Grounds | None = None
    """Cause of the refusal, with its details."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Identity of rotator's sign-in.

    `roles` are its application permissions in Graph, or the reason for not knowing them; a person has none.
    """

    tenant: str
    object_id: str
    app_id: str
    roles: tuple[str, ...] | Unknown = ()
    person: bool = False
    credential: str = ""
    """The credential of the chain that signed in, as AZURE_TOKEN_CREDENTIALS takes it."""
    name: str = ""
    """A person's user name."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The principal's two objects beyond their credentials.

    An owner is an object id; None where there is no such object.
    """

    application_owners: tuple[str, ...] | Unknown | None = None
    service_principal_owners: tuple[str, ...] | Unknown | None = None


@dataclass(frozen=True, slots=True)
class RegistrySeen:
    """Registry, and the obstacles between the registry and a container group.

    `reached` is the failure of an anonymous request from this machine: None if answered.
    """

    id: ResourceId
    shown: Registry | Unknown
    public: bool = True
    open: bool = True
    anonymous: bool = False
    reached: Unknown | None = None
    others: tuple[Registry, ...] = ()
    """The registries of its subscription, where this one isn't there."""


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """Secret needed by container groups, and the reason if unreadable.

    Key Vault gives the secret's value outside `begins` and `expires`, too.
    """

    name: str
    unread: Unknown | None = None
    begins: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class VaultSeen:
    """Vault as a resource, if readable.

    `allowed` are the secret permissions of its access policies for the caller.

    `deleted`: the published name is soft-deleted. `others` are the addresses of existing vaults, if the policy's vault
    is missing.
    """

    id: ResourceId | None = None
    rbac: bool | None = None
    allowed: tuple[str, ...] = ()
    deleted: bool | Unknown = False
    sources: tuple[SourceSeen, ...] = ()
    others: tuple[str, ...] = ()
    unread: Unknown | None = None
    """Reason why the resource can't be found or read, if Azure gives one."""


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """Management lock: `level` is ReadOnly, which forbids every write, or CanNotDelete."""

    id: ArmId
    level: str

    @property
    def name(self) -> str:
        """The lock's own name."""
        return self.id.name

    @property
    def scope(self) -> str:
        """The locked resource, resource group or subscription, with all inside."""
        return self.id[: self.id.lower().rindex("/providers/microsoft.authorization/locks/")]

    @property
    def read_only(self) -> bool:
        """Tell if the lock forbids a PUT, too."""
        return self.level.lower() == "readonly"


@dataclass(frozen=True, slots=True)
class LocksSeen:
    """Locks on one resource or above it, or why they can't be seen."""

    on: ResourceId
    found: tuple[Lock, ...] | Unknown


@dataclass(frozen=True, slots=True)
class Right:
    """Answer of RBAC: may the caller do `action` at `scope`; None if unknown, with the reason in `why`."""

    action: str
    scope: str
    allowed: bool | None
    why: str = ""
    grounds: Grounds | None = None
    """Cause of the refusal to say it."""

    @property
    def question(self) -> str:
        """The right as an open question, in words."""
        return f"whether rotator may take {self.action} on {self.scope}"


@dataclass(frozen=True, slots=True)
class Examined:
    """State of one policy, as far as visible. `known`: the engine's try of the current value.

    `observed` has placeholders for the parts marked unknown by `principal` and `registries`.
    """

    caller: Caller | Unknown
    observed: Observed | None = None
    principal: Unknown | None = None
    holding: Holding = Holding()
    registries: tuple[RegistrySeen, ...] = ()
    vault: VaultSeen = VaultSeen()
    vault_silent: Unknown | None = None
    rights: tuple[Right, ...] = ()
    locks: tuple[LocksSeen, ...] = ()
    """Of each declared container group, and of each registry."""
    limits: tuple[PasswordLimit, ...] | Unknown = ()
    signs_in: SignIns | Unknown = NOTHING
    """Means to sign in as the principal."""
    others: tuple[Registry, ...] = ()
    """Registries of the policy's subscriptions, if a group pulls from one that the policy doesn't have."""
    known: Known = NOTHING_KNOWN

    @property
    def at(self) -> datetime | None:
        """Azure's time of the last answer."""
        return self.observed.at if self.observed else None

    def right(self, action: str, scope: str) -> Right:
        """Return the known right to `action` at `scope`; an unknown one if not asked for."""
        found = (right for right in self.rights if right.action == action and ArmId(right.scope) == scope)
        return next(found, Right(action, scope, None))

    def may(self, action: str, scope: str) -> bool | None:
        """Tell if the caller may do `action` at `scope`; None if unknown."""
        return self.right(action, scope).allowed


@dataclass(frozen=True, slots=True)
class Machine:
    """State of this machine: the clock at the time of Azure's answers, and the lease directory.

    `unusable` is the reason for an unusable lease directory, `holder` the holder of the policy's lease. `exposed`
    explains by which means other users could block every run. `signs_in_as` is the app id of the client secret in the
    environment; empty without one.
    """

    now: datetime
    leases: str
    unusable: str | None = None
    holder: Holder | None = None
    exposed: str = ""
    signs_in_as: str = ""
