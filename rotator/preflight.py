"""What `rotator doctor` looks at, as frozen values: everything that must be true before a rotation, and why what couldn't be told couldn't.

Nothing here decides, acts or asks. An `Unknown` in the place of a value says that Azure didn't give it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rotator.errors import Holder
from rotator.resource_id import ArmId, ResourceId
from rotator.state import Observed, PasswordLimit, Registry, SignIns

Why = Literal["refused", "absent", "silent"]
NOTHING = SignIns()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that Azure didn't tell: it refused, it knows no such thing, or it gave no usable answer.

    `code` is Azure's.
    """

    kind: Why
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rotator is signed in as.

    `roles` are its application permissions in Graph, or what Graph didn't say; a person has none.
    """

    tenant: str
    object_id: str
    app_id: str
    roles: tuple[str, ...] | Unknown = ()
    person: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """The principal's two objects beyond their credentials.

    An owner is an object id; None where there is no such object.
    """

    application_owners: tuple[str, ...] | Unknown | None = None
    service_principal_owners: tuple[str, ...] | Unknown | None = None


@dataclass(frozen=True, slots=True)
class RegistrySeen:
    """A registry, and what stands between it and a container group.

    `reached` is what an anonymous request from here met: None is an answer.
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
    """A secret that container groups need, and why it can't be read.

    Key Vault gives its value outside `begins` and `expires`, too.
    """

    name: str
    unread: Unknown | None = None
    begins: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class VaultSeen:
    """The vault as a resource, where it may be read.

    `allowed` are the secret permissions of its access policies for the caller.

    `deleted`: the published name is soft-deleted. `others` are the addresses of the vaults that are there instead,
    where this one isn't.
    """

    id: ResourceId | None = None
    rbac: bool | None = None
    allowed: tuple[str, ...] = ()
    deleted: bool | Unknown = False
    sources: tuple[SourceSeen, ...] = ()
    others: tuple[str, ...] = ()
    unread: Unknown | None = None
    """Why the resource can't be found or read, where Azure says so."""


@dataclass(frozen=True, slots=True)
class Right:
    """Whether the caller may do `action` at `scope`, by RBAC's own answer; None where that can't be known, and `why` it can't."""

    action: str
    scope: str
    allowed: bool | None
    why: str = ""

    @property
    def question(self) -> str:
        """The right as something that isn't known."""
        return f"whether rotator may take {self.action} on {self.scope}"


@dataclass(frozen=True, slots=True)
class Examined:
    """One policy's world, as far as it can be seen.

    `observed` has placeholders for parts that `principal` and `registries` say are unknown.
    """

    caller: Caller | Unknown
    observed: Observed | None = None
    principal: Unknown | None = None
    holding: Holding = Holding()
    registries: tuple[RegistrySeen, ...] = ()
    vault: VaultSeen = VaultSeen()
    vault_silent: Unknown | None = None
    rights: tuple[Right, ...] = ()
    limits: tuple[PasswordLimit, ...] | Unknown = ()
    signs_in: SignIns | Unknown = NOTHING
    """By what can be signed in as the principal."""

    @property
    def at(self) -> datetime | None:
        """Azure's time of the last answer."""
        return self.observed.at if self.observed else None

    def right(self, action: str, scope: str) -> Right:
        """Return what is known of the right to `action` at `scope`; nothing where it wasn't asked for."""
        found = (right for right in self.rights if right.action == action and ArmId(right.scope) == scope)
        return next(found, Right(action, scope, None))

    def may(self, action: str, scope: str) -> bool | None:
        """Whether the caller may do `action` at `scope`; None where that can't be known."""
        return self.right(action, scope).allowed


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine: its clock when Azure's answers came, the lease directory, and why that can't be used or who holds this policy's lease.

    `exposed` says why others could keep every run out.
    `signs_in_as` is the app id for which the environment has a client secret; empty where it has none.
    """

    now: datetime
    leases: str
    unusable: str | None = None
    holder: Holder | None = None
    exposed: str = ""
    signs_in_as: str = ""
