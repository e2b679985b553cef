"""Key Vault's rules for secrets: every set is a new version, deletion is soft, and a disabled version can't be read.

Vaults are known by their short name. A vault is a resource of Resource Manager; here is only what is in it.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rotator.emulator.arm.behaviour import VAULTS, Resource, Resources
from rotator.emulator.clock import Clock
from rotator.emulator.faults import Faults
from rotator.emulator.ids import Ids
from rotator.emulator.keyvault.secret import Changes, Secret, Version
from rotator.emulator.rbac.behaviour import Authorization
from rotator.emulator.timing import Timing
from rotator.emulator.wire import Caller, ServiceError

VALUE_LIMIT, CONTENT_TYPE_LIMIT, TAG_LIMIT, TAG_COUNT = 25 * 1024, 255, 512, 15
"""Bytes of a value; characters of a content type, of a tag's name or value; tags ("Secret" limits of the service)."""

_POLICY = {"setSecret/action": "set", "update/action": "set", "getSecret/action": "get", "readMetadata/action": "list"}
"""The access-policy permission that stands for a data action; for the others it is the action's first word."""


@dataclass(slots=True)
class State:
    """All that changes: secrets by vault and lower-cased name, and how many versions were ever made."""

    secrets: dict[str, dict[str, Secret]] = field(default_factory=dict)
    made: int = 0


class Vaults:
    """The contents of every vault."""

    def __init__(self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, resources: Resources, authorization: Authorization) -> None:
        self.clock, self.ids, self.timing, self.faults = clock, ids, timing, faults
        self.resources, self.authorization = resources, authorization
        self.state = State()

    def vault(self, name: str) -> Resource:
        """The vault's resource; LookupError where there is none (its host name wouldn't resolve)."""
        found = self.resources.find(VAULTS, name)
        if found is None:
            raise LookupError(f"there is no vault {name!r}")
        return found

    def set(
        self,
        vault: str,
        name: str,
        value: str,
        tags: dict[str, str] | None = None,
        content_type: str | None = None,
        enabled: bool = True,
        exp: datetime | None = None,
        nbf: datetime | None = None,
    ) -> Version:
        """Make a new version, also of an equal value. Raises 400 BadParameter, 409 ObjectIsDeletedButRecoverable."""
        _check(name, content_type, tags)
        if len(value.encode()) > VALUE_LIMIT:
            raise _bad(f"The length of the secret value exceeds the maximum of {VALUE_LIMIT} bytes.")
        secret = self._named(vault, name)
        if secret is None:
            secret = self.state.secrets[vault.lower()][name.lower()] = Secret(name)
        elif secret.deleted_at:
            raise _in_the_way(name)
        now = self.clock.now()
        self.state.made += 1
        version = Version(self.ids.hex(32), self.state.made, value, now, now, enabled, exp, nbf, content_type, None if tags is None else dict(tags))
        secret.write(version)
        return version

    def get(self, vault: str, name: str, version: str | None = None) -> Version:
        """A version, or the newest; raises 404 SecretNotFound, 403 SecretDisabled. A fault ``stale`` hides the last write."""
        found = self.find(vault, name, version, stale=self.faults.active("stale") is not None)
        if not found.enabled:
            raise ServiceError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", inner="SecretDisabled")
        return found

    def find(self, vault: str, name: str, version: str | None = None, *, stale: bool = False) -> Version:
        """A version, or the newest, enabled or not; raises 404 SecretNotFound."""
        secret = self._named(vault, name)
        found = None
        if secret and not secret.deleted_at:
            found = secret.seen(stale=stale).get(version.lower()) if version else secret.newest(stale=stale)
        if found is None:
            raise _not_found(f"{name}/{version}" if version else name)
        return found

    def versions(self, vault: str, name: str) -> list[Version]:
        """Every version, in the order of their ids, which says nothing of time; none of a name that isn't there."""
        secret, stale = self._named(vault, name), self.faults.active("stale") is not None
        if secret is None or secret.deleted_at:
            return []
        return sorted(secret.seen(stale=stale).values(), key=lambda version: version.id)

    def names(self, vault: str) -> list[tuple[Secret, Version]]:
        """The secrets of a vault, each with the newest version that this read sees, by name."""
        stale = self.faults.active("stale") is not None
        seen = [(s, s.newest(stale=stale)) for _, s in sorted(self._contents(vault).items()) if not s.deleted_at]
        return [(secret, newest) for secret, newest in seen if newest]

    def update(self, vault: str, name: str, version: str | None, changes: Changes) -> Version:
        """Change the attributes, content type or tags of a version, or of the newest. Raises 400, 404."""
        _check(name, changes.content_type, changes.tags)
        found = self.find(vault, name, version)
        given = {field: value for field in ("enabled", "exp", "nbf", "content_type", "tags") if (value := getattr(changes, field)) is not None}
        changed = replace(found, updated=self.clock.now(), **given)
        secret = self._named(vault, name)
        if secret:
            secret.write(changed)
        return changed

    def delete(self, vault: str, name: str) -> Secret:
        """Soft-delete a secret with all its versions; raises 404 SecretNotFound."""
        self.find(vault, name)
        secret = self._contents(vault)[name.lower()]
        secret.deleted_at = self.clock.now()
        secret.purge_at = secret.deleted_at + timedelta(days=self.retention(vault))
        return secret

    def deleted(self, vault: str, name: str) -> Secret:
        """A soft-deleted secret; raises 404 SecretNotFound."""
        secret = self._named(vault, name)
        if secret is None or not secret.deleted_at:
            raise _not_found(name, "deleted secret")
        return secret

    def deleted_names(self, vault: str) -> list[Secret]:
        """The soft-deleted secrets of a vault, by name."""
        return [s for _, s in sorted(self._contents(vault).items()) if s.deleted_at]

    def recover(self, vault: str, name: str) -> Version:
        """Undo a soft delete; the newest version. Raises 404 SecretNotFound."""
        secret = self.deleted(vault, name)
        secret.deleted_at = secret.purge_at = None
        return self.find(vault, name)

    def purge(self, vault: str, name: str) -> None:
        """End a soft-deleted secret for good; raises 404 SecretNotFound, 403 where the vault has purge protection."""
        self.deleted(vault, name)
        if self.vault(vault).properties.get("enablePurgeProtection"):
            raise ServiceError(403, "Forbidden", 'Operation "purge" is not allowed because purge protection is enabled for this vault.')
        del self._contents(vault)[name.lower()]

    def retention(self, vault: str) -> int:
        """For how many days a deleted secret can be recovered (7 to 90, fixed at the vault's creation)."""
        return int(self.vault(vault).properties.get("softDeleteRetentionInDays", 90))

    def recovery_level(self, vault: str) -> str:
        """The word for how deletion works in this vault, as attributes show it."""
        word = "Recoverable" if self.retention(vault) == 90 else "CustomizedRecoverable"
        return word if self.vault(vault).properties.get("enablePurgeProtection") else f"{word}+Purgeable"

    def require(self, caller: Caller, vault: str, action: str, name: str | None = None) -> None:
        """Let a data action (``getSecret/action``) on a secret, or on all of them, pass; raises 403 ForbiddenByRbac or AccessDenied."""
        resource = self.vault(vault)
        scope = resource.id.lower() + (f"/secrets/{name.lower()}" if name else "")
        if not resource.properties.get("enableRbacAuthorization"):
            self._require_policy(caller, resource, action)
        elif not self.authorization.allowed(caller.oid, f"Microsoft.KeyVault/vaults/secrets/{action}", scope, data=True):
            raise _forbidden(caller, resource, f"Microsoft.KeyVault/vaults/secrets/{action}", scope)

    def _require_policy(self, caller: Caller, resource: Resource, action: str) -> None:
        permission = _POLICY.get(action, action.partition("/")[0])
        for policy in resource.properties.get("accessPolicies", ()):
            granted = {p.lower() for p in policy.get("permissions", {}).get("secrets", ())}
            if policy.get("objectId", "").lower() == caller.oid.lower() and granted & {permission, "all"}:
                return
        who = f"appid={caller.app_id};oid={caller.oid};iss=https://sts.windows.net/{caller.tenant}/"
        message = f"The user, group or application '{who}' does not have secrets {permission} permission on key vault"
        message += f" '{resource.name};location={resource.location}'."
        help_link = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287"
        raise ServiceError(403, "Forbidden", f"{message} {help_link}", inner="AccessDenied")

    def _contents(self, vault: str) -> dict[str, Secret]:
        """The secrets of a vault, without those whose soft delete has ended; LookupError without a vault."""
        self.vault(vault)
        now, contents = self.clock.now(), self.state.secrets.setdefault(vault.lower(), {})
        for name in [name for name, secret in contents.items() if secret.purge_at and secret.purge_at <= now]:
            del contents[name]
        return contents

    def _named(self, vault: str, name: str) -> Secret | None:
        return self._contents(vault).get(name.lower())


