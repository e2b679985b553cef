"""What every test stands on: nothing leaves this machine, no test sees what another one left in a library's memory, and answers are as described."""

import ipaddress
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from descriptions import SPECS


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to connect to anything but this machine: an audit hook sees every library's sockets, and can't be taken off."""
    if (
        event == "socket.connect"
        and isinstance(arguments[1], tuple)
        and not ipaddress.ip_address(arguments[1][0]).is_loopback
    ):
        raise ConnectionRefusedError(f"a test tried to reach {arguments[1][0]}")


sys.addaudithook(_stay_here)


@pytest.fixture(autouse=True)
def no_vault_is_remembered() -> Iterator[None]:
    """Forget which tenant a vault belongs to: the Key Vault SDK keeps that for the life of a process, and each test has a tenant of its own.

    Before a test, too: some modules play a scene while they are collected.
    """
    _forget_vaults()
    yield
    _forget_vaults()


def _forget_vaults() -> None:
    if remembered := sys.modules.get("azure.keyvault.secrets._shared.http_challenge_cache"):
        remembered.clear()


@cache
def _witness() -> Any:
    """Whoever has Azure's own API descriptions sees the emulator's answers held against them, for as long as the process lives."""
    from descriptions.witness import Witness

    assert SPECS is not None
    witness = Witness(SPECS)
    witness.watch()
    return witness


@pytest.fixture(autouse=True)
def answers_are_as_described(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which the emulator answered otherwise than Azure's descriptions say; count what was judged, and what nothing describes."""
    witness = _witness() if SPECS else None
    yield
    if witness:
        request.node.user_properties += witness.tally()
        if found := witness.report():
            pytest.fail("not as Azure describes it:\n" + "\n".join(map(str, found)), pytrace=False)
