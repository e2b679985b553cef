"""Users of a registry without Entra: the admin user, and tokens with the rights of a scope map.

Resource Manager creates and shows the users; the registry's data plane asks :class:`RegistryAccess` if a password is
valid, and for which rights. Registries are known by their resource id, in any case. Sources: "Create a token with
repository-scoped permissions", recorded traffic of ``az acr token``, and for the minute until a new admin password is
valid, "Authenticate with an Azure container registry".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local_azure.clock import Clock
from local_azure.ids import Ids
from local_azure.rbac.scopes import scope_key
from local_azure.timing import Timing
from local_azure.wire import Json

SYSTEM_MAPS = {
    "_repositories_admin": (
        "Can perform all read, write and delete operations on the registry",
        ("metadata/read", "metadata/write", "content/read", "content/write", "content/delete"),
    ),
    "_repositories_pull": ("Can pull any repository of the registry", ("content/read",)),
    "_repositories_pull_metadata_read": (
        "Can perform all read operations on the registry",
        ("content/read", "metadata/read"),
    ),
    "_repositories_push": ("Can push to any repository of the registry", ("content/read", "content/write")),
    "_repositories_push_metadata_write": (
        "Can perform all read and write operations on the registry",
        ("metadata/read", "metadata/write", "content/read", "content/write"),
    ),
}
"""The scope maps that every registry has: what each says of itself, and what it allows on every repository."""

PASSWORDS = ("password1", "password2")
"""Names of a token's two passwords; an admin user's are ``password`` and ``password2``."""


@dataclass(slots=True)
class Stamp:
    """Creator and last writer of an object, with the instants."""

    by: str
    at: datetime
    changed_by: str
    changed: datetime

    @classmethod
    def new(cls, by: str, at: datetime) -> "Stamp":
        """The stamp of an object that is made now."""
        return cls(by, at, by, at)


@dataclass(slots=True)
class ScopeMap:
    """List of rights for tokens, such as ``repositories/{name}/content/read``."""

    name: str
    actions: list[str]
    description: str | None
    created: datetime
    kind: str = "UserDefined"
    stamp: Stamp | None = None


@dataclass(slots=True)
class TokenPassword:
    """One of a token's two passwords; without `expiry` it holds for ever."""

    name: str
    value: str = field(repr=False)
    created: datetime
    expiry: datetime | None = None


@dataclass(slots=True)
class RegistryToken:
    """User of one registry, with the rights of the scope map of the given id."""

    name: str
    scope_map_id: str
    created: datetime
    status: str = "enabled"
    passwords: list[TokenPassword] = field(default_factory=list)
    stamp: Stamp | None = None


@dataclass(slots=True)
class AdminPassword:
    """Password of the admin user, with the previous password, valid until the new one has spread."""

    value: str = field(repr=False)
    since: datetime
    before: str = field(default="", repr=False)


@dataclass(slots=True)
class Replication:
    """A region that a registry is replicated to; `routed`: requests to the login server may be answered there."""

    name: str
    location: str
    tags: dict[str, str]
    created: datetime
    routed: bool = True
    zones: str = "Disabled"
    stamp: Stamp | None = None


@dataclass(slots=True)
class Webhook:
    """Webhook of a registry: the URI to notify of pushes and deletions, and the recorded events."""

    name: str
    location: str
    tags: dict[str, str]
    uri: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    status: str = "enabled"
    scope: str = ""
    actions: list[str] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    stamp: Stamp | None = None


@dataclass(slots=True)
class CredentialSet:
    """Source of user name and password of another registry, with an identity of its own to read them."""

    name: str
    server: str
    credentials: list[Json]
    identity: dict[str, Json]
    created: datetime
    stamp: Stamp | None = None


@dataclass(slots=True)
class CacheRule:
    """Repository of a registry whose missing images are copied from elsewhere, and where they are."""

    name: str
    source: str
    target: str
    credential_set: str | None
    created: datetime
    stamp: Stamp | None = None

    def origin(self, repository: str) -> str | None:
        """Return the source of a repository, or None if the rule is not about it; a ``*`` ends both or neither."""
        if not self.target.endswith("*"):
            return self.source if repository == self.target else None
        start = self.target.removesuffix("*")
        return self.source.removesuffix("*") + repository.removeprefix(start) if repository.startswith(start) else None


@dataclass(slots=True)
class ConnectedRegistry:
    """Registry on premises: its parent with the synchronization, logging, and two lists."""

    name: str
    mode: str
    parent: dict[str, Json]
    logging: dict[str, Json]
    lists: dict[str, Json]
    stamp: Stamp | None = None


@dataclass(slots=True)
class RegistrySettings:
    """Changeable state of one registry, with objects by lower-cased name."""

    scope_maps: dict[str, ScopeMap] = field(default_factory=dict)
    tokens: dict[str, RegistryToken] = field(default_factory=dict)
    admin: list[AdminPassword] = field(default_factory=list)
    replications: dict[str, Replication] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    credential_sets: dict[str, CredentialSet] = field(default_factory=dict)
    cache_rules: dict[str, CacheRule] = field(default_factory=dict)
    connected: dict[str, ConnectedRegistry] = field(default_factory=dict)


