"""Fixtures of the hosts' tests: one emulator for all, whose operator also signs in by a certificate."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.hosts.host import signs_by_certificate
from tests.served import Served, serving


@dataclass(frozen=True)
class Signed:
    """Emulator, with the operator's certificate and key as PEM."""

    azure: Served
    certificate: bytes


@pytest.fixture(name="signed", scope="session")
def _signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signed]:
    with serving(tmp_path_factory.mktemp("hosts") / "state") as azure:
        yield Signed(azure, signs_by_certificate(azure))
