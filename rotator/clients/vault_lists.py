"""Read the newest versions of a vault's secrets, and its soft-deleted secrets, in one walk through each list.

A list shows of each secret its newest version, without that version's id and value. Source: Key Vault REST "Get
Secrets", "Get Deleted Secrets" (azure-facts E2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotator.clients.keyvault import LIST, KeyVault, asked_of
from rotator.clients.pipeline import at_once
from rotator.clients.secret_versions import version_of
from rotator.clients.typed import text
from rotator.errors import AzureError
from rotator.policy import Policy
from rotator.state import Version

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
            found.newest[name] = version_of(item)

    def deleted(item: dict[str, Any]) -> None:
        if (name := _name(item)) in wanted:
            found.deleted.add(name)

    secrets, gone = (asked_of(first, f"list the {kind}", LIST) for kind in ("secrets", "deleted secrets"))
    try:
        async with at_once() as tasks:
            tasks.create_task(vault.walk(first, secrets, "secrets", newest, most))
            tasks.create_task(vault.walk(first, gone, "deletedsecrets", deleted, most))
    except AzureError as error:
        return error
    return found


def _name(item: Mapping[str, Any]) -> str:
    """Return the name in a listed secret's id. Raises KeyError, TypeError."""
    return text(item["id"]).rstrip("/").rpartition("/")[2].lower()