def _check(name: str, content_type: str | None, tags: dict[str, str] | None) -> None:
    if not re.fullmatch(r"[0-9a-zA-Z-]{1,127}", name):
        raise _bad(f"The request URI contains an invalid name: {name}")
    if len(content_type or "") > CONTENT_TYPE_LIMIT:
        raise _bad(f"The length of contentType exceeds the maximum of {CONTENT_TYPE_LIMIT} characters.")
    if len(tags or {}) > TAG_COUNT:
        raise _bad(f"The number of tags exceeds the maximum of {TAG_COUNT}.")
    if any(len(text) > TAG_LIMIT for pair in (tags or {}).items() for text in pair):
        raise _bad(f"The length of a tag's name or value exceeds the maximum of {TAG_LIMIT} characters.")


def _bad(message: str) -> ServiceError:
    return ServiceError(400, "BadParameter", message)


def _not_found(name: str, kind: str = "secret") -> ServiceError:
    if kind != "secret":
        return ServiceError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it"
        " using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
    )
    return ServiceError(404, "SecretNotFound", message)


def _in_the_way(name: str) -> ServiceError:
    message = (
        f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused;"
        " in this state, the secret can only be recovered or purged."
    )
    return ServiceError(409, "Conflict", message, inner="ObjectIsDeletedButRecoverable")


def _forbidden(caller: Caller, resource: Resource, action: str, scope: str) -> ServiceError:
    lines = (
        "Caller is not authorized to perform action on resource.",
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
        f"Caller: appid={caller.app_id};oid={caller.oid};iss=https://sts.windows.net/{caller.tenant}/",
        f"Action: '{action}'",
        f"Resource: '{scope}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: null ",
        f"Vault: {resource.name};location={resource.location}",
        "",
    )
    return ServiceError(403, "Forbidden", "\r\n".join(lines), inner="ForbiddenByRbac")
