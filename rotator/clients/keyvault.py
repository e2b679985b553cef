"""Key Vault secrets as JSON, through the client of azure-keyvault-secrets, which signs in as each vault asks.

These are the published password and the sources of hidden values; `access_mark.py` has the access mark. A secret's PUT
creates a version each time, so the PUT is sent once.

Source: Key Vault REST "Get Secret" and its neighbours; of codes: "Authentication, requests and responses".
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from azure.core.rest import HttpRequest
from azure.keyvault.secrets.aio import SecretClient

from rotator.causes import Denial
from rotator.clients.api_versions import SECRETS
from rotator.clients.pages import MOST_PAGES, paged
from rotator.clients.pipeline import Line
from rotator.clients.refusal import Asked
from rotator.clients.secret_versions import DeletedSecret, Published, SecretShown, deleted_secret, listed_version
from rotator.clients.token import Token
from rotator.clients.translation import ask
from rotator.clients.typed import content, text, text_or_none
from rotator.codes import FailureCode
from rotator.errors import AzureError, Forbidden, NotFound, Unexpected, Unseen
from rotator.policy import Policy
from rotator.rights import SECRETS_OFFICER
from rotator.state import Secret, Tags, Version

SERVICE = "Key Vault"
GET, LIST, SET, UPDATE = "getSecret", "readMetadata", "setSecret", "update"

PAGE = 25
"""Secrets on a page: the most that Key Vault gives."""
RELISTED, RELIST_AFTER = 2, 5.0
"""Number of repeated reads for a list of versions without the newest one, and seconds before each."""


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
        address = self._address(policy, "secrets", name, "versions")
        try:
            return tuple(await paged(asked, lambda page: self._read(policy, page), address, listed_version))
        except Unseen:
            raise
        except NotFound:
            return ()

    async def _latest(self, policy: Policy, name: str, listed: Sequence[Version]) -> Version | None:
        """Return the version returned by a GET without a version.

        A disabled one answers 403 SecretDisabled instead, and is then found in the list.
        """
        try:
            return (await self.shown(policy, name)).version
        except Unseen:
            raise
        except NotFound:
            return None
        except Forbidden as error:
            if error.code != "SecretDisabled" or not listed:
                raise
            return max(listed, key=lambda version: (version.created, not version.enabled, version.id))

    async def version(self, policy: Policy, version: str) -> Version:
        """Return one version of the published secret; a disabled one is found in the list."""
        name = policy.key_vault.password_secret
        try:
            return (await self.shown(policy, name, version)).version
        except Forbidden as error:
            listed = await self.listed(policy, name) if error.code == "SecretDisabled" else ()
            found = next((each for each in listed if each.id == version), None)
            if found is None:
                raise
            return found

    async def shown(self, policy: Policy, name: str, version: str = "") -> SecretShown:
        """Return a secret as one GET shows it."""
        shown = f"version {version} of secret {name}" if version else f"secret {name}"

        async def reading() -> SecretShown:
            found = await self._read(policy, self._address(policy, "secrets", name, version))
            return SecretShown(listed_version(found), text_or_none(found.get("value")))

        return await ask(asked_of(policy, f"read {shown}", GET), reading())

    async def walk(
        self, policy: Policy, asked: Asked, path: str, take: Callable[[dict[str, Any]], None], most: int
    ) -> None:
        """Give every item of one of the vault's lists to `take`. Raises Unexpected for a list of too many pages."""
        address = f"{self._address(policy, path)}&maxresults={PAGE}"
        await paged(asked, lambda page: self._read(policy, page), address, take, most)

    def _address(self, policy: Policy, *parts: str) -> str:
        path = "/".join(quote(part, safe="") for part in parts if part)
        return f"{policy.key_vault.url.rstrip('/')}/{path}?api-version={SECRETS}"

    async def _read(self, policy: Policy, address: str) -> dict[str, Any]:
        return await self._send(policy, "GET", address)

    async def _send(
        self, policy: Policy, method: str, address: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the JSON of an answer. Raises HttpResponseError for a refusal."""
        response: Any = await self.client(policy).send_request(HttpRequest(method, address, json=body))
        return content(response)

    async def value(self, policy: Policy, name: str, version: str | None = None) -> Secret:
        """Return a secret's value."""
        found = (await self.shown(policy, name, version or "")).value
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
        shown = (await self.shown(policy, name)).version
        return shown.begins, shown.expires

    async def publish(
        self, policy: Policy, secret: Secret, expires: datetime, content_type: str | None, tags_: Tags
    ) -> Version:
        """Create a new version of the published secret; the PUT is sent once."""
        name, shown = policy.key_vault.password_secret, secret.reveal()
        return await self.put(policy, name, shown, expires=expires, content_type=content_type, tags_=tags_)

    async def put(
        self,
        policy: Policy,
        name: str,
        value: str,
        *,
        expires: datetime | None = None,
        content_type: str | None = None,
        tags_: Tags | None = None,
    ) -> Version:
        """Create a new version of a secret; the PUT is sent once."""
        asked = asked_of(policy, f"set secret {name}", SET, secrets=(value,))
        attributes = None if expires is None else {"exp": int(expires.timestamp())}
        labels_ = None if tags_ is None else dict(tags_)
        body = {"value": value, "contentType": content_type, "tags": labels_, "attributes": attributes}
        return await ask(asked, self._written(policy, "PUT", self._address(policy, "secrets", name), body))

    async def mark(self, policy: Policy, version: str, tags_: Tags | None, enabled: bool | None) -> None:
        """Replace a version's tags, or enable or disable the version."""
        await self.update(policy, policy.key_vault.password_secret, version, tags_=tags_, enabled=enabled)

    async def update(
        self, policy: Policy, name: str, version: str, *, tags_: Tags | None = None, enabled: bool | None = None
    ) -> None:
        """Change the tags of a version, or enable or disable the version."""
        asked = asked_of(policy, f"update version {version} of secret {name}", UPDATE)
        attributes = None if enabled is None else {"enabled": enabled}
        body = {"tags": None if tags_ is None else dict(tags_), "attributes": attributes}
        await ask(asked, self._written(policy, "PATCH", self._address(policy, "secrets", name, version), body))

    async def _written(self, policy: Policy, method: str, address: str, body: Mapping[str, Any]) -> Version:
        """Send a write without what isn't given; an answer other than the version came from another sender."""
        given = {name: value for name, value in body.items() if value is not None}
        return listed_version(await self._send(policy, method, address, given))

    async def publish_username(self, policy: Policy) -> bool:
        """Make sure the user name secret holds the app id; return True if written.

        The content type and the tags of others are kept.
        """
        name, app_id = policy.key_vault.username_secret, policy.principal.app_id
        found = await self._username(policy)
        if name is None or (found and found.value == app_id):
            return False
        kept, tags_ = (found.version.content_type, found.version.tags) if found else (None, None)
        await self.put(policy, name, app_id, content_type=kept, tags_=tags_)
        return True

    async def username(self, policy: Policy) -> str | None:
        """Return the value of the user name secret; None if absent."""
        found = await self._username(policy)
        return found.value if found else None

    async def _username(self, policy: Policy) -> SecretShown | None:
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
        """Return the soft-deleted secret of a name; a disabled one answers 403, and is then found in the list."""
        asked = asked_of(policy, f"look for deleted secret {name}", LIST)
        try:
            return await ask(asked, self._deleted(policy, name))
        except Unseen:
            raise
        except NotFound:
            return None
        except Forbidden as error:
            if error.code != "SecretDisabled":
                raise
            return await self._deleted_in_list(policy, asked, name)

    async def _deleted(self, policy: Policy, name: str) -> DeletedSecret:
        return deleted_secret(await self._read(policy, self._address(policy, "deletedsecrets", name)))

    async def _deleted_in_list(self, policy: Policy, asked: Asked, name: str) -> DeletedSecret | None:
        found: list[DeletedSecret] = []

        def take(item: dict[str, Any]) -> None:
            if text(item["recoveryId"]).rpartition("/")[2].lower() == name.lower():
                found.append(deleted_secret(item))

        await self.walk(policy, asked, "deletedsecrets", take, MOST_PAGES)
        return next(iter(found), None)


def refused(error: AzureError) -> Denial | None:
    """Return the refusal to read a vault, if `error` is one.

    A denied network counts; a disabled secret doesn't.
    """
    return error.denial if isinstance(error, Forbidden) and error.service == SERVICE else None


def asked_of(policy: Policy, doing: str, action: str, *, secrets: tuple[str, ...] = ()) -> Asked:
    """Return the subject of a request to a policy's vault."""
    host = policy.key_vault.host
    needs = f"role {SECRETS_OFFICER} (action Microsoft.KeyVault/vaults/secrets/{action}/action) on vault {host}"
    return Asked(SERVICE, f"{doing} in {host}", needs, secrets, role=SECRETS_OFFICER, vault=policy.key_vault.name)
