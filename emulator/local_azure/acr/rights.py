"""Identify the users of a registry and decide their rights at the present instant.

The user is an application id with one of its secrets, the admin user, a repository-scoped token, a holder of the
registry's own refresh token, or an anonymous user if anonymous pull is on. Rights come from roles (the registry's mode
selects the roles), from a scope map, or from the registry's own settings.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network

from local_azure.acr.conditions import holds
from local_azure.acr.refusal import Refused
from local_azure.acr.tokens import BadRegistryToken, Mint, TokenGrant
from local_azure.arm.behaviour import Resource, Resources
from local_azure.entra.behaviour import Tokens
from local_azure.rbac.behaviour import Authorization
from local_azure.rbac.scopes import encloses

REFRESH_USER = "00000000-0000-0000-0000-000000000000"
"""The user name that says: the password is a registry refresh token (Azure/acr, AAD-OAuth.md)."""
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
REQUIRED = "authentication required, visit https://aka.ms/acr/authorization for more information."
INVALID = "Invalid clientid or client secret."
DENIED = "requested access to the resource is denied"
CLIENT_ADDRESS = "20.0.0.1"
"""Address of every client of the emulator, for a registry's IP rules."""

_REGISTRY = "Microsoft.ContainerRegistry/registries"
ALL = ("pull", "push", "delete", "metadata_read", "metadata_write")
"""Actions that ``*`` stands for in a repository's scope."""
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
MAPPED = {
    "pull": "content/read",
    "metadata_read": "metadata/read",
    "push": "content/write",
    "metadata_write": "metadata/write",
    "delete": "content/delete",
}
"""Names of the rights in a scope map ("Create a token with repository-scoped permissions"); none lists the catalog."""


class Kind(StrEnum):
    """Kind of user."""

    PRINCIPAL = "principal"
    ADMIN = "admin"
    TOKEN = "token"  # noqa: S105 - what ACR calls such a user
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class PullIdentity:
    """An authenticated user.

    `subject` is the user's name in the registry's tokens. `oid` is empty except for principals.
    """

    kind: Kind
    subject: str = ""
    oid: str = ""


