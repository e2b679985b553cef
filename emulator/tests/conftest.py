"""Settings of the emulator's tests: each begins without a sign-in, whatever earlier tests left in the environment."""

import os

import pytest
from everywhere import answers_are_as_described, no_vault_is_remembered

__all__ = ["answers_are_as_described", "no_vault_is_remembered"]


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
