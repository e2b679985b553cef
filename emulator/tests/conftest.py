"""The emulator's tests begin with nobody signed in, whatever a test before them has put into the environment of the process."""

import os

import pytest
from everywhere import answers_are_as_described, no_vault_is_remembered

__all__ = ["answers_are_as_described", "no_vault_is_remembered"]


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