class Rights:
    """Rights of users, asked by the wire, by pulls and by proofs.

    A question changes no state except the turn of the replicas.
    """

    def __init__(self, resources: Resources, authorization: Authorization, tokens: Tokens, mint: Mint) -> None:
        self._resources, self._authorization, self._tokens, self._mint = resources, authorization, tokens, mint

    def registry(self, login_server: str, *, trusted: bool = False) -> Resource:
        """Return the reachable registry of a login server.

        Raises Refused if there is no such registry, or the firewall is closed. `trusted`: the caller is an Azure
        service with a managed identity, and may pass the firewall (``networkRuleBypassOptions``).
        """
        found = self._resources.registry(login_server.lower())
        if found is None:
            raise Refused("NO_SUCH_HOST", f"dial tcp: lookup {login_server}: no such host")
        bypass = trusted and found.properties.get("networkRuleBypassOptions") == "AzureServices"
        if not bypass and not _reachable(found):
            message = (
                f"client with IP '{CLIENT_ADDRESS}' is not allowed access. Refer https://aka.ms/acr/firewall to grant"
                " access."
            )
            raise Refused("DENIED", message)
        return found

    def identify(self, registry: Resource, username: str, password: str) -> PullIdentity:
        """Return the identity of a user name and password at this instant. Raises Refused (azure-facts G3)."""
        if username == REFRESH_USER:
            return self.redeem(registry, password)
        if GUID.fullmatch(username) and not self._tokens.authenticates(username, password):
            raise Refused("UNAUTHORIZED", INVALID)
        return self._principal(username) if GUID.fullmatch(username) else self._other(registry, username, password)

    def known(self, registry: Resource, username: str, password: str) -> PullIdentity:
        """Do the same as `identify` for all replicas of Entra, without using a replica's turn. Raises Refused."""
        if not GUID.fullmatch(username):
            return self._other(registry, username, password)
        if not self._tokens.authenticates_everywhere(username, password):
            raise Refused("UNAUTHORIZED", INVALID)
        return self._principal(username)

    def redeem(self, registry: Resource, refresh_token: str) -> PullIdentity:
        """Return the identity named in a refresh token. Raises Refused."""
        try:
            subject = self._mint.read("refresh", login_server(registry), refresh_token)["sub"]
        except BadRegistryToken as error:
            raise Refused("UNAUTHORIZED", REQUIRED) from error
        if GUID.fullmatch(subject):
            return self._principal(subject)
        return PullIdentity(Kind.ADMIN if subject == registry.name.lower() else Kind.TOKEN, subject)

    def may(self, registry: Resource, identity: PullIdentity, action: str, repository: str = "") -> bool:
        """Tell if the registry's mode, the roles and the identity allow a scope action now.

        Scope actions are ``pull``, ``metadata_read``, ``catalog`` …
        """
        if identity.kind is Kind.ADMIN:
            return bool(registry.properties.get("adminUserEnabled"))
        if identity.kind is Kind.ANONYMOUS:
            return action in ("pull", "metadata_read") and bool(registry.properties.get("anonymousPullEnabled"))
        if identity.kind is Kind.TOKEN:
            return action in MAPPED and self._resources.access.allows(
                registry.id, identity.subject, MAPPED[action], repository
            )
        if registry.properties.get("roleAssignmentMode") == "AbacRepositoryPermissions":
            return action in ABAC and self._in_repository(registry, identity, ABAC[action], repository)
        return action in LEGACY and self._authorization.allowed(identity.oid, LEGACY[action], registry.id)

    def granted(self, registry: Resource, identity: PullIdentity, asked: Iterable[TokenGrant]) -> list[TokenGrant]:
        """Return the part of the `asked` scopes allowed in an access token, without entries lacking any right."""
        found = []
        for grant in asked:
            names = ("catalog",) if grant.type == "registry" else grant.actions
            allowed = tuple(
                action
                for action in (ALL if "*" in names else names)
                if self.may(registry, identity, action, grant.name)
            )
            if allowed:
                found.append(TokenGrant(grant.type, grant.name, ("*",) if grant.type == "registry" else allowed))
        return found

    def _in_repository(self, registry: Resource, identity: PullIdentity, action: str, repository: str) -> bool:
        """Tell if roles with fulfilled conditions allow the action in the repository.

        For rights still allowed by lagging news only, there is no condition to check.
        """
        if not self._authorization.allowed(identity.oid, action, registry.id, data=True):
            return False
        conditions = list(self._conditions(registry, identity.oid, action))
        return not conditions or any(holds(condition, action, repository) for condition in conditions)

    def _conditions(self, registry: Resource, oid: str, action: str) -> Iterator[str | None]:
        for assignment in self._authorization.effective(oid):
            if encloses(assignment.scope, registry.id) and self._authorization.role(assignment.role).allows(
                action, data=True
            ):
                yield assignment.condition

    def _other(self, registry: Resource, username: str, password: str) -> PullIdentity:
        access = self._resources.access
        if not username and not password:
            if registry.properties.get("anonymousPullEnabled"):
                return PullIdentity(Kind.ANONYMOUS)
            raise Refused("UNAUTHORIZED", REQUIRED)
        if username.lower() == registry.name.lower():
            if not registry.properties.get("adminUserEnabled") or not access.admin_knows(registry.id, password):
                raise Refused("UNAUTHORIZED", INVALID)
            return PullIdentity(Kind.ADMIN, registry.name.lower())
        if access.token(registry.id, username) is None:
            raise Refused("UNAUTHORIZED", "aad access token with sp failed client id must be guid")
        if not access.knows(registry.id, username, password):
            raise Refused("UNAUTHORIZED", INVALID)
        return PullIdentity(Kind.TOKEN, username)

    def _principal(self, app_id: str) -> PullIdentity:
        found = self._tokens.directory.principal(app_id)
        if found is None:
            raise Refused("UNAUTHORIZED", INVALID)
        return PullIdentity(Kind.PRINCIPAL, app_id.lower(), found.id)


def login_server(registry: Resource) -> str:
    """Return the host of a registry."""
    return str(registry.properties.get("loginServer") or f"{registry.name}.azurecr.io").lower()


def _reachable(registry: Resource) -> bool:
    rules = registry.properties.get("networkRuleSet") or {}
    if registry.properties.get("publicNetworkAccess") == "Disabled":
        return False
    if rules.get("defaultAction") != "Deny":
        return True
    allowed = [
        ip_network(rule["value"], strict=False)
        for rule in rules.get("ipRules", [])
        if rule.get("action", "Allow") == "Allow"
    ]
    return any(ip_address(CLIENT_ADDRESS) in network for network in allowed)
