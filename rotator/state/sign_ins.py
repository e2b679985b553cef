"""Means to sign in as a principal: passwords, certificates, federated credentials, managed identities."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rotator.secret import Home
from rotator.state.marks import MARKED


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
        """The lineage for which rotator made the credential; empty if others made it."""
        found = MARKED.match(self.display_name)
        return found["lineage"] if found else ""

    @property
    def attempt(self) -> str:
        """The attempt by which rotator made the credential; empty if others made it."""
        found = MARKED.match(self.display_name)
        return self.display_name[found.end() :] if found else ""


def hints_of(credentials: Iterable[Credential]) -> frozenset[str]:
    """Return the hints of credentials, of those that have one."""
    return frozenset(each.hint for each in credentials if each.hint)


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
