"""The emulator's tests begin with nobody signed in, whatever a test before them has put into the environment of the process."""

import os

import pytest


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
