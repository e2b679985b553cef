"""Connections of notices, and the addresses that are in Key Vault."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from rotator.notify import KeyVaultSecret, Transport
from rotator.notify.settings import checked
from rotator.policy import Policy
from rotator.ports import Clock, World
from rotator.rights import REGISTRY_TYPE
from rotator.secret import Secret

PATIENCE = 60
"""Seconds for an address from Key Vault: the clients would go on trying for longer."""
NO_ONE = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Connections:
    """Time and connections of the caller, made only when they are needed."""

    now: Callable[[], datetime]
    transport: Callable[[], Transport]
    connected: Callable[[], tuple[Clock, AbstractAsyncContextManager[World]]]


async def from_key_vault(world: World | None, address: KeyVaultSecret, variable: str) -> Secret:
    """Read the address that `variable` names. Raises RotatorError, ValueError."""
    if world is None:
        raise ValueError("the address is in Key Vault, which was not reached")
    try:
        async with asyncio.timeout(PATIENCE):
            value = await world.secret(_of_vault(address), address.name)
    except TimeoutError:
        raise ValueError(f"Key Vault gave no address within {PATIENCE} s") from None
    return checked(value, f"the secret named by {variable}")


def _of_vault(address: KeyVaultSecret) -> Policy:
    """Return a policy that names the vault, which is all that a read of a secret asks of it. Raises ValueError."""
    return Policy.model_validate(
        {
            "name": address.name,
            "file": "",
            "principal": {"app_id": NO_ONE},
            "registries": [{"id": f"/subscriptions/{NO_ONE}/resourceGroups/none/providers/{REGISTRY_TYPE}/nowhere"}],
            "key_vault": {"url": address.vault, "password_secret": address.name},
        }
    )
