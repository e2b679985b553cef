"""Decides whether a pull succeeds: the oracle that container groups, proofs and invariants share.

A pull needs a registry that can be reached, a user that authenticates *now*, a role that allows *now*, and the image. The user is
an application id with one of its secrets, the admin user, or nobody where anonymous pull is on.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.emulator.acr.image import Image, Stored, build
from rotator.emulator.acr.tokens import BadToken, Grant, Mint
from rotator.emulator.arm.behaviour import Resource, Resources
from rotator.emulator.clock import Clock
from rotator.emulator.entra.behaviour import Tokens
from rotator.emulator.faults import Faults
from rotator.emulator.ids import Ids
from rotator.emulator.rbac.behaviour import Authorization
from rotator.emulator.timing import Timing

SUFFIXES = (".azurecr.io", ".azurecr.us", ".azurecr.cn")
"""The login servers' domains of the public cloud, US Government and China."""
REFRESH_USER = "00000000-0000-0000-0000-000000000000"
"""The user name that says: the password is a registry refresh token (Azure/acr, AAD-OAuth.md)."""
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
REQUIRED = "authentication required, visit https://aka.ms/acr/authorization for more information."
INVALID = "Invalid clientid or client secret."
DENIED = "requested access to the resource is denied"

_REGISTRY = "Microsoft.ContainerRegistry/registries"
LEGACY = {
    "pull": f"{_REGISTRY}/pull/read",
    "metadata_read": f"{_REGISTRY}/pull/read",
    "catalog": f"{_REGISTRY}/pull/read",
    "push": f"{_REGISTRY}/push/write",
    "metadata_write": f"{_REGISTRY}/push/write",
    "delete": f"{_REGISTRY}/artifacts/delete",
}
"""Actions that allow each scope action where ``roleAssignmentMode`` is LegacyRegistryPermissions, the default."""
ABAC = {
    "pull": f"{_REGISTRY}/repositories/content/read",
    "metadata_read": f"{_REGISTRY}/repositories/metadata/read",
    "catalog": f"{_REGISTRY}/catalog/read",
    "push": f"{_REGISTRY}/repositories/content/write",
    "metadata_write": f"{_REGISTRY}/repositories/metadata/write",
    "delete": f"{_REGISTRY}/repositories/content/delete",
}
"""Data actions that allow them in AbacRepositoryPermissions mode, where AcrPull and its like count for nothing."""


class PullRefused(Exception):
    """A pull that failed, in the registry's words: `code` as in its error envelope (UNAUTHORIZED, DENIED, MANIFEST_UNKNOWN …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Kind(StrEnum):
    """What sort of user it is."""

    PRINCIPAL = "principal"
    ADMIN = "admin"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has authenticated. `subject` is what the registry's tokens call him; `oid` is empty but for principals."""

    kind: Kind
    subject: str = ""
    oid: str = ""


@dataclass
class Repository:
    """The images of one repository by digest, and the tags that point at them."""

    name: str
    manifests: dict[str, Stored] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class State:
    """All registries' images by login server, and the key that signs the registries' tokens."""

    key: str = ""
    builds: int = 0
    repositories: dict[str, dict[str, Repository]] = field(default_factory=dict)


