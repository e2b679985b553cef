"""Key Vault's rules for secrets: a new version on each set, soft deletion, no reading of disabled versions.

Vaults are known by short name. A vault is a resource of Resource Manager; here are only the contents.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from local_azure.arm.behaviour import VAULTS, Resource, Resources
from local_azure.arm.graveyard import retention
from local_azure.clock import Clock
from local_azure.faults import Faults
from local_azure.ids import Ids
from local_azure.keyvault import refusals
from local_azure.keyvault.backup import Backup, open_sealed, seal
from local_azure.keyvault.gate import Gate, VaultRequests
from local_azure.keyvault.secret import CURRENT, Changes, Moving, Replica, Secret, Version
from local_azure.rbac.behaviour import Authorization
from local_azure.timing import Timing


@dataclass(slots=True)
class VaultState:
    """Changing state of all vaults.

    Holds the secrets by vault and lower-cased name, the number of versions ever made, the recent requests, and the key
    of backups.
    """

    secrets: dict[str, dict[str, Secret]] = field(default_factory=dict)
    made: int = 0
    spent: dict[str, VaultRequests] = field(default_factory=dict)
    backup_key: str = field(default="", repr=False)


class Vaults:
    """The contents of every vault."""

    def __init__(
        self, clock: Clock, ids: Ids, timing: Timing, faults: Faults, resources: Resources, authorization: Authorization
    ) -> None:
        self.clock, self.ids, self.timing, self.faults = clock, ids, timing, faults
        self.resources, self.authorization = resources, authorization
        self.state = VaultState()
        self.gate = Gate(clock, authorization, lambda: self.state.spent)
        """Whom a vault lets in."""
        resources.purged.append(self._forget)

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
        """Make a new version, also of an equal value.

        Raises 400 BadParameter; 409 ObjectIsDeletedButRecoverable, ObjectIsBeingDeleted, ObjectIsBeingRecovered.
        """
        refusals.check(name, content_type, tags)
        if len(value.encode()) > refusals.VALUE_LIMIT:
            raise refusals.invalid()
        secret = self._named(vault, name)
        if secret is None:
            secret = self.state.secrets[vault.lower()][name.lower()] = Secret(name)
        else:
            self._settled(secret)
        if secret.deleted_at:
            raise refusals.in_the_way(name)
        now = self.clock.now()
        self.state.made += 1
        version = Version(
            self.ids.hex(32),
            self.state.made,
            value,
            now,
            now,
            enabled,
            exp,
            nbf,
            content_type,
            None if tags is None else dict(tags),
        )
        secret.write(version)
        return version

    def get(self, vault: str, name: str, version: str | None = None) -> Version:
        """A version, or the newest; raises 404 SecretNotFound, 403 SecretDisabled.

        A fault ``stale`` hides the last write, or with a number as its argument so many of the newest versions.
        """
        found = self.find(vault, name, version, self._replica())
        if not found.enabled:
            raise refusals.disabled()
        return found

    def _replica(self) -> Replica:
        """Return the replica that answers the present read."""
        fault = self.faults.active("stale")
        if fault is None:
            return CURRENT
        return Replica(lacks=int(fault.argument)) if fault.argument else Replica(stale=True)

    def find(self, vault: str, name: str, version: str | None = None, replica: Replica = CURRENT) -> Version:
        """A version, or the newest, enabled or not; raises 404 SecretNotFound."""
        secret = self._named(vault, name)
        found = None
        if secret and self._here(secret):
            found = secret.seen(replica).get(version.lower()) if version else secret.newest(replica)
        if found is None:
            raise refusals.not_found(f"{name}/{version}" if version else name)
        return found

    def versions(self, vault: str, name: str) -> list[Version]:
        """Return every version, ordered by id and so not by time; an absent name has no versions."""
        secret, replica = self._named(vault, name), self._replica()
        if secret is None or not self._here(secret):
            return []
        return sorted(secret.seen(replica).values(), key=lambda version: version.id)

    def names(self, vault: str) -> list[tuple[Secret, Version]]:
        """Return the secrets of a vault by name, each with the newest version visible to the read."""
        replica = self._replica()
        seen = [(s, s.newest(replica)) for _, s in sorted(self._contents(vault).items()) if self._here(s)]
        return [(secret, newest) for secret, newest in seen if newest]

    def listed(self, vault: str) -> list[Secret]:
        """Return the secrets of :meth:`names`, without looking for the newest version of each."""
        replica = self._replica()
        found = sorted(self._contents(vault).items())
        return [secret for _, secret in found if secret.seen(replica) and self._here(secret)]

    def newest(self, secret: Secret) -> Version:
        """Return the newest version visible to a read of a listed secret."""
        replica = self._replica()
        return max(secret.seen(replica).values(), key=lambda version: version.order)

    def update(self, vault: str, name: str, version: str | None, changes: Changes) -> Version:
        """Change the attributes, content type or tags of a version, or of the newest. Raises 400, 404."""
        refusals.check(name, changes.content_type, changes.tags)
        found = self.find(vault, name, version)
        given = {
            field: value
            for field in ("enabled", "exp", "nbf", "content_type", "tags")
            if (value := getattr(changes, field)) is not None
        }
        changed = replace(found, updated=self.clock.now(), **given)
        secret = self._named(vault, name)
        if secret:
            secret.write(changed)
        return changed

    def delete(self, vault: str, name: str) -> Secret:
        """Soft-delete a secret with all versions; raises 404 SecretNotFound."""
        self.find(vault, name)
        secret = self._contents(vault)[name.lower()]
        secret.deleted_at = self.clock.now()
        secret.purge_at = secret.deleted_at + timedelta(days=self.retention(vault))
        self._move(secret, "deleting")
        return secret

    def deleted(self, vault: str, name: str) -> Secret:
        """A soft-deleted secret, for a GET.

        Raises 404 SecretNotFound, also while it is being deleted, recovered or purged; 403 SecretDisabled if the newest
        version is disabled.
        """
        secret = self._named(vault, name)
        if secret is None or not secret.deleted_at or secret.busy(self.clock.now()):
            raise refusals.deleted_not_found(name)
        newest = secret.newest()
        if newest and not newest.enabled:
            raise refusals.disabled()
        return secret

    def deleted_names(self, vault: str) -> list[Secret]:
        """The soft-deleted secrets of a vault, by name."""
        now = self.clock.now()
        return [s for _, s in sorted(self._contents(vault).items()) if s.deleted_at and not s.busy(now)]

    def recover(self, vault: str, name: str) -> tuple[Secret, Version]:
        """Undo a soft delete; the newest version.

        Raises 404 SecretNotFound, 409 ObjectIsBeingDeleted, and 400 MethodNotAllowed for a secret that isn't deleted.
        """
        present = self._named(vault, name)
        if present is None:
            raise refusals.not_found(name)
        if not present.deleted_at:
            raise refusals.not_deleted(present.name)
        secret = self._deleted_at_rest(vault, name)
        secret.deleted_at = secret.purge_at = None
        self._move(secret, "recovering")
        newest = secret.newest()
        if newest is None:
            raise refusals.deleted_not_found(name)
        return secret, newest

    def purge(self, vault: str, name: str) -> None:
        """Purge a soft-deleted secret.

        Raises 404 SecretNotFound, 409 as above, 403 if the vault has purge protection.
        """
        secret = self._deleted_at_rest(vault, name)
        if self.vault(vault).properties.get("enablePurgeProtection"):
            raise refusals.purge_protected()
        self._move(secret, "purging")
        secret.purge_at = secret.until

    def _deleted_at_rest(self, vault: str, name: str) -> Secret:
        secret = self._named(vault, name)
        if secret is None or not secret.deleted_at:
            raise refusals.deleted_not_found(name)
        if secret.busy(self.clock.now()):
            raise refusals.being_deleted(secret.name)
        return secret

    def _move(self, secret: Secret, what: Moving) -> None:
        secret.moving, secret.until = what, self.clock.now() + timedelta(seconds=self.timing.secret_moving)

    def _settled(self, secret: Secret) -> None:
        """Refuse an operation on a secret while another operation on the secret is in progress."""
        busy = secret.busy(self.clock.now())
        if busy:
            raise refusals.moving(
                secret.name, "ObjectIsBeingRecovered" if busy == "recovering" else "ObjectIsBeingDeleted"
            )

    def _here(self, secret: Secret) -> bool:
        return secret.deleted_at is None and secret.busy(self.clock.now()) != "recovering"

    def backup(self, vault: str, name: str) -> str:
        """Return all versions of a secret as one text.

        Raises 404 SecretNotFound, and 400 for too many versions (the text of the 400 could not be looked up).
        """
        self.find(vault, name)
        secret = self._contents(vault)[name.lower()]
        if len(secret.versions) > refusals.VERSION_LIMIT:
            raise refusals.bad(f"The secret has more than {refusals.VERSION_LIMIT} versions and cannot be backed up.")
        return seal(self._backup_key(), Backup(self._subscription(vault), Secret(secret.name, dict(secret.versions))))

    def restore(self, vault: str, text: str) -> tuple[Secret, Version]:
        """Restore a backed-up secret with all versions into a vault; return the secret and the newest version.

        The vault must be in the same subscription. Raises 400 BadParameter for an invalid backup or another
        subscription's, 409 if the name is taken.
        """
        backup = open_sealed(self._backup_key(), text)
        if backup.subscription != self._subscription(vault):
            raise refusals.bad("The backup blob belongs to another subscription and cannot be restored to this vault.")
        existing = self._named(vault, backup.secret.name)
        if existing:
            self._settled(existing)
            id_ = f"{self.vault(vault).properties['vaultUri']}secrets/{existing.name}/{max(backup.secret.versions)}"
            raise refusals.in_the_way(existing.name) if existing.deleted_at else refusals.conflicting(id_)
        self._contents(vault)[backup.secret.name.lower()] = backup.secret
        return backup.secret, self.find(vault, backup.secret.name)

    def _backup_key(self) -> str:
        if not self.state.backup_key:
            self.state.backup_key = self.ids.hex(64)
        return self.state.backup_key

    def _subscription(self, vault: str) -> str:
        return self.vault(vault).id.split("/")[2].lower()

    def retention(self, vault: str) -> int:
        """Return the number of days for recovering a deleted secret (7 to 90, fixed at the vault's creation)."""
        return retention(self.vault(vault).properties)

    def recovery_level(self, vault: str) -> str:
        """Return the recovery level of the vault, as shown in attributes."""
        word = "Recoverable" if self.retention(vault) == 90 else "CustomizedRecoverable"
        return word if self.vault(vault).properties.get("enablePurgeProtection") else f"{word}+Purgeable"

    def _contents(self, vault: str) -> dict[str, Secret]:
        """The secrets of a vault, without those whose soft delete has ended; LookupError without a vault."""
        self.vault(vault)
        now, contents = self.clock.now(), self.state.secrets.setdefault(vault.lower(), {})
        for name in [name for name, secret in contents.items() if secret.purge_at and secret.purge_at <= now]:
            del contents[name]
        return contents

    def _forget(self, vault: Resource) -> None:
        """Remove the contents of a purged vault."""
        self.state.secrets.pop(vault.name.lower(), None)

    def _named(self, vault: str, name: str) -> Secret | None:
        return self._contents(vault).get(name.lower())
