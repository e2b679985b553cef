"""Key Vault secrets, through azure-keyvault-secrets.

These are the published password and the sources of hidden values; `access_mark.py` has the access mark. A secret's PUT
creates a version each time, so the PUT is sent once.

Source of codes: Key Vault REST "Authentication, requests and responses".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.keyvault.secrets import DeletedSecret, KeyVaultSecret, SecretProperties
from azure.keyvault.secrets.aio import SecretClient

from rotator.causes import Denial
from rotator.clients.api_versions import SECRETS
from rotator.clients.pages import ask_all
from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked
from rotator.clients.token import Token
from rotator.clients.translation import ask
from rotator.clients.typed import labels
from rotator.codes import FailureCode
from rotator.errors import AzureError, Forbidden, NotFound, Unexpected, Unseen
from rotator.policy import Policy
from rotator.state import Secret, Tags, Version, tags

SERVICE = "Key Vault"
OFFICER = "Key Vault Secrets Officer"
GET, LIST, SET, UPDATE = "getSecret", "readMetadata", "setSecret", "update"
SET_ACTION = "Microsoft.KeyVault/vaults/secrets/setSecret/action"


RELISTED, RELIST_AFTER = 2, 5.0
"""Number of repeated reads for a list of versions without the newest one, and seconds before each."""


@dataclass(frozen=True, slots=True)
class Published:
    """Versions of the published secret, sorted by creation, and the id of the version returned to readers.

    `complete` is False where the list and a GET disagree: versions may be missing, so no removal may rely on the list.
    """

    versions: tuple[Version, ...] = ()
    latest: str | None = None
    complete: bool = True

    @classmethod
    def of(cls, listed: Sequence[Version], latest: Version | None) -> "Published":
        """Combine the list and the GET."""
        found = {version.id: version for version in (*listed, *([latest] if latest else ()))}
        reader = latest.id if latest else None
        versions = tuple(
            sorted(found.values(), key=lambda version: (version.created, version.id == reader, version.id))
        )
        return cls(versions, reader, (reader in {version.id for version in listed}) if reader else not listed)


class KeyVault:
    """Clients of all vaults, each created at the first request to its vault."""

    def __init__(self, line: Line, token: Token) -> None:
        self._line, self._token = line, token
        self._clients: dict[str, SecretClient] = {}

    async def close(self) -> None:
        """Close the clients; the session stays open."""
        for client in self._clients.values():
            await client.close()

    def client(self, policy: Policy) -> SecretClient:
        """Return the client of a policy's vault."""
        url = policy.key_vault.url
        if url not in self._clients:
            options = self._line.options([policy.key_vault.host])
            self._clients[url] = SecretClient(url, self._token, api_version=SECRETS.version, **options)  # type: ignore[arg-type]
        return self._clients[url]

    async def versions(self, policy: Policy) -> Published:
        """Return every version of the published secret, by the list and by a GET without a version.

        Empty where neither knows the secret. The list may lag behind: while the version returned to readers is missing,
        the list is read again for some seconds.
        """
        found = await self._published(policy)
        for _ in range(RELISTED):
            if found.complete:
                break
            await self._line.clock.sleep(RELIST_AFTER)
            found = await self._published(policy)
        return found

    async def _published(self, policy: Policy) -> Published:
        name = policy.key_vault.password_secret
        listed = await self.listed(policy, name)
        return Published.of(listed, await self._latest(policy, name, listed))

    async def listed(self, policy: Policy, name: str) -> tuple[Version, ...]:
        """Return the versions in the list of a secret; empty without the secret."""
        asked = asked_of(policy, f"list the versions of secret {name}", LIST)
        pages = self.client(policy).list_properties_of_secret_versions(name)
        try:
            return tuple([await ask(asked, version_of(each)) for each in await ask_all(asked, pages)])
        except Unseen:
            raise
        except NotFound:
            return ()

    async def _latest(self, policy: Policy, name: str, listed: Sequence[Version]) -> Version | None:
        """Return the version returned by a GET without a version.

        A disabled one answers 403 SecretDisabled instead, and is then found in the list.
        """
        try:
            properties = (await self.shown(policy, name)).properties
        except Unseen:
            raise
        except NotFound:
            return None
        except Forbidden as error:
            if error.code != "SecretDisabled" or not listed:
                raise
            return max(listed, key=lambda version: (version.created, not version.enabled, version.id))
        return await ask(asked_of(policy, f"read secret {name}", GET), version_of(properties))

    async def version(self, policy: Policy, version: str) -> Version:
        """Return one version of the published secret; a disabled one is found in the list."""
        name = policy.key_vault.password_secret
        try:
            properties = (await self.shown(policy, name, version)).properties
        except Forbidden as error:
            listed = await self.listed(policy, name) if error.code == "SecretDisabled" else ()
            found = next((each for each in listed if each.id == version), None)
            if found is None:
                raise
            return found
        return await ask(asked_of(policy, f"read version {version} of secret {name}", GET), version_of(properties))

    async def shown(self, policy: Policy, name: str, version: str | None = None) -> KeyVaultSecret:
        """Return a secret as one GET shows it."""
        shown = f"version {version} of secret {name}" if version else f"secret {name}"

        async def reading() -> KeyVaultSecret:
            found = await self.client(policy).get_secret(name, version)
            if not found.properties.version:
                raise ValueError("a secret without an id")
            return found

        return await ask(asked_of(policy, f"read {shown}", GET), reading())

    async def value(self, policy: Policy, name: str, version: str | None = None) -> Secret:
        """Return a secret's value."""
        found = (await self.shown(policy, name, version)).value
        if found is None:
            raise Unexpected(
                f"{SERVICE} gave no value of secret {name} in {policy.key_vault.host}",
                service=SERVICE,
                code=FailureCode.NO_VALUE,
            )
        return Secret(found)

    async def valid(self, policy: Policy, name: str) -> tuple[datetime | None, datetime | None]:
        """Return start and end of the validity period of a secret's newest version.

        Key Vault returns the value outside the period, too (azure-facts E4).
        """
        shown = (await self.shown(policy, name)).properties
        return shown.not_before and shown.not_before.astimezone(UTC), shown.expires_on and shown.expires_on.astimezone(
            UTC
        )

    async def publish(
        self, policy: Policy, secret: Secret, expires: datetime, content_type: str | None, tags_: Tags
    ) -> Version:
        """Create a new version of the published secret; the PUT is sent once."""
        name = policy.key_vault.password_secret
        return await self.put(
            policy, name, secret.reveal(), expires_on=expires, content_type=content_type, tags=dict(tags_)
        )

    async def put(self, policy: Policy, name: str, value: str, **rest: Any) -> Version:
        """Create a new version of a secret; the PUT is sent once."""
        asked = asked_of(policy, f"set secret {name}", SET, secrets=(value,))

        async def setting() -> Version:
            return await version_of((await self.client(policy).set_secret(name, value, **rest)).properties)

        return await ask(asked, setting())

    async def mark(self, policy: Policy, version: str, tags_: Tags | None, enabled: bool | None) -> None:
        """Replace a version's tags, or enable or disable the version."""
        changes: dict[str, Any] = {"tags": None if tags_ is None else dict(tags_), "enabled": enabled}
        await self.update(
            policy, policy.key_vault.password_secret, version, **{k: v for k, v in changes.items() if v is not None}
        )

    async def update(self, policy: Policy, name: str, version: str, **changes: Any) -> None:
        """Change the attributes or tags of a version."""
        asked = asked_of(policy, f"update version {version} of secret {name}", UPDATE)

        async def updating() -> Version:
            return await version_of(await self.client(policy).update_secret_properties(name, version, **changes))

        await ask(asked, updating())

    async def publish_username(self, policy: Policy) -> bool:
        """Make sure the user name secret holds the app id; return True if written.

        The content type and the tags of others are kept.
        """
        name, app_id = policy.key_vault.username_secret, policy.principal.app_id
        found = await self._username(policy)
        if name is None or (found and found.value == app_id):
            return False
        kept = await ask(asked_of(policy, f"read secret {name}", GET), version_of(found.properties)) if found else None
        await self.put(
            policy, name, app_id, content_type=kept and kept.content_type, tags=dict(kept.tags) if kept else None
        )
        return True

    async def username(self, policy: Policy) -> str | None:
        """Return the value of the user name secret; None if absent."""
        found = await self._username(policy)
        return found.value if found else None

    async def _username(self, policy: Policy) -> KeyVaultSecret | None:
        name = policy.key_vault.username_secret
        try:
            return await self.shown(policy, name) if name else None
        except Unseen:
            raise
        except NotFound:
            return None

    async def recoverable(self, policy: Policy) -> bool:
        """Tell if a soft-deleted secret occupies the published secret's name.

        Raises Forbidden where deleted secrets may not be read.
        """
        return await self.deleted(policy, policy.key_vault.password_secret) is not None

    async def deleted(self, policy: Policy, name: str) -> DeletedSecret | None:
        """Return the soft-deleted secret of a name."""

        async def looking() -> DeletedSecret:
            found = await self.client(policy).get_deleted_secret(name)
            if found.recovery_id is None:
                raise ValueError("a deleted secret that can't be recovered")
            return found

        try:
            return await ask(asked_of(policy, f"look for deleted secret {name}", LIST), looking())
        except Unseen:
            raise
        except NotFound:
            return None


def refused(error: AzureError) -> Denial | None:
    """Return the refusal to read a vault, if `error` is one.

    A denied network counts; a disabled secret doesn't.
    """
    return error.denial if isinstance(error, Forbidden) and error.service == SERVICE else None


def asked_of(policy: Policy, doing: str, action: str, *, secrets: tuple[str, ...] = ()) -> Asked:
    """Return the subject of a request to a policy's vault."""
    host = policy.key_vault.host
    needs = f"role {OFFICER} (action Microsoft.KeyVault/vaults/secrets/{action}/action) on vault {host}"
    return Asked(SERVICE, f"{doing} in {host}", needs, secrets, role=OFFICER, vault=policy.key_vault.name)


async def version_of(shown: SecretProperties) -> Version:
    """Return a version as the client shows it. Raises ValueError for an answer that is none."""
    if shown.version is None or shown.created_on is None:
        raise ValueError("a version without an id or a time")
    begins, expires = (each and each.astimezone(UTC) for each in (shown.not_before, shown.expires_on))
    return Version(
        shown.version,
        shown.created_on.astimezone(UTC),
        shown.enabled is not False,
        expires,
        shown.content_type,
        tags(labels(shown.tags)),
        begins,
    )