class Registries:
    """Every registry of the tenant. The registries themselves are resources of `Resources`; here is what they hold and whom they serve."""

    def __init__(
        self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, resources: Resources, authorization: Authorization, tokens: Tokens
    ) -> None:
        self.clock, self.ids, self.timing, self.faults = clock, ids, timing, faults
        self.resources, self.authorization, self.tokens = resources, authorization, tokens
        self.state = State(key=ids.hex(64))
        self.mint = Mint(clock, lambda: self.state.key, timing.registry_token_life)

    def push(
        self,
        login_server: str,
        repository: str,
        tag: str,
        *,
        digest: str | None = None,
        exit_code: int | None = None,
        run_seconds: float | None = None,
        logs: str = "",
    ) -> str:
        """Put a new image under `tag` and return its digest: how images come to be, as pushing over HTTP is not emulated.

        With `digest`, tag an image that the repository has already (LookupError if not). What a container made from it does: it
        ends with `exit_code` after `run_seconds`, or serves for ever under restart policy Always where `exit_code` is None.
        """
        home = self._home(login_server).setdefault(repository, Repository(repository))
        if digest is None:
            self.state.builds += 1
            marker = f"{login_server}/{repository} build {self.state.builds}"
            made = build(marker, exit_code=exit_code, run_seconds=run_seconds, logs=logs)
            home.manifests[made.digest] = made
            digest = made.digest
        home.tags[tag] = home.manifests[digest].digest
        return digest

    def retag(self, login_server: str, repository: str, tag: str, digest: str) -> None:
        """Point `tag` at another image of the repository (LookupError if it has none of that digest)."""
        self.push(login_server, repository, tag, digest=digest)

    def delete_tag(self, login_server: str, repository: str, tag: str) -> None:
        """Take the tag and the image that it points at, as ``az acr repository delete --image`` does (LookupError if absent)."""
        home = self._home(login_server)[repository]
        digest = home.tags.pop(tag)
        home.manifests.pop(digest, None)
        home.tags = {name: target for name, target in home.tags.items() if target != digest}

    def pull(self, login_server: str, username: str, password: str, repository: str, reference: str) -> Image:
        """Pull as a host does, with a user name and password, this instant. Raises PullRefused."""
        registry = self.registry(login_server)
        identity = self.identify(registry, username, password)
        return self._pull(registry, identity, login_server, repository, reference)

    def pull_as(self, oid: str, login_server: str, repository: str, reference: str) -> Image:
        """Pull as the managed identity whose principal is `oid`. Raises PullRefused."""
        return self._pull(self.registry(login_server), Identity(Kind.PRINCIPAL, oid, oid), login_server, repository, reference)

    def could_pull(self, app_id: str, secret: str, login_server: str, repository: str, reference: str) -> bool:
        """Whether a pull would succeed now whichever token endpoint replica were asked; nothing is changed by asking."""
        try:
            registry = self.registry(login_server)
            identity = self._known(registry, app_id, secret)
            self._pull(registry, identity, login_server, repository, reference)
        except PullRefused:
            return False
        return True

    def registry(self, login_server: str) -> Resource:
        """The registry of a login server that answers. Raises PullRefused where there is none, or its firewall is closed."""
        found = self.resources.registry(login_server.lower())
        if found is None:
            raise PullRefused("NO_SUCH_HOST", f"dial tcp: lookup {login_server}: no such host")
        if found.properties.get("publicNetworkAccess") == "Disabled":
            message = "client with IP '20.0.0.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."
            raise PullRefused("DENIED", message)
        return found

    def identify(self, registry: Resource, username: str, password: str) -> Identity:
        """Who a user name and password are, this instant. Raises PullRefused (G3 of the facts)."""
        if username == REFRESH_USER:
            return self.redeem(registry, password)
        if GUID.fullmatch(username) and not self.tokens.authenticates(username, password):
            raise PullRefused("UNAUTHORIZED", INVALID)
        return self._principal(username) if GUID.fullmatch(username) else self._other(registry, username, password)

    def redeem(self, registry: Resource, refresh_token: str) -> Identity:
        """Who a refresh token was issued to. Raises PullRefused."""
        try:
            subject = self.mint.read("refresh", _host(registry), refresh_token)["sub"]
        except BadToken as error:
            raise PullRefused("UNAUTHORIZED", REQUIRED) from error
        return self._principal(subject) if GUID.fullmatch(subject) else Identity(Kind.ADMIN, subject)

    def may(self, registry: Resource, identity: Identity, action: str, repository: str = "") -> bool:
        """Whether the registry's mode, the roles and the identity allow a scope action (``pull``, ``metadata_read``, ``catalog`` …) now."""
        if identity.kind is Kind.ADMIN:
            return bool(registry.properties.get("adminUserEnabled"))
        if identity.kind is Kind.ANONYMOUS:
            return action in ("pull", "metadata_read") and bool(registry.properties.get("anonymousPullEnabled"))
        if registry.properties.get("roleAssignmentMode") == "AbacRepositoryPermissions":
            return action in ABAC and self.authorization.allowed(identity.oid, ABAC[action], registry.id, data=True)
        return action in LEGACY and self.authorization.allowed(identity.oid, LEGACY[action], registry.id)

    def granted(self, registry: Resource, identity: Identity, asked: list[Grant]) -> list[Grant]:
        """What of the `asked` scopes an access token may carry: entries of which nothing is allowed are left out."""
        found = []
        for grant in asked:
            names = ("catalog",) if grant.type == "registry" else grant.actions
            wanted = ("pull", "push", "delete", "metadata_read", "metadata_write") if "*" in names else names
            allowed = tuple(action for action in wanted if self.may(registry, identity, action, grant.name))
            if allowed:
                found.append(Grant(grant.type, grant.name, ("*",) if grant.type == "registry" else allowed))
        return found

    def stored(self, login_server: str, repository: str, reference: str) -> Stored:
        """The image that a tag or digest names. Raises PullRefused NAME_UNKNOWN or MANIFEST_UNKNOWN."""
        home = self._home(login_server).get(repository)
        if home is None:
            raise PullRefused("NAME_UNKNOWN", "repository name not known to registry")
        found = home.manifests.get(reference if reference.startswith("sha256:") else home.tags.get(reference, ""))
        if found is None:
            how = "with digest" if reference.startswith("sha256:") else "tagged by"
            raise PullRefused("MANIFEST_UNKNOWN", f'manifest {how} "{reference}" is not found')
        return found

    def repositories(self, login_server: str) -> list[str]:
        """The names of all repositories that hold something, in order."""
        return sorted(name for name, home in self._home(login_server).items() if home.manifests)

    def tags(self, login_server: str, repository: str) -> list[str]:
        """The repository's tags, in order. Raises PullRefused NAME_UNKNOWN."""
        home = self._home(login_server).get(repository)
        if home is None:
            raise PullRefused("NAME_UNKNOWN", "repository name not known to registry")
        return sorted(home.tags)

    def blob(self, login_server: str, repository: str, digest: str) -> bytes:
        """A configuration or layer. Raises PullRefused NAME_UNKNOWN or BLOB_UNKNOWN."""
        self.tags(login_server, repository)
        contents = (stored.blob(digest) for stored in self._home(login_server)[repository].manifests.values())
        found = next((content for content in contents if content is not None), None)
        if found is None:
            raise PullRefused("BLOB_UNKNOWN", "blob unknown to registry")
        return found

    def admin_passwords(self, login_server: str) -> tuple[str, str]:
        """The admin user's two passwords; they count only while ``adminUserEnabled`` is true."""
        return self.resources.access.admin_passwords(self._id(login_server))

    def regenerate_admin_password(self, login_server: str, index: int) -> str:
        """Replace the first (0) or second (1) password of the admin user, which takes a minute to spread."""
        return self.resources.access.regenerate(self._id(login_server), index)

    def _pull(self, registry: Resource, identity: Identity, login_server: str, repository: str, reference: str) -> Image:
        if not self.may(registry, identity, "pull", repository):
            raise PullRefused("DENIED", DENIED)
        return self.stored(login_server, repository, reference).image()

    def _known(self, registry: Resource, username: str, password: str) -> Identity:
        if not GUID.fullmatch(username):
            return self._other(registry, username, password)
        if not self.tokens.authenticates_everywhere(username, password):
            raise PullRefused("UNAUTHORIZED", INVALID)
        return self._principal(username)

    def _other(self, registry: Resource, username: str, password: str) -> Identity:
        if not username and not password:
            if registry.properties.get("anonymousPullEnabled"):
                return Identity(Kind.ANONYMOUS)
            raise PullRefused("UNAUTHORIZED", REQUIRED)
        if username.lower() != registry.name.lower():
            raise PullRefused("UNAUTHORIZED", "aad access token with sp failed client id must be guid")
        if not registry.properties.get("adminUserEnabled") or not self.resources.access.admin_knows(registry.id, password):
            raise PullRefused("UNAUTHORIZED", INVALID)
        return Identity(Kind.ADMIN, registry.name.lower())

    def _principal(self, app_id: str) -> Identity:
        found = self.tokens.directory.principal(app_id)
        if found is None:
            raise PullRefused("UNAUTHORIZED", INVALID)
        return Identity(Kind.PRINCIPAL, app_id.lower(), found.id)

    def _id(self, login_server: str) -> str:
        """The id of the registry at a login server; LookupError if there is none."""
        found = self.resources.registry(login_server)
        if found is None:
            raise LookupError(f"there is no registry {login_server!r}")
        return found.id

    def _home(self, login_server: str) -> dict[str, Repository]:
        return self.state.repositories.setdefault(login_server.lower(), {})


def _host(registry: Resource) -> str:
    return str(registry.properties.get("loginServer") or f"{registry.name}.azurecr.io").lower()
