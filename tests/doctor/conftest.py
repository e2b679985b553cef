"""What the tests of `doctor` may ask for."""

from pathlib import Path

import pytest

from tests.cli.scene import Scene, make


@pytest.fixture
def rotator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    """The command line in a world that it may change."""
    return make(monkeypatch, tmp_path)
