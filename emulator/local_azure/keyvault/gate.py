"""Check access to a vault: firewall, request limit, then roles or access policies as the vault is set."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local_azure.arm.behaviour import Resource
from local_azure.clock import Clock
from local_azure.keyvault import refusals
from local_azure.rbac.behaviour import Authorization
from local_azure.wire import Caller

ADDRESS = "20.0.0.1"
"""Address of every request, for a vault's network rules."""

WINDOW = timedelta(seconds=10)
CREATES, OTHERS, PER_SUBSCRIPTION = 300, 4000, 5
"""Requests in a window to one vault, to set secrets and for all else; a subscription has five times as many in a region
("service limits").
"""

_POLICY = {"setSecret/action": "set", "update/action": "set", "getSecret/action": "get", "readMetadata/action": "list"}
"""The access-policy permission that stands for a data action; for the others it is the action's first word."""


@dataclass(slots=True)
class VaultRequests:
    """Requests counted for one vault, or one subscription in a region, since the beginning of the window."""

    since: datetime
    creates: int = 0
    others: int = 0


class Gate:
    """Asked once per request; `spent` finds what was taken, by vault and by subscription and region."""

    def __init__(
        self, clock: Clock, authorization: Authorization, spent: Callable[[], dict[str, VaultRequests]]
    ) -> None:
        self.clock, self.authorization, self._spent = clock, authorization, spent

    def admit(self, caller: Caller, vault: Resource) -> None:
        """Let a request through the firewall; raises 403 ForbiddenByConnection or ForbiddenByFirewall."""
        if vault.properties.get("publicNetworkAccess", "Enabled").lower() == "disabled":
            raise refusals.by_connection(caller, vault)
        rules = vault.properties.get("networkAcls") or {}
        if rules.get("defaultAction", "Allow").lower() == "deny" and not _named(rules):
            raise refusals.by_firewall(caller, vault, ADDRESS)

    def spend(self, vault: Resource, *, creating: bool) -> None:
        """Count a request.

        Raises 429 Throttled if the vault or the subscription has reached the limit of the window.
        """
        subscription = f"{vault.id.split('/')[2]}/{vault.location}".lower()
        counts = [(self._window(vault.name.lower()), 1), (self._window(subscription), PER_SUBSCRIPTION)]
        for count, times in counts:
            if (count.creates >= CREATES * times) if creating else (count.others >= OTHERS * times):
                raise refusals.throttled()
        for count, _ in counts:
            count.creates, count.others = count.creates + creating, count.others + (not creating)

    def _window(self, key: str) -> VaultRequests:
        now, spent = self.clock.now(), self._spent()
        if key not in spent or now - spent[key].since >= WINDOW:
            spent[key] = VaultRequests(now)
        return spent[key]

    def require(
        self, caller: Caller, vault: Resource, action: str, name: str | None = None, permission: str | None = None
    ) -> None:
        """Allow a data action (``getSecret/action``) on one secret, or on all.

        Raises 403 ForbiddenByRbac or AccessDenied. `permission` is the access policy's name of the action, if different
        from the usual name.
        """
        if not vault.properties.get("enableRbacAuthorization"):
            self._require_policy(caller, vault, permission or _POLICY.get(action, action.partition("/")[0]))
            return
        scope = vault.id.lower() + (f"/secrets/{name.lower()}" if name else "")
        if not self.authorization.allowed(caller.oid, f"Microsoft.KeyVault/vaults/secrets/{action}", scope, data=True):
            raise refusals.by_rbac(caller, vault, f"Microsoft.KeyVault/vaults/secrets/{action}", scope)

    def require_read(self, caller: Caller, vault: Resource, kind: str, permission: str) -> None:
        """Allow a read of ``keys`` or ``certificates``; raises 403 ForbiddenByRbac or AccessDenied."""
        action, scope = f"Microsoft.KeyVault/vaults/{kind}/read", vault.id.lower()
        if not vault.properties.get("enableRbacAuthorization"):
            self._require_policy(caller, vault, permission, kind)
        elif not self.authorization.allowed(caller.oid, action, scope, data=True):
            raise refusals.by_rbac(caller, vault, action, scope)

    def _require_policy(self, caller: Caller, vault: Resource, permission: str, kind: str = "secrets") -> None:
        """Refuse a caller without the permission in an access policy.

        ``all`` includes every right except purge; azure-cli's own tests have to ask for purge as well (recorded).
        """
        holders = {caller.oid.lower(), *(group.lower() for group in self.authorization.directory.groups_of(caller.oid))}
        for policy in vault.properties.get("accessPolicies") or ():
            granted = {p.lower() for p in (policy.get("permissions") or {}).get(kind) or ()}
            usual = {"all"} if permission != "purge" else set()
            if policy.get("objectId", "").lower() in holders and granted & {permission, *usual}:
                return
        raise refusals.by_policy(caller, vault, permission, kind)


def _named(rules: Mapping[str, object]) -> bool:
    """Tell if a vault's ``ipRules`` contain the emulator's client address."""
    address, listed = ipaddress.ip_address(ADDRESS), rules.get("ipRules")
    values = [rule.get("value", "") for rule in listed if isinstance(rule, dict)] if isinstance(listed, list) else []
    return any(address in ipaddress.ip_network(value, strict=False) for value in values if value)
