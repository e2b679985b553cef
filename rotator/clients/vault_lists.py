"""Read the newest versions of a vault's secrets, and its soft-deleted secrets, in one walk through each list.

A list shows of each secret its newest version, without that version's id and value. Source: Key Vault REST "Get
Secrets", "Get Deleted Secrets" (azure-facts E2).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.keyvault.secrets.aio import SecretClient

from rotator.clients.api_versions import SECRETS
from rotator.clients.keyvault import LIST, KeyVault, asked_of
from rotator.clients.pages import Turner, in_time
from rotator.clients.pipeline import at_once
from rotator.clients.refusal import Asked
from rotator.clients.translation import ask
from rotator.clients.typed import items, labels, record, text, text_or_none
from rotator.codes import FailureCode
from rotator.errors import AzureError, Unexpected
from rotator.policy import Policy
from rotator.state import Version, tags

PAGE = 25
"""Secrets on a page: the most that Key Vault gives."""
LEAST_PAGES, PAGES_EACH = 2, 2
"""Pages of a list that are read in any case, and for each policy: a look at each costs less than a longer list."""


@dataclass(slots=True)
class VaultLists:
    """The wanted secrets of a vault by name in lower case: the newest version of each, and the soft-deleted names."""

    newest: dict[str, Version] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)


async def walked(vault: KeyVault, policies: Sequence[Policy]) -> VaultLists | AzureError:
    """Return the vault's secrets that the policies name; all policies have the same vault.

    Returns the error of a list that can't be read, or that is much longer than the number of policies.
    """
    wanted = {name.lower() for one in policies for name in (one.key_vault.password_secret, one.access_secret)}
    most = LEAST_PAGES + PAGES_EACH * len(policies)
    found, first = VaultLists(), policies[0]

    def newest(item: dict[str, Any]) -> None:
        if (name := _name(item)) in wanted:
            found.newest[name] = _version(item)

    def deleted(item: dict[str, Any]) -> None:
        if (name := _name(item)) in wanted:
            found.deleted.add(name)

    secrets, gone = (asked_of(first, f"list the {kind}", LIST) for kind in ("secrets", "deleted secrets"))
    try:
        async with at_once() as tasks:
            tasks.create_task(_walk(vault.client(first), secrets, "secrets", most, newest))
            tasks.create_task(_walk(vault.client(first), gone, "deletedsecrets", most, deleted))
    except AzureError as error:
        return error
    return found


async def _walk(
    client: SecretClient, asked: Asked, path: str, most: int, take: Callable[[dict[str, Any]], None]
) -> None:
    """Give every item of a list to `take`, page by page. Raises Unexpected for a list of more than `most` pages."""

    async def walk() -> None:
        turner, pages = Turner(asked), 0
        address: str | None = f"{client.vault_url.rstrip('/')}/{path}?maxresults={PAGE}&api-version={SECRETS}"
        while address:
            pages += 1
            if pages > most:
                happened = f"{asked.service} has more than {most} pages when asked to {asked.doing}"
                raise Unexpected(happened, service=asked.service, code=FailureCode.LONG_LIST)
            page = await _page(client, address)
            for item in items(page):
                take(item)
            address = turner.turn(page.get("nextLink"))

    await ask(asked, in_time(asked, walk()))


async def _page(client: SecretClient, address: str) -> Mapping[str, Any]:
    response: Any = await client.send_request(HttpRequest("GET", address))
    if response.status_code != 200:
        raise HttpResponseError(response=response)
    return record(json.loads(response.text()))


def _name(item: Mapping[str, Any]) -> str:
    """Return the name in a listed secret's id. Raises KeyError, TypeError."""
    return text(item["id"]).rstrip("/").rpartition("/")[2].lower()


def _version(item: Mapping[str, Any]) -> Version:
    """Return the newest version of a listed secret, without an id. Raises KeyError, TypeError, ValueError."""
    shown = record(item["attributes"])
    begins, expires = (None if shown.get(name) is None else _instant(shown[name]) for name in ("nbf", "exp"))
    enabled = shown.get("enabled") is not False
    kind, named = text_or_none(item.get("contentType")), tags(labels(item.get("tags")))
    return Version("", _instant(shown["created"]), enabled, expires, kind, named, begins)


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise TypeError("not a number of seconds")
    return datetime.fromtimestamp(seconds, UTC)