class RegistryAccess:
    """The admin users, tokens and scope maps of all registries; `state` finds them by lower-cased resource id."""

    def __init__(
        self, clock: Clock, ids: Ids, timing: Timing, state: Callable[[], dict[str, RegistrySettings]]
    ) -> None:
        self.clock, self.ids, self.timing, self._state = clock, ids, timing, state

    def of(self, registry_id: str) -> RegistrySettings:
        """Return the state of a registry; a first request creates the system's scope maps."""
        state, key = self._state(), scope_key(registry_id)
        if key not in state:
            now = self.clock.now()
            state[key] = RegistrySettings({name: _system(name, now) for name in SYSTEM_MAPS})
        return state[key]

    def forget(self, registry_id: str) -> None:
        """Remove the users of a deleted registry."""
        self._state().pop(scope_key(registry_id), None)

    def put_scope_map(
        self, registry_id: str, name: str, actions: list[str], description: str | None = None, by: str = ""
    ) -> ScopeMap:
        """Create a scope map, or change the rights of one."""
        maps = self.of(registry_id).scope_maps
        old = maps.get(name.lower())
        now = self.clock.now()
        made = ScopeMap(old.name if old else name, list(actions), description, old.created if old else now)
        made.stamp = Stamp.new(by, now)
        maps[name.lower()] = made
        return made

    def put_token(
        self, registry_id: str, name: str, scope_map_id: str, status: str = "enabled", by: str = ""
    ) -> RegistryToken:
        """Create a token without passwords, or change a token's rights and status."""
        tokens = self.of(registry_id).tokens
        old = tokens.get(name.lower())
        made = old or RegistryToken(name, scope_map_id, self.clock.now())
        made.scope_map_id, made.status = scope_map_id, status
        made.stamp = Stamp.new(by, self.clock.now())
        tokens[name.lower()] = made
        return made

    def token(self, registry_id: str, name: str) -> RegistryToken | None:
        """Return the token with the given name, enabled or not."""
        return self.of(registry_id).tokens.get(name.lower())

    def generate(
        self, registry_id: str, name: str, which: str | None = None, expiry: datetime | None = None
    ) -> list[TokenPassword]:
        """Generate both passwords of a token, or only the one named by `which`; return the new passwords.

        LookupError without the token.
        """
        token = self.of(registry_id).tokens[name.lower()]
        now, wanted = self.clock.now(), (which,) if which else PASSWORDS
        kept = [password for password in token.passwords if password.name not in wanted]
        made = [TokenPassword(each, self.ids.registry_secret(), now, expiry) for each in wanted]
        token.passwords = sorted((*kept, *made), key=lambda password: password.name)
        return made

    def knows(self, registry_id: str, name: str, password: str) -> bool:
        """Tell if an enabled token of this name has this password now."""
        token, now = self.token(registry_id, name), self.clock.now()
        if token is None or token.status != "enabled":
            return False
        return any(p.value == password and (p.expiry is None or p.expiry > now) for p in token.passwords)

    def actions(self, registry_id: str, name: str) -> list[str]:
        """The rights of an enabled token, as its scope map lists them."""
        token = self.token(registry_id, name)
        found = (
            self.of(registry_id).scope_maps.get(token.scope_map_id.rsplit("/", 1)[-1].lower())
            if token and token.status == "enabled"
            else None
        )
        return list(found.actions) if found else []

    def allows(self, registry_id: str, name: str, right: str, repository: str) -> bool:
        """Tell if a token's rights include `right` on a repository.

        Rights are ``content/read``, ``content/write``, ``metadata/read`` …. ``*`` in a scope map stands for the rest of
        a repository's name, or for the whole name.
        """
        for action in self.actions(registry_id, name):
            kind, _, rest = action.partition("/")
            named, granted = rest.rsplit("/", 2)[0], "/".join(rest.rsplit("/", 2)[1:])
            if kind == "repositories" and granted == right and _names(named, repository):
                return True
        return False

    def admin_passwords(self, registry_id: str) -> tuple[str, str]:
        """The admin user's two passwords; they count only while ``adminUserEnabled`` is true."""
        pair = self.of(registry_id).admin
        while len(pair) < 2:
            pair.append(
                AdminPassword(
                    self.ids.registry_secret(), self.clock.now() - timedelta(seconds=self.timing.admin_password)
                )
            )
        return pair[0].value, pair[1].value

    def regenerate(self, registry_id: str, index: int) -> str:
        """Replace the admin user's first (0) or second (1) password; the new one is valid when spread."""
        self.admin_passwords(registry_id)
        pair = self.of(registry_id).admin
        pair[index] = AdminPassword(self.ids.registry_secret(), self.clock.now(), self._accepted(pair[index]))
        return pair[index].value

    def admin_knows(self, registry_id: str, password: str) -> bool:
        """Tell if the admin user has this password now, regardless of the admin user being enabled."""
        self.admin_passwords(registry_id)
        return bool(password) and any(password == self._accepted(each) for each in self.of(registry_id).admin)

    def _accepted(self, password: AdminPassword) -> str:
        spread = self.clock.now() - timedelta(seconds=self.timing.admin_password)
        return password.value if password.since <= spread else password.before


def _system(name: str, now: datetime) -> ScopeMap:
    description, rights = SYSTEM_MAPS[name]
    return ScopeMap(name, [f"repositories/*/{right}" for right in rights], description, now, "SystemDefined")


def _names(pattern: str, repository: str) -> bool:
    return repository.startswith(pattern[:-1]) if pattern.endswith("*") else repository == pattern
