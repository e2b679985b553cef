"""Tests of `rotator status --html`: the page of a real look, written beside the table."""

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
    file = tmp_path / "nowhere" / "fleet.html"
    said = rotator("status", "--html", str(file))
    assert (said.code, said.out) == (1, "")
    first, *rest = said.err.splitlines()
    assert first == f"{file} can't be written: No such file or directory"
    assert rest == [
        "State: Nothing was changed: status only reads.",
        "What to do: Make its directory, or name another --html FILE.",
    ]


def test_a_policy_with_mistakes_is_on_the_page_with_each_of_them(rotator: Scene, tmp_path: Path) -> None:
    (rotator.policies / "broken.yaml").write_text("principal: {app_id: x}\nregistries: 1\n")
    file = tmp_path / "fleet.html"
    said = rotator("status", "--html", str(file))
    text = file.read_text(encoding="utf-8")
    assert said.code == 2
    assert ">broken</h2>" in text
    assert f">{NAME}</h2>" in text
    shown = text[text.index(">broken</h2>") :]
    for line in (1, 2):
        assert f"broken.yaml:{line}:" in shown
    assert shown.count("<li>") >= 3
    assert "\\n" not in shown.partition("</details>")[0]


def test_a_command_that_ends_before_it_looks_leaves_no_page_of_an_earlier_day(rotator: Scene, tmp_path: Path) -> None:
    file = tmp_path / "fleet.html"
    assert rotator("status", "--html", str(file)).code == 0
    (rotator.policies / f"{NAME}.yaml").write_text("principal: 1\n")
    assert rotator("status", "--html", str(file)).code == 2
    text = file.read_text(encoding="utf-8")
    assert ">rotator</h2>" in text
    assert f"{NAME}.yaml:1:" in text
    assert f">{NAME}</h2>" not in text
