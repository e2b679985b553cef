"""Fixtures of the tests of `doctor`."""

from pathlib import Path

import pytest

from tests.cli.scene import Scene, make


@pytest.fixture
def rotator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    """Return the command line in a world of its own."""
    return make(monkeypatch, tmp_path)
