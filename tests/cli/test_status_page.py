"""`rotator status --html`: the page of a real look, written beside the table."""

import stat
from pathlib import Path

from tests.cli.scene import NAME, Scene


def test_the_page_is_written_whole_beside_the_table_and_holds_no_secret(rotator: Scene, tmp_path: Path) -> None:
    assert rotator("rotate", NAME, "--adopt").code == 0
    file = tmp_path / "fleet.html"
    file.write_text("old")
    plain, said = rotator("status"), rotator("status", "--html", str(file))
    assert (said.code, said.out) == (plain.code, plain.out)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert f">{NAME}</h2>" in text
    secrets = [password.secret for password in rotator.azure.directory.passwords(rotator.application.app_id)]
    assert secrets
    assert not any(secret in text for secret in [*secrets, rotator.seeded.operator.secret])
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir() if "fleet" in each.name] == ["fleet.html"]


def test_a_page_that_can_not_be_written_is_said(rotator: Scene, tmp_path: Path) -> None:
    said = rotator("status", "--html", str(tmp_path / "nowhere" / "fleet.html"))
    assert (said.code, said.out) == (1, "")
    assert "No such file or directory" in said.err
    assert "What to do" in said.err
