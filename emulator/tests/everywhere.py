"""Fixtures of every test: no connection leaves this machine, no test gets another one's memory of a library, and
answers are as described.
"""

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any, TypeVar

import pytest
from descriptions import SPECS

T = TypeVar("T")


def _staying_here(connect: Callable[[socket.socket, Any], T]) -> Callable[[socket.socket, Any], T]:
    """Refuse connections to other machines."""

    @wraps(connect)
    def connected(self: socket.socket, address: Any) -> T:
        if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    return connected


# Every library of Python's connects through these; an audit hook would be called for a hundred other things.
for _name in ("connect", "connect_ex"):
    setattr(socket.socket, _name, _staying_here(getattr(socket.socket, _name)))


@pytest.fixture(autouse=True)
def no_vault_is_remembered() -> Iterator[None]:
    """Forget the tenants of vaults: the Key Vault SDK keeps them for the life of a process, and each test has a
    separate tenant.

    Forget them before a test, too: some modules play a scene while they are collected.
    """
    _forget_vaults()
    yield
    _forget_vaults()


def _forget_vaults() -> None:
    if remembered := sys.modules.get("azure.keyvault.secrets._shared.http_challenge_cache"):
        remembered.clear()


@cache
def _witness() -> Any:
    """Return the witness that compares answers with Azure's own API descriptions, for the life of the process."""
    from descriptions.witness import Witness

    assert SPECS is not None
    witness = Witness(SPECS)
    witness.watch()
    return witness


@pytest.fixture(autouse=True)
def answers_are_as_described(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which the emulator answered differently from Azure's descriptions; count the judged answers, and
    those without a description.
    """
    witness = _witness() if SPECS else None
    yield
    if witness:
        request.node.user_properties += witness.tally()
        if found := witness.report():
            pytest.fail("not as Azure describes it:\n" + "\n".join(map(str, found)), pytrace=False)
