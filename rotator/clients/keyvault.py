"""Key Vault secrets, through azure-keyvault-secrets.

These are the published password, the sources of hidden values, and the access mark. A secret's PUT creates a version
each time, so the PUT is sent once. Source of codes: Key Vault REST "Authentication, requests and responses".
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from azure.keyvault.secrets import DeletedSecret, KeyVaultSecret, SecretProperties
from azure.keyvault.secrets.aio import SecretClient

from rotator.clients.pages import ask_all
from rotator.clients.pipeline import Line
from rotator.clients.token import Token
from rotator.clients.translate import Asked, ask
from rotator.clients.typed import labels
from rotator.errors import AzureError, Conflict, Forbidden, NotFound, Unavailable, Unexpected, UnsafeStep, Unseen
from rotator.policy import Policy
from rotator.ports import AccessRecord
from rotator.remedy import delete_role_assignment
from rotator.resource_id import ArmId
from rotator.state import ACCESS, Access, Assignment, Secret, Tags, Version, tags

SERVICE = "Key Vault"
OFFICER = "Key Vault Secrets Officer"
GET, LIST, SET, UPDATE = "getSecret", "readMetadata", "setSecret", "update"
SET_ACTION = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
JSON = "application/json"
LARGEST = 25 * 1024
"""Bytes of a secret's value. Source: Azure Key Vault service limits."""


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
        self._revoked: dict[tuple[str, str], AccessRecord] = {}
        """Marks of revocation read so far, by host and secret."""

    async def close(self) -> None:
        """Close the clients; the session stays open."""
        for client in self._clients.values():
            await client.close()

    def _vault(self, policy: Policy) -> SecretClient:
        url = policy.key_vault.url
        if url not in self._clients:
            self._clients[url] = SecretClient(url, self._token, **self._line.options([policy.key_vault.host]))  # type: ignore[arg-type]
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
        listed = await self._listed(policy, name)
        return Published.of(listed, await self._latest(policy, name, listed))

    async def _listed(self, policy: Policy, name: str) -> tuple[Version, ...]:
        asked = _asked(policy, f"list the versions of secret {name}", LIST)
        pages = self._vault(policy).list_properties_of_secret_versions(name)
        try:
            return tuple([await ask(asked, _version(each)) for each in await ask_all(asked, pages)])
        except Unseen:
            raise
        except NotFound:
            return ()

    async def _latest(self, policy: Policy, name: str, listed: Sequence[Version]) -> Version | None:
        """Return the version returned by a GET without a version.

        A disabled one answers 403 SecretDisabled instead, and is then found in the list.
        """
        try:
            properties = (await self._get(policy, name)).properties
        except Unseen:
            raise
        except NotFound:
            return None
        except Forbidden as error:
            if error.code != "SecretDisabled" or not listed:
                raise
            return max(listed, key=lambda version: (version.created, not version.enabled, version.id))
        return await ask(_asked(policy, f"read secret {name}", GET), _version(properties))

    async def version(self, policy: Policy, version: str) -> Version:
        """Return one version of the published secret; a disabled one is found in the list."""
        name = policy.key_vault.password_secret
        try:
            properties = (await self._get(policy, name, version)).properties
        except Forbidden as error:
            listed = await self._listed(policy, name) if error.code == "SecretDisabled" else ()
            found = next((each for each in listed if each.id == version), None)
            if found is None:
                raise
            return found
        return await ask(_asked(policy, f"read version {version} of secret {name}", GET), _version(properties))

    async def _get(self, policy: Policy, name: str, version: str | None = None) -> KeyVaultSecret:
        shown = f"version {version} of secret {name}" if version else f"secret {name}"

        async def reading() -> KeyVaultSecret:
            found = await self._vault(policy).get_secret(name, version)
            if not found.properties.version:
                raise ValueError("a secret without an id")
            return found

        return await ask(_asked(policy, f"read {shown}", GET), reading())

    async def value(self, policy: Policy, name: str, version: str | None = None) -> Secret:
        """Return a secret's value."""
        found = (await self._get(policy, name, version)).value
        if found is None:
            raise Unexpected(
                f"{SERVICE} gave no value of secret {name} in {policy.key_vault.host}", service=SERVICE, code="NoValue"
            )
        return Secret(found)

    async def valid(self, policy: Policy, name: str) -> tuple[datetime | None, datetime | None]:
        """Return start and end of the validity period of a secret's newest version.

        Key Vault returns the value outside the period, too (azure-facts E4).
        """
        shown = (await self._get(policy, name)).properties
        return shown.not_before and shown.not_before.astimezone(UTC), shown.expires_on and shown.expires_on.astimezone(
            UTC
        )

    async def publish(
        self, policy: Policy, secret: Secret, expires: datetime, content_type: str | None, tags_: Tags
    ) -> Version:
        """Create a new version of the published secret; the PUT is sent once."""
        name = policy.key_vault.password_secret
        return await self._set(
            policy, name, secret.reveal(), expires_on=expires, content_type=content_type, tags=dict(tags_)
        )

    async def _set(self, policy: Policy, name: str, value: str, **rest: Any) -> Version:
        asked = _asked(policy, f"set secret {name}", SET, secrets=(value,))

        async def setting() -> Version:
            return await _version((await self._vault(policy).set_secret(name, value, **rest)).properties)

        return await ask(asked, setting())

    async def mark(self, policy: Policy, version: str, tags_: Tags | None, enabled: bool | None) -> None:
        """Replace a version's tags, or enable or disable the version."""
        changes: dict[str, Any] = {"tags": None if tags_ is None else dict(tags_), "enabled": enabled}
        await self._update(
            policy, policy.key_vault.password_secret, version, **{k: v for k, v in changes.items() if v is not None}
        )

    async def _update(self, policy: Policy, name: str, version: str, **changes: Any) -> None:
        asked = _asked(policy, f"update version {version} of secret {name}", UPDATE)

        async def updating() -> Version:
            return await _version(await self._vault(policy).update_secret_properties(name, version, **changes))

        await ask(asked, updating())

    async def publish_username(self, policy: Policy) -> bool:
        """Make sure the user name secret holds the app id; return True if written.

        The content type and the tags of others are kept.
        """
        name, app_id = policy.key_vault.username_secret, policy.principal.app_id
        found = await self._username(policy)
        if name is None or (found and found.value == app_id):
            return False
        kept = await ask(_asked(policy, f"read secret {name}", GET), _version(found.properties)) if found else None
        await self._set(
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
            return await self._get(policy, name) if name else None
        except Unseen:
            raise
        except NotFound:
            return None

    async def recoverable(self, policy: Policy) -> bool:
        """Tell if a soft-deleted secret occupies the published secret's name.

        Raises Forbidden where deleted secrets may not be read.
        """
        return await self._deleted(policy, policy.key_vault.password_secret) is not None

    async def _deleted(self, policy: Policy, name: str) -> DeletedSecret | None:
        """Return the soft-deleted secret of a name."""

        async def looking() -> DeletedSecret:
            found = await self._vault(policy).get_deleted_secret(name)
            if found.recovery_id is None:
                raise ValueError("a deleted secret that can't be recovered")
            return found

        try:
            return await ask(_asked(policy, f"look for deleted secret {name}", LIST), looking())
        except Unseen:
            raise
        except NotFound:
            return None

    async def access(self, policy: Policy, *, confirmed: bool = True) -> AccessRecord:
        """Read the access mark with its assignments.

        A secret of the same name without our tag belongs to another owner: raises Conflict. An absent mark lets a
        rotation write, so one read isn't enough: with `confirmed`, the mark must also be missing in the list of
        versions and in the deleted secrets. A revocation read once counts until the mark says access is granted.
        """
        record = await self._mark_shown(policy)
        if record.access is Access.UNMARKED and confirmed:
            record = await self._mark_hidden(policy) or record
        key = (policy.key_vault.host, policy.access_secret)
        if record.access is Access.UNMARKED:
            return self._revoked.get(key, record)
        self._revoked.pop(key, None)
        if record.access is Access.REVOKED:
            self._revoked[key] = record
        return record

    async def _mark_shown(self, policy: Policy) -> AccessRecord:
        """Return the mark as shown by one GET."""
        name = policy.access_secret
        try:
            found = await self._get(policy, name)
        except Unseen:
            raise
        except NotFound:
            return AccessRecord(Access.UNMARKED, self._now())
        except Forbidden as error:
            if error.code != "SecretDisabled":
                raise
            return self._disabled_record(policy, await self._listed(policy, name))
        asked = _asked(policy, f"read the record in secret {name}", GET)
        version = await ask(asked, _version(found.properties))
        return AccessRecord(_mark(policy, version), version.created, await ask(asked, _assignments(found.value)))

    async def _mark_hidden(self, policy: Policy) -> AccessRecord | None:
        """Return a mark not found by GET: from the list of its versions, or from the soft-deleted secrets."""
        name = policy.access_secret
        if listed := await self._listed(policy, name):
            return self._disabled_record(policy, listed)
        found = await self._deleted(policy, name)
        if found is None:
            return None
        asked = _asked(policy, f"look for deleted secret {name}", LIST)
        access = (await ask(asked, _labels(found.properties))).get(ACCESS)
        return (
            AccessRecord(Access(access), found.deleted_date or self._now(), deleted=True)
            if access in set(Access)
            else None
        )

    def _disabled_record(self, policy: Policy, listed: Sequence[Version]) -> AccessRecord:
        """Return the mark by its newest version's tags; its assignments can't be read."""
        newest = _newest_mark(policy, listed)
        return AccessRecord(_mark(policy, newest), newest.created, disabled=True)

    async def enable_record(self, policy: Policy) -> AccessRecord:
        """Enable the newest version of the access mark, and read the mark."""
        name = policy.access_secret
        newest = _newest_mark(policy, await self._listed(policy, name))
        await self._update(policy, name, newest.id, enabled=True)
        return await self.access(policy)

    async def record_access(self, policy: Policy, access: Access, assignments: Sequence[Assignment]) -> None:
        """Write the access mark. Raises UnsafeStep where its value has no room for the assignments."""
        value = _recorded(policy, assignments)
        await self._set(policy, policy.access_secret, value, content_type=JSON, tags={ACCESS: access.value})

    def _now(self) -> datetime:
        now = self._line.time.now()
        if now is None:
            raise Unexpected(f"no answer of {SERVICE} carried a Date", service=SERVICE, code="NoDate")
        return now


def refused(error: AzureError) -> str | None:
    """Return the reason why a vault may not be read, if `error` is such a refusal.

    A denied network counts; a disabled secret doesn't.
    """
    return str(error) if isinstance(error, Forbidden) and error.service == SERVICE else None


def _asked(policy: Policy, doing: str, action: str, *, secrets: tuple[str, ...] = ()) -> Asked:
    host = policy.key_vault.host
    needs = f"role {OFFICER} (action Microsoft.KeyVault/vaults/secrets/{action}/action) on vault {host}"
    return Asked(SERVICE, f"{doing} in {host}", needs, secrets)


async def _version(shown: SecretProperties) -> Version:
    if shown.version is None or shown.created_on is None:
        raise ValueError("a version without an id or a time")
    expires = shown.expires_on and shown.expires_on.astimezone(UTC)
    return Version(
        shown.version,
        shown.created_on.astimezone(UTC),
        shown.enabled is not False,
        expires,
        shown.content_type,
        tags(labels(shown.tags)),
    )


async def _labels(shown: SecretProperties) -> dict[str, str]:
    return labels(shown.tags)


def _newest_mark(policy: Policy, listed: Sequence[Version]) -> Version:
    newest = max(listed, key=lambda version: (version.created, not version.enabled, version.id), default=None)
    if newest is None:
        what = (
            f"{SERVICE} says that secret {policy.access_secret} of {policy.key_vault.host} is disabled, and lists no"
            " version of it"
        )
        raise Unavailable(what, service=SERVICE, code="NoVersions", remedy="Run again; Key Vault's lists may lag.")
    return newest


def _recorded(policy: Policy, assignments: Sequence[Assignment]) -> str:
    """Return the value of the access mark: indented for people if short enough, else without white space.

    Raises UnsafeStep where even the short form is too long.
    """
    shown = [asdict(assignment) for assignment in sorted(assignments)]
    values = (json.dumps(shown, indent=1), json.dumps(shown, separators=(",", ":")))
    value = next((each for each in values if len(each.encode()) <= LARGEST), None)
    if value is None:
        size = (
            f"the record of {len(shown)} role assignments takes {len(values[-1].encode())} bytes, and a secret of Key"
            f" Vault {LARGEST} at most"
        )
        remedy = (
            f"Delete some of them by hand (`{delete_role_assignment('ID')}`), noting them for later, and run again."
        )
        raise UnsafeStep(
            f"{size}: {policy.access_secret} can't hold it, so that no grant could restore them", remedy=remedy
        )
    return value


def _mark(policy: Policy, version: Version) -> Access:
    try:
        return Access(version.tag(ACCESS) or "")
    except ValueError:
        what = (
            f"secret {policy.access_secret} of {policy.key_vault.host} isn't rotator's: it has no tag {ACCESS} that"
            " says revoked or granted"
        )
    raise Conflict(
        what,
        service=SERVICE,
        code="ForeignAccessRecord",
        remedy="Give that secret another name; rotator keeps the access mark there.",
    )


async def _assignments(value: str | None) -> tuple[Assignment, ...]:
    return tuple(
        sorted(
            Assignment(**{**each, "scope": ArmId(each["scope"]), "id": ArmId(each["id"])})
            for each in json.loads(value or "[]")
        )
    )
