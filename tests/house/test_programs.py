"""Tests of tests that need a missing program: with CI=true they fail, elsewhere they are skipped, always with the
package's name.
"""

from pathlib import Path

import pytest

from tests.programs import as_root, needed


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="promtool is not here: install Debian's package prometheus"):
        needed("promtool", "prometheus")


@pytest.mark.parametrize("ci", ["true", ""])
def test_that_nobody_can_be_root_is_a_skip_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.skip.Exception, match="needs root, or sudo without a password"):
        as_root()


def test_another_name_of_the_program_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "google-chrome").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needed("chromium", "chromium", "google-chrome") == str(tmp_path / "google-chrome")


@pytest.mark.xdist_group("one worker")
def test_tests_of_one_group_are_dealt_out_by_its_name(request: pytest.FixtureRequest) -> None:
    """Xdist reads the group at the end of a test's id; without it each worker would make the group's shared data."""
    dealt_out = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@one worker") is dealt_out
